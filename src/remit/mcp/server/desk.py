"""What a host asks of remit, done: delegate, check, follow, supply context, stop, account. Nothing here approves or accepts."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from remit.contract.print import print_contract
from remit.engine.delivery import deliver
from remit.engine.inbox import answer, ask_stop
from remit.engine.judge import sealed_stage
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.errors import BadInput, Busy, Refused
from remit.mcp.server.allowance import HOST, within_allowance
from remit.mcp.server.house import House, Looked, allowed_contract, allowed_workspace, within
from remit.mcp.server.mandate import beyond_programs, beyond_text
from remit.mcp.server.told import MOST_RUNS, MOST_TEXT, ONLY_PEOPLE, cut, status, told_account
from remit.mcp.server.wanted import Account, Check, Context, Delegate, Status, Stop
from remit.mcp.server.worker import Workers
from remit.run.event import ChildStarted, Started, Stopped
from remit.run.state import Run

PATIENCE = 10.0
"""seconds in which whoever drives a stopped run lets it go"""


@dataclass
class Voice:
    """Whoever says something through a host: it holds no key, and what it says is `scripted`."""

    person: str
    public: str = ""

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """Nothing: there is no key here that could sign."""
        return ""


class Desk:
    """One server's dealings with remit."""

    def __init__(self, house: House, supervisor: Supervisor, workers: Workers) -> None:
        self.house, self._supervisor, self.hands, self.workers = house, supervisor, supervisor.hands, workers
        self.starting = anyio.Lock()

    async def delegate(self, want: Delegate, host: str) -> dict[str, Any]:
        """Take a run on and have it worked at. Raises BadInput with every finding, Refused for what is not allowed."""
        self.workers.room()
        workspace = allowed_workspace(self.house, want.workspace)
        runtime = want.runtime or ("command" if want.command else "")
        path, looked = self.looked(want.contract, want.contract_file, runtime, self.house.home / "mcp" / "contracts")
        if not looked.review.ok:
            raise BadInput(self.house.screen(looked.review), hint="mend the contract and delegate again; nothing was started")
        if wrong := self._beyond(want, looked):
            said = "a contract that comes as text may be an agent's own, and this is for a person to give:"
            raise Refused("\n".join([said, *(f"- {each}" for each in wrong)]), hint="or use a contract file that a person keeps")
        who = self.house.who(looked.contract, want.runtime or None, want.command, want.model, path)
        async with self.starting:
            if want.contract:
                await within_allowance(self.hands, looked.contract.limits.usd, self.house.usd)
            run = await start(
                self.hands, looked.contract, self.house.organisation(looked.organisation), workspace, who.command,
                trigger=f"{HOST} {host}", checklist=[(item.item, item.ok) for item in looked.review.checklist],
                context=looked.context, requester=self.house.person, runtime=who.runtime, model=who.model, soul=who.soul,
            )  # fmt: skip
        self.workers.carry_on(run)
        return {
            "schema": "remit.delegated/1", "run": run, "owner": looked.contract.owner, "workspace": str(workspace),
            "next": "follow it with `status`; what waits for a person waits for that person; the owner takes the outcome",
        }  # fmt: skip

    async def check(self, want: Check, _: str) -> dict[str, Any]:
        """The review of a contract."""
        with tempfile.TemporaryDirectory(prefix="remit-check-") as room:
            _path, looked = self.looked(want.contract, want.contract_file, want.runtime, Path(room))
        found = [
            {"code": one.code, "severity": one.severity, "where": one.where, "message": cut(one.message), "hint": cut(one.hint)}
            for one in looked.review.findings[:200]
        ]
        told: dict[str, Any] = {"schema": "remit.check/1", "ok": looked.review.ok, "findings": found}
        if looked.review.ok and want.contract:
            told["only_a_person_may_give"] = self._beyond(want, looked)
        return told

    async def status(self, want: Status, _: str) -> dict[str, Any]:
        """One run, or the newest of all."""
        if want.run:
            run = await self.known(want.run)
            return status(self.house, run, driven=self.workers.driven(run.id))
        return {"schema": "remit.runs/1", "runs": await self.runs()}

    async def context(self, want: Context, host: str) -> dict[str, Any]:
        """Supply what the agent asked for. Raises Refused for any question that decides something."""
        run = await self.own(want.run)
        asked = run.questions.get(want.question.upper())
        if asked is None:
            names = ", ".join(each.question for each in run.open_questions) or "none is open"
            raise BadInput(f"run `{run.id}` has no question `{want.question}`", hint=f"open questions: {names}")
        name = asked.question.question
        if asked.question.about != "context":
            hint = "tell the person who is asked; nothing said here counts as their word"
            raise Refused(ONLY_PEOPLE.format(run=run.id, question=name), hint=hint)
        note = f"from {HOST} {host}, not from a person: {want.answer}"
        await answer(self.hands, run.id, name, "yes", signer=Voice(self.house.person), assurance="scripted", note=note)
        self.workers.carry_on(run.id)
        return {"schema": "remit.context/1", "run": run.id, "question": name, "told": True}

    async def stop(self, want: Stop, host: str) -> dict[str, Any]:
        """End a run of this server's hosts. Raises Busy when whoever drives it does not let go."""
        run = await self.own(want.run)
        if run.verdict is None:
            by = f"{self.house.person} through {HOST} {host}"
            await ask_stop(self.hands, run.id, by=by, why=cut(want.why))
            await self._let_go(run.id)
            run = await self.hands.replay(run.id)
            if run.verdict is None:
                run = await deliver(self._supervisor, run.id)
        facts = [record.event for record in await self.hands.ledger.events(run.id) if isinstance(record.event, Stopped)]
        fact = facts[-1] if facts else Stopped(run=run.id, receipt=run.stopped)
        return {
            "schema": "remit.stop/1", "run": run.id, "verdict": run.verdict, "receipt": cut(fact.receipt),
            "ended": [cut(each) for each in fact.ended[:200]], "remains": [cut(each) for each in fact.remains[:200]],
        }  # fmt: skip

    async def account(self, want: Account, _: str) -> dict[str, Any]:
        """The five questions about a run and the runs below it."""
        run = await self.known(want.run)
        family, at = [run.id], 0
        found = []
        while at < len(family):
            for record in await self.hands.ledger.events(family[at]):
                found.append(record)
                if isinstance(record.event, ChildStarted) and record.event.child not in family:
                    family.append(record.event.child)
            at += 1
        return told_account(sorted(found, key=lambda record: record.seq), want.question)

    # ------------------------------------------------------------ what the resources show

    async def runs(self) -> list[dict[str, Any]]:
        """The newest runs in these workspaces, newest last."""
        mine = [record for record in await self.hands.ledger.runs() if self._reaches(record.event) and "." not in record.run]
        rows = []
        for record in mine[-MOST_RUNS:]:
            run = await self.hands.replay(record.run)
            rows.append(
                {
                    "run": run.id, "at": record.at.isoformat(timespec="seconds"), "phase": run.phase, "verdict": run.verdict,
                    "acceptance": run.acceptance, "owner": run.owner, "goal": cut(run.contract.goal, 200),
                    "questions": [each.question for each in run.open_questions],
                }
            )  # fmt: skip
        return rows

    async def contract(self, run_id: str) -> str:
        """The contract a run was started under, as canonical text."""
        return print_contract((await self.known(run_id)).contract)

    async def diff(self, run_id: str) -> str:
        """What a run changed, as it would be or was published. Raises BadInput before there is anything."""
        run = await self.known(run_id)
        if run.work is None:
            raise BadInput(f"run `{run.id}` has no sealed work to show", hint="`status` says where it stands")
        stage = await sealed_stage(self.hands, run)
        return cut(await stage.diff(dropped=run.judged.dropped if run.judged else ()), MOST_TEXT)

    async def known(self, run_id: str) -> Run:
        """A run in one of these workspaces, children included. Raises BadInput for any other: it is not said to be there."""
        found = next((record for record in await self.hands.ledger.runs() if record.run == run_id), None)
        if found is None or not self._reaches(found.event):
            raise BadInput(f"there is no run `{run_id}` here", hint="`status` without a run lists them")
        return await self.hands.replay(run_id)

    # ------------------------------------------------------------ inside

    def _reaches(self, event: object) -> bool:
        return isinstance(event, Started) and within(Path(event.workspace), self.house.workspaces)

    async def own(self, run_id: str) -> Run:
        """A run that was delegated by a host. Raises Refused for one that a person started."""
        run = await self.known(run_id)
        if run.started is None or not run.started.trigger.startswith(HOST):
            raise Refused(f"run `{run.id}` was not delegated by a host", hint="whoever started it ends it and answers it")
        return run

    def _beyond(self, want: Delegate | Check, looked: Looked) -> list[str]:
        """What of this is for a person to give; a contract file is a person's, the command beside it is not."""
        command = want.command if isinstance(want, Delegate) else ()
        runtime = want.runtime or ("command" if command else "")
        sent = beyond_text(looked.contract, looked.organisation, self.house.variables, runtime=runtime) if want.contract else ()
        text = bool(want.contract)
        return [*sent, *beyond_programs(looked.contract, runtime, command, self.house.programs, text=text)]

    def looked(self, text: str, file: str, runtime: str, folder: Path) -> tuple[Path, Looked]:
        if bool(text.strip()) == bool(file):
            raise BadInput("give either `contract` or `contract_file`", hint="the prompt `write_contract` says how to write one")
        path = allowed_contract(self.house, file) if file else _kept(text, folder)
        return path, self.house.look(path, runtime)

    async def _let_go(self, run_id: str) -> None:
        """Until whoever drives the run has seen the stop, or for a while."""
        with anyio.move_on_after(PATIENCE):
            while True:
                try:
                    with self.hands.leases.hold(run_id):
                        return
                except Busy:
                    await anyio.sleep(0.05)


# ---------------------------------------------------------------------------------------------------------------------


def _kept(text: str, folder: Path) -> Path:
    """The text as a file of our own; one that is delegated stays there for whoever asks later what was loaded."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise BadInput("the contract is not UTF-8") from None
    path = folder / f"{hashlib.sha256(data).hexdigest()[:24]}.remit.yaml"
    path.write_bytes(data)
    return path

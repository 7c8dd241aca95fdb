"""What a host asks of remit about chains, done: list, plan, carry out, follow, carry on, judge. Nothing answers here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from remit.contract.contract import Contract
from remit.contract.models import RUNTIMES
from remit.contract.print import print_contract
from remit.engine.chain import begin
from remit.engine.start import start
from remit.engine.stepping import expected
from remit.errors import BadInput, Refused
from remit.mcp.server.allowance import HOST, within_allowance
from remit.mcp.server.chain_mandate import beyond_plan, beyond_programs_of, startable
from remit.mcp.server.chain_planning import Planned, chosen, planned, shelf
from remit.mcp.server.chain_told import blueprint_told, file_told, listed, plan_told, status_told, validation_told
from remit.mcp.server.chain_wanted import (
    ChainList,
    ChainPlan,
    ChainResume,
    ChainRun,
    ChainShow,
    ChainStatus,
    ChainValidate,
    Wished,
)
from remit.mcp.server.desk import Desk
from remit.mcp.server.house import Looked, allowed_workspace
from remit.mcp.server.told import cut
from remit.plan.contracting import chain_contract, validation_contract
from remit.plan.step import Plan
from remit.run.state import Run
from remit.value import digest

JUDGING = 60.0
"""seconds in which a validation is waited for; it goes on after them"""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The contract of a chain: a person's file, or one made from the plan in the name of whom the server acts for."""

    contract: Contract
    looked: Looked
    wrong: tuple[str, ...]
    own: bool


class Chains:
    """One server's dealings with chains."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._house, self._hands, self._workers = desk, desk.house, desk.hands, desk.workers

    async def chain_list(self, want: ChainList, _: str) -> dict[str, Any]:
        """What can be carried out here."""
        here = await anyio.to_thread.run_sync(shelf, self._house, allowed_workspace(self._house, want.workspace))
        return {"schema": "remit.chain-list/1", **listed(here)}

    async def chain_show(self, want: ChainShow, _: str) -> dict[str, Any]:
        """One blueprint or chain file."""
        here = await anyio.to_thread.run_sync(shelf, self._house, allowed_workspace(self._house, want.workspace))
        source = chosen(want.name, here)
        return file_told(source, here) if isinstance(source, Path) else blueprint_told(source, here.library)

    async def chain_plan(self, want: ChainPlan, _: str) -> dict[str, Any]:
        """What `chain_run` would do."""
        workspace = allowed_workspace(self._house, want.workspace)
        found = await self._planned(want, workspace)
        promise = self._promise(want, found)
        told = plan_told(found, print_contract(promise.contract))
        if promise.wrong:
            told["only_a_person_may_give"] = [cut(each) for each in promise.wrong[:60]]
        if not promise.looked.review.ok:
            told["contract_findings"] = self._house.screen(promise.looked.review)
        return told

    async def chain_run(self, want: ChainRun, host: str) -> dict[str, Any]:
        """Take a chain on. Nobody has confirmed the plan, and it says so. Raises BadInput and Refused with every reason."""
        self._workers.room()
        workspace = allowed_workspace(self._house, want.workspace)
        found = await self._planned(want, workspace)
        startable(found.plan)
        promise = self._promise(want, found)
        if not promise.looked.review.ok:
            raise BadInput(self._house.screen(promise.looked.review), hint="nothing was started")
        if promise.wrong:
            said = "this chain goes further than a host may, and this is for a person to give:"
            hint = "or have a person keep the chain file or its contract where `--contracts` points, or begin it themselves"
            raise Refused("\n".join([said, *(f"- {each}" for each in promise.wrong)]), hint=hint)
        plan = found.plan
        async with self._desk.starting:
            if promise.own:
                await within_allowance(self._hands, promise.contract.limits.usd, self._house.usd)
            run = await begin(
                self._hands, plan, promise.contract, self._house.organisation(promise.looked.organisation), workspace,
                trigger=f"{HOST} {host}", advised=found.advice.mode, why=(*found.why, *found.advice.reasons),
                requester=self._house.person, context=((plan.source or plan.name, digest(plan)), *promise.looked.context),
                checklist=[(item.item, item.ok) for item in promise.looked.review.checklist],
            )  # fmt: skip
        self._workers.carry_on(run)
        return {
            "schema": "remit.chain-begun/1", "run": run, "owner": promise.contract.owner, "workspace": str(workspace),
            "mode": plan.mode, "steps": [step.id for step in plan.steps[:200]],
            "next": "follow it with `chain_status`; trouble with a step and gaps are put before the owner, who takes the outcome",
        }  # fmt: skip

    async def chain_status(self, want: ChainStatus, _: str) -> dict[str, Any]:
        """Where a chain stands."""
        run = await self._chain(want.run)
        return status_told(self._house, run, await self._children(run), driven=self._workers.driven(run.id))

    async def chain_resume(self, want: ChainResume, _: str) -> dict[str, Any]:
        """Have it driven again. Raises BadInput for one that is over, Refused for one that no host began."""
        run = await self._chain(want.run)
        await self._desk.own(run.id)
        if run.verdict is not None:
            raise BadInput(f"chain `{run.id}` has ended: {run.verdict}", hint="`chain_status` says how")
        if not self._workers.driven(run.id):
            self._workers.room()
            self._workers.carry_on(run.id)
        waits = [each.question for each in run.open_questions]
        note = "only a named person answers what it waits for" if waits else "follow it with `chain_status`"
        return {"schema": "remit.chain-resumed/1", "run": run.id, "at_work": True, "questions": waits, "next": note}

    async def chain_validate(self, want: ChainValidate, host: str) -> dict[str, Any]:
        """Judge what is there; where it takes long, the run to ask `chain_validate` no more but `status` about."""
        plan, due, workspace = await self._due(want)
        if not due:
            raise BadInput(
                "nothing is due from this chain, so there is nothing to validate", hint="its `deliverables:` say what is"
            )
        self._workers.room()
        contract = validation_contract(chain_contract(plan, owner=self._house.person, may_write=()), plan, due)
        looked = self._looked(contract, "command")
        run = await start(
            self._hands, contract, self._house.organisation(looked.organisation), workspace, ("true",), trigger=f"{HOST} {host}",
            requester=self._house.person,
        )  # fmt: skip
        self._workers.carry_on(run)
        ended = await self._ended(run)
        found = next((check.found for check in ended.checks.values() if check.found is not None), None)
        if found is None and ended.verdict is not None:
            raise BadInput(f"it could not be validated: {ended.why or ended.verdict}", hint=f"`account` of `{run}` says more")
        told: dict[str, Any] = {"schema": "remit.chain-validation/1", "run": run, "workspace": str(workspace)}
        return {**told, **validation_told(found)} if found is not None else {**told, "status": "not yet", "next": "`status`"}

    # ------------------------------------------------------------ inside

    async def _planned(self, want: Wished, workspace: Path) -> Planned:
        if want.runtime and want.runtime not in RUNTIMES:
            raise BadInput(f"there is no runtime `{want.runtime}`", hint=f"one of {', '.join(RUNTIMES)}")
        here = await anyio.to_thread.run_sync(shelf, self._house, workspace)
        return await anyio.to_thread.run_sync(planned, want, here)

    def _promise(self, want: Wished, found: Planned) -> Promise:
        """The contract it would run under, and what of it is not the host's to give."""
        plan, house = found.plan, self._house
        programs = beyond_programs_of(plan, house.programs, given=want.command, kept=found.kept)
        if want.contract_file:
            _, looked = self._desk.looked("", want.contract_file, plan.runtime, house.home / "mcp" / "contracts")
            if not looked.review.ok:
                raise BadInput(house.screen(looked.review), hint="a person mends the contract file; nothing was started")
            return Promise(contract=looked.contract, looked=looked, wrong=tuple(programs), own=False)
        contract = chain_contract(plan, owner=house.person)
        looked = self._looked(contract, plan.runtime)
        sent = () if found.kept else beyond_plan(contract, looked.organisation, house.variables, plan)
        return Promise(contract=contract, looked=looked, wrong=(*sent, *programs), own=True)

    def _looked(self, contract: Contract, runtime: str) -> Looked:
        _, looked = self._desk.looked(print_contract(contract), "", runtime, self._house.home / "mcp" / "contracts")
        return looked

    async def _chain(self, run_id: str) -> Run:
        run = await self._desk.known(run_id)
        if run.chain is None:
            raise BadInput(f"run `{run.id}` is no chain", hint="`status` tells of any run")
        return run

    async def _children(self, run: Run) -> Mapping[str, Run]:
        return {name: await self._hands.replay(name) for name in dict.fromkeys(run.keys.values())}

    async def _due(self, want: ChainValidate) -> tuple[Plan, tuple[Any, ...], Path]:
        """Which plan, what it owes, and where."""
        if bool(want.run) == bool(want.name):
            raise BadInput("give either `run`, or `name` with `workspace`", hint="`chain_status` names the run")
        if want.run:
            run = await self._chain(want.run)
            assert run.chain is not None and run.started is not None
            return run.chain.plan, tuple(expected(run.chain)), allowed_workspace(self._house, run.started.workspace)
        workspace = allowed_workspace(self._house, want.workspace)
        wished = Wished(
            workspace=want.workspace, name=want.name, maturity=want.maturity, answers=want.answers, flags=want.flags,
            leave=want.leave, goal="what is there",
        )  # fmt: skip
        found = await self._planned(wished, workspace)
        return found.plan, found.plan.deliverables, workspace

    async def _ended(self, run_id: str) -> Run:
        with anyio.move_on_after(JUDGING):
            while (run := await self._hands.replay(run_id)).verdict is None:  # noqa: ASYNC110 - another process is at it
                await anyio.sleep(0.1)
            return run
        return await self._hands.replay(run_id)

"""Chains that go wrong in every way at once, drawn from a seed: agents, kills of the supervisor, and what the owner says."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import anyio
import msgspec
from chain_worlds import ChainWorld, honest, invokes, report
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from engine_worlds import ORGANISATION, OWNER, Crash, rule, rung

from remit.engine.chain import begin
from remit.engine.folds import Folds
from remit.engine.inbox import accept, answer
from remit.engine.supervisor import Supervisor
from remit.evidence.account import account
from remit.evidence.merkle import Frontier, leaf_hash
from remit.evidence.tree_head import key_of, sealed, text_of
from remit.evidence.verify import Verified, verify
from remit.plan.contracting import chain_contract
from remit.plan.progress_file import read_progress, write_progress
from remit.plan.step import Plan, Step
from remit.run.chain_progress import progress
from remit.run.state import Run
from remit.testing.leases import MemoryLeases
from remit.testing.ledger import MemoryLedger, MemoryTransaction
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner

SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = key_of(SIGNING.public_key().public_bytes_raw())
NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")
MOST_TURNS = 60
"""how often the engine is started before a chain counts as going on for ever"""


class DyingLedger(MemoryLedger):
    """A ledger whose process is killed around an append: from then on nothing is read or written until it is `revived`."""

    dead = False
    left: int | None = None
    before = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        self._alive()
        killed = False
        async with super().transaction() as transaction:
            had = len(transaction.rows)
            yield transaction
            if self.left is not None and len(transaction.rows) > had:
                self.left -= len(transaction.rows) - had
                killed = self.left < 0
            if killed and self.before:
                self._dies()
        if killed:
            self._dies()

    async def events(self, run: str, *, after: int = -1) -> Any:
        self._alive()
        return await super().events(run, after=after)

    async def version(self) -> int:
        self._alive()
        return await super().version()

    def _alive(self) -> None:
        if self.dead:
            raise Crash

    def _dies(self) -> None:
        self.dead, self.left = True, None
        raise Crash

    def revived(self) -> None:
        self.dead = False


class Fuzzed(ChainWorld):
    """One drawn chain, and everything that goes wrong with it until `calm`."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        self.random, self.seed, self.calm = Random(seed), seed, False
        ledger = DyingLedger(self.clock)
        self.ledger: DyingLedger = ledger
        self.hands = replace(self.hands, ledger=ledger)
        self.supervisor = Supervisor(self.hands)  # type: ignore[assignment]
        self.by_step = dict.fromkeys(NAMES, self._drawn)
        self.did: list[str] = []
        self.crashes = 0
        self.amiss: list[str] = []
        self.worked: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------------------------- the agents

    async def _drawn(self, inside: Inside, step: str) -> int | None:
        """What this sub-agent does."""
        self.worked[step] += 1
        self.amiss += await self._not_there(inside, step)
        ways = [self.fails, self.hangs, self.lies, self.foreign, self.silent, self.empty, self.placeholder, self.clashes,
                self.pretends, self.wants, self.asks, self.breaks]  # fmt: skip
        way = honest if self.calm or self.random.random() < 0.5 else self.random.choice(ways)
        self.did.append(f"{step}: {way.__name__}")
        return await way(inside, step)

    async def _not_there(self, inside: Inside, step: str) -> list[str]:
        """What complete steps before this one had made, and it cannot see."""
        found = []
        for started in await self.ledger.runs():
            chain = (await self.hands.replay(started.run)).chain
            if chain is None or step not in chain.steps or chain.steps[step].status != "in_progress":
                continue
            needs = chain.plan.step(step).after  # what ran beside it may be there or not
            made = [path for name in needs if chain.steps[name].status == "complete" for path in chain.steps[name].files]
            found += [f"`{step}` does not see `{path}`" for path in made if not (inside.folder / path).exists()]
        return found

    async def fails(self, inside: Inside, step: str) -> int:
        await inside.say("I could not.\n")
        return 1

    async def breaks(self, inside: Inside, step: str) -> int:
        await honest(inside, step)
        return 1

    async def hangs(self, inside: Inside, step: str) -> None:
        await invokes(inside, step)
        self.clock.jump(61)
        await inside.stays()

    async def lies(self, inside: Inside, step: str) -> int:
        await invokes(inside, step)
        await inside.say(report(step, [f"out/{step}.md", "out/never.md"]))
        return 0

    async def foreign(self, inside: Inside, step: str) -> int:
        other = next(name for name in NAMES if name != step)
        told = await invokes(inside, other)
        assert told["decision"] == "refuse", told
        await inside.say(report(other, [f"out/{other}.md"]))
        return 0

    async def silent(self, inside: Inside, step: str) -> int:
        await invokes(inside, step)
        self._writes(inside, f"out/{step}.md", "done without a word\n")
        return 0

    async def empty(self, inside: Inside, step: str) -> int:
        return await honest(inside, step, "")

    async def placeholder(self, inside: Inside, step: str) -> int:
        return await honest(inside, step, "TODO: write this\n")

    async def clashes(self, inside: Inside, step: str) -> int:
        self._writes(inside, "shared.md", f"by {step}\n")
        await anyio.sleep(0.05)
        return await honest(inside, step)

    async def pretends(self, inside: Inside, step: str) -> int:
        self._writes(inside, f"out/{step}.md", "without the skill\n")
        await inside.say(report(step, [f"out/{step}.md"]))
        return 0

    async def wants(self, inside: Inside, step: str) -> int:
        await invokes(inside, step)
        await inside.say(f"SKILL FAILED: {step}\n\nNEEDS INPUT:\n- which database?\n")
        return 1

    async def asks(self, inside: Inside, step: str) -> int:
        told = await inside.act("write", f"asked/{step}.md", arguments={"text": "please\n"})
        assert told["decision"] in {"ask", "refuse", "allow"}, told
        return await honest(inside, step)

    def _writes(self, inside: Inside, path: str, text: str) -> None:
        (inside.folder / path).parent.mkdir(exist_ok=True)
        (inside.folder / path).write_text(text)

    # --------------------------------------------------------------------------------------------------------- the plan

    def drawn_plan(self, *, nested: bool = True) -> Plan:
        some = self.random
        names = some.sample(NAMES, some.randint(2, len(NAMES)))
        steps: list[Step] = []
        for at, name in enumerate(names):
            known = names[:at]
            needs = {kind: tuple(some.sample(known, min(len(known), 1))) for kind in ("after", "soft") if some.random() < 0.4}
            steps.append(self.skill(name, time=70, **needs))
        if some.random() < 0.15:
            steps.append(Step(id="sign", kind="person", title="Sign it", person=OWNER, after=(names[0],)))
        if nested and some.random() < 0.15:
            inner = self.plan(*steps[:2], deliverables=self.due(*steps[:2]) if some.random() < 0.5 else ())
            kept = [msgspec.structs.replace(step, after=(), soft=()) for step in steps[2:]]
            steps = [Step(id="inner", kind="chain", chain=inner), *kept]
        due = self.due(*(step for step in steps if step.skill is not None)) if some.random() < 0.8 else ()
        return self.plan(*steps, deliverables=due, parallel=some.randint(1, 3), retries=some.choice([0, 0, 1]), time=70)

    async def started(self) -> str:
        plan = self.drawn_plan()
        ladders = [
            (rung("step fails", "ask owner"), rung("failed", "stop")),
            (rung("step fails", "retry", times=1), rung("deliverables fails", "retry", times=1), rung("failed", "stop")),
            (rung("step fails", "continue"), rung("failed", "stop")),
            (rung("crashed", "retry", times=9), rung("failed", "undo")),
        ]
        made = chain_contract(plan, owner=OWNER, recovery=self.random.choice(ladders), containment="L0")
        made = msgspec.structs.replace(made, rules=(*made.rules, rule("ask", "write", "asked/**")))
        return await begin(
            self.hands, plan, made, ORGANISATION, self.work, trigger="a test", requester=OWNER,
            unattended=self.random.random() < 0.15,
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------------- the play

    async def played(self) -> Run:
        """Begin, kill, resume and answer until it is over."""
        run_id = await self.started()
        until = self.random.choice([0, 6, 12])
        for turn in range(MOST_TURNS):
            self.calm = turn > until
            rests = await self._driven(run_id)
            run = await self.hands.replay(run_id)
            if run.verdict == "success_with_exceptions" and run.acceptance == "pending":
                await accept(self.hands, run_id, signer=PaperSigner(OWNER), assurance="scripted", decline=False)
            elif rests and not await self._said(run_id):
                if run.verdict is not None:
                    return run
                raise AssertionError(f"a dead end: {self.told(run)}")
        raise AssertionError(f"it goes on for ever: {self.told(await self.hands.replay(run_id))}")

    async def _driven(self, run_id: str) -> bool:
        """The engine is started, and perhaps killed; whether it came to rest by itself."""
        if not self.calm and self.random.random() < 0.5:
            self.ledger.left, self.ledger.before = self.random.randint(0, 120), self.random.random() < 0.5
        jobs = sorted({job.run for job in await self.ledger.jobs()} - {run_id})
        if jobs and self.random.random() < 0.3:  # whoever works off jobs may come to a step before its chain
            run_id = self.random.choice(jobs)
        try:
            await self.supervisor.drive(run_id)
        except BaseException as error:
            if not (isinstance(error, Crash) or (isinstance(error, BaseExceptionGroup) and error.subgroup(Crash))):
                raise
        self.ledger.left = None
        rests = not self.ledger.dead and "." not in run_id
        if self.ledger.dead:  # another process: it has the disk and nothing else
            self.crashes += 1
            self.ledger.revived()
            self.hands = replace(self.hands, folds=Folds(), leases=MemoryLeases())
            self.supervisor = Supervisor(self.hands)  # type: ignore[assignment]
        await self.owed(run_id)
        return rests

    async def _said(self, run_id: str) -> bool:
        """The owner answers one open question of the family; False where nobody is asked anything."""
        asked = [(run.id, each) for run in await self.family(run_id) for each in run.open_questions if run.verdict is None]
        if not asked:
            return False
        owner, question = self.random.choice(asked)
        words = list(question.options) or ["yes", "no"]
        if self.calm:
            words = [word for word in words if word not in {"no", "abort"}]
        await answer(
            self.hands, owner, question.question, self.random.choice(words), signer=PaperSigner(OWNER), assurance="scripted"
        )  # fmt: skip
        await self.owed(owner)
        return True

    async def family(self, run_id: str) -> list[Run]:
        """This run and all below it."""
        run = await self.hands.replay(run_id)
        return [run, *[each for child in run.keys.values() for each in await self.family(child)]]

    def told(self, run: Run) -> str:
        """What a failing seed says of itself."""
        assert run.chain is not None
        stood = {name: (each.status, each.tries, each.outcome, each.why[:60]) for name, each in run.chain.steps.items()}
        return f"seed {self.seed}: {run.phase} {run.verdict} {run.chain.over} {stood} crashes={self.crashes} {self.did}"


# ------------------------------------------------------------------------------------------------------- what must hold


async def holds(world: Fuzzed, run: Run) -> None:
    """Everything that is promised of a chain that is over."""
    chain = run.chain
    assert chain is not None, world.told(run)
    said = world.told(run)
    assert not world.amiss, f"{world.amiss}; {said}"
    family = await world.family(run.id)
    records = await world.ledger.events(run.id)
    assert chain.over or run.verdict in {"exhausted", "refused"}, said
    if chain.over in {"complete", "partial"}:
        last = max(record.seq for record in records if record.kind in {"step_ended", "step_skipped"})
        reports = [record for record in records if record.kind == "validated" and record.seq > last]
        assert len(reports) == 1, f"{len(reports)} validations of what there is at the end; {said}"
        await _activated(world, run, said)
    if chain.over == "complete":
        assert chain.validation is not None and chain.validation.status == "PASS", said
    for each in family:
        assert each.verdict is not None, f"`{each.id}` is left open; {said}"
        assert not each.children and each.reserved.turns == 0, f"`{each.id}` keeps reservations; {said}"
        assert each.limits.turns is None or each.spend.turns <= each.limits.turns, f"`{each.id}` {each.spend}; {said}"
    await _nothing_twice(world, family, said)
    await _published(world, run, said)
    await _told(world, run, family, said)


async def _activated(world: Fuzzed, run: Run, said: str) -> None:
    """Invoked and consented skips are the plan."""
    assert run.chain is not None
    consented = {event.step for event in await world.events(run.id, "step_skipped") if event.question or event.why}
    for step in run.chain.plan.steps:
        stood = run.chain.steps[step.id]
        assert stood.status in {"complete", "skipped"}, said
        if stood.status == "skipped":
            assert step.id in consented, said
        elif step.skill is not None:
            assert step.skill.invocation in (await world.hands.replay(stood.children[-1])).invoked, said


async def _nothing_twice(world: Fuzzed, family: list[Run], said: str) -> None:
    """A step is complete once, but for a reason on record; and what is complete never works again."""
    for run in family:
        if run.chain is None:
            continue
        done: Counter[str] = Counter()
        again: Counter[str] = Counter()
        for record in await world.ledger.events(run.id):
            event: Any = record.event
            if record.kind == "step_ended" and event.outcome == "complete" and event.child:
                done[event.step] += 1
                child = await world.ledger.events(event.child)
                later = [each.kind for each in child if each.seq > record.seq and each.kind == "attempt_started"]
                assert not later, f"`{event.step}` works after it was complete; {said}"
            if record.kind == "step_reopened":
                again[event.step] += 1
        for step, times in done.items():
            assert times <= 1 + again[step], f"`{step}` was complete {times} times; {said}"


async def _published(world: Fuzzed, run: Run, said: str) -> None:
    """What is complete and was not found wanting is in the workspace; of an aborted chain nothing is."""
    assert run.chain is not None
    tree = world.tree()
    if run.published is None:
        assert tree.keys() == {"README.md"}, f"{tree.keys()}; {said}"
        return
    missing = {*(run.chain.validation.missing if run.chain.validation else ())}
    for due in run.chain.plan.deliverables:
        if due.name not in missing and run.chain.steps[due.by].status == "complete":
            assert tree.get(due.files[0]), f"`{due.files[0]}` is lost; {said}"


async def _told(world: Fuzzed, run: Run, family: list[Run], said: str) -> None:
    """The record is whole, the account can be given, and the progress file is one."""
    rows, tree = world.ledger._rows, Frontier()
    for row in rows:
        tree.append(leaf_hash(row.entry))
    note = text_of(KEY.name, tree.size, tree.root())
    assert isinstance(found := verify(rows, [sealed(note, KEY, SIGNING.sign(note))], [KEY]), Verified), f"{found}; {said}"
    records = sorted([record for each in family for record in await world.ledger.events(each.id)], key=lambda each: each.seq)
    assert account(records).boundary, said
    invoked = [name for each in family for name in each.invoked]
    made = progress(run, project=str(world.work), invoked=invoked)
    assert made is not None
    text = write_progress(made)
    json.loads(text)
    again, notes = read_progress(text, file=".skillchain-progress.json")
    assert again is not None and not [each for each in notes if each.severity == "error"], f"{notes}; {said}"

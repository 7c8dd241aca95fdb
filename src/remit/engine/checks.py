"""Success as the machine sees it: every check on exactly the tree that would be published."""

import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from msgspec.structs import replace

from remit.contract.data_path import value_at
from remit.contract.deliverable import DeliverablesCheck, ObservedCheck
from remit.contract.glob import compile_glob
from remit.contract.listing import unlisted
from remit.contract.outcome import Check, DataCheck, FileCheck, RunCheck, TreeCheck
from remit.contract.search import search
from remit.engine.deliverables import deliverables, seen
from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.engine.observed import observed
from remit.engine.program import check_limits, control, judged_program, trusted_paths
from remit.errors import BadInput
from remit.plan.step import VALIDATION
from remit.ports import Mount, Stage
from remit.run.event import CheckRan, ChecksFinished, Event
from remit.run.ladder import unlocked
from remit.run.state import Run

EVIDENCE = 2000
READ = 16 * 1024 * 1024
"""bytes of a file that a check reads, and of a list of exceptions"""
DATA = 4 * 1024 * 1024
"""bytes of a JSON or YAML file: a text of it may take four times that in memory, twice over"""
TICK = 0.1
P = ParamSpec("P")
T = TypeVar("T")
Seen = tuple[bool, str, tuple[str, ...]]
"""passed, what was seen, and the failing items"""


async def check(hands: Hands, run: Run, round_: int) -> None:
    """Run every check of the contract and record what each saw; then which failing ones are excused by a listed exception.

    When the run is stopped meanwhile, the box of the check is killed and nothing is recorded: the stop says what comes next.
    """
    events = await _unless_stopped(hands, run, partial(_events, hands, run, round_))
    if events is not None:
        await hands.record(*events)


async def _unless_stopped(hands: Hands, run: Run, act: Callable[[], Awaitable[T]]) -> T | None:
    """What it gives, None when the run was stopped first; leaving a box kills it."""
    done: T | None = None
    failures: list[BaseException] = []

    async def attend(part: Callable[[], Awaitable[T | None]]) -> None:
        nonlocal done
        try:
            done = await part()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised again below, not wrapped into a group
            failures.append(error)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        if run.verdict is None:  # what has ended can no longer be stopped
            group.start_soon(attend, partial(_stop, hands, run))
        await attend(act)
    if failures:
        raise failures[0]
    return done


async def _stop(hands: Hands, run: Run) -> None:
    """Until the run is stopped."""
    seen, state = -1, run
    while not state.stop:
        await anyio.sleep(TICK)
        version = await hands.ledger.version()
        if version != seen:
            seen, state = version, await hands.replay(run.id, state)


async def _events(hands: Hands, run: Run, round_: int) -> list[Event]:
    stage = await sealed_stage(hands, run)
    facts = await _Round(hands, run, stage, round_).facts()
    moved = await stage.moved()
    excused, exceptions = await _excused(stage, run, facts)
    failed = tuple(fact.check for fact in facts if not fact.ok)
    finished = ChecksFinished(run=run.id, round=round_, failed=failed, excused=excused, exceptions=exceptions, moved=moved)
    return [*facts, finished]


class _Round:
    """One round over all checks. A view is made once for each set of trusted paths, the base once."""

    def __init__(self, hands: Hands, run: Run, stage: Stage, number: int) -> None:
        self._hands = hands
        self._run = run
        self._stage = stage
        self._number = number
        self._views: dict[tuple[str, ...], Mount] = {}
        self._base: Mount | None = None

    async def facts(self) -> list[CheckRan]:
        """What every check saw, in the order of the contract."""
        checks = self._run.contract.success
        for trusted in dict.fromkeys(filter(None, map(self._trusted, checks))):
            self._views[trusted] = await self._view(trusted)
        self._views[()] = await self._view(())  # last: files are read from the view last made
        return [await self._fact(each) for each in checks]

    def _trusted(self, each: Check) -> tuple[str, ...]:
        assert self._run.started is not None
        return trusted_paths(each, Path(self._run.started.workspace)) if isinstance(each, RunCheck) else ()

    async def _view(self, trusted: tuple[str, ...]) -> Mount:
        assert self._run.judged is not None
        judged = self._run.judged
        return await self._stage.view(dropped=judged.dropped, refs=judged.refs, trusted=trusted)

    async def _fact(self, each: Check) -> CheckRan:
        unproven, found = "", None
        match each:
            case RunCheck():
                (ok, evidence, failing), unproven = await self._program(each)
            case TreeCheck():
                ok, evidence, failing = _tree(self._run, each)
            case ObservedCheck():
                ok, evidence, failing = observed(self._run, each)
            case DeliverablesCheck():
                changed = await self._changed()
                found = await deliverables(self._hands, self._run, each, self._views[()], changed)
                ok, evidence, failing = seen(found)
            case _:
                ok, evidence, failing = await _seen(self._run, self._stage, each)
        return CheckRan(
            run=self._run.id, check=each.id, round=self._number, ok=ok, evidence=evidence[:EVIDENCE], failing=failing,
            control=unproven, found=found,
        )  # fmt: skip

    async def _changed(self) -> Sequence[str]:
        """What the languages' own tools look at: what it changed itself, or, where it only validates, what the chain did."""
        started = self._run.started
        if started is None or started.step != VALIDATION or started.parent is None:
            return published_paths(self._run)
        chain = (await self._hands.replay(started.parent)).chain
        return tuple(chain.paths) if chain is not None else ()

    async def _program(self, each: RunCheck) -> tuple[Seen, str]:
        """What a program saw; where its control does not fail it proves nothing, and nothing of it can be excused."""
        limits = await check_limits(self._hands, self._run)
        seen = await judged_program(self._hands, self._run, limits, self._views[self._trusted(each)], each)
        if each.fails_on is None:
            return seen, ""
        if self._base is None:
            self._base = await self._stage.base()
        unproven = await control(self._hands, self._run, limits, self._base, each)
        if unproven:
            seen = False, f"the check proves nothing: {unproven}\n{seen[1]}", ()
        return seen, unproven


async def _seen(run: Run, stage: Stage, each: FileCheck | DataCheck) -> Seen:
    try:
        return await (_file(run, stage, each) if isinstance(each, FileCheck) else _data(stage, each))
    except BadInput as error:  # too large to be read
        return False, str(error), ()


async def _file(run: Run, stage: Stage, each: FileCheck) -> Seen:
    if each.unchanged:
        return _unchanged(run, each.file)
    data = await stage.read(each.file, most=READ)
    if each.exists is False:
        return data is None, f"`{each.file}` {'is absent' if data is None else 'is there'}", ()
    if data is None:
        return False, f"`{each.file}` is not there", (each.file,)
    if each.matches is None:
        filled = bool(data.strip())
        return filled, f"`{each.file}` has {len(data)} bytes", () if filled else (each.file,)
    try:
        found = await _apart(search, each.matches, data)
    except ValueError as error:
        return False, str(error), ()
    if found is None:
        return False, f"`{each.file}` has nothing like `{each.matches}`", (each.file,)
    return True, f"`{each.file}` matches `{each.matches}`: {found}", ()


def _unchanged(run: Run, path: str) -> Seen:
    changed = path in published_paths(run)
    return not changed, f"`{path}` {'would change' if changed else 'is as it was'}", (path,) if changed else ()


def _tree(run: Run, each: TreeCheck) -> Seen:
    inside = [compile_glob(pattern.lstrip("/")) for pattern in each.outside]
    wrong = tuple(path for path in published_paths(run) if not any(match(path) for match in inside))
    return not wrong, f"changed outside: {', '.join(wrong)}" if wrong else "nothing changed outside", wrong


def published_paths(run: Run) -> Sequence[str]:
    """The changed paths that would be published."""
    assert run.judged is not None
    return [change.path for change in run.judged.changes.changes if change.path not in run.judged.dropped]


async def _data(stage: Stage, each: DataCheck) -> Seen:
    data = await stage.read(each.file, most=DATA)
    if data is None:
        return False, f"`{each.file}` is not there", (each.file,)
    try:
        ok, text = await _apart(_value, each, data)
    except (ValueError, LookupError, TypeError) as error:
        return False, f"`{each.file}` at `{each.at}`: {error}", (each.at,)
    return ok, f"`{each.file}` at `{each.at}` is `{text[:200]}`", () if ok else (each.at,)


def _value(each: DataCheck, data: bytes) -> tuple[bool, str]:
    value = value_at(each.format, data, each.at)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    found = each.matches is None or search(each.matches, text.encode("utf-8", "replace")) is not None
    return found and (each.equals is None or text == each.equals), text


async def _apart(act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """In a thread, so that a stop is seen meanwhile; what is still running then ends by itself."""
    return await anyio.to_thread.run_sync(lambda: act(*given, **named), abandon_on_cancel=True)


async def _excused(stage: Stage, run: Run, facts: list[CheckRan]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Checks all of whose failing items are listed where an entered `continue` says; each item is one exception."""
    excused, exceptions = _accepted(run, facts)
    for entry in unlocked(run):
        if entry.do != "continue" or entry.listed_in is None:
            continue
        for place, fact in enumerate(facts):
            if fact.ok or fact.check in excused or entry.when not in {f"{fact.check} fails", "any check fails"}:
                continue
            why = await _not_excused(stage, fact, entry.listed_in)
            if why:
                facts[place] = replace(fact, evidence=f"{why}\n{fact.evidence}"[:EVIDENCE])
                continue
            excused.append(fact.check)
            exceptions += [f"{fact.check}: {item}" for item in fact.failing]
    return tuple(excused), tuple(exceptions)


def _accepted(run: Run, facts: list[CheckRan]) -> tuple[list[str], list[str]]:
    """Gaps of a chain that its owner took knowingly: each is an exception; whatever they were not shown is none."""
    if run.chain is None or not run.chain.accepted_by:
        return [], []
    known = {_about(item): item for item in run.chain.accepted}  # by path: words of a tool may name a line
    red = [fact for fact in facts if not fact.ok and fact.found is not None and fact.failing]
    mine = [fact for fact in red if {_about(each) for each in fact.failing} <= {*known}]
    words = [f"{fact.check}: {known[_about(item)]}" for fact in mine for item in fact.failing]
    return [fact.check for fact in mine], words


def _about(item: str) -> str:
    """The path, or the name of a deliverable, that a failing item is about."""
    return item.partition(": ")[0]


async def _not_excused(stage: Stage, fact: CheckRan, listed_in: str) -> str:
    """Why the list does not excuse a failing check, empty when it does."""
    if not fact.failing:
        return f"`{listed_in}` cannot excuse it: it left nothing that could be listed"
    try:
        listing = await stage.read(listed_in, most=READ)
    except BadInput as error:
        return f"nothing is excused: {error}"
    missing = await _apart(unlisted, fact.failing, listing or b"")
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"not listed in `{listed_in}`: `{missing[0][:200]}`{more}" if missing else ""

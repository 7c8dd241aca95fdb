"""Success as the machine sees it: every check on exactly the tree that would be published."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from remit.contract.glob import compile_glob
from remit.contract.outcome import Check, DataCheck, FileCheck, RunCheck, TreeCheck
from remit.engine.boundary import DISK, MEMORY, PROCESSES, dropped_to
from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.ports import BoxLimits, BoxPlan, Exec, Exit, Mount, Stage
from remit.run.event import CheckRan, ChecksFinished, Event
from remit.run.ladder import unlocked
from remit.run.state import Run

OUTPUT = 1024 * 1024
EVIDENCE = 2000


async def check(hands: Hands, run: Run, round_: int) -> None:
    """Run every check of the contract and record what each saw; then which failing ones are excused by a listed exception."""
    stage = await sealed_stage(hands, run)
    assert run.judged is not None and run.started is not None
    facts: list[CheckRan] = []
    for each in run.contract.success:
        trusted = trusted_paths(each, Path(run.started.workspace)) if isinstance(each, RunCheck) else ()
        mount = await stage.view(dropped=run.judged.dropped, refs=run.judged.refs, trusted=trusted)
        facts.append(await _one(hands, run, stage, mount, each, round_))
    moved = await stage.moved()
    excused, exceptions = await _excused(stage, run, facts)
    failed = tuple(fact.check for fact in facts if not fact.ok)
    finished = ChecksFinished(run=run.id, round=round_, failed=failed, excused=excused, exceptions=exceptions, moved=moved)
    events: list[Event] = [*facts, finished]
    await hands.record(*events)


def trusted_paths(each: RunCheck, root: Path) -> tuple[str, ...]:
    """What the check takes from the base, not from the agent: its own program files and every path it names as trusted."""
    own = [part for part in each.argv if not part.startswith(("/", "-", ".")) and (root / part).is_file()]
    return (*own, *each.trusted)


async def _one(hands: Hands, run: Run, stage: Stage, mount: Mount, each: Check, round_: int) -> CheckRan:
    match each:
        case RunCheck():
            ok, evidence, failing = await _program(hands, run, mount, each)
            control = ""
            if each.fails_on is not None:
                control = await _control(hands, run, stage, each)
                if control and ok:
                    ok, evidence = False, f"{evidence}\nthe check proves nothing: {control}".strip()
        case FileCheck():
            ok, evidence, failing, control = *await _file(run, stage, each), ""
        case DataCheck():
            ok, evidence, failing, control = *await _data(stage, each), ""
        case TreeCheck():
            ok, evidence, failing, control = *_tree(run, each), ""
    return CheckRan(
        run=run.id, check=each.id, round=round_, ok=ok, evidence=evidence[:EVIDENCE], failing=failing[:500], control=control
    )  # fmt: skip


class _Listener:
    """A watcher for a box that may ask for nothing."""

    def __init__(self) -> None:
        self.text = {"stdout": b"", "stderr": b""}

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"schema": "remit.act/1", "decision": "refuse", "reasons": [], "done": False}

    async def exec(self, program: Exec) -> bool:
        return True

    async def connect(self, host: str, port: int) -> bool:
        return False

    async def blocked(self, what: str, object_: str, by: str) -> None:
        return None

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.text[stream] = (self.text[stream] + data)[-OUTPUT:]


async def _boxed(hands: Hands, run: Run, mount: Mount, each: RunCheck) -> tuple[Exit, _Listener]:
    assert run.started is not None
    heard = _Listener()
    uid, gid = dropped_to(Path(run.started.workspace)) or (None, None)
    plan = BoxPlan(
        argv=each.argv, mount=mount, cwd=mount.at, environment={"LANG": "C.UTF-8", "TERM": "dumb", "REMIT_CHECK": each.id},
        observe=False, door=False, limits=BoxLimits(time=each.time, memory=MEMORY, processes=PROCESSES, disk=DISK, file=DISK),
        uid=uid, gid=gid, level=run.started.accepted_level or run.contract.containment,
    )  # fmt: skip
    async with hands.sandbox.open(plan, heard) as box:
        return await box.wait(), heard


async def _program(hands: Hands, run: Run, mount: Mount, each: RunCheck) -> tuple[bool, str, tuple[str, ...]]:
    ended, heard = await _boxed(hands, run, mount, each)
    said = heard.text["stdout"].decode("utf-8", "replace")
    also = heard.text["stderr"].decode("utf-8", "replace")
    ok = ended.why == "ended" and ended.status == 0
    how = f"`{' '.join(each.argv)}` ended with {ended.status}" if ended.why == "ended" else f"ended by {ended.limit or ended.why}"
    failing = () if ok else tuple(line.strip() for line in said.splitlines() if line.strip())
    return ok, "\n".join(part for part in (how, said.strip(), also.strip()) if part), failing


async def _control(hands: Hands, run: Run, stage: Stage, each: RunCheck) -> str:
    """The negative control: on the base, or on a fixture folder of the base, the check must be seen failing."""
    mount = await stage.base()
    if each.fails_on != "base":
        fixture = Path(mount.lower[-1]) / str(each.fails_on)
        mount = Mount(at=mount.at, kind="bind", lower=(str(fixture),))
    ended, _ = await _boxed(hands, run, mount, each)
    if ended.why == "ended" and ended.status == 0:
        return f"it passes on {each.fails_on} too, where it had to fail"
    return ""


async def _file(run: Run, stage: Stage, each: FileCheck) -> tuple[bool, str, tuple[str, ...]]:
    data = await stage.read(each.file)
    if each.unchanged:
        return _unchanged(run, each.file)
    if each.exists is False:
        return data is None, f"`{each.file}` {'is absent' if data is None else 'is there'}", ()
    if data is None:
        return False, f"`{each.file}` is not there", (each.file,)
    if each.matches is None:
        return bool(data.strip()), f"`{each.file}` has {len(data)} bytes", () if data.strip() else (each.file,)
    found = search(each.matches, data.decode("utf-8", "replace"))
    said = f"`{each.file}` matches `{each.matches}`: {found}" if found else f"`{each.file}` has nothing like `{each.matches}`"
    return found is not None, said, () if found else (each.file,)


def _unchanged(run: Run, path: str) -> tuple[bool, str, tuple[str, ...]]:
    changed = path in published_paths(run)
    return not changed, f"`{path}` {'would change' if changed else 'is as it was'}", (path,) if changed else ()


def _tree(run: Run, each: TreeCheck) -> tuple[bool, str, tuple[str, ...]]:
    inside = [compile_glob(pattern.lstrip("/")) for pattern in each.outside]
    wrong = tuple(path for path in published_paths(run) if not any(match(path) for match in inside))
    return not wrong, f"changed outside: {', '.join(wrong)}" if wrong else "nothing changed outside", wrong


def published_paths(run: Run) -> Sequence[str]:
    """The changed paths that would be published."""
    assert run.judged is not None
    return [change.path for change in run.judged.changes.changes if change.path not in run.judged.dropped]


async def _data(stage: Stage, each: DataCheck) -> tuple[bool, str, tuple[str, ...]]:
    data = await stage.read(each.file)
    if data is None:
        return False, f"`{each.file}` is not there", (each.file,)
    try:
        value = at(_loaded(each, data), each.at)
    except (ValueError, LookupError, RecursionError) as error:
        return False, f"`{each.file}` at `{each.at}`: {error}", (each.at,)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    ok = (each.equals is None or text == each.equals) and (each.matches is None or search(each.matches, text) is not None)
    return ok, f"`{each.file}` at `{each.at}` is `{text[:200]}`", () if ok else (each.at,)


def _loaded(each: DataCheck, data: bytes) -> Any:
    if each.format == "json":
        return json.loads(data)
    import yaml

    try:
        return yaml.load(data, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from None


def at(value: Any, path: str) -> Any:
    """The value at `$.a.b[0]`. Raises LookupError when nothing is there."""
    for part in path.removeprefix("$").replace("[", ".[").split("."):
        if not part:
            continue
        if part.startswith("["):
            if not isinstance(value, list):
                raise LookupError(f"`{part}` is asked of something that is no list")
            value = value[int(part.strip("[]"))]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise LookupError(f"there is no `{part}`")
    return value


def search(pattern: str, text: str) -> str | None:
    """The first line-wise match, by a linear-time engine; None when there is none."""
    import re2

    found = re2.search(f"(?m){pattern}", text)
    return str(found.group(0)) if found else None


async def _excused(stage: Stage, run: Run, facts: Sequence[CheckRan]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Checks all of whose failing items are listed where an entered `continue` says; each item is one exception."""
    excused: list[str] = []
    exceptions: list[str] = []
    for entry in unlocked(run):
        if entry.do != "continue" or entry.listed_in is None:
            continue
        listed = ((await stage.read(entry.listed_in)) or b"").decode("utf-8", "replace")
        for fact in facts:
            if fact.ok or fact.check in excused or entry.when not in {f"{fact.check} fails", "any check fails"}:
                continue
            if fact.failing and all(is_listed(item, listed) for item in fact.failing):
                excused.append(fact.check)
                exceptions += [f"{fact.check}: {item}" for item in fact.failing]
    return tuple(excused), tuple(exceptions)


def is_listed(item: str, text: str) -> bool:
    """Whether a line of the text holds the item as a whole, not as part of a longer one."""
    for line in text.splitlines():
        start = line.find(item)
        while start >= 0:
            before, after = line[:start], line[start + len(item) :]
            if not (before and not before[-1].isspace() and before[-1] not in "`*-[(<\"'|") and not (
                after and not after[0].isspace() and after[0] not in "`*)]>\"'|,;."
            ):
                return True
            start = line.find(item, start + 1)
    return False

"""The programs of checks: each in a read-only box of its own, and once more where it must be seen failing."""

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
from msgspec.structs import replace

from remit.contract.check_program import argument_paths, program_paths
from remit.contract.glob import compile_glob
from remit.contract.listing import MOST, items, text
from remit.contract.outcome import RunCheck
from remit.engine.boundary import box_limits, dropped_to
from remit.engine.hands import Hands
from remit.ports import BoxLimits, BoxPlan, Exec, Exit, Mount
from remit.run.state import Run

OUTPUT = 1024 * 1024
"""bytes kept of each stream; a check that prints more leaves items nobody has seen"""


class Listener:
    """A watcher for a box that may ask for nothing. It keeps the beginning of what is printed."""

    def __init__(self) -> None:
        self._kept: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self.cut = False

    @property
    def said(self) -> tuple[str, str]:
        """stdout and stderr."""
        return text(bytes(self._kept["stdout"])), text(bytes(self._kept["stderr"]))

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Nothing is granted."""
        return {"schema": "remit.act/1", "decision": "refuse", "reasons": [], "done": False}

    async def exec(self, program: Exec) -> bool:
        """Any program of the read-only tree may start."""
        return True

    async def connect(self, host: str, port: int) -> bool:
        """No host is reached."""
        return False

    async def model(self, connection: socket.socket) -> None:
        """No model is asked."""
        connection.close()

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """Not the run's doing, so no fact of the run."""

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Kept up to OUTPUT bytes."""
        kept = self._kept[stream]
        room = OUTPUT - len(kept)
        kept += data[:room]
        self.cut = self.cut or len(data) > room


def trusted_paths(each: RunCheck, root: Path) -> tuple[str, ...]:
    """What the check takes from the base, not from the agent: its own program files and every path it names as trusted."""
    own = [path for path in argument_paths(each.argv, str(root)) if (root / path).is_file()]
    return tuple(dict.fromkeys((*own, *each.trusted)))


async def check_limits(hands: Hands, run: Run) -> BoxLimits:
    """What the box of a check may use: the tightest of the lineage. Its time and its output are not the work's."""
    assert run.started is not None
    above = {name: await hands.replay(name) for name in run.started.ancestors}
    limits = box_limits(hands.lineages.of(run, above.__getitem__), None, 0.0)
    return replace(limits, output=BoxLimits().output)


async def judged_program(
    hands: Hands, run: Run, limits: BoxLimits, mount: Mount, each: RunCheck
) -> tuple[bool, str, tuple[str, ...]]:
    """Whether it passes, what is known of that, and the items that a list could excuse: none where the end was not its own."""
    ended, heard = await _boxed(hands, run, limits, mount, each)
    found = items(*heard.said)
    ok = ended.why == "ended" and ended.status == 0
    parts = [f"`{' '.join(each.argv)}` {_how(ended)}"]
    why = "" if ok else _no_excuse(ended, heard, found)
    if why:
        parts.append(f"nothing of this can be excused: {why}")
    parts += [said.strip() for said in heard.said]
    return ok, "\n".join(part for part in parts if part), () if ok or why else found


async def control(hands: Hands, run: Run, limits: BoxLimits, base: Mount, each: RunCheck) -> str:
    """The negative control: on the base, or with a fixture of the base laid over it, the check must be seen failing.

    Empty when it was; else why the check proves nothing.
    """
    assert each.fails_on is not None
    root = Path(base.lower[-1])
    gone = _missing(run, each, root)
    if gone:
        return f"its control cannot be run: `{gone}` is not in the base"
    if each.fails_on == "base":
        return _seen_failing(each.fails_on, (await _boxed(hands, run, limits, base, each))[0])
    if base.kind != "overlay":
        return "its control cannot be run: here a workspace is only bound, so no fixture can be laid over it"
    if not _plain_folder(root, each.fails_on):
        return f"its control cannot be run: `{each.fails_on}` is no folder of the base, or a link is on the way"
    async with _laid(hands.place(run.id, run.attempt), root, each) as fixture:
        mount = replace(base, lower=(str(fixture), *base.lower))
        return _seen_failing(each.fails_on, (await _boxed(hands, run, limits, mount, each))[0])


async def _boxed(hands: Hands, run: Run, limits: BoxLimits, mount: Mount, each: RunCheck) -> tuple[Exit, Listener]:
    assert run.started is not None
    heard = Listener()
    uid, gid = dropped_to(Path(run.started.workspace)) or (None, None)
    plan = BoxPlan(
        argv=each.argv, mount=mount, cwd=mount.at, environment={"LANG": "C.UTF-8", "TERM": "dumb", "REMIT_CHECK": each.id},
        observe=False, door=False, limits=replace(limits, time=each.time),
        uid=uid, gid=gid, level=run.started.accepted_level or run.contract.containment,
    )  # fmt: skip
    async with hands.sandbox.open(plan, heard) as box:
        return await box.wait(), heard


def _how(ended: Exit) -> str:
    return f"ended with {ended.status}" if ended.why == "ended" else f"ended by {ended.limit or ended.why}"


def _no_excuse(ended: Exit, heard: Listener, found: Sequence[str]) -> str:
    """Why what the check printed is not all that is wrong, empty when it may be."""
    if ended.why != "ended" or ended.status is None:
        return "it did not end by itself"
    if ended.status in (126, 127):
        return "it could not be started"
    if not 0 < ended.status < 126:
        return "a signal ended it"
    if heard.cut:
        return f"it printed more than {OUTPUT} bytes, and what was not kept is not known"
    if len(found) > MOST:
        return f"it printed {len(found)} lines, and at most {MOST} can be listed"
    return "" if found else "it printed nothing that could be listed"


def _seen_failing(where: str, ended: Exit) -> str:
    if ended.why == "ended" and ended.status == 0:
        return f"it passes on {where} too, where it had to fail"
    if ended.why == "ended" and ended.status is not None and 0 < ended.status < 126:
        return ""
    return f"on {where} it was not seen failing: it {_how(ended)}"


def _missing(run: Run, each: RunCheck, root: Path) -> str:
    """What of the check itself the base does not have: without it a failure there would say nothing."""
    assert run.judged is not None
    own = program_paths(each.argv, str(root))
    made = {change.path for change in run.judged.changes.changes if change.after.type != "absent"}
    if not any((root / path).is_file() for path in own) and (new := next((path for path in own if path in made), "")):
        return new
    for pattern in each.trusted:
        fixed = pattern.strip("/").partition("*")[0]
        literal = fixed if "*" not in pattern else fixed.rpartition("/")[0]
        if not (root / literal).exists():
            return pattern
    return ""


def _plain_folder(root: Path, path: str) -> bool:
    """Whether a folder of the base stands there with no link on the way, so that nothing outside is ever shown."""
    parts = path.strip("/").split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return False
    at = root
    for part in parts:
        at /= part
        try:
            if not stat.S_ISDIR(at.lstat().st_mode):
                return False
        except OSError:
            return False
    return True


@asynccontextmanager
async def _laid(place: Path, root: Path, each: RunCheck) -> AsyncIterator[Path]:
    """A copy of the fixture: the kernel takes no layer that lies inside another one. The check's own files stay the base's."""
    own = [compile_glob(pattern) for pattern in trusted_paths(each, root)]
    with tempfile.TemporaryDirectory(dir=place, prefix="fixture-") as folder:
        into = Path(folder) / "tree"
        await anyio.to_thread.run_sync(_copy, root / str(each.fails_on), into, lambda path: any(test(path) for test in own))
        _dress(into, root.lstat())
        yield into


def _copy(source: Path, into: Path, leave_out: Callable[[str], bool]) -> None:
    into.mkdir()
    for above, folders, files in os.walk(source, followlinks=False):
        links = [name for name in folders if (Path(above) / name).is_symlink()]
        for name in (*folders, *files):
            path = Path(above) / name
            target = into / path.relative_to(source)
            found = path.lstat()
            if leave_out(path.relative_to(source).as_posix()):
                continue
            if stat.S_ISDIR(found.st_mode):
                target.mkdir(parents=True, exist_ok=True)
            elif stat.S_ISREG(found.st_mode) or name in links or stat.S_ISLNK(found.st_mode):
                shutil.copy2(path, target, follow_symlinks=False)
            else:
                continue
            _dress(target, found)


def _dress(target: Path, seen: os.stat_result) -> None:
    """Owner and mode as they were: a box that dropped root reads what its owner may read."""
    if os.geteuid() == 0:
        os.chown(target, seen.st_uid, seen.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(seen.st_mode):
        target.chmod(stat.S_IMODE(seen.st_mode) | (0o700 if stat.S_ISDIR(seen.st_mode) else 0))

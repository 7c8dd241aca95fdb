"""Bringing what a child published into the stage of its parent."""

import hashlib
import stat
from collections.abc import Collection
from pathlib import Path

from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.engine.merging import apart
from remit.errors import BadInput, Conflict
from remit.ports import Box, Publication, Stage
from remit.run.state import Run

MOST = 64 * 1024**2
"""bytes of one file that a child may hand up: it goes through the supervisor's memory"""


class _Sealed:
    """The sealed stage of a parent whose work is over, as something to write into."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        await self._stage.amend(path, data)

    async def remove(self, path: str) -> None:
        raise Conflict(f"`{path}` cannot be deleted any more: the work of the run above is over")


async def bring(hands: Hands, child: Run, *, again: bool = False, ours: Collection[str] | None = None) -> Publication:
    """What the child published goes through the parent's live mount: an overlay must never be changed beneath it.

    Files and deletions travel; a link or an empty folder does not, and is not among the paths of the receipt. `again`: it had
    been brought before, into a stage that was lost. `ours` are paths that runs below the same one have changed before it. Raises
    Conflict where another step of a chain was there first, or where the workspace moved: nothing is ever written over unseen.
    """
    assert child.judged is not None
    kept = [change.path for change in child.judged.changes.changes if change.path not in child.judged.dropped]
    fits(child)
    above = await hands.replay(child.id.rpartition(".")[0])
    if above.started is not None and above.attempt_seq > child.attempt_seq:  # its stage was made after the child had begun
        mine = above.chain.paths if above.chain is not None else ()
        untouched(child, Path(above.started.workspace), mine if ours is None else ours)
    if not again:
        apart(above, child, kept)
    stage = await sealed_stage(hands, child)
    await stage.view(dropped=child.judged.dropped, refs=(), trusted=())
    box: Box | _Sealed | None = hands.above
    if box is None:
        parent = await hands.replay(child.id.rpartition(".")[0])
        if parent.phase != "sealed":
            raise Conflict(f"the run above `{child.id}` has no stage to publish into any more")
        box = _Sealed(await sealed_stage(hands, parent))
    paths = []
    for change in child.judged.changes.changes:
        if change.path in child.judged.dropped:
            continue
        if change.verb == "delete":
            await box.remove(change.path)
            paths.append(change.path)
        elif change.after.type == "file":
            try:
                data = await stage.read(change.path, most=MOST)
            except BadInput as error:
                raise Conflict(f"`{change.path}` is too large to be carried into the stage above: {error}") from error
            await box.write(change.path, data or b"", change.after.mode)
            paths.append(change.path)
    return Publication(paths=tuple(paths), refs=(), receipt=f"written into the stage of {child.id.rpartition('.')[0]}")


def fits(child: Run) -> None:
    """Raises Conflict before anything of it is written, where one file is too large to be carried."""
    assert child.judged is not None
    for change in child.judged.changes.changes:
        if change.path not in child.judged.dropped and change.after.type == "file" and change.after.size > MOST:
            raise Conflict(f"`{change.path}` is too large to be carried into the stage above: {change.after.size} bytes")


def untouched(child: Run, workspace: Path, ours: Collection[str]) -> None:
    """Raises Conflict where a path of the child is another in the workspace than when the child began; `ours` are paths that
    steps before it have changed.
    """
    assert child.judged is not None
    for change in child.judged.changes.changes:
        if change.path in ours or change.path in child.judged.dropped or change.before.type not in {"file", "absent"}:
            continue
        if _now(workspace / change.path) != (change.before.sha256 if change.before.type == "file" else ""):
            raise Conflict(
                f"`{change.path}` was changed in the workspace after the step had worked on it",
                hint="retry it: a fresh sub-agent begins with what is there now",
            )


def _now(path: Path) -> str:
    """The sha256 of a file, nothing where there is none."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "no file"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except NotADirectoryError:
        return "no folder"

"""A copy of what a live stage shows, to be the base of a child's stage; the parent's own layers are only read."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.copied import copy_entry_into, dress
from remit.adapters.workspaces.overlay import is_opaque
from remit.adapters.workspaces.walk import Stat
from remit.errors import Conflict


def fork(base: Path, upper: Path, into: Path, *, leave_out: Callable[[str], bool]) -> None:
    """Copy `upper` over `base` into a new folder, whiteouts obeyed, as the overlay shows it. `leave_out` are secrets."""
    into.mkdir()
    with walk.folder(str(base)) as below, walk.folder(str(upper)) as above, walk.folder(str(into)) as target:
        _merge(below, above, target, "", leave_out)
        dress(target, walk.facts(os.fstat(below)))


def _merge(base: int | None, upper: int | None, target: int, path: str, leave_out: Callable[[str], bool]) -> None:
    if path.count("/") > walk.DEPTH:
        raise Conflict(f"`{walk.shown(path)[:80]}…` is more than {walk.DEPTH} folders deep and cannot be forked")
    over = dict(walk.entries(upper)) if upper is not None else {}
    under = dict(walk.entries(base)) if base is not None and not (upper is not None and is_opaque(upper)) else {}
    for name in sorted(over.keys() | under.keys()):
        here = f"{path}/{name}" if path else name
        state = over.get(name, under.get(name))
        if state is None or state.whiteout or leave_out(here):
            continue
        if state.kind != "directory":
            copy_entry_into(upper if name in over else base, target, name, state)  # type: ignore[arg-type]
            continue
        os.mkdir(name, 0o700, dir_fd=target)
        with ExitStack() as stack:
            new = stack.enter_context(walk.folder(name, at=target))
            old = _folder(stack, base, name, under.get(name))
            own = _folder(stack, upper, name, over.get(name))
            _merge(old, own, new, here, leave_out)
            dress(new, state)


def _folder(stack: ExitStack, at: int | None, name: str, state: Stat | None) -> int | None:
    if at is None or state is None or state.kind != "directory":
        return None
    return stack.enter_context(walk.folder(name, at=at))

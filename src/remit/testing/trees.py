"""Folders as plain facts: what stands where, what differs, and laying one thing over another. Links are never followed."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from remit.authority.plants import plant
from remit.errors import Conflict
from remit.run.change import Change, Seen

ABSENT = Seen(type="absent")
Tree = dict[str, Seen]
"""path to what stands there, folders included, `.git` not"""


def look(root: Path) -> Tree:
    """Everything below a folder."""
    return {path: seen(at) for path, at in _below(str(root))}


def _below(root: str) -> Iterator[tuple[str, str]]:
    """Every path below a folder, folders before what is in them, and where it is."""
    left = [""]
    while left:
        above = left.pop()
        try:
            found = list(os.scandir(f"{root}/{above}"))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        for each in found:
            if each.name == ".git" and not above and each.is_dir(follow_symlinks=False):
                continue
            path = f"{above}{each.name}"
            yield path, f"{root}/{path}"
            if each.is_dir(follow_symlinks=False):
                left.append(f"{path}/")


def seen(path: Path | str) -> Seen:
    """What stands at one path."""
    try:
        state = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    mode = stat.S_IMODE(state.st_mode)
    if stat.S_ISLNK(state.st_mode):
        return Seen(type="link", mode=mode, size=state.st_size, target=os.readlink(path), links=state.st_nlink)  # noqa: PTH115
    if stat.S_ISREG(state.st_mode):
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        return Seen(type="file", mode=mode, size=len(data), sha256=hashlib.sha256(data).hexdigest(), links=state.st_nlink)
    if stat.S_ISDIR(state.st_mode):
        return Seen(type="directory", mode=mode)
    return Seen(type="other", mode=mode)


def differences(before: Tree, after: Tree) -> tuple[Change, ...]:
    """Leaves that differ, in path order: a folder counts only when it is new or gone and empty, or its mode changed."""
    rows = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path, ABSENT), after.get(path, ABSENT)
        if old == new or _carried(path, old, new, before, after):
            continue
        verb = "delete" if new.type == "absent" else "write"
        rows.append(Change(path=path, verb=verb, before=old, after=new, plant="" if verb == "delete" else danger(path, new)))  # type: ignore[arg-type]
    return tuple(rows)


def _carried(path: str, old: Seen, new: Seen, before: Tree, after: Tree) -> bool:
    """A folder that comes and goes with what is inside."""
    if new.type == "directory" and old.type == "absent":
        return _filled(path, after)
    return old.type == "directory" and new.type == "absent" and _filled(path, before)


def _filled(path: str, tree: Tree) -> bool:
    return any(other.startswith(f"{path}/") for other in tree)


def danger(path: str, new: Seen) -> str:
    """Why this is dangerous wherever it lands: its name, a link out of the workspace, a special file, setuid."""
    if new.type == "other":
        return "it is a special file"
    if new.type == "link":
        target = os.path.normpath(os.path.join(os.path.dirname(path), new.target))  # noqa: PTH118, PTH120 - a text, no place
        if new.target.startswith("/") or target == ".." or target.startswith("../"):
            return "it is a link out of the workspace"
    if new.type == "file" and new.mode & 0o6000:
        return "it runs with another's rights"
    return plant(path)


def copy(source: Path, into: Path, *, leave_out: Callable[[str], bool] = lambda _: False) -> None:
    """A plain copy of a folder, without the paths left out and what is below them."""
    into.mkdir(parents=True)
    gone: list[str] = []
    for path, at in sorted(_below(str(source))):
        if leave_out(path) or any(path.startswith(f"{above}/") for above in gone):
            gone.append(path)
            continue
        mode = os.lstat(at).st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(f"{into}/{path}")  # noqa: PTH102
        elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            shutil.copy2(at, f"{into}/{path}", follow_symlinks=False)


def lay(source: Path, change: Change, onto: Path) -> None:
    """Make one path of a folder what it is in another; the way there is made, links on the way are refused."""
    at = reach(onto, change.path)
    if change.after.type == "absent":
        _clear(at)
        return
    at.parent.mkdir(parents=True, exist_ok=True)
    if change.after.type == "directory":
        at.mkdir(exist_ok=True)
        at.chmod(change.after.mode)
        return
    _clear(at)
    if change.after.type != "other":
        shutil.copy2(source / change.path, at, follow_symlinks=False)


def reach(root: Path, path: str) -> Path:
    """The place of a path below a folder. Raises Conflict when a link, or something that is no folder, is on the way."""
    at = root
    for part in Path(path).parts[:-1]:
        at /= part
        if at.is_symlink() or (at.exists() and not at.is_dir()):
            raise Conflict(f"`{at.relative_to(root)}` is no folder, so `{path}` cannot be reached")
    return root / path


def _clear(at: Path) -> None:
    if at.is_dir() and not at.is_symlink():
        shutil.rmtree(at)
    else:
        at.unlink(missing_ok=True)


def prune(root: Path, path: str, *, keep: Callable[[str], bool]) -> None:
    """Drop the folders above a path that stand empty now, up to the first that is to be kept."""
    at = (root / path).parent
    while at != root and at.is_dir() and not any(at.iterdir()) and not keep(at.relative_to(root).as_posix()):
        at.rmdir()
        at = at.parent

"""A further attempt on the stage that the last one had left: copied whole, so that a crash of it takes nothing away."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from remit.adapters.workspaces import overlay, refs, snapshot, walk
from remit.adapters.workspaces.journal import sync_folder
from remit.adapters.workspaces.kept import read_meta, read_sealed
from remit.adapters.workspaces.scratch import PACK
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.stage import KeptStage
from remit.errors import Broken

LEFT = ("sealed", "work", "journal", "scratch.git", "scratch-raw.git", PACK)
"""what belongs to the attempt that is over"""


def carried(sealed: Path, place: Path) -> KeptStage:
    """Copy a sealed stage into `place`, unsealed. Raises Broken when it is gone, or the disk will not have the copy."""
    if read_sealed(sealed) is None:
        raise Broken(f"the stage of attempt {sealed.name} is gone", hint="start the run again")
    walk.remove_tree(str(place))
    place.parent.mkdir(parents=True, exist_ok=True)
    # cp keeps what the overlay's marks are made of: whiteouts, user attributes, hard links, holes, times and owners.
    done = subprocess.run(
        ["cp", "-a", "--reflink=auto", "--sparse=auto", "--", str(sealed), str(place)], capture_output=True, check=False
    )  # fmt: skip
    if done.returncode:
        walk.remove_tree(str(place))
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Broken(f"the stage cannot be carried on: {why[0] if why else 'cp failed'}", hint="free some space, then resume")
    if read_meta(sealed).kind != "overlay":
        _known_again(sealed, place, "fresh", snapshot.take)
        if (sealed / "git-fresh").exists():
            _known_again(sealed, place, "git-fresh", refs.snapshot)
    return _begun(place)


def _known_again(sealed: Path, place: Path, name: str, look: Callable[[int], Snapshot]) -> None:
    """A plain copy is told apart from its beginning by inodes and times, which are new in a copy of it: what had not changed
    is noted as it stands now, and what had keeps a note that it does not match.
    """
    with walk.folder(str(sealed / "copy")) as left, walk.folder(str(place / "copy")) as taken:
        before, after = look(left), look(taken)
    began = snapshot.load(sealed / name)
    states = {
        path: after.states[path] if path in after.states and before.get(path) == state else state
        for path, state in began.states.items()
    }
    Snapshot(states).save(place / name)


def _begun(place: Path) -> KeptStage:
    for each in [*(place / name for name in LEFT), *place.glob("view-*"), *place.glob("base-view-*")]:
        _drop(each)
    if (place / "upper").is_dir():
        (place / "work").mkdir()
        state = (place / "upper").stat()
        overlay.own(place / "work", state.st_uid, state.st_gid)
    sync_folder(place.parent)
    return KeptStage(place, read_meta(place))


def _drop(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        walk.remove_tree(str(path))
    else:
        path.unlink(missing_ok=True)

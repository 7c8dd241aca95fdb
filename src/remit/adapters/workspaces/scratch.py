"""A repository of our own, outside the stage, into which the run's objects are taken as data and checked."""

import os
import re
from pathlib import Path

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.copied import copy_bytes
from remit.adapters.workspaces.dangers import LARGEST
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.git import Git
from remit.adapters.workspaces.journal import keep
from remit.adapters.workspaces.snapshot import GIT
from remit.errors import Broken

_LOOSE = re.compile(rf"{re.escape(GIT)}/objects/([0-9a-f]{{2}})/([0-9a-f]{{38}}|[0-9a-f]{{62}})")
_PACK = re.compile(rf"{re.escape(GIT)}/objects/pack/pack-[0-9a-f]+\.pack")
PACK = "objects.pack"


class Taken:
    """The run's new objects: `git` is a clean bare repository holding them, `tips` those that really arrived."""

    def __init__(self, git: Git, tips: frozenset[str], known: frozenset[str]) -> None:
        self.git = git
        self.known = known
        self.tips = tips


def take(place: Path, base: Git, tree: Path, delta: Delta, *, tips: set[str], known: set[str], quota: int | None) -> Taken:
    """Take the objects behind `tips` that the base does not have; ids are computed again on the way, never believed.

    Raises Broken when there is more than the quota, or git finds an object malformed.
    """
    form = base.text("rev-parse", "--show-object-format")
    raw, clean = place / "scratch-raw.git", place / "scratch.git"
    for at in (raw, clean):
        walk.remove_tree(str(at))
        Git(at).run("init", "--bare", "--quiet", "--template=", f"--object-format={form}", str(at))
        (at / "objects/info").mkdir(exist_ok=True)
        if (base.at / "shallow").is_file():
            (at / "shallow").write_bytes((base.at / "shallow").read_bytes())
        (at / "objects/info/alternates").write_bytes(os.fsencode(base.at / "objects") + b"\n")
    try:
        _copy_objects(tree, base.at, delta, raw, LARGEST if quota is None else quota)
        arrived = _hand_over(Git(raw), Git(clean), place / PACK, tips, known)
    finally:
        walk.remove_tree(str(raw))
    return Taken(Git(clean), frozenset(arrived), frozenset(known))


def _copy_objects(tree: Path, base: Path, delta: Delta, raw: Path, limit: int) -> None:
    total = 0
    with walk.folder(str(tree)) as fd:
        for path, state in sorted(delta.present.items()):
            if (base / path[len(GIT) + 1 :]).exists():
                continue  # a copied stage holds the base's own objects too
            if state.kind != "file" or not (_LOOSE.fullmatch(path) or _PACK.fullmatch(path)):
                continue
            total += state.size
            if total > limit:
                raise Broken("the run's git objects are larger than the quota")
            target = raw / path[len(GIT) + 1 :]
            target.parent.mkdir(exist_ok=True)
            above, name = walk.split(path)
            with walk.beneath(fd, above) as at:
                source = walk.open_file(at, name, unlock=True)
            with os.fdopen(source, "rb"), target.open("xb") as out:
                copy_bytes(source, out.fileno())
            if path.endswith(".pack"):
                # An index made by the run could lie about where objects are: it is made again.
                Git(raw).run("index-pack", str(target))


def _hand_over(raw: Git, clean: Git, pack: Path, tips: set[str], known: set[str]) -> set[str]:
    real = {tip for tip in tips if raw.holds("rev-list", "--objects", "--quiet", tip, *(f"^{old}" for old in known))}
    if not real:
        return real
    wanted = "".join(f"{tip}\n" for tip in sorted(real)) + "".join(f"^{old}\n" for old in sorted(known))
    data = raw.run("pack-objects", "--revs", "--stdout", "--quiet", data=wanted.encode())
    keep(pack, data)
    clean.run("index-pack", "--stdin", "--strict", data=data)
    return {tip for tip in real if clean.holds("rev-list", "--objects", "--quiet", tip, *(f"^{old}" for old in known))}

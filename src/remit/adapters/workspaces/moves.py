"""What the run did to branches and tags, by effect: which refs differ, and which commits are new."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from remit.adapters.workspaces import dangers, walk
from remit.adapters.workspaces.git import Git
from remit.adapters.workspaces.refs import Refs
from remit.adapters.workspaces.scratch import Taken
from remit.authority.plants import plant
from remit.run.change import Change, Commit, EntryType, RefMove, Seen

HEADS, TAGS = "refs/heads/", "refs/tags/"
_TYPES: dict[bytes, EntryType] = {
    b"100644": "file",
    b"100755": "file",
    b"120000": "link",
    b"160000": "other",
    b"000000": "absent",
}


def new_tips(start: Refs, end: Refs) -> set[str]:
    """Ids that branches, tags or a detached HEAD point to and did not at the start."""
    tips = {known for name, known in end.all.items() if name.startswith((HEADS, TAGS)) and start.all.get(name) != known}
    if end.head and not end.head.startswith("refs/") and end.head != start.head:
        tips.add(end.head)
    return tips


def moves(start: Refs, end: Refs, taken: Taken | None) -> tuple[list[RefMove], list[tuple[str, str]]]:
    """Every ref that moved, and those that cannot travel with the reason."""
    found: list[RefMove] = []
    ignored: list[tuple[str, str]] = []
    for name in sorted(start.all.keys() | end.all.keys()):
        before, after = start.all.get(name, ""), end.all.get(name, "")
        if before == after:
            continue
        if not name.startswith((HEADS, TAGS)):
            ignored.append((f".git/{name}", "only branches and tags travel"))
        elif after and (taken is None or after not in taken.tips):
            ignored.append((f".git/{name}", "its objects are missing or malformed"))
            found.append(_move(name, before, after, start, None))
        else:
            found.append(_move(name, before, after, start, taken))
    if end.head != start.head:
        _head_moved(start, end, taken, found, ignored)
    return found, ignored


def _head_moved(start: Refs, end: Refs, taken: Taken | None, found: list[RefMove], ignored: list[tuple[str, str]]) -> None:
    if end.head.startswith(HEADS):
        branch = end.head[len(HEADS) :]
        ignored.append((".git/HEAD", f"the run switched to branch `{branch}`; the workspace stays where it was"))
        if not any(move.object == branch and move.verb == "branch" for move in found):
            tip = end.all.get(end.head, "")
            found.append(RefMove(verb="branch", object=branch, head=False, before=tip, after=tip))
    elif end.head and start.head and not start.head.startswith("refs/"):
        commits = _commits(taken, start.head, end.head, start) if taken is not None and end.head in taken.tips else ()
        straight = taken is not None and taken.git.holds("merge-base", "--is-ancestor", start.head, end.head)
        found.append(
            RefMove(
                verb="commit", object="HEAD", head=True, before=start.head, after=end.head, commits=commits, fast_forward=straight
            )
        )
    else:
        ignored.append((".git/HEAD", "the run detached or broke HEAD; the workspace stays where it was"))


# A ref whose objects could not be proved is never a fast-forward, so it never moves.
def _move(name: str, before: str, after: str, start: Refs, taken: Taken | None) -> RefMove:
    if name.startswith(TAGS):
        marked = _commits(taken, "", after, start) if after else ()
        proved = not after or taken is not None
        short = name[len(TAGS) :]
        return RefMove(verb="tag", object=short, head=False, before=before, after=after, commits=marked, fast_forward=proved)
    head = name == start.head
    verb: Literal["commit", "branch"] = "commit" if after and (before or head) else "branch"
    commits = _commits(taken, before, after, start) if taken is not None and after else ()
    straight = not after or (taken is not None and (not before or taken.git.holds("merge-base", "--is-ancestor", before, after)))
    return RefMove(
        verb=verb, object=name[len(HEADS) :], head=head, before=before, after=after, commits=commits, fast_forward=straight
    )


def _commits(taken: Taken | None, before: str, after: str, start: Refs) -> tuple[Commit, ...]:
    if taken is None:
        return ()
    old = {before} if before else set(start.all.values())
    without = [f"^{known}" for known in sorted(old & taken.known)]
    rows = taken.git.run("rev-list", "--topo-order", "--reverse", "--parents", after, *without)
    return tuple(_commit(taken.git, *line.split()) for line in rows.decode().splitlines())


def _commit(git: Git, known: str, *parents: str) -> Commit:
    subject = git.run("log", "-1", "--format=%s", "--encoding=UTF-8", known).decode("utf-8", "backslashreplace").rstrip("\n")
    return Commit(id=known, subject=subject, parents=parents, changes=differences(git, parents[0] if parents else "", known))


def differences(git: Git, before: str, after: str) -> tuple[Change, ...]:
    """The paths that one tree changes against another (empty: against nothing), in path order."""
    against = (before, after) if before else ("--root", after)
    fields = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--full-index", *against).split(b"\0")
    rows = [(fields[index][1:].split(b" "), fields[index + 1]) for index in range(0, len(fields) - 1, 2)]
    blobs = _contents(
        git, {known for row, _ in rows for mode, known in ((row[0], row[2]), (row[1], row[3])) if mode[:2] in (b"10", b"12")}
    )
    found = [_change(row, path, blobs) for row, path in rows]
    return tuple(sorted(found, key=lambda change: change.path))


def _change(row: list[bytes], name: bytes, blobs: Mapping[bytes, tuple[int, str, str]]) -> Change:
    path = walk.shown(name.decode("utf-8", "surrogateescape"))
    before, after = _seen(row[0], row[2], blobs), _seen(row[1], row[3], blobs)
    reason = dangers.name_trouble(name.decode("utf-8", "surrogateescape")) or plant(path)
    if after.type == "link":
        reason = reason or dangers.link_trouble(path, after.target, lambda _path: None)
    if after.type == "other":
        reason = "it is a repository inside the repository"
    return Change(path=path, verb="delete" if after.type == "absent" else "write", before=before, after=after, plant=reason)


def _seen(mode: bytes, known: bytes, blobs: Mapping[bytes, tuple[int, str, str]]) -> Seen:
    kind = _TYPES.get(mode, "other")
    size, sha256, text = blobs.get(known, (0, "", ""))
    if kind == "link":
        return Seen(type="link", mode=0o777, size=size, target=text)
    return Seen(type=kind, mode=int(mode[-3:], 8) if kind == "file" else 0, size=size, sha256=sha256)


def _contents(git: Git, ids: set[bytes]) -> dict[bytes, tuple[int, str, str]]:
    if not ids:
        return {}
    order = sorted(ids)
    stream = git.run("cat-file", "--batch", data=b"".join(known + b"\n" for known in order))
    out: dict[bytes, tuple[int, str, str]] = {}
    at = 0
    for known in order:
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split(b" ")[2])
        data = stream[end + 1 : end + 1 + size]
        at = end + size + 2
        target = walk.shown(data.decode("utf-8", "surrogateescape")) if size <= 4096 else ""
        out[known] = (size, hashlib.sha256(data).hexdigest(), target)
    return out

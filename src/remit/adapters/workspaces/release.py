"""Moving the user's refs and index as part of a publish: objects, then refs by compare-and-swap, then the index."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from remit.adapters.workspaces.git import Git
from remit.adapters.workspaces.journal import Hook, IndexStep, Plan, RefStep
from remit.adapters.workspaces.moves import HEADS, TAGS
from remit.adapters.workspaces.refs import Refs
from remit.errors import Conflict
from remit.run.change import Commit, RefMove


class Release:
    """The git half of one plan, on the user's own repository."""

    def __init__(self, git: Git, plan: Plan) -> None:
        self.git = git
        self.plan = plan
        self.kept = f"refs/remit/{plan.token}"

    def check(self) -> None:
        """Raises Conflict when a ref, HEAD or an index entry is not as it was at the start; nothing is written."""
        for step in self.plan.refs:
            if self._now(step.ref) != step.before:
                raise Conflict(f"`{step.ref}` moved meanwhile; nothing was published", hint="run again on the new state")
        if self.plan.index and self._head() != self.plan.head:
            raise Conflict(
                "another branch was checked out meanwhile; nothing was published", hint=f"check out `{self.plan.head}`"
            )
        entries = self._entries()
        staged = [step.name for step in self.plan.index if entries.get(step.path, "") != step.before]
        if staged:
            raise Conflict(
                f"staged meanwhile: {_names(staged)}; nothing was published", hint="commit or unstage them, then run again"
            )

    def forward(self, hook: Hook) -> None:
        """Take the objects in, move the refs, then the index; what is already done is left alone."""
        if not self.plan.refs:
            return
        hook("objects")
        pack = Path(self.plan.pack)
        if self.plan.pack and pack.exists():
            self.git.run("index-pack", "--stdin", "--strict", data=pack.read_bytes())
        tip = next((step.after for step in self.plan.refs if step.after), "")
        if tip:
            self.git.run("update-ref", self.kept, tip)
        for step in self.plan.refs:
            hook(f"ref {step.ref}")
            now = self._now(step.ref)
            if now not in (step.before, step.after):
                raise Conflict(f"`{step.ref}` moved meanwhile; nothing was published")
            if now != step.after:
                self._move(step.ref, step.before, step.after)
        hook("index")
        self._index([(step, step.before, step.after) for step in self.plan.index])

    def back(self, hook: Hook) -> None:
        """Put index and refs back, where they are still as published."""
        hook("back index")
        self._index([(step, step.after, step.before) for step in self.plan.index], strict=False)
        for step in reversed(self.plan.refs):
            hook(f"back ref {step.ref}")
            if self._now(step.ref) == step.after:
                self._move(step.ref, step.after, step.before)
        if self.plan.refs and self._now(self.kept):
            self.git.run("update-ref", "-d", self.kept)

    def unchanged(self) -> None:
        """Raises Conflict when later work builds on what was published."""
        for step in self.plan.refs:
            if self._now(step.ref) != step.after:
                raise Conflict(
                    f"`{step.ref}` has moved since it was published; nothing was put back",
                    hint="later commits build on this run: revert it with git instead",
                )
        if self.plan.index and self._head() != self.plan.head:
            raise Conflict("another branch is checked out; nothing was put back", hint=f"check out `{self.plan.head}` first")
        entries = self._entries()
        staged = [step.name for step in self.plan.index if entries.get(step.path, "") != step.after]
        if staged:
            raise Conflict(f"staged since it was published: {_names(staged)}; nothing was put back", hint="unstage them first")

    def _now(self, ref: str) -> str:
        return self.git.text("rev-parse", "--verify", "--quiet", ref, ok=(0, 1))

    def _head(self) -> str:
        return self.git.text("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))

    def _move(self, ref: str, before: str, after: str) -> None:
        reason = ("-m", f"remit: {self.plan.token}")
        if after:
            self.git.run("update-ref", *reason, "--no-deref", ref, after, before or "0" * len(after))
        else:
            self.git.run("update-ref", *reason, "--no-deref", "-d", ref, before)

    def _entries(self) -> dict[bytes, str]:
        if not self.plan.index:
            return {}
        out = {}
        for row in self.git.run("ls-files", "--stage", "-z").split(b"\0")[:-1]:
            facts, _, path = row.partition(b"\t")
            mode, known, stage = facts.decode().split(" ")
            out[path] = f"{mode} {known}" if stage == "0" else "unmerged"
        return out

    def _index(self, rows: Iterable[tuple[IndexStep, str, str]], *, strict: bool = True) -> None:
        entries = self._entries()
        lines = []
        for step, old, new in rows:
            now = entries.get(step.path, "")
            if now == new:
                continue
            if now != old:
                if strict:
                    raise Conflict(f"`{step.name}` was staged meanwhile; nothing was published")
                continue
            lines.append((f"{new}\t" if new else f"0 {'0' * len(old.split(' ')[1])}\t").encode() + step.path + b"\0")
        if lines:
            # Removals first, so that a file can give way to a folder of its name.
            lines.sort(key=lambda line: not line.startswith(b"0 "))
            self.git.run("update-index", "-z", "--index-info", data=b"".join(lines))


def _names(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths[:10])


def ref_steps(moves: Iterable[RefMove], start: Refs, *, withheld: Sequence[str], refs: Sequence[str]) -> tuple[RefStep, ...]:
    """What may move: the named refs, forward only, up to the last commit that is neither withheld nor built on one."""
    moves = tuple(moves)
    commits = {commit.id: commit for move in moves for commit in move.commits}
    kept = _withheld(commits, set(withheld))
    out = []
    for move in moves:
        ref = full_name(move)
        if ref not in refs or move.before == move.after or not move.fast_forward:
            continue
        if not move.after:
            if ref != start.head:
                out.append(RefStep(ref=ref, before=move.before, after=""))
            continue
        tip = _last(move, commits, kept)
        if tip and tip != move.before:
            out.append(RefStep(ref=ref, before=move.before, after=tip))
    return tuple(out)


def full_name(move: RefMove) -> str:
    """The full ref name of a move."""
    if move.verb == "tag":
        return TAGS + move.object
    return "HEAD" if move.head and move.object == "HEAD" else HEADS + move.object


def _withheld(commits: dict[str, Commit], withheld: set[str]) -> set[str]:
    out = set(withheld)
    grown = True
    while grown:
        more = {known for known, commit in commits.items() if known not in out and out & set(commit.parents)}
        grown = bool(more)
        out |= more
    return out


def _last(move: RefMove, commits: dict[str, Commit], withheld: set[str]) -> str:
    if move.verb == "tag":
        return "" if any(commit.id in withheld for commit in move.commits) else move.after
    tip = move.after
    while tip in withheld:
        parents = commits[tip].parents if tip in commits else ()
        tip = parents[0] if parents else ""
    return tip


def index_steps(scratch: Git, before: str, after: str) -> tuple[IndexStep, ...]:
    """The index entries that follow the branch from one commit (empty: none) to another."""
    old = before or scratch.text("hash-object", "-t", "tree", "--stdin")
    fields = scratch.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", old, after).split(b"\0")
    out = []
    for at in range(0, len(fields) - 1, 2):
        row = fields[at][1:].decode().split(" ")
        sides = [f"{mode} {known}" if mode != "000000" else "" for mode, known in ((row[0], row[2]), (row[1], row[3]))]
        out.append(IndexStep(path=fields[at + 1], before=sides[0], after=sides[1]))
    return tuple(out)

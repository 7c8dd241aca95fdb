"""Pushing one branch or tag of the published workspace, only forward, and telling afterwards whether it arrived."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

from anyio import to_thread

from remit.adapters.effects.arguments import only, readable, usable
from remit.adapters.effects.doubt import asking, before_anything
from remit.adapters.effects.git_remote import Remote, remote
from remit.adapters.effects.program import Ended
from remit.adapters.effects.secret import Secrets, without_user
from remit.adapters.workspaces.git import Git
from remit.contract.binding import GitPush
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Receipt

_BAD = frozenset(" ~^:?*[\\")
_CERTAIN = ("[rejected]", "[remote rejected]", "[no match]")


class PushEffect:
    """See `remit.ports.Performer`. What is pushed is remembered in the workspace under `refs/remit/pushed/`, before it is."""

    window: int | None = None
    probes = True
    settles = 0

    def __init__(self, binding: GitPush, environment: Mapping[str, str]) -> None:
        self._binding, self._environment = binding, environment

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """Which ref goes where."""
        kind, name, ref = _ref(arguments)
        return readable(
            f"git push {without_user(self._binding.remote)} {ref}:{ref}\n"
            f"the {kind} `{name}` as it stands in the published workspace; only forward, never forced"
        )

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Push it. Raises Refused or BadInput when the remote has not moved, Broken when nobody knows."""
        _, name, ref = _ref(arguments)
        async with AsyncExitStack() as held:
            with before_anything():
                git = _repository(workspace)
                commit = await to_thread.run_sync(_standing, git, name, ref)
                there = await held.enter_async_context(self._remote(git))
                before = await there.holds(ref)
                # A later question is about what was pushed, not about where the branch has gone since.
                await to_thread.run_sync(git.run, "update-ref", "--no-deref", _memory(key), commit)
            if before == commit:
                return _receipt(name, before, commit, there)
            return self._judged(await there.send(commit, ref), name, before, commit, there)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """Ask the remote whether its ref is, or comes after, what was pushed. Raises Broken when that cannot be told."""
        with asking():
            _, name, ref = _ref(arguments)
            git = _repository(workspace)
            pushed = await to_thread.run_sync(lambda: git.text("rev-parse", "--verify", "--quiet", _memory(key), ok=(0, 1)))
            if not pushed:
                return None
            async with self._remote(git) as there:
                return await self._found(pushed, name, ref, there)

    def _remote(self, git: Git) -> AbstractAsyncContextManager[Remote]:
        return remote(self._binding.remote, git.at, Secrets(self._environment), self._environment, _owner(git))

    @staticmethod
    async def _found(pushed: str, name: str, ref: str, there: Remote) -> Receipt | None:
        now = await there.holds(ref)
        if now == pushed:
            return _receipt(name, "", pushed, there)
        if not now or ref.startswith("refs/tags/"):
            return None
        if await there.contains(pushed, ref):
            return _receipt(name, "", pushed, there)
        if await there.behind(pushed, ref):
            return None
        raise Broken(f"{there.shown} has another history on `{name}` now, so it cannot be told whether the push arrived")

    @staticmethod
    def _judged(ended: Ended, name: str, before: str, commit: str, there: Remote) -> Receipt:
        row = next((line.split("\t") for line in ended.out.splitlines() if line[1:2] == "\t" and line[0] in " *=!+-"), None)
        if ended.status == 0 and row is not None and row[0] in (" ", "*", "="):
            return _receipt(name, before, commit, there)
        if ended.status is not None and row is not None and row[0] == "!" and row[-1].startswith(_CERTAIN):
            raise Refused(f"{there.shown} refused `{name}`: {row[-1]}", hint="bring the workspace up to date, then ask again")
        raise Broken(f"it cannot be told whether `{name}` arrived at {there.shown}: {there.said(ended)}")


# ---------------------------------------------------------------------------------------------------------------------


def _ref(arguments: Mapping[str, Any]) -> tuple[str, str, str]:
    """Branch or tag, its name, its full name. Raises BadInput for a name git would read as anything else."""
    usable(arguments)
    only(arguments, ("branch", "tag"), why="a push takes `branch` or `tag` and nothing else")
    if len(arguments) != 1:
        raise BadInput("a push needs either `branch` or `tag`")
    ((kind, name),) = arguments.items()
    if not isinstance(name, str) or not _plain(name):
        raise BadInput(f"`{kind}` is not the name of a {kind}", hint="write it as git prints it, without refs/ and without +")
    return kind, name, f"refs/{'heads' if kind == 'branch' else 'tags'}/{name}"


def _plain(name: str) -> bool:
    """What git check-ref-format allows, less what looks like an option, a full name or a refspec."""
    if not name or len(name) > 200 or name[0] in "-+" or name == "@" or name.startswith("refs/") or "@{" in name or ".." in name:
        return False
    if not name.isprintable() or _BAD & set(name) or name.endswith("."):
        return False
    return all(step and not step.startswith(".") and not step.endswith(".lock") for step in name.split("/"))


def _repository(workspace: Path) -> Git:
    dot = workspace / ".git"
    if dot.is_symlink() or not dot.is_dir():
        raise BadInput(f"`{workspace}` is not a git repository with a `.git` of its own, so nothing can be pushed from it")
    state = workspace.stat()
    return Git(dot, work=workspace, uid=state.st_uid, gid=state.st_gid)


def _owner(git: Git) -> tuple[int, int] | None:
    """Whom root steps down to."""
    if os.geteuid() != 0 or not git.uid or git.gid is None:
        return None
    return git.uid, git.gid


def _standing(git: Git, name: str, ref: str) -> str:
    found = git.text("rev-parse", "--verify", "--quiet", ref, ok=(0, 1))
    if not found:
        raise Refused(f"there is no `{name}` in the published workspace")
    return found


def _memory(key: str) -> str:
    return f"refs/remit/pushed/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _receipt(name: str, before: str, commit: str, there: Remote) -> Receipt:
    if before == commit:
        moved = f"{name} {commit[:12]} stood already"
    else:
        moved = f"{name} {before[:12]}..{commit[:12]}" if before else f"{name} {commit[:12]}"
    return Receipt(receipt=f"{moved} {'at' if before == commit else 'to'} {there.shown}", returned=(commit,))

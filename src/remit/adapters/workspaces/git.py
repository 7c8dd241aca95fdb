"""Running git on repositories that the agent cannot write to: no hooks, no foreign settings, nothing asked of anybody."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from remit.errors import BadInput, Broken

_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "protocol.allow=never", "gc.auto=0",
    "maintenance.auto=false", "safe.directory=*", "core.quotePath=false", "log.showSignature=false",
)  # fmt: skip
_ENVIRONMENT = {
    "PATH": os.defpath, "LC_ALL": "C", "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false", "GIT_PAGER": "cat", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1", "GIT_LITERAL_PATHSPECS": "1",
    "GIT_COMMITTER_NAME": "remit", "GIT_COMMITTER_EMAIL": "remit@localhost",
}  # fmt: skip


class Git:
    """Git on one repository folder (`at`: its `.git`, or a bare one), as its owner when remit is root."""

    def __init__(self, at: Path, *, work: Path | None = None, uid: int | None = None, gid: int | None = None) -> None:
        self.at = at
        self.work = work
        self.uid = uid
        self.gid = gid

    def run(self, *arguments: str, data: bytes | None = None, ok: tuple[int, ...] = (0,)) -> bytes:
        """What git printed. Raises Broken with git's own words when it ended otherwise than by a status in `ok`."""
        done = self._start(arguments, data)
        if done.returncode not in ok:
            words = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
            raise Broken(f"git {arguments[0]} failed: {words[-1] if words else f'status {done.returncode}'}")
        return done.stdout

    def holds(self, *arguments: str, data: bytes | None = None) -> bool:
        """Whether git ended with status 0."""
        return self._start(arguments, data).returncode == 0

    def text(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
        """What git printed, as one stripped line or more."""
        return self.run(*arguments, ok=ok).decode("utf-8", "surrogateescape").strip()

    def _start(self, arguments: tuple[str, ...], data: bytes | None) -> subprocess.CompletedProcess[bytes]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        work = [f"--work-tree={self.work}"] if self.work is not None else []
        drop = self.uid if os.geteuid() == 0 and self.uid not in (None, 0) else None
        try:
            return subprocess.run(
                ["git", f"--git-dir={self.at}", *work, *settings, *arguments], input=data if data is not None else b"",
                capture_output=True, env=_ENVIRONMENT, check=False, cwd=self.work or self.at.parent,
                user=drop, group=self.gid if drop is not None else None, extra_groups=() if drop is not None else None,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise Broken("git is not installed, or the repository is gone") from error


def repository(root: Path, uid: int, gid: int) -> Git | None:
    """The repository of a workspace, None for a plain folder. Raises BadInput for forms of git that remit does not stage."""
    dot = root / ".git"
    if dot.is_symlink() or dot.is_file():
        raise BadInput(
            f"`{dot}` is not a folder: a linked worktree or a submodule keeps its history elsewhere",
            hint="work on the main checkout, or on a clone",
        )
    if not dot.is_dir():
        if all((root / name).exists() for name in ("HEAD", "objects", "refs")):
            raise BadInput(f"`{root}` is a bare repository", hint="work on a checkout of it")
        return None
    git = Git(dot, work=root, uid=uid, gid=gid)
    if not git.holds("rev-parse", "--git-dir"):
        raise BadInput(f"`{dot}` is not a repository git can read")
    if git.text("rev-parse", "--show-toplevel") != str(root):
        raise BadInput(f"the repository of `{root}` has its files elsewhere (core.worktree)")
    if any(line.startswith(b"160000 ") for line in git.run("ls-files", "--stage", "-z").split(b"\0")):
        raise BadInput(f"`{root}` has submodules, which remit does not stage", hint="work inside the one submodule's own clone")
    return git


def dirty(git: Git, writable: Callable[[str], bool]) -> tuple[str, ...]:
    """Writable paths that differ from the commit checked out, staged, unstaged or untracked."""
    fields = git.run("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames").split(b"\0")
    names = []
    for field in fields:
        kind, rest = field[:1], field[2:]
        if kind == b"1":
            names.append(rest.split(b" ", 7)[7])
        elif kind == b"u":
            names.append(rest.split(b" ", 9)[9])
        elif kind == b"?":
            names.append(rest)
    found = sorted(name.decode("utf-8", "backslashreplace") for name in names)
    return tuple(name for name in found if writable(name))

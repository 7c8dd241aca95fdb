"""Talking to a git remote from a scratch repository that borrows the workspace's objects.

So no setting of the workspace counts: `url.*.insteadOf` cannot point the push elsewhere, and no helper, hook or filter runs.
"""

import base64
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from remit.adapters.effects.program import Ended, ran
from remit.adapters.effects.secret import Secrets
from remit.errors import BadInput, Broken

ASKING, SENDING = 60.0, 600.0
"""seconds for a question to the remote, and for sending"""
_FORMS = ("https://", "http://", "ssh://", "file:///", "/")
_SCP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s:-][^\s]*")
_SETTINGS = (
    ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("gc.auto", "0"), ("maintenance.auto", "false"),
    ("safe.directory", "*"), ("credential.helper", ""), ("http.followRedirects", "false"), ("http.proxy", ""),
    ("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "30"), ("submodule.recurse", "false"),
    ("protocol.allow", "never"), ("protocol.https.allow", "always"), ("protocol.http.allow", "always"),
    ("protocol.ssh.allow", "always"), ("protocol.file.allow", "always"),
)  # fmt: skip
_ENVIRONMENT = {
    "PATH": os.defpath, "LC_ALL": "C", "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}  # fmt: skip


class Remote:
    """A remote, spoken to from `at`, a bare scratch repository."""

    def __init__(
        self, at: Path, url: str, secrets: Secrets, environment: Mapping[str, str], owner: tuple[int, int] | None
    ) -> None:
        self._at, self._secrets, self._owner = at, secrets, owner
        self._url, header = _without_login(url)
        settings = [*_SETTINGS, *([("http.extraHeader", header)] if header else [])]
        # Through the environment, which only this user can read; an argv is open to everybody on the machine.
        self._environment = dict(_ENVIRONMENT, GIT_CONFIG_COUNT=str(len(settings)))
        for count, (name, value) in enumerate(settings):
            self._environment |= {f"GIT_CONFIG_KEY_{count}": name, f"GIT_CONFIG_VALUE_{count}": value}
        if agent := environment.get("SSH_AUTH_SOCK"):
            self._environment["SSH_AUTH_SOCK"] = agent

    @property
    def shown(self) -> str:
        """Where it is, without a login."""
        return self._secrets.line(self._url)

    async def git(self, *arguments: str, patience: float = ASKING) -> Ended:
        """Git in the scratch repository."""
        argv = ["git", f"--git-dir={self._at}", *arguments]
        return await ran(argv, environment=self._environment, at=self._at, patience=patience, owner=self._owner)

    async def holds(self, ref: str) -> str:
        """The object the remote's ref names, empty when it has no such ref. Raises Broken when it cannot be asked."""
        ended = await self.git("ls-remote", "--refs", "--", self._url, ref)
        if ended.status != 0:
            raise Broken(f"{self.shown} cannot be asked: {self.said(ended)}")
        rows = [line.split("\t") for line in ended.out.splitlines()]
        return next((row[0] for row in rows if row[1:] == [ref]), "")

    async def send(self, commit: str, ref: str) -> Ended:
        """Exactly this object to exactly this ref, and only forward."""
        return await self.git(
            "push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--",
            self._url, f"{commit}:{ref}", patience=SENDING,
        )  # fmt: skip

    async def contains(self, commit: str, ref: str) -> bool:
        """Whether the remote's ref has gone on from this commit. Raises Broken when that cannot be told."""
        await self.fetch(ref)
        return await self._within(commit, "FETCH_HEAD")

    async def behind(self, commit: str, ref: str) -> bool:
        """Whether the remote's ref, fetched before, is still somewhere before this commit."""
        return await self._within("FETCH_HEAD", commit)

    async def fetch(self, ref: str) -> None:
        """What the remote's ref holds. Raises Broken."""
        ended = await self.git("fetch", "--no-tags", "--no-write-commit-graph", "--", self._url, ref, patience=SENDING)
        if ended.status != 0:
            raise Broken(f"{self.shown} cannot be asked: {self.said(ended)}")

    def said(self, ended: Ended) -> str:
        """Git's own last words."""
        if ended.status is None:
            return "it took too long"
        lines = [line.strip() for line in ended.words.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))]
        return self._secrets.line(" ".join(telling[:3]) or (lines[-1] if lines else f"status {ended.status}"))

    async def _within(self, early: str, late: str) -> bool:
        ended = await self.git("merge-base", "--is-ancestor", early, late)
        if ended.status not in (0, 1):
            raise Broken(f"the history of {self.shown} cannot be read: {self.said(ended)}")
        return ended.status == 0


@asynccontextmanager
async def remote(
    url: str, repository: Path, secrets: Secrets, environment: Mapping[str, str], owner: tuple[int, int] | None
) -> AsyncIterator[Remote]:  # fmt: skip
    """A remote to speak to, with the objects of the repository at hand. Raises BadInput for a URL of no allowed form."""
    url = secrets.read(url)
    if not (url.startswith(_FORMS) or _SCP.fullmatch(url)) or any(mark.isspace() or not mark.isprintable() for mark in url):
        raise BadInput("the remote must be https://…, ssh://…, USER@HOST:PATH or the whole path of a repository")
    at = Path(tempfile.mkdtemp(prefix="remit-push-"))
    try:
        if owner is not None:
            os.chown(at, *owner)
        spoken = Remote(at, url, secrets, environment, owner)
        form = "sha256" if _long(repository) else "sha1"
        ended = await spoken.git("init", "--quiet", "--bare", "--template=", f"--object-format={form}")
        if ended.status != 0:
            raise BadInput(f"git cannot make a scratch repository: {spoken.said(ended)}")
        (at / "objects" / "info").mkdir(exist_ok=True)
        (at / "objects" / "info" / "alternates").write_text(f"{repository / 'objects'}\n")
        if (repository / "shallow").is_file():
            shutil.copyfile(repository / "shallow", at / "shallow")
        yield spoken
    finally:
        shutil.rmtree(at, ignore_errors=True)


def _without_login(url: str) -> tuple[str, str]:
    """The URL of HTTP without user and password, and the header that says them instead."""
    if not url.startswith(("https://", "http://")):
        return url, ""
    parts = urlsplit(url)
    login, found, host = parts.netloc.rpartition("@")
    if not found:
        return url, ""
    user, _, password = login.partition(":")
    said = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return parts._replace(netloc=host).geturl(), f"Authorization: Basic {said}"


def _long(repository: Path) -> bool:
    try:
        return "objectformat = sha256" in (repository / "config").read_text("utf-8", "replace").lower()
    except OSError:
        return False

"""A person's own SSH key, wherever it is kept: in a file, in an agent, or on a FIDO device that wants to be touched.

`ssh-keygen -Y sign` does the signing, so remit never sees a private half.
"""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio

from remit.errors import BadInput, Unavailable
from remit.evidence.signature import verify_signature
from remit.evidence.ssh_keys import public_blob, take

PATIENCE = 60.0
"""seconds that a key may take where nobody sits at a terminal"""
_MAGIC = b"openssh-key-v1\0"
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END OPENSSH PRIVATE KEY-----"
_LARGEST = 64 * 1024


class SshSigner:
    """See `remit.ports.Signer`. `key` is the file of the private half, or of the public half of a key that an agent holds."""

    def __init__(self, person: str, public: str, key: Path) -> None:
        self.person, self.public = person, public
        self._key = key

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached SSHSIG signature as text. Raises BadInput saying what to do when the key cannot be used."""
        program = shutil.which("ssh-keygen")
        if program is None:
            raise Unavailable("ssh-keygen is not installed", hint="install the package openssh-client")
        with tempfile.TemporaryDirectory(prefix="remit-sign-") as folder:
            # The message goes by a file: so that the terminal is free for a passphrase or a PIN.
            paper = Path(folder) / "statement"
            paper.write_bytes(message)
            said = await self._signed([program, "-q", "-Y", "sign", "-n", namespace, "-f", str(self._key), str(paper)])
            made = paper.with_name("statement.sig")
            text = made.read_text() if made.exists() else ""
        if not text:
            raise BadInput(f"the key at `{self._key}` did not sign{_words(said)}", hint=_hint(said, self._key))
        if not verify_signature(self.public, message, text, namespace):
            raise BadInput(
                f"what the key at `{self._key}` signed does not hold for its public half",
                hint="the two halves may not belong together, or the device signs without being touched",
            )
        return text

    async def _signed(self, command: list[str]) -> str:
        """Run it; what it said, which at a terminal goes to the person instead."""
        environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
        if _at_terminal():
            await anyio.run_process(command, stdin=None, stdout=None, stderr=None, env=environment, check=False)
            return ""
        try:
            with anyio.fail_after(PATIENCE):
                # In a session of its own it has no terminal to ask at.
                done = await anyio.run_process(
                    command, stdin=subprocess.DEVNULL, env=environment, check=False, start_new_session=True
                )
        except TimeoutError as error:
            raise BadInput(
                f"nobody confirmed or touched the key at `{self._key}`", hint="answer at a terminal, where it can be asked for"
            ) from error
        return (done.stderr + done.stdout).decode("utf-8", "replace")


def load_ssh(person: str, key: Path) -> SshSigner:
    """The signer of a private key file, or of a `.pub` whose private half an agent or a device holds.

    Raises BadInput when there is no such key, when it is open to others, or when it is of a kind that may not sign.
    """
    path = key.expanduser().absolute()
    try:
        data = _read(path)
        if not path.name.endswith(".pub") and path.stat().st_mode & 0o077:
            raise BadInput(f"the key at `{path}` is open to others", hint=f"chmod 600 {path}")
        public = data.decode("ascii") if path.name.endswith(".pub") else _public_of(path, data)
    except OSError as error:
        raise BadInput(f"the key at `{path}` cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"`{path}` is no SSH key", hint=_MAKE) from error
    if public_blob(public) is None:
        kind = public.split()[0] if public.split() else "nothing"
        raise BadInput(f"the key at `{path}` may not sign: {kind[:60]}", hint=_MAKE)
    kind, coded = public.split()[:2]
    return SshSigner(person, f"{kind} {coded} {person}".strip(), path)


# ---------------------------------------------------------------------------------------------------------------------

_MAKE = "use an Ed25519, ECDSA, FIDO (`-sk`) or RSA key of at least 2048 bits; `ssh-keygen -t ed25519` makes one"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is too large")
    return data


def _public_of(path: Path, data: bytes) -> str:
    """The public half, which stands before the private one even where that is locked (OpenSSH PROTOCOL.key)."""
    text = data.strip()
    beside = path.with_name(f"{path.name}.pub")
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        if b"PRIVATE KEY-----" not in text:
            raise ValueError("no key")
        if not beside.exists():
            raise BadInput(f"the public half of `{path}` is missing", hint=f"ssh-keygen -y -f {path} > {beside}")
        return _read(beside).decode("ascii")
    blob = base64.b64decode(b"".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    if not blob.startswith(_MAGIC):
        raise ValueError("no key")
    rest = blob[len(_MAGIC) :]
    for _ in ("cipher", "kdf", "options"):
        _, rest = take(rest)
    if rest[:4] != b"\0\0\0\1":
        raise ValueError("not one key")
    public, _ = take(rest[4:])
    kind, _ = take(public)
    return f"{kind.decode('ascii')} {base64.b64encode(public).decode()}"


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _words(said: str) -> str:
    lines = ["".join(mark for mark in line if mark.isprintable()).strip() for line in said.splitlines()]
    words = next((line for line in reversed(lines) if line), "").removeprefix("Enter passphrase: ")
    return f": {words[:300]}" if words else ""


def _hint(said: str, key: Path) -> str:
    private = str(key).removesuffix(".pub")
    if "passphrase" in said:
        return f"unlock it first with `ssh-add {private}`, or answer at a terminal"
    if "agent" in said or "No such file" in said or "No private key" in said:
        return f"put the private half into the agent with `ssh-add {private}`, or plug the device in"
    return "see what `ssh-add -l` lists, or plug the device in and touch it"

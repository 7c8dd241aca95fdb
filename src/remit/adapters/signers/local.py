"""The local identity: one person's Ed25519 key below `$REMIT_HOME/identity`, in the formats of OpenSSH."""

import base64
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remit.adapters.signers.ledger_key import write_once
from remit.errors import BadInput, Broken
from remit.evidence.signature import armour, public_text, signed_part, verify_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["LocalSigner", "create", "load", "verify_signature"]


_MAGIC = b"openssh-key-v1\0"
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END OPENSSH PRIVATE KEY-----"


class LocalSigner:
    """Signs in the name of `person`; `public` is the key as OpenSSH writes it.

    The private half is read on the first signature only: most verbs want to know who sits here, and no more.
    """

    def __init__(self, person: str, raw: bytes, unlock: "Callable[[], Ed25519PrivateKey]") -> None:
        self.person = person
        self._raw, self._unlock = raw, unlock
        self.public = public_text(raw, person)

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached SSHSIG signature as text; `ssh-keygen -Y verify` takes it. Raises Broken when the key is damaged."""
        key = self._unlock()
        if key.public_key().public_bytes_raw() != self._raw:
            raise Broken("the two halves of the local key do not belong together", hint="put it back from a backup")
        return armour(self._raw, key.sign(signed_part(message, namespace)), namespace)


def create(home: Path, person: str) -> LocalSigner:
    """Make the identity. Raises BadInput when there is one already or the person has no usable name."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not person or person != person.strip() or any(letter.isspace() or not letter.isprintable() for letter in person):
        raise BadInput(f"`{person[:80]}` cannot name a person", hint="use an address such as release-lead@example.com")
    folder = home / "identity"
    if (folder / "key").exists():
        raise BadInput(f"there is an identity at `{folder}` already", hint="move it away first, if you mean to replace it")
    try:
        for place in (home, folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, plain)
        signer = LocalSigner(person, key.public_key().public_bytes_raw(), lambda: key)
        for name, data, mode in (
            ("person", f"{person}\n".encode(), 0o600),
            ("key.pub", f"{signer.public}\n".encode(), 0o644),
            ("key", private, 0o600),
        ):
            (folder / name).unlink(missing_ok=True)
            write_once(folder / name, data, mode=mode)
    except OSError as error:
        raise Broken(f"the identity at `{folder}` cannot be made: {error.strerror}") from error
    return signer


def load(home: Path) -> LocalSigner | None:
    """The identity, None when none was made. Raises Broken when it is damaged or open to others."""
    folder = home / "identity"
    path = folder / "key"
    if not path.exists():
        return None
    try:
        if path.stat().st_mode & 0o077:
            raise Broken(f"the key at `{path}` is open to others", hint=f"chmod 600 {path}")
        data = path.read_bytes()
        kind, raw = _public_half(data)
        person = (folder / "person").read_text().strip()
    except (OSError, ValueError, struct.error) as error:
        raise Broken(f"the identity at `{folder}` cannot be read: {error}", hint="put it back from a backup") from error
    if kind != b"ssh-ed25519" or len(raw) != 32:
        raise Broken(f"the key at `{path}` is not an Ed25519 key")
    return LocalSigner(person, raw, lambda: _unlocked(path, data))


def _public_half(data: bytes) -> tuple[bytes, bytes]:
    """Kind and public bytes, which stand unencrypted before the private half (OpenSSH PROTOCOL.key). Raises ValueError."""
    text = data.strip()
    if not text.startswith(_BEGIN) or not text.endswith(_END):
        raise ValueError("it is no OpenSSH key")
    blob = base64.b64decode(b"".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    if not blob.startswith(_MAGIC):
        raise ValueError("it is no OpenSSH key")
    cipher, rest = _take(blob[len(_MAGIC) :])
    if cipher != b"none":
        raise ValueError("it is locked with a passphrase")
    _, rest = _take(_take(rest)[1])
    public, _ = _take(rest[4:])
    kind, rest = _take(public)
    return kind, _take(rest)[0]


def _take(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise ValueError("it is cut short")
    return data[4 : 4 + length], data[4 + length :]


def _unlocked(path: Path, data: bytes) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_ssh_private_key(data, password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Broken(f"the key at `{path}` cannot be read: {error}", hint="put it back from a backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Broken(f"the key at `{path}` is not an Ed25519 key")
    return key

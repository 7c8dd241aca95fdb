"""The local identity: one person's Ed25519 key below `$REMIT_HOME/identity`, in the formats of OpenSSH."""

from pathlib import Path
from typing import TYPE_CHECKING

from remit.adapters.signers.ledger_key import write_once
from remit.errors import BadInput, Broken
from remit.evidence.signature import armour, public_text, signed_part, verify_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["LocalSigner", "create", "load", "verify_signature"]


class LocalSigner:
    """Signs in the name of `person`; `public` is the key as OpenSSH writes it."""

    def __init__(self, person: str, key: "Ed25519PrivateKey") -> None:
        self.person = person
        self._key = key
        self._raw = key.public_key().public_bytes_raw()
        self.public = public_text(self._raw, person)

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached SSHSIG signature as text; `ssh-keygen -Y verify` takes it."""
        return armour(self._raw, self._key.sign(signed_part(message, namespace)), namespace)


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
        signer = LocalSigner(person, key)
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
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        if path.stat().st_mode & 0o077:
            raise Broken(f"the key at `{path}` is open to others", hint=f"chmod 600 {path}")
        key = serialization.load_ssh_private_key(path.read_bytes(), password=None)
        person = (folder / "person").read_text().strip()
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise Broken(f"the identity at `{folder}` cannot be read: {error}", hint="put it back from a backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Broken(f"the key at `{path}` is not an Ed25519 key")
    return LocalSigner(person, key)

"""The ledger's own key: made when the ledger is, kept where no agent reaches, signs every tree head."""

import os
from pathlib import Path

from remit.errors import Broken
from remit.evidence.tree_head import VerifierKey, key_of, sealed, text_of


class LedgerKey:
    """Signs heads. `public` is what a verifier needs."""

    def __init__(self, seed: bytes) -> None:
        """`seed` is the 32-byte private half of an Ed25519 key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._sign = Ed25519PrivateKey.from_private_bytes(seed).sign
        self.public: VerifierKey = key_of(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())

    def head(self, size: int, root: bytes) -> bytes:
        """The signed note over a tree of this size and root."""
        text = text_of(self.public.name, size, root)
        return sealed(text, self.public, self._sign(text))


def ledger_key(home: Path) -> LedgerKey:
    """The key in `keys/ledger` below home, made on first use (0600). Raises Broken when it is lost or unreadable."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "ledger"
    if not path.exists():
        _make(folder, path)
    seed = path.read_bytes()
    if len(seed) != 32:
        raise Broken(
            f"the ledger key at `{path}` is damaged", hint="put it back from a backup; no new head can be signed without it"
        )
    key = LedgerKey(seed)
    public = folder / "ledger.pub"
    if not public.exists():
        write_once(public, f"{key.public}\n".encode(), mode=0o644)
    return key


def _make(folder: Path, path: Path) -> None:
    spare = folder / f"ledger.{os.getpid()}.new"
    write_once(spare, os.urandom(32), mode=0o600)
    try:
        # A link, not a rename: of two processes that start together exactly one key stays.
        os.link(spare, path)
    except FileExistsError:
        pass
    finally:
        spare.unlink()


def write_once(path: Path, data: bytes, *, mode: int) -> None:
    """A new file, on the disk before this returns; one that is already there stays as it is."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError:
        return
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)

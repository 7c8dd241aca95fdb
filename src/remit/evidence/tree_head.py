"""The signed note that pins a ledger: origin, size, root, and an Ed25519 signature (C2SP signed-note, tlog-checkpoint)."""

import base64
import binascii
from functools import lru_cache
from hashlib import sha256

from remit.errors import Tampered
from remit.value import Value

_ED25519 = b"\x01"


class VerifierKey(Value, frozen=True, kw_only=True):
    """The public half of a ledger's key: its name, which is also the origin of its heads, and 32 raw bytes."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256 over name, newline, algorithm and key."""
        return _id(self.name, self.raw)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.raw).decode()}"


@lru_cache(maxsize=16)
def _id(name: str, raw: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]


class TreeHead(Value, frozen=True, kw_only=True):
    """A tree of this size had this root; `note` are the exact bytes that say so."""

    origin: str
    size: int
    root: bytes
    note: bytes


def key_of(raw: bytes) -> VerifierKey:
    """The verifier key of a ledger, named after its own public bytes."""
    return VerifierKey(name=f"remit-ledger-{sha256(raw).hexdigest()[:16]}", raw=raw)


def parse_key(text: str) -> VerifierKey:
    """From `NAME+ID+BASE64`. Raises Tampered when it is anything else."""
    name, _, rest = text.strip().partition("+")
    _, _, data = rest.partition("+")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raw = b""
    key = VerifierKey(name=name, raw=raw[1:])
    if len(raw) != 33 or str(key) != text.strip():
        raise Tampered(f"`{text.strip()[:80]}` is not a ledger key", hint="it reads NAME+ID+BASE64, as in keys/ledger.pub")
    return key


def text_of(origin: str, size: int, root: bytes) -> bytes:
    """The signed part of a note."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def sealed(text: bytes, key: VerifierKey, signature: bytes) -> bytes:
    """The whole note: text, an empty line, the signature line."""
    line = base64.b64encode(key.id + signature).decode()
    return text + f"\n— {key.name} {line}\n".encode()


def parse_head(note: bytes) -> tuple[TreeHead, bytes, bytes]:
    """The head, the four-byte key id and the signature. Raises Tampered for whatever `sealed` would not have printed."""
    try:
        origin, size, root, empty, line, end = note.decode().split("\n")
        dash, name, coded = line.split(" ")
        head = TreeHead(origin=origin, size=int(size), root=base64.b64decode(root, validate=True), note=note)
        blob = base64.b64decode(coded, validate=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Tampered("a tree head is not as remit writes it") from error
    again = text_of(origin, head.size, head.root) + f"\n— {name} {base64.b64encode(blob).decode()}\n".encode()
    whole = dash == "—" and empty == end == "" and name == origin and head.size >= 0
    if not whole or len(head.root) != 32 or len(blob) != 68 or again != note:
        raise Tampered("a tree head is not as remit writes it")
    return head, blob[:4], blob[4:]


def open_head(note: bytes, keys: tuple[VerifierKey, ...]) -> TreeHead:
    """The head, its signature checked by one of the keys. Raises Tampered."""
    head, key_id, signature = parse_head(note)
    for key in keys:
        if key.name == head.origin and key.id == key_id:
            if _signed(key.raw, signature, text_of(head.origin, head.size, head.root)):
                return head
            raise Tampered(f"the signature of head {head.size} is wrong")
    raise Tampered(f"head {head.size} is signed by an unknown key `{head.origin}`")


def _signed(raw: bytes, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True

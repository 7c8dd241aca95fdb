"""Detached signatures of people, in the SSHSIG format, so that `ssh-keygen -Y verify` agrees (OpenSSH PROTOCOL.sshsig)."""

import base64
import binascii
import struct
from hashlib import sha512

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KIND = b"ssh-ed25519"


def signed_part(message: bytes, namespace: str) -> bytes:
    """The bytes a key signs for this message: the namespace keeps an approval from passing for anything else."""
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(b"sha512") + _string(sha512(message).digest())


def armour(raw_public: bytes, signature: bytes, namespace: str) -> str:
    """The signature as text. `raw_public` and `signature` are 32 and 64 bytes of Ed25519."""
    key = _string(_KIND) + _string(raw_public)
    blob = _MAGIC + struct.pack(">I", 1) + _string(key) + _string(namespace.encode()) + _string(b"") + _string(b"sha512")
    return _lines(blob + _string(_string(_KIND) + _string(signature)))


def public_text(raw_public: bytes, comment: str = "") -> str:
    """An Ed25519 public key as OpenSSH writes it, `ssh-ed25519 BASE64 COMMENT`."""
    return f"ssh-ed25519 {base64.b64encode(_string(_KIND) + _string(raw_public)).decode()} {comment}".strip()


def verify_signature(public: str, message: bytes, signature: str, namespace: str) -> bool:
    """Whether this key (OpenSSH text, Ed25519) signed this message in this namespace. False for anything unreadable."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    raw = _raw_public(public)
    found = _open(signature)
    if raw is None or found is None or found[0] != raw or found[1] != namespace:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(found[2], signed_part(message, namespace))
    except (InvalidSignature, ValueError):
        return False
    return True


def namespace_of(signature: str) -> str:
    """The namespace a signature says it is for, empty when it cannot be read."""
    found = _open(signature)
    return found[1] if found else ""


def _raw_public(public: str) -> bytes | None:
    parts = public.split()
    if len(parts) < 2 or parts[0] != "ssh-ed25519":
        return None
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return blob[-32:] if blob == _string(_KIND) + _string(blob[-32:]) else None


def _open(signature: str) -> tuple[bytes, str, bytes] | None:
    lines = signature.strip().splitlines()
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        return None
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        head, rest = blob[:10], blob[10:]
        key, rest = _take(rest)
        namespace, rest = _take(rest)
        reserved, rest = _take(rest)
        algorithm, rest = _take(rest)
        wrapped, rest = _take(rest)
        kind, tail = _take(wrapped)
        raw_signature, tail = _take(tail)
        text = namespace.decode()
    except (binascii.Error, struct.error, ValueError):
        return None
    known = head == _MAGIC + struct.pack(">I", 1) and kind == _KIND and algorithm == b"sha512" and reserved == b""
    raw = key[-32:]
    if not known or rest or tail or key != _string(_KIND) + _string(raw) or len(raw_signature) != 64:
        return None
    # A text remit would not have printed is not a signature: no two texts for one signature.
    return (raw, text, raw_signature) if _lines(blob) == signature.strip() + "\n" else None


def _lines(blob: bytes) -> str:
    coded = base64.b64encode(blob).decode()
    return "\n".join([_BEGIN, *(coded[at : at + 70] for at in range(0, len(coded), 70)), _END]) + "\n"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _take(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise ValueError("cut short")
    return data[4 : 4 + length], data[4 + length :]

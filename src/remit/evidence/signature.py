"""Detached signatures of people, in the SSHSIG format, so that `ssh-keygen -Y verify` agrees (OpenSSH PROTOCOL.sshsig)."""

import base64
import binascii
import hashlib
import struct

from remit.evidence.ssh_keys import made, public_blob, split, string
from remit.value import Value

_MAGIC = b"SSHSIG"
_VERSION = struct.pack(">I", 1)
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KIND = b"ssh-ed25519"
_DIGESTS = ("sha256", "sha512")


def signed_part(message: bytes, namespace: str) -> bytes:
    """The bytes a key signs for this message: the namespace keeps an approval from passing for anything else."""
    return _signed(message, namespace, "sha512")


def armour(raw_public: bytes, signature: bytes, namespace: str) -> str:
    """The signature as text. `raw_public` and `signature` are 32 and 64 bytes of Ed25519."""
    key = string(_KIND) + string(raw_public)
    blob = _MAGIC + _VERSION + string(key) + string(namespace.encode()) + string(b"") + string(b"sha512")
    return _lines(blob + string(string(_KIND) + string(signature)))


def public_text(raw_public: bytes, comment: str = "") -> str:
    """An Ed25519 public key as OpenSSH writes it, `ssh-ed25519 BASE64 COMMENT`."""
    return f"ssh-ed25519 {base64.b64encode(string(_KIND) + string(raw_public)).decode()} {comment}".strip()


def verify_signature(public: str, message: bytes, signature: str, namespace: str) -> bool:
    """Whether this key (OpenSSH text) signed this message in this namespace. False for anything unreadable.

    Ed25519, ECDSA (nistp256, 384, 521), RSA (2048 bits and more, never with SHA-1), and both kinds of FIDO key, which must
    say that a person touched them.
    """
    key = public_blob(public)
    found = _open(signature)
    if key is None or found is None or found.key != key or found.namespace != namespace:
        return False
    return made(key, found.signature, _signed(message, namespace, found.digest))


def namespace_of(signature: str) -> str:
    """The namespace a signature says it is for, empty when it cannot be read."""
    found = _open(signature)
    return found.namespace if found else ""


class _Opened(Value, frozen=True):
    key: bytes
    namespace: str
    digest: str
    signature: bytes


def _open(signature: str) -> _Opened | None:
    lines = signature.strip().splitlines()
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        return None
    head = _MAGIC + _VERSION
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        key, namespace, reserved, algorithm, wrapped = split(blob[len(head) :], 5)
        text, digest = namespace.decode(), algorithm.decode()
    except (binascii.Error, ValueError):
        return None
    if not blob.startswith(head) or digest not in _DIGESTS or reserved:
        return None
    # A text remit would not have printed is not a signature: no two texts for one signature.
    same = _lines(blob) == signature.strip() + "\n"
    return _Opened(key=key, namespace=text, digest=digest, signature=wrapped) if same else None


def _signed(message: bytes, namespace: str, digest: str) -> bytes:
    spoken = hashlib.new(digest, message).digest()
    return _MAGIC + string(namespace.encode()) + string(b"") + string(digest.encode()) + string(spoken)


def _lines(blob: bytes) -> str:
    coded = base64.b64encode(blob).decode()
    return "\n".join([_BEGIN, *(coded[at : at + 70] for at in range(0, len(coded), 70)), _END]) + "\n"

"""The kinds of SSH key that may sign for a person, and whether one of them made a signature.

Formats: RFC 4253 §6.6 (rsa), RFC 5656 (ecdsa), RFC 8332 (rsa-sha2), RFC 8709 (ed25519), OpenSSH PROTOCOL.u2f (security keys).
Strict: one encoding for one value, nothing after the end, and whatever is not understood did not sign.
"""

import base64
import binascii
import struct
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

_BITS_FROM, _BITS_TO = 2048, 16384
_LONGEST = 8192
_PRESENT = 0x01


def string(data: bytes) -> bytes:
    """The data with its length before it."""
    return struct.pack(">I", len(data)) + data


def take(data: bytes) -> tuple[bytes, bytes]:
    """The first string and what comes after it. Raises ValueError when it is cut short."""
    if len(data) < 4:
        raise ValueError("cut short")
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise ValueError("cut short")
    return data[4 : 4 + length], data[4 + length :]


def split(data: bytes, count: int) -> list[bytes]:
    """Exactly so many strings and nothing after them. Raises ValueError."""
    parts = []
    for _ in range(count):
        part, data = take(data)
        parts.append(part)
    if data:
        raise ValueError("something follows")
    return parts


def public_blob(public: str) -> bytes | None:
    """The bytes of a key written as OpenSSH writes it, `KIND BASE64 COMMENT`. None when it is unreadable or may not sign."""
    kind, coded, *_ = (*public.split(maxsplit=2), "", "")
    if kind not in _KINDS or len(coded) > _LONGEST:
        return None
    try:
        blob = base64.b64decode(coded, validate=True)
        inside, rest = take(blob)
        _KINDS[kind](rest)
    except (binascii.Error, ValueError):
        return None
    same = base64.b64encode(blob).decode() == coded
    return blob if same and inside == kind.encode() else None


def made(key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether this key made this signature over the data. False for anything unreadable."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        kind, rest = take(key)
        check = _KINDS[kind.decode()](rest)
        algorithm, rest = take(signature)
        check(algorithm.decode(), rest, data)
    except (InvalidSignature, UnsupportedAlgorithm, KeyError, ValueError):
        return False
    return True


_Check = Callable[[str, bytes, bytes], None]
"""Takes the algorithm a signature names, what follows it, and the signed data. Raises InvalidSignature or ValueError."""


def _ed25519(rest: bytes) -> _Check:
    (raw,) = split(rest, 1)
    verify = _raw_ed25519(raw)

    def check(algorithm: str, signature: bytes, data: bytes) -> None:
        _must(algorithm == "ssh-ed25519")
        verify(split(signature, 1)[0], data)

    return check


def _ecdsa(bits: int) -> Callable[[bytes], _Check]:
    def read(rest: bytes) -> _Check:
        curve, point = split(rest, 2)
        _must(curve == f"nistp{bits}".encode())
        verify = _raw_ecdsa(bits, point)

        def check(algorithm: str, signature: bytes, data: bytes) -> None:
            _must(algorithm == f"ecdsa-sha2-nistp{bits}")
            verify(split(signature, 1)[0], data)

        return check

    return read


def _rsa(rest: bytes) -> _Check:
    exponent, modulus = (_number(part) for part in split(rest, 2))
    _must(_BITS_FROM <= modulus.bit_length() <= _BITS_TO)
    _must(exponent.bit_length() <= 64)

    def check(algorithm: str, signature: bytes, data: bytes) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

        # The kind `ssh-rsa` names a signature over SHA-1: it is not among these.
        digests: dict[str, HashAlgorithm] = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
        raw = split(signature, 1)[0]
        _must(algorithm in digests and len(raw) == (modulus.bit_length() + 7) // 8)
        RSAPublicNumbers(exponent, modulus).public_key().verify(raw, data, PKCS1v15(), digests[algorithm])

    return check


def _security_key(kind: str) -> Callable[[bytes], _Check]:
    """A key on a device: it signs digests, the word that a person touched it, and a counter."""

    def read(rest: bytes) -> _Check:
        if kind == "sk-ssh-ed25519@openssh.com":
            raw, application = split(rest, 2)
            verify = _raw_ed25519(raw)
        else:
            curve, point, application = split(rest, 3)
            _must(curve == b"nistp256")
            verify = _raw_ecdsa(256, point)
        # Other applications are those of web pages, and what was signed there was signed for something else.
        _must(application.startswith(b"ssh:"))

        def check(algorithm: str, signature: bytes, data: bytes) -> None:
            raw, said = take(signature)
            _must(algorithm == kind and len(said) == 5 and bool(said[0] & _PRESENT))
            verify(raw, sha256(application).digest() + said + sha256(data).digest())

        return check

    return read


def _raw_ed25519(raw: bytes) -> Callable[[bytes, bytes], None]:
    _must(len(raw) == 32)

    def verify(signature: bytes, data: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        _must(len(signature) == 64)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)

    return verify


def _raw_ecdsa(bits: int, point: bytes) -> Callable[[bytes, bytes], None]:
    _must(len(point) == 1 + 2 * ((bits + 7) // 8) and point[0] == 4)

    def verify(signature: bytes, data: bytes) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        ways: dict[int, tuple[EllipticCurve, HashAlgorithm]] = {
            256: (ec.SECP256R1(), hashes.SHA256()),
            384: (ec.SECP384R1(), hashes.SHA384()),
            521: (ec.SECP521R1(), hashes.SHA512()),
        }
        curve, digest = ways[bits]
        first, second = (_number(part) for part in split(signature, 2))
        key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        key.verify(encode_dss_signature(first, second), data, ec.ECDSA(digest))

    return verify


def _number(data: bytes) -> int:
    """A positive number in its shortest form (RFC 4251 §5, mpint). Raises ValueError."""
    _must(bool(data) and data[0] < 0x80)
    _must(data[0] != 0 or (len(data) > 1 and data[1] >= 0x80))
    return int.from_bytes(data)


def _must(holds: bool) -> None:
    if not holds:
        raise ValueError("not as the format says")


_KINDS: dict[str, Callable[[bytes], _Check]] = {
    "ssh-ed25519": _ed25519,
    "ecdsa-sha2-nistp256": _ecdsa(256),
    "ecdsa-sha2-nistp384": _ecdsa(384),
    "ecdsa-sha2-nistp521": _ecdsa(521),
    "ssh-rsa": _rsa,
    "sk-ssh-ed25519@openssh.com": _security_key("sk-ssh-ed25519@openssh.com"),
    "sk-ecdsa-sha2-nistp256@openssh.com": _security_key("sk-ecdsa-sha2-nistp256@openssh.com"),
}

"""The one kind of data in remit: frozen, keyword-only, strict, encoded once."""

import hashlib

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact that never changes; two values with equal fields are the same value."""


_ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="string")


def encode(value: object) -> bytes:
    """The canonical JSON bytes of a value: keys sorted, no spaces, decimals as their text."""
    return _ENCODER.encode(value)


def digest(value: object) -> str:
    """`sha256:` and the hex digest of the canonical bytes."""
    return "sha256:" + hashlib.sha256(encode(value)).hexdigest()

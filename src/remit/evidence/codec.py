"""Events to bytes, once, and back; the bytes are what is hashed, so nothing is ever encoded a second time."""

from decimal import Decimal
from typing import Any

import msgspec

from remit.errors import BadInput, Tampered
from remit.run.event import SCHEMA, Event

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event, float_hook=Decimal)
_SCHEMA_FIRST = b'{"schema":"' + SCHEMA.encode() + b'",'


class _Peek(msgspec.Struct):
    schema: str = ""
    kind: str = ""


_PEEK = msgspec.json.Decoder(_Peek)


def encode_event(event: Event) -> bytes:
    """The body of an event: `schema` first, then its fields sorted. Decimals stay numbers, digit for digit.

    Raises BadInput for what JSON cannot hold (NaN, infinity), before anything is stored.
    """
    body = _SCHEMA_FIRST + _ENCODER.encode(event)[1:]
    try:
        _EVENT.decode(body)
    except msgspec.MsgspecError as error:
        raise BadInput(f"cannot be recorded: {error}", hint="numbers must be finite and texts valid unicode") from error
    return body


def decode_event(body: bytes, *, seq: int = -1) -> Event:
    """The event in these bytes. Fields added later are left alone; the stored bytes keep them.

    Raises Tampered naming `seq` when the bytes are no event this remit knows.
    """
    try:
        peek = _PEEK.decode(body)
    except msgspec.MsgspecError as error:
        raise Tampered(f"entry {seq}: the body is not an event: {error}", hint="`remit verify` names the first fault") from error
    if peek.schema != SCHEMA:
        raise Tampered(f"entry {seq}: `{peek.schema}` was written by a newer remit", hint="read it with that version")
    try:
        return _EVENT.decode(body)
    except msgspec.MsgspecError as error:
        raise Tampered(
            f"entry {seq}: event `{peek.kind}` was written by a newer remit: {error}", hint="read it with that version"
        ) from error


def encode_line(value: Any) -> bytes:
    """One line of an export: canonical JSON, keys sorted."""
    return _ENCODER.encode(value)

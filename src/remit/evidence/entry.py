"""One line of the record: which event, of which run, when, and the salted hash of its body."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from remit.errors import BadInput, Tampered
from remit.value import Value

SCHEMA = "remit.entry/1"
SALT = 16

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}\Z")
WRITTEN = re.compile(
    rb'\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)","body":"sha256:([0-9a-f]{64})","kind":"([a-z_]+)",'
    rb'"run":"([A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199})","schema":"remit\.entry/1","seq":(0|[1-9]\d*)\}'
)
"""Exactly the bytes `write` makes; anything else was not written by remit."""


class Entry(Value, frozen=True, kw_only=True):
    """An entry as read: its place, moment, run and kind, and the salted hash of its body in hex."""

    seq: int
    at: datetime
    run: str
    kind: str
    body: str


class Row(Value, frozen=True, kw_only=True):
    """What a ledger holds for one place: the exact entry bytes, and salt and body unless erased or left out."""

    entry: bytes
    salt: bytes | None = None
    body: bytes | None = None


def body_hash(salt: bytes, body: bytes) -> str:
    """Hex SHA-256 over salt and body: without the salt a short body could be guessed after it was erased."""
    return sha256(salt + body).hexdigest()


def stamp(at: datetime) -> str:
    """UTC with microseconds, always 27 characters, so that texts sort as moments do."""
    if at.tzinfo is None:
        raise BadInput("a moment without a time zone cannot be recorded")
    moment = at if at.tzinfo is UTC else at.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def write(*, seq: int, at: datetime, run: str, kind: str, body: str) -> bytes:
    """The entry bytes: canonical JSON, encoded here and never again. Raises BadInput for an unusable run id."""
    if not _usable(run):
        raise BadInput(f"`{run[:80]}` cannot be a run id", hint="letters, digits and . _ : @ / + - only, at most 200")
    text = f'{{"at":"{stamp(at)}","body":"sha256:{body}","kind":"{kind}","run":"{run}","schema":"{SCHEMA}","seq":{seq}}}'
    return text.encode()


@lru_cache(maxsize=64)
def _usable(run: str) -> bool:
    return _RUN.match(run) is not None


def read(entry: bytes) -> Entry:
    """The entry in these bytes. Raises Tampered for whatever `write` would not have made."""
    match = WRITTEN.fullmatch(entry)
    if match is None:
        raise Tampered("an entry is not as remit writes it", hint="`remit verify` names the first fault")
    at, body, kind, run, seq = (part.decode() for part in match.groups())
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise Tampered(f"entry {seq}: `{at}` is no moment", hint="`remit verify` names the first fault") from error
    return Entry(seq=int(seq), at=moment, run=run, kind=kind, body=body)

"""The record as lines of JSON that prove themselves: a header, every entry, every head."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from remit.errors import Tampered
from remit.evidence.codec import encode_line
from remit.evidence.entry import Row, read
from remit.evidence.tree_head import VerifierKey, parse_key
from remit.value import Value

SCHEMA = "remit.export/1"


class Export(Value, frozen=True, kw_only=True):
    """What an export holds. `runs` are those whose bodies are in it; None when all are."""

    rows: tuple[Row, ...]
    heads: tuple[bytes, ...]
    keys: tuple[VerifierKey, ...]
    runs: tuple[str, ...] | None = None


def lines(
    rows: Sequence[Row], heads: Sequence[bytes], keys: Sequence[VerifierKey], runs: Sequence[str] | None
) -> Iterator[bytes]:
    """One line each, newline included. The same record always gives the same bytes; nothing in it says when."""
    kept = None if runs is None else frozenset(runs)
    yield _line(
        schema=SCHEMA,
        entries=len(rows),
        heads=len(heads),
        keys=[str(key) for key in keys],
        runs=None if kept is None else sorted(kept),
    )
    for row in rows:
        if row.body is None or row.salt is None or (kept is not None and read(row.entry).run not in kept):
            yield _line(entry=row.entry.decode())
        else:
            yield _line(entry=row.entry.decode(), salt=row.salt.hex(), body=row.body.decode())
    for note in heads:
        yield _line(head=note.decode())


def parse(source: Iterable[bytes]) -> Export:
    """From lines. Raises Tampered for a line that `lines` would not have printed, naming it."""
    found = list(source)
    if not found:
        raise Tampered("line 1: the file is empty", hint="`remit export` writes it")
    header = _header(found[0])
    count = header["entries"]
    rows = tuple(_row(number, line) for number, line in enumerate(found[1 : count + 1], 2))
    heads = tuple(_note(number, line) for number, line in enumerate(found[count + 1 :], count + 2))
    if len(rows) != count or len(heads) != header["heads"]:
        raise Tampered(
            f"the file was cut: its first line promises {count} entries and {header['heads']} heads, "
            f"there are {len(rows)} and {len(heads)}"
        )
    runs = header["runs"]
    keys = tuple(parse_key(text) for text in header["keys"])
    return Export(rows=rows, heads=heads, keys=keys, runs=None if runs is None else tuple(runs))


def _line(**fields: Any) -> bytes:
    return encode_line(fields) + b"\n"


def _fields(number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Tampered(f"line {number}: not a line of an export: {error}") from error
    if encode_line(fields) + b"\n" != line:
        raise Tampered(f"line {number}: not as `remit export` writes it")
    return fields


def _header(line: bytes) -> dict[str, Any]:
    fields = _fields(1, line)
    if fields.get("schema") != SCHEMA:
        raise Tampered("line 1: not an export of remit", hint="`remit export -o FILE` writes one")
    shapes = {"schema": str, "entries": int, "heads": int, "keys": list, "runs": list | None}
    if set(fields) != set(shapes) or not all(isinstance(fields[name], shape) for name, shape in shapes.items()):
        raise Tampered("line 1: not as `remit export` writes it")
    if fields["entries"] < 0 or not all(isinstance(text, str) for text in (*fields["keys"], *(fields["runs"] or ()))):
        raise Tampered("line 1: not as `remit export` writes it")
    return fields


def _row(number: int, line: bytes) -> Row:
    fields = _fields(number, line)
    if set(fields) not in ({"entry"}, {"entry", "salt", "body"}) or not all(isinstance(text, str) for text in fields.values()):
        raise Tampered(f"line {number}: not an entry")
    try:
        salt = bytes.fromhex(fields["salt"]) if "salt" in fields else None
    except ValueError as error:
        raise Tampered(f"line {number}: not an entry") from error
    if salt is not None and salt.hex() != fields["salt"]:
        raise Tampered(f"line {number}: not an entry")
    body = fields["body"].encode() if "body" in fields else None
    return Row(entry=fields["entry"].encode(), salt=salt, body=body)


def _note(number: int, line: bytes) -> bytes:
    fields = _fields(number, line)
    if set(fields) != {"head"} or not isinstance(fields["head"], str):
        raise Tampered(f"line {number}: not a head")
    return str(fields["head"]).encode()

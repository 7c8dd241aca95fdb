"""One pass over the record; the first fault is named."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from remit.errors import Tampered
from remit.evidence.codec import decode_event
from remit.evidence.entry import WRITTEN, Row
from remit.evidence.merkle import Frontier
from remit.evidence.signing import DECODED, Signing
from remit.evidence.tree_head import TreeHead, VerifierKey, open_head
from remit.value import Value


class Verified(Value, frozen=True, kw_only=True):
    """The record is what was recorded: how much of it, under which key and root. `erased` and `left_out` count bodies.

    `signatures` of people hold; `unsigned` answers are those that nobody signed, where nobody had to.
    """

    entries: int
    heads: int
    signatures: int
    unsigned: int
    erased: int
    left_out: int
    key: str
    root: str


class Fault(Value, frozen=True, kw_only=True):
    """The first thing that is wrong: between which places (both included), and what."""

    seq: int
    until: int
    what: str


class _Found(Exception):
    def __init__(self, seq: int, what: str, until: int | None = None) -> None:
        super().__init__(what)
        self.fault = Fault(seq=seq, until=seq if until is None else until, what=what)


def verify(
    rows: Iterable[Row], heads: Iterable[bytes], keys: Sequence[VerifierKey], *, bodies_of: frozenset[str] | None = None
) -> Verified | Fault:
    """Check every entry, body, head and signature, oldest first. `bodies_of`: the only runs whose bodies are expected.

    Rows come in order. Heads may come from several copies, in any order; the longest one says how much there must be.
    """
    opened, fault = _open_heads(heads, tuple(keys))
    walk = _Walk(opened, bodies_of)
    try:
        walk.rows(rows)
        walk.end()
    except _Found as found:
        if fault is None or found.fault.seq < fault.seq:
            return found.fault
    return fault or walk.verified(keys)


class _Walk:
    """What is known at one place of the pass."""

    def __init__(self, heads: dict[int, TreeHead], bodies_of: frozenset[str] | None) -> None:
        self.heads, self.bodies_of = heads, bodies_of
        self.tree = Frontier()
        self.good = 0
        self.missing: dict[str, list[int]] = {}
        self.erased_at: dict[str, int] = {}
        self.signing = Signing()

    def rows(self, rows: Iterable[Row]) -> None:
        """The hot loop: two hashes of data and one of the tree for each row, and nothing decoded."""
        written, tree, heads, seq = WRITTEN.fullmatch, self.tree, self.heads, -1
        append = tree.append
        for seq, row in enumerate(rows):
            entry = row.entry
            match = written(entry)
            if match is None:
                raise _Found(seq, "the entry is not as remit writes it")
            _, digest, kind, run, place = match.groups()
            if int(place) != seq:
                raise _Found(seq, f"entry {seq} is missing: entry {place.decode()} stands in its place")
            if row.body is None or row.salt is None:
                self.missing.setdefault(run.decode(), []).append(seq)
            elif sha256(row.salt + row.body).hexdigest() != digest.decode():
                raise _Found(seq, "the body is not the one that was recorded")
            elif kind in DECODED:
                self._decoded(seq, row.body)
            if kind == b"bodies_erased":
                self.erased_at[run.decode()] = seq
            append(sha256(b"\x00" + entry).digest())
            if seq + 1 in heads:
                self._head(heads[seq + 1])

    def _head(self, head: TreeHead) -> None:
        if self.tree.root() != head.root:
            what = f"the entries since head {self.good} are not those that head {head.size} was signed over"
            raise _Found(self.good, what, head.size - 1)
        self.good = head.size

    def _decoded(self, seq: int, body: bytes) -> None:
        what = self.signing.take(decode_event(body, seq=seq))
        if what:
            raise _Found(seq, what)

    def end(self) -> None:
        """What only the whole record can show: a lost tail, an unsigned tail, bodies gone without a reason."""
        size, longest = self.tree.size, max(self.heads, default=0)
        lost = [
            seq for run, places in self.missing.items() if self._expected(run)
            for seq in places if seq > self.erased_at.get(run, -1)
        ]  # fmt: skip
        if lost:
            raise _Found(min(lost), "the body is missing, and no erasure is recorded")
        if size < longest:
            raise _Found(size, f"the end is missing: a signed head says there are {longest} entries", longest - 1)
        if size > longest:
            raise _Found(longest, "no signed head covers these entries", size - 1)

    def _expected(self, run: str) -> bool:
        return self.bodies_of is None or run in self.bodies_of

    def verified(self, keys: Sequence[VerifierKey]) -> Verified:
        """The good end."""
        counts = [(self._expected(run), len(places)) for run, places in self.missing.items()]
        return Verified(
            entries=self.tree.size,
            heads=len(self.heads),
            signatures=self.signing.count,
            unsigned=self.signing.unsigned,
            erased=sum(count for expected, count in counts if expected),
            left_out=sum(count for expected, count in counts if not expected),
            key=", ".join(str(key) for key in keys),
            root=self.tree.root().hex(),
        )


def _open_heads(notes: Iterable[bytes], keys: tuple[VerifierKey, ...]) -> tuple[dict[int, TreeHead], Fault | None]:
    """Every head by size, signatures checked, and the first fault among them."""
    found: dict[int, TreeHead] = {}
    faults: list[Fault] = []
    last = 0
    for note in dict.fromkeys(notes):
        try:
            head = open_head(note, keys)
        except Tampered as error:
            faults.append(Fault(seq=max(last - 1, 0), until=max(last - 1, 0), what=str(error)))
            continue
        last = head.size
        other = found.setdefault(head.size, head)
        if other.root != head.root:
            faults.append(
                Fault(seq=last - 1, until=last - 1, what=f"two signed heads of size {last} disagree: the record was forked")
            )
    return found, min(faults, key=_place, default=None)


def _place(fault: Fault) -> int:
    return fault.seq


def said(result: Verified | Fault) -> str:
    """The result as one line for a person."""
    if isinstance(result, Verified):
        return f"{result.entries} entries under {result.heads} signed heads are what was recorded"
    where = f"entry {result.seq}" if result.seq == result.until else f"entries {result.seq} to {result.until}"
    return f"{where}: {result.what}"


def as_json(result: Verified | Fault) -> dict[str, object]:
    """The result as a document, `remit.verify/1`."""
    built: dict[str, object] = msgspec.to_builtins(result)
    return {"schema": "remit.verify/1", "ok": isinstance(result, Verified), **built}

"""Whatever is changed in the record, the first fault is named."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import Tampered
from remit.evidence.entry import Row, read
from remit.evidence.export import lines, parse
from remit.evidence.merkle import Frontier, leaf_hash
from remit.evidence.tree_head import open_head, parse_head, parse_key
from remit.evidence.verify import Fault, Verified, said, verify
from remit.run.event import BodiesErased, Event, Notified, VerdictReached

from .strategies import PUBLIC, head, record

EVENTS: list[Event] = [
    *(Notified(run=f"r{number % 2}", who="a", how="inbox", what=f"message {number}") for number in range(7)),
    VerdictReached(run="r0", verdict="success"),
    BodiesErased(run="r0", by="owner@example.com", because="asked to"),
]
ROWS, HEADS = record(EVENTS)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def fault(rows: list[Row], heads: list[bytes]) -> Fault:
    result = verify(rows, heads, [PUBLIC])
    assert isinstance(result, Fault), said(result)
    return result


def test_an_untouched_record_verifies() -> None:
    result = verify(ROWS, HEADS, [PUBLIC])
    assert isinstance(result, Verified)
    assert (result.entries, result.heads, result.erased) == (9, 9, 0)


def test_an_empty_record_verifies() -> None:
    assert isinstance(verify([], [], [PUBLIC]), Verified)


@given(st.data())
def test_any_flipped_bit_in_entry_salt_or_body_is_found_at_its_place(data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, len(ROWS) - 1))
    part = data.draw(st.sampled_from(["entry", "salt", "body"]))
    old = getattr(ROWS[seq], part)
    new = flipped(old, data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(0, 7)))
    rows = [*ROWS[:seq], msgspec.structs.replace(ROWS[seq], **{part: new}), *ROWS[seq + 1 :]]
    found = fault(rows, HEADS)
    assert (found.seq, found.until) == (seq, seq)


@given(st.data())
def test_any_flipped_bit_in_a_head_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(HEADS) - 1))
    note = HEADS[place]
    new = flipped(note, data.draw(st.integers(0, len(note) - 1)), data.draw(st.integers(0, 7)))
    found = fault(ROWS, [*HEADS[:place], new, *HEADS[place + 1 :]])
    assert found.seq <= place + 1


@pytest.mark.parametrize("kept", range(len(ROWS)))
def test_a_dropped_tail_is_found_where_it_begins(kept: int) -> None:
    found = fault(ROWS[:kept], HEADS)
    assert found.seq == kept
    assert found.until == len(ROWS) - 1
    assert "the end is missing" in found.what


@pytest.mark.parametrize("gone", range(len(ROWS) - 1))
def test_a_missing_entry_is_named(gone: int) -> None:
    found = fault([*ROWS[:gone], *ROWS[gone + 1 :]], HEADS)
    assert (found.seq, found.what) == (gone, f"entry {gone} is missing: entry {gone + 1} stands in its place")


def test_entries_that_no_head_covers_are_found() -> None:
    found = fault(ROWS, HEADS[:-2])
    assert (found.seq, found.until, found.what) == (7, 8, "no signed head covers these entries")


@pytest.mark.parametrize("first", range(len(ROWS)))
def test_a_chain_forged_again_without_the_key_is_found_at_the_first_forged_entry(first: int) -> None:
    forged_events = [*EVENTS[:first], *(Notified(run="r1", who="x", how="y", what="z") for _ in EVENTS[first:])]
    forged, _ = record(forged_events)
    found = fault(forged, HEADS)
    assert found.seq == first
    assert "not those that head" in found.what


def test_a_chain_signed_with_another_key_is_found() -> None:
    forged, heads = record(EVENTS, key=OTHER)
    assert "unknown key" in fault(forged, heads).what


def test_a_wrong_signature_under_the_right_name_is_found() -> None:
    note = HEADS[4]
    _, key_id, signature = parse_head(note)
    other = parse_head(HEADS[5])[2]
    import base64

    forged = note.replace(base64.b64encode(key_id + signature), base64.b64encode(key_id + other))
    found = fault(ROWS, [*HEADS[:4], forged, *HEADS[5:]])
    assert found.what == "the signature of head 5 is wrong"


def test_a_fork_is_found_even_though_both_heads_are_signed() -> None:
    tree = Frontier()
    for row in ROWS[:3]:
        tree.append(leaf_hash(row.entry))
    tree.append(leaf_hash(b"another fourth"))
    found = fault(ROWS, [*HEADS, head(4, tree.root())])
    assert (found.seq, found.what) == (3, "two signed heads of size 4 disagree: the record was forked")


def test_the_first_of_two_faults_is_named() -> None:
    rows = [*ROWS]
    for seq in (5, 2):
        rows[seq] = Row(entry=rows[seq].entry, salt=rows[seq].salt, body=b"{}")
    assert fault(rows, HEADS).seq == 2


def test_erased_bodies_are_fine_where_an_erasure_is_recorded_and_nowhere_else() -> None:
    rows = [Row(entry=row.entry) if read(row.entry).run == "r0" and read(row.entry).seq < 8 else row for row in ROWS]
    result = verify(rows, HEADS, [PUBLIC])
    assert isinstance(result, Verified)
    assert result.erased == 5
    rows[3] = Row(entry=rows[3].entry)
    assert (fault(rows, HEADS).seq, fault(rows, HEADS).what) == (3, "the body is missing, and no erasure is recorded")


def test_an_export_of_one_run_leaves_other_bodies_out_and_still_verifies() -> None:
    written = list(lines(ROWS, HEADS, [PUBLIC], ["r1"]))
    found = parse(written)
    assert written == list(lines(ROWS, HEADS, [PUBLIC], ["r1"]))
    assert b"message 0" not in b"".join(written)
    assert b"message 1" in b"".join(written)
    result = verify(found.rows, found.heads, found.keys, bodies_of=frozenset(found.runs or ()))
    assert isinstance(result, Verified)
    assert result.left_out == 6


@given(st.data())
def test_any_flipped_bit_of_an_export_is_found(data: st.DataObject) -> None:
    whole = b"".join(lines(ROWS, HEADS, [PUBLIC], None))
    bad = flipped(whole, data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7)))
    try:
        found = parse(bad.splitlines(keepends=True))
    except Tampered:
        return
    bodies = None if found.runs is None else frozenset(found.runs)
    assert isinstance(verify(found.rows, found.heads, [PUBLIC], bodies_of=bodies), Fault) or found.keys != (PUBLIC,)


@given(st.integers(1, 40))
def test_any_cut_off_end_of_an_export_is_found(count: int) -> None:
    whole = list(lines(ROWS, HEADS, [PUBLIC], None))
    with pytest.raises(Tampered):
        parse(whole[: -min(count, len(whole))])


def test_heads_and_keys_read_back_exactly_and_nothing_else_is_read() -> None:
    opened = open_head(HEADS[0], (PUBLIC,))
    assert opened.size == 1
    assert parse_key(str(PUBLIC)) == PUBLIC
    for bad in (HEADS[0] + b"\n", HEADS[0].replace(b"\n1\n", b"\n01\n"), HEADS[0].replace(b"\n1\n", b"\n+1\n"), b"", b"\xff"):
        with pytest.raises(Tampered):
            parse_head(bad)
    for text in ("", "a+b+c", str(PUBLIC)[:-4], "other" + str(PUBLIC)):
        with pytest.raises(Tampered):
            parse_key(text)

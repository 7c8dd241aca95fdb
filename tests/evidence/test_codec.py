"""Events to bytes and back."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.errors import BadInput, Tampered
from remit.evidence.account import account
from remit.evidence.codec import decode_event, encode_event
from remit.evidence.procedure import procedure
from remit.run.event import Event, Intended, Notified, Recorded
from remit.testing.clock import JumpingClock

from .strategies import KINDS, built


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_event_comes_back_as_it_was_and_has_its_rows(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(built(kind))
    body = encode_event(event)
    again = decode_event(body)
    assert encode_event(again) == body
    assert msgspec.to_builtins(again) == msgspec.to_builtins(event)
    record = Recorded(seq=0, at=JumpingClock().now(), run="r1", kind=kind.__struct_config__.tag, event=again)
    told = account([record])
    assert told.boundary["run"] == "r1"
    assert len(procedure([record])) == 1
    rows = (*told.allowed, *told.considered, *told.refused, *told.notified, *told.approved, *told.evidence)
    assert rows


def test_money_keeps_its_digits_and_its_digest() -> None:
    action = Action(verb="call", object="refund", arguments={"amount": Decimal("50.00"), "count": 10**25, "text": "50.00"})
    again = decode_event(encode_event(Intended(run="r", key="k", action=action)))
    assert isinstance(again, Intended)
    assert again.action.digest() == action.digest()
    assert str(again.action.arguments["amount"]) == "50.00"


def test_a_field_added_later_is_left_alone() -> None:
    body = encode_event(Notified(run="r", who="a", how="b", what="c"))
    assert decode_event(body[:-1] + b',"later":{"x":1}}') == Notified(run="r", who="a", how="b", what="c")


def test_an_unknown_kind_is_named_with_its_place() -> None:
    body = encode_event(Notified(run="r", who="a", how="b", what="c")).replace(b'"notified"', b'"teleported"')
    with pytest.raises(Tampered, match=r"entry 7: event `teleported` was written by a newer remit"):
        decode_event(body, seq=7)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_cannot_hold_is_refused_before_it_is_stored(number: str) -> None:
    with pytest.raises(BadInput):
        encode_event(Intended(run="r", key="k", action=Action(verb="call", object="x", arguments={"n": Decimal(number)})))

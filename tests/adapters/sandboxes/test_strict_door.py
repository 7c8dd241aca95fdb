"""The door reads strictly: what is decided is what was written, and what is carried out is what was decided."""

import json
from decimal import Decimal

import pytest
from box_rig import Ground, Witness
from test_doors import KNOCK, said

from remit.adapters.sandboxes.door import read_line
from remit.errors import BadInput


def test_the_door_hands_on_exactly_the_numbers_that_were_written(ground: Ground) -> None:
    witness = Witness()
    said(ground, witness, 'remit act call refund --args \'{"amount": 0.10, "of": [12345678901234567.25, 3]}\' --wait 1.5')
    (message,) = witness.requests
    amount, (large, whole) = message["arguments"]["amount"], message["arguments"]["of"]
    assert (str(amount), str(large), whole) == ("0.10", "12345678901234567.25", 3)
    assert isinstance(amount, Decimal) and isinstance(large, Decimal) and isinstance(whole, int)
    assert message["wait"] == Decimal("1.5")


REASON = {"code", "rule", "contract", "why", "instead"}


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ('{"amount": 1, "amount": 500}', "twice"),
        ('{"a": {"amount": 1, "amount": 500}}', "twice"),
        ('{"amount": NaN}', "not a number"),
        ('{"amount": -Infinity}', "not a number"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused_at_both_ends(ground: Ground, args: str, why: str) -> None:
    witness = Witness()
    line = f'{{"schema": "remit.act/1", "verb": "call", "object": "refund", "arguments": {args}}}\n'
    code = KNOCK + (
        f"print(knock({line.encode()!r}).strip())\n"
        f"import subprocess; print(subprocess.run(['remit', 'act', 'call', 'refund', '--args', {args!r}], capture_output=True, text=True).stdout)"
    )
    ground.run(ground.plan("python3", "-ISc", code), witness)
    door, helper = (json.loads(each) for each in witness.printed.splitlines() if each)
    for answer in (door, helper):
        assert answer["decision"] == "refuse"
        (reason,) = answer["reasons"]
        assert set(reason) == REASON
        assert reason["code"] == "INPUTS" and why in reason["why"]
    assert not witness.requests


@pytest.mark.parametrize("line", [b'{"a": "\\ud800"}', b'{"a": "\xff"}', b"[" * 65 + b"]" * 65, b'{"a": ' + b"1" * 5000 + b"}"])
def test_a_line_that_cannot_be_recorded_is_no_request(line: bytes) -> None:
    with pytest.raises(BadInput):
        read_line(line)

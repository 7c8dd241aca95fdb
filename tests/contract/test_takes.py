"""What a declared tool takes, as models and hosts are shown it: the same everywhere."""

from jsonschema import Draft202012Validator

from remit.contract.party import Argument, Tool
from remit.contract.takes import KINDS, takes

REFUND = Tool(
    name="refund",
    arguments=(
        Argument(name="amount", type="number", required=True),
        Argument(name="reason", type="text"),
        Argument(name="items", type="list"),
        Argument(name="urgent", type="truth"),
        Argument(name="note"),
    ),
)


def test_a_tool_is_shown_with_its_arguments_and_what_it_cannot_do_without() -> None:
    shown = takes(REFUND)
    Draft202012Validator.check_schema(shown)
    assert shown["required"] == ["amount"]
    judge = Draft202012Validator(shown)
    assert judge.is_valid({"amount": 5, "reason": "broken", "items": [1], "urgent": True, "note": {"any": "thing"}})
    assert [
        judge.is_valid(each) for each in ({}, {"amount": "5"}, {"amount": 5, "items": "one"}, {"amount": 5, "urgent": 1})
    ] == [False] * 4


def test_every_type_an_argument_can_have_is_one_a_model_is_told() -> None:
    assert set(KINDS) == set(Argument.__annotations__["type"].__args__)

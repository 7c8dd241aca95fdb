"""Printing and reading are one thing said in two directions."""

import pytest
from contracts import REFUND, RELEASE, TRICKY, contracts
from hypothesis import given

from remit.contract.contract import Contract
from remit.contract.parse import parse
from remit.contract.print import print_contract, quoted


@given(contracts())
def test_any_contract_printed_reads_back_as_itself(contract: Contract) -> None:
    text = print_contract(contract)
    parsed = parse(text, file="printed.remit.yaml")
    assert parsed.findings == (), text
    assert parsed.contract == contract, text
    assert parsed.contract.hash() == contract.hash()
    assert print_contract(parsed.contract) == text


@pytest.mark.parametrize("text", [RELEASE, REFUND])
def test_the_contracts_of_the_design_read_back_as_themselves(text: str) -> None:
    contract = parse(text, file="design.remit.yaml").contract
    assert contract is not None
    assert parse(print_contract(contract), file="printed.remit.yaml").contract == contract


@pytest.mark.parametrize("text", TRICKY)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    parsed = parse(f"goal: {quoted(text)}\n", file="printed.remit.yaml")
    assert parsed.findings == ()
    assert parsed.draft.goal == text.strip()

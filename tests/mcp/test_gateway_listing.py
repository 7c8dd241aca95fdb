"""What is left out of a list can only be refused; what a list is read from has an end."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.authority.compile import compile_contract, compile_organisation
from remit.authority.decide import decide
from remit.authority.decision import Refuse
from remit.authority.spent import Spent
from remit.contract.contract import Contract
from remit.contract.parse import parse
from remit.contract.party import Organisation
from remit.mcp.gateway.listing import could, definitions, undeclared

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NAMES = ("read_notes", "send_note", "deploy")
RULE = st.tuples(
    st.sampled_from(["may", "ask", "never"]), st.sampled_from([*NAMES, "any", "*_note"]), st.sampled_from(["", "x: any", "x: 1"])
)


def contract(rules: list[tuple[str, str, str]]) -> Contract:
    parts = []
    for effect in ("may", "ask", "never"):
        rows = [(name, where) for kind, name, where in rules if kind == effect]
        if rows:
            parts.append(
                f"{effect}:\n"
                + "".join(
                    f"  - {{call: '{name}', where: {{{where}}}}}\n" if where else f"  - {{call: '{name}'}}\n"
                    for name, where in rows
                )
            )
    text = (
        "goal: Keep notes\nowner: release-lead@example.com\n" + "".join(parts)
        + "limits: {turns: 5, time: 1h}\nsuccess: [{id: a, file: a, exists: true}]\nrecovery: [{when: failed, do: undo}]\n"
    )  # fmt: skip
    parsed = parse(text, file="c")
    assert parsed.contract is not None, parsed.findings
    return parsed.contract


@given(
    rules=st.lists(RULE, min_size=1, max_size=5),
    name=st.sampled_from(NAMES),
    arguments=st.sampled_from([{}, {"x": 1}, {"x": 2}, {"y": 1}]),
    known=st.booleans(),
)
def test_whatever_is_not_shown_would_be_refused(rules: list[Any], name: str, arguments: dict[str, Any], known: bool) -> None:
    organisation = Organisation(tools=tuple(map(undeclared, NAMES))) if known else Organisation()
    lineage = (compile_organisation(organisation), compile_contract(contract(rules), organisation))
    decision = decide(lineage, Action(verb="call", object=name, arguments=arguments), spent=Spent(), now=NOW)
    if not could(lineage, name):
        assert isinstance(decision, Refuse)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("read_file", "bounded"),
        ("deploy", "human-approved"),
        ("sendMail", "human-approved"),
        ("run_command", "human-approved"),
        ("note", "bounded"),
    ],
)
def test_what_nobody_declared_counts_as_what_its_name_says(name: str, tier: str) -> None:
    assert (undeclared(name).tier, undeclared(name).effect) == (tier, "execute")


def test_a_definition_without_a_plain_name_of_its_own_is_no_tool() -> None:
    listed = [
        {"name": "a"},
        {"name": "b"},
        {"name": "b"},
        {"name": "ü"},
        {"name": ""},
        {"name": 3},
        {},
        "a",
        {"name": "prompts/get"},
    ]
    assert list(definitions(listed)) == ["a"]

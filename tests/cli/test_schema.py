"""`remit schema` marks in an editor what `remit check` would refuse."""

import copy
import json
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from remit.cli.schema import command
from remit.contract.parse import CONTRACT_KEYS

RELEASE = yaml.safe_load("""
goal: Prepare this repository for the v2.4.0 release
owner: release-lead@example.com
may: [{read: "**"}, {write: [docs/**, CHANGELOG.md]}, {call: pay, where: {amount: {from: 0.01, to: 50}, to: {not: {known: x}}, id: any}}]
never: [{push: any, because: a person's step}]
limits: {turns: 40, time: 30m, usd: 2.00, tokens: 400k, sums: [{sum: pay.amount, within: 1h, to: 200}]}
success: [{id: changelog, file: CHANGELOG.md, matches: '^## v2'}, {run: python check.py}, {tree: unchanged, outside: [docs/**]}]
recovery: [{when: changelog fails, do: retry 2}, {when: failed, do: undo}]
tools: {pay: {tier: high-risk, arguments: {amount: {type: number, required: true}, id: text}}}
""")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(CliRunner().invoke(command, []).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_whole_contract_passes(validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(RELEASE)] == []


def test_every_key_of_a_contract_is_offered(validator: jsonschema.Draft202012Validator) -> None:
    assert set(validator.schema["properties"]) == set(CONTRACT_KEYS)


SPOILED: dict[str, tuple[list[Any], Any]] = {
    "a key mistyped": (["gaol"], "x"),
    "a verb mistyped": (["may", 0], {"wirte": "docs"}),
    "two verbs": (["may", 0], {"write": "docs", "read": "docs"}),
    "one bound": (["may", 2, "where", "amount"], {"to": 5}),
    "a form mistyped": (["may", 2, "where", "amount"], {"knwon": "x"}),
    "a limit mistyped": (["limits", "tunrs"], 5),
    "a bare time": (["limits", "time"], 90),
    "prose as success": (["success", 0], "the docs are good"),
    "a check of nothing": (["success", 0], {"file": "CHANGELOG.md"}),
    "a condition mistyped": (["recovery", 0, "when"], "stuk"),
    "a remedy mistyped": (["recovery", 0, "do"], "ask onwer"),
    "a tier mistyped": (["tools", "pay", "tier"], "low"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_mistyped_is_marked(validator: jsonschema.Draft202012Validator, name: str) -> None:
    path, value = SPOILED[name]
    spoiled = copy.deepcopy(RELEASE)
    at = spoiled
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert not validator.is_valid(spoiled)


@pytest.mark.parametrize("part", ["goal", "owner", "limits", "success", "recovery", "may"])
def test_what_is_missing_is_marked(validator: jsonschema.Draft202012Validator, part: str) -> None:
    assert not validator.is_valid({key: value for key, value in RELEASE.items() if key != part})

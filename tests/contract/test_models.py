"""Which models may be called and what they cost is said exactly, or the place of the mistake is."""

import json
from typing import Any

import jsonschema
import pytest
import yaml
from contracts import REFUND, RELEASE, SUPPORT
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.address import address
from remit.contract.case import Setting
from remit.contract.contract import Contract
from remit.contract.limits import Pace
from remit.contract.models import (
    HEAVY_RUNTIMES,
    METERED_RUNTIMES,
    RUNTIMES,
    Model,
    ModelPrice,
    may_call,
    name_covers,
    named_model,
)
from remit.contract.parse import parse, parse_organisation
from remit.contract.party import Organisation
from remit.contract.review import review
from remit.contract.schema import contract_schema

WITH_MODELS = (
    RELEASE
    + """\
runtime: codex
model: claude-opus-5-5
models:
  - claude-opus-5-5
  - {model: local-*, price: {input: 3, output: 15.00, cached: "0.3"}, output: 8k}
  - {model: subscribed, price: none}
history: keep
"""
)


def said(text: str) -> list[str]:
    return [f"{one.mark}: {one.code} {one.where}: {one.message}; {one.hint}" for one in parse(text, file="c").findings]


def found(text: str, *, organisation: Organisation | None = None, setting: Setting | None = None) -> list[tuple[str, str, str]]:
    """Code, severity and place of what a review says about runtimes, models and limits."""
    looked = review(parse(text, file="c"), organisation=organisation, identity="release-lead@example.com", setting=setting)
    about = ("model", "models", "limits", "runtime", "history", "may[2]", "may[3]")
    return [(one.code, one.severity, one.where) for one in looked.findings if one.where.split(".")[0].split("[")[0] in about or one.where in about]  # fmt: skip


def whole(text: str) -> Contract:
    contract = parse(text, file="c").contract
    assert contract is not None
    return contract


def test_models_are_read_with_their_prices_as_they_were_written() -> None:
    contract = whole(WITH_MODELS)
    assert (contract.model, contract.history) == ("claude-opus-5-5", "keep")
    assert contract.models == (
        Model(name="claude-opus-5-5"),
        Model(name="local-*", price=ModelPrice(input="3", output="15.00", cached="0.3"), output=8000),
        Model(name="subscribed", price=ModelPrice()),
    )
    assert found(WITH_MODELS) == []


@pytest.mark.parametrize(
    ("text", "was"),
    [
        (RELEASE, "sha256:0757de9cd5f3cb4c42fefe46e93a3cdfffd9d1c5fc6a9901ec3af5118b1cf3a7"),
        (REFUND, "sha256:3c1ab5e28e84cdc26934792323a52a58fc96ef58b57ec35c845a3e1b0ed4e26f"),
    ],
    ids=["release", "refund"],
)
def test_a_contract_that_says_nothing_of_models_keeps_the_address_it_had_before_there_were_any(text: str, was: str) -> None:
    assert whole(text).hash() == was


def test_so_does_an_organisation() -> None:
    organisation = parse_organisation(SUPPORT, file="o").organisation
    assert organisation is not None
    assert address(organisation) == "sha256:081828de34c137508afe28764d2d5bd79a26e32d87705ae5b643aea1a630c5a9"


MISTAKES = {
    "model: claude-*": 'c:1:8: MODEL model: `claude-*` is more than one model; write one name; `models: [{model: "claude-*"}]` says which may be called',
    "model: [a, b]": "c:1:8: NOT-UNDERSTOOD model: a list stands where a text belongs; ",
    "model: two words": "c:1:8: MODEL model: `two words` is not the name of a model; write it as the provider does, such as `claude-opus-5-5` or `local-*`",
    "models: claude": "c:1:9: NOT-UNDERSTOOD models: `claude` stands where a list belongs; begin each member with `- `",
    "models: []": "c:1:9: MODEL models: no model is named; name those that may be called, or take the key out: then every model with a known price may be",
    "models: [a, b, a]": "c:1:16: MODEL-TWICE models[2]: `a` is named twice, so it could have two prices; put the two together",
    "models: [{price: none}]": "c:1:10: MODEL models[0].model: the entry names no model; write `- model: NAME`, with `price:` or `output:` where they are needed",
    "models: [{model: a, prize: none}]": "c:1:21: UNKNOWN-KEY models[0].prize: unknown key `prize`; did you mean `price`?",
    "models: [{model: a, output: -5}]": "c:1:29: TOKENS models[0].output: `-5` is not a number of tokens; write `400k` or `400000`",
    "models: [{model: a, price: free}]": "c:1:28: PRICE models[0].price: `free` is not a price; write `price: {input: 3, output: 15}`, dollars for a million tokens, or `price: none`",
    "models: [{model: a, price: {input: 3}}]": "c:1:28: PRICE models[0].price: the price says nothing of output; write `price: {input: 3, output: 15}`, dollars for a million tokens, or `price: none`",
    "models: [{model: a, price: {input: 3, output: 1e3}}]": "c:1:47: PRICE models[0].price.output: `1e3` is not an amount of dollars; write `price: {input: 3, output: 15}`, dollars for a million tokens, or `price: none`",
    "models: [{model: a, price: {input: -3, output: 1}}]": "c:1:36: PRICE models[0].price.input: `-3` is not an amount of dollars; write `price: {input: 3, output: 15}`, dollars for a million tokens, or `price: none`",
    "history: kept": "c:1:10: UNKNOWN-WORD history: unknown word `kept`; did you mean `keep`?",
    "modles: [a]": "c:1:1: UNKNOWN-KEY modles: unknown key `modles`; did you mean `models`?",
    "limits: {pace: {usd: 0.50}}": "c:1:16: NOT-UNDERSTOOD limits.pace: a pace is dollars or tokens, within a length of time; write `pace: {usd: 0.50, within: 1m}`",
    "limits: {pace: {within: 1m}}": "c:1:16: NOT-UNDERSTOOD limits.pace: a pace is dollars or tokens, within a length of time; write `pace: {usd: 0.50, within: 1m}`",
    "limits: {pace: {usd: 1, within: 60}}": "c:1:33: TIME limits.pace.within: `60` is not a length of time; write `60s` or `60m`",
    "limits: {pace: {used: 1, within: 1m}}": "c:1:17: UNKNOWN-KEY limits.pace.used: unknown key `used`; did you mean `usd`?",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_mistyped_is_said_with_its_place_and_what_was_meant(text: str) -> None:
    assert said(text)[0] == MISTAKES[text]
    assert parse(text, file="c").contract is None


def test_a_pace_is_an_amount_within_a_time() -> None:
    text = RELEASE.replace("400k}", "400k, pace: {usd: 0.50, tokens: 100k, within: 1m}}")
    assert whole(text).limits.pace == Pace(usd=500_000, tokens=100_000, within=60)


DOUBTS = {
    "a model outside of those allowed": (
        "model: claude-opus-5-5",
        "model: claude-opus-5",
        ("MODEL-NOT-ALLOWED", "error", "model"),
    ),
    "an entry behind a wider one": ("models:\n", "models:\n  - claude-*\n", ("MODEL-SHADOWED", "warning", "models[1]")),
    "no limit of what it may cost": ("usd: 2.00, tokens: 400k", "calls: 9", ("LIMIT-MISSING", "error", "limits")),
    "no limit of tokens": (", tokens: 400k", "", ("LIMIT-OPEN", "warning", "limits")),
    "no limit of money": ("usd: 2.00, ", "", ("LIMIT-OPEN", "warning", "limits")),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_would_surprise_is_found_before_anything_runs(name: str) -> None:
    old, new, expected = DOUBTS[name]
    assert old in WITH_MODELS
    assert found(WITH_MODELS.replace(old, new)) == [expected]


def test_models_that_cost_nothing_are_bounded_without_money() -> None:
    text = RELEASE + "runtime: agent\nmodels: [{model: local-*, price: none}, {model: x, price: {input: 0.00, output: 0}}]\n"
    assert found(text) == [("USD-UNUSED", "note", "limits.usd")]
    assert found(text.replace("usd: 2.00, ", "")) == []


def test_what_a_program_cannot_be_held_to_is_said() -> None:
    """Where the contract speaks of models a program meets the meter too; a conversation it has none."""
    program = WITH_MODELS.replace("runtime: codex", "runtime: make release")
    assert found(program) == [("MODEL-UNUSED", "note", "history")]
    bare = RELEASE + "runtime: make release\n"
    assert found(bare) == [("LIMIT-UNMETERED", "warning", f"limits.{name}") for name in ("tokens", "usd")]


def test_a_wildcard_of_paths_in_a_command_is_a_mistake() -> None:
    text = RELEASE.replace("- commit: HEAD", '- run: "rm **"', 1)
    assert text != RELEASE
    assert ("COMMAND-WILDCARD", "error") in [(code, severity) for code, severity, _ in found(text)]


def test_who_does_the_work_may_be_said_where_the_run_is_started() -> None:
    text = RELEASE.replace("usd: 2.00, tokens: 400k", "calls: 9")
    assert found(text) == []
    assert found(text, setting=Setting(runtime="gemini")) == [("LIMIT-MISSING", "error", "limits")]


@pytest.mark.parametrize(
    ("typed", "meant"), [("cluade", "claude"), ("codx", "codex"), ("gemeni", "gemini"), ("opencod", "opencode")]
)
def test_a_program_that_is_almost_called_like_a_runtime_is_doubted(typed: str, meant: str) -> None:
    text = WITH_MODELS.replace("runtime: codex", f"runtime: {typed}").replace("commit: HEAD", f"delegate: {typed}")
    doubts = [one for one in review(parse(text, file="c")).findings if one.code == "UNKNOWN-RUNTIME"]
    assert [(one.severity, one.where, one.hint) for one in doubts] == [
        ("warning", "runtime", f"did you mean `{meant}`?"),
        ("warning", "may[2]", f"did you mean `{meant}`?"),
    ]


@pytest.mark.parametrize("program", ["make", "python", "./claude", "script", "node", "cargo", "agents.sh", "code"])
def test_other_programs_are_not(program: str) -> None:
    text = RELEASE + f"runtime: [{program}, x]\n"
    assert [one.code for one in review(parse(text, file="c")).findings if one.code == "UNKNOWN-RUNTIME"] == []


def test_the_organisation_is_a_ceiling_over_models_too() -> None:
    organisation = Organisation(models=(Model(name="claude-*"), Model(name="local-a")))
    assert found(WITH_MODELS, organisation=organisation) == [
        ("MODEL-NOT-ALLOWED", "warning", "models[1]"),
        ("MODEL-NOT-ALLOWED", "warning", "models[2]"),
    ]
    assert found(WITH_MODELS, organisation=Organisation(models=(Model(name="other"),)))[0] == (
        "MODEL-NOT-ALLOWED",
        "error",
        "model",
    )


def test_a_name_means_itself_and_a_star_any_letters_a_slash_among_them() -> None:
    models = (Model(name="openai:gpt-*"), Model(name="vendor/*-large"), Model(name="x"))
    assert named_model(models, "vendor/a/b-large") == models[1]
    assert named_model(models, "gpt-5") is None
    assert named_model(models, "gpt-5", "openai") == models[0]
    assert named_model(models, "X") is None
    assert may_call(models, "openai:gpt-5")
    assert may_call(models, "anything:x")
    assert not may_call(models, "anything:y")
    assert may_call((), "whatever")


NAMES = st.text("ab*", max_size=8)


@given(NAMES, NAMES, st.lists(st.text("ab", max_size=3), min_size=8, max_size=8))
def test_one_name_covers_another_only_if_it_means_everything_the_other_means(outer: str, inner: str, letters: list[str]) -> None:
    filled = "".join(letters[at] if letter == "*" else letter for at, letter in enumerate(inner))
    assert name_covers(inner, filled)
    if name_covers(outer, inner):
        assert name_covers(outer, filled)


def test_every_heavier_runtime_is_metered_and_the_light_agent_is_not_one() -> None:
    assert set(RUNTIMES) == METERED_RUNTIMES | {"command"}
    assert set(METERED_RUNTIMES) == HEAVY_RUNTIMES | {"agent"}


SCHEMA = jsonschema.Draft202012Validator(json.loads(json.dumps(contract_schema())))
SPOILED: dict[str, dict[str, Any]] = {
    "a pattern as the model": {"model": "claude-*"},
    "a name with blanks": {"models": ["two words"]},
    "no model at all": {"models": []},
    "an entry without a name": {"models": [{"price": "none"}]},
    "a price mistyped": {"models": [{"model": "a", "price": "free"}]},
    "half a price": {"models": [{"model": "a", "price": {"input": 3}}]},
    "a key of an entry mistyped": {"models": [{"model": "a", "outptu": 5}]},
    "a word of history mistyped": {"history": "kept"},
    "a pace without a time": {"limits": {"time": "5m", "turns": 5, "pace": {"usd": 1}}},
    "a pace of nothing": {"limits": {"time": "5m", "turns": 5, "pace": {"within": "1m"}}},
}


def test_an_editor_takes_what_the_check_takes() -> None:
    text = WITH_MODELS.replace("400k}", "400k, pace: {usd: 0.50, within: 1m}}")
    assert [error.message for error in SCHEMA.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("name", SPOILED)
def test_an_editor_marks_what_the_check_refuses(name: str) -> None:
    assert not SCHEMA.is_valid(yaml.safe_load(WITH_MODELS) | SPOILED[name])

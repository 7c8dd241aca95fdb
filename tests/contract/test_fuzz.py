"""Whatever the text, there is an answer: a contract or a finding, at once, never a failure."""

import os
import random
import time

import pytest
from contracts import REFUND, RELEASE, SUPPORT, TRICKY
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.draft import parse_prose
from remit.contract.parse import Parsed, parse, parse_bytes, parse_organisation
from remit.contract.print import print_contract
from remit.contract.print_organisation import print_organisation
from remit.contract.review import review

ORGANISED = (
    SUPPORT
    + """\
four eyes: true
mail: {server: smtp.example.com:587, from: desk@example.com, password: $MAIL_PASSWORD}
inbox: https://inbox.example.com
tools:
  refund:
    arguments: {amount: number, close: {type: truth, irreversible: true}}
    does:
      http:
        url: https://pay.example.com/{order_id}
        headers: {Authorization: Bearer $PAY}
        honours key: 24h
        probe: https://pay.example.com/of/{key}
  send_email: {does: mail}
"""
)
MODELLED = (
    RELEASE.replace("400k}", "400k, pace: {usd: 0.50, tokens: 100k, within: 1m}}")
    + """\
runtime: codex
model: claude-opus-5-5
models:
  - claude-*
  - {model: local-*, price: {input: 3, output: 15, cached: 0.3}, output: 8k}
  - {model: subscribed, price: none}
history: keep
"""
)
HEAVY = (
    SUPPORT
    + """\
models: [claude-*, {model: local, price: none}]
heavy:
  - runtime: [codex, claude]
    for: [multi-file, reporting]
    words: {multi-file: ["rename … across"], reporting: {phrases: [quarterly report], rule: {call: sales_*}}}
    unless: [production]
  - runtime: gemini
"""
)
SEEDS = (RELEASE, REFUND, SUPPORT, ORGANISED, MODELLED, HEAVY)
LOOKALIKES = {"a": "а", "e": "е", "o": "ο", "-": "‐", ":": "：", " ": "\u00a0", '"': "“", "*": "＊", "5": "５"}
RETYPED = (
    "5",
    "true",
    "null",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "1:30",
    "*",
    "'",
    '"',
    "|",
    "&a",
    "!b",
    "any",
    "\t",
    "- x",
    *TRICKY,
)


def mutated(text: str, chance: random.Random) -> str:
    """One to four changes a tired person, an editor or an agent might make."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        line = lines[at]
        match chance.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, line)
            case 2:
                lines[at] = line.partition(":")[0] + ": " + chance.choice(RETYPED)
            case 3:
                letter = chance.choice(list(LOOKALIKES))
                lines[at] = line.replace(letter, LOOKALIKES[letter])
            case 4:
                lines[at] = " " * chance.randrange(9) + line.lstrip()
            case 5:
                cut = chance.randrange(len(line) + 1)
                lines[at] = (
                    line[:cut]
                    + chance.choice(["", "{", "}", "[", "]", ",", "#", "\n", "\\", "..", "💥"])
                    + line[cut + chance.randrange(2) :]
                )
            case 6:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], line
            case _:
                lines[at] = line.replace(chance.choice(line.split() or ["x"]), chance.choice(RETYPED))
        lines = lines or [""]
    return "\n".join(lines)


def answered(text: str) -> Parsed:
    """Parsed and reviewed; every finding of the text has a place, and only a clean text is a contract."""
    begin = time.perf_counter()
    parsed = parse(text, file="c")
    verdict = review(parsed)
    organisation = parse_organisation(text, file="c")
    assert time.perf_counter() - begin < 1
    assert all(
        finding.mark and finding.message and finding.code == finding.code.upper()
        for finding in (*parsed.findings, *organisation.findings)
    )
    if organisation.organisation is not None:
        assert (
            parse_organisation(print_organisation(organisation.organisation), file="c").organisation == organisation.organisation
        )
    assert (parsed.contract is None) or not any(finding.severity == "error" for finding in parsed.findings)
    assert verdict.ok or any(finding.severity == "error" for finding in verdict.findings)
    if parsed.contract is not None:
        assert parse(print_contract(parsed.contract), file="c").contract == parsed.contract
    return parsed


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    answered(text)
    assert parse_prose(text, file="c").contract is None


@given(st.binary())
def test_any_bytes_are_answered(data: bytes) -> None:
    parse_bytes(data, file="c")


@given(
    st.lists(
        st.sampled_from(
            [
                "goal",
                "may",
                "ask",
                ":",
                " ",
                "\n",
                "  ",
                "- ",
                "{",
                "}",
                "[",
                "]",
                ",",
                "call",
                "where",
                "to",
                '"',
                "*",
                "#",
                "5",
                "~",
            ]
        )
    ).map("".join)
)
def test_any_crumbs_of_a_contract_are_answered(text: str) -> None:
    answered(text)


@given(st.integers(0, 2**32), st.sampled_from(SEEDS))
def test_a_damaged_contract_is_answered(seed: int, text: str) -> None:
    answered(mutated(text, random.Random(seed)))


def test_three_hundred_damaged_contracts_are_answered() -> None:
    outcomes = [answered(mutated(SEEDS[seed % len(SEEDS)], random.Random(seed))) for seed in range(300)]
    whole = sum(parsed.contract is not None for parsed in outcomes)
    assert 0 < whole < 250  # both ends of the road are walked


@pytest.mark.thorough
def test_ten_thousand_damaged_contracts_are_answered() -> None:
    start = int(os.environ.get("REMIT_FUZZ_SEED", "1000"))
    for seed in range(start, start + 10_000):
        answered(mutated(SEEDS[seed % 2], random.Random(seed)))

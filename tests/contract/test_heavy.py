"""An organisation says where heavier runtimes are available, what justifies them there, and in which words."""

import pytest
from contracts import SUPPORT

from remit.contract.heavy import NEEDS, Heavy, Need
from remit.contract.parse import parse_organisation


def heavy(text: str) -> tuple[Heavy, ...] | None:
    parsed = parse_organisation(SUPPORT + text, file="o")
    assert parsed.findings == ()
    assert parsed.organisation is not None
    return parsed.organisation.heavy


def told(text: str) -> list[str]:
    return [
        f"{one.mark}: {one.code} {one.where}: {one.message}; {one.hint}" for one in parse_organisation(text, file="o").findings
    ]


def test_what_is_said_of_heavier_runtimes_is_read() -> None:
    text = """\
heavy:
  - runtime: [codex, claude]
    for: [multi-file, reporting]
    words: {multi-file: ["rename … across"], reporting: {phrases: quarterly report, rule: {call: sales_*}}}
    unless: production
  - runtime: gemini
"""
    assert heavy(text) == (
        Heavy(
            runtimes=("codex", "claude"),
            needs=("multi-file", "reporting"),
            words=(
                Need(name="multi-file", words=("rename … across",)),
                Need(name="reporting", words=("quarterly report",), verb="call", object="sales_*"),
            ),
            unless=("production",),
        ),
        Heavy(runtimes=("gemini",), needs=NEEDS),
    )


def test_nothing_said_and_nothing_available_are_two_things() -> None:
    assert heavy("") is None
    assert heavy("heavy: []\n") == ()


def test_a_need_of_its_own_counts_without_being_named_again() -> None:
    entries = heavy("heavy: [{runtime: codex, words: {reporting: {phrases: [report], rule: {call: x}}}}]\n")
    assert entries is not None
    assert entries[0].needs == (*NEEDS, "reporting")


MISTAKES = {
    "heavy: codex": "o:1:8: NOT-UNDERSTOOD heavy: `codex` stands where a list belongs; begin each member with `- `",
    "heavy: [{for: [terminal]}]": "o:1:9: NOT-UNDERSTOOD heavy[0].runtime: the entry names no runtime; write `runtime: codex`, or a list",
    "heavy: [{runtime: cluade}]": "o:1:19: UNKNOWN-RUNTIME heavy[0].runtime: unknown runtime `cluade`; did you mean `claude`?",
    "heavy: [{runtime: agent}]": "o:1:19: UNKNOWN-RUNTIME heavy[0].runtime: unknown runtime `agent`; known here: claude, codex, gemini, opencode, acp",
    "heavy: [{runtime: codex, for: [multifile]}]": "o:1:32: UNKNOWN-NEED heavy[0].for[0]: unknown need `multifile`; did you mean `multi-file`?",
    "heavy: [{runtime: codex, for: []}]": "o:1:31: NOT-UNDERSTOOD heavy[0].for: nothing would ever justify it; write some of multi-file, terminal, browser, iteration, or take `for` out: then every one of them counts",
    "heavy: [{runtime: codex}, {runtime: [claude, codex]}]": "o:1:27: DUPLICATE-ID heavy[1].runtime: two entries are about `codex`; put the two together",
    "heavy: [{runtime: codex, words: {reporting: [report]}}]": "o:1:45: UNKNOWN-NEED heavy[0].words.reporting: unknown need `reporting`; known here: multi-file, terminal, browser, iteration",
    "heavy: [{runtime: codex, words: {terminal: {phrases: [x], rule: {run: x}}}}]": "o:1:44: NOT-UNDERSTOOD heavy[0].words.terminal: what stands behind `terminal` is fixed; its words are a list of phrases",
    "heavy: [{runtime: codex, words: {mine: {phrases: [x]}}}]": "o:1:40: NOT-UNDERSTOOD heavy[0].words.mine: `mine` wants phrases, and one rule that it needs; write `{phrases: [quarterly report], rule: {call: sales_report}}`",
    "heavy: [{runtime: codex, words: {mine: {phrases: [x], rule: {cal: x}}}}]": "o:1:62: UNKNOWN-KEY heavy[0].words.mine.rule.cal: unknown key `cal`; did you mean `call`?",
    "heavy: [{runtime: codex, for: [terminal], words: {browser: [x]}}]": "o:1:9: NOT-UNDERSTOOD heavy[0].words.browser: `browser` is not among the needs that count here; name it in `for`, or take its words out",
    "heavy: [{runtime: codex, unless: …}]": "o:1:34: NOT-UNDERSTOOD heavy[0].unless: `…` is not a phrase; a few words in their order, such as `rename … across`",
    "heavy: [{runtime: codex, unles: [x]}]": "o:1:26: UNKNOWN-KEY heavy[0].unles: unknown key `unles`; did you mean `unless`?",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_mistyped_is_said_with_its_place(text: str) -> None:
    assert MISTAKES[text] in told(text)
    assert parse_organisation(text, file="o").organisation is None

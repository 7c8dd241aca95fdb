"""`remit rituals`: five habits of supervision become rules that our own parser reads back."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from remit.cli.rituals import command
from remit.contract.parse import Draft, parse
from remit.contract.party import Tool
from remit.contract.rituals import as_yaml, meaning, suggested_rule
from remit.errors import BadInput

FIVE = (
    "“Ask me before you send.”",
    "“Wait for approval.”",
    "“Draft it but don't finalize.”",
    "Multi-step prompt chains with manual checkpoints",
    "Shadow review processes where a human silently re-does the work",
)
ORG = """\
tools:
  send_email: {effect: send}
  refund: {effect: execute, tier: high-risk}
  post_update: {effect: publish}
  look_up: {effect: read}
  summarise: {effect: draft}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REMIT_ORG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str | bytes, *arguments: str) -> Result:
    result = CliRunner().invoke(command, list(arguments), input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def back(yaml: str) -> Draft:
    parsed = parse(yaml, file="pasted.remit.yaml")
    assert parsed.findings == (), yaml
    return parsed.draft


def test_the_five_phrases_of_the_source_all_become_something_that_is_enforced() -> None:
    result = read("\n".join(f"- {line}" for line in FIVE), "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["unenforced"] == []
    drafts = [back(line["yaml"]) for line in told["lines"]]
    assert [(rule.effect, rule.verb, rule.who) for rule in drafts[0].rules] == [("ask", "call", "owner")]
    assert "*send*" in drafts[0].rules[0].objects
    assert [(rule.effect, rule.verb, rule.objects) for rule in drafts[1].rules] == [("ask", "call", ("any",))]
    assert [(rule.effect, rule.verb, rule.objects) for rule in drafts[2].rules] == [("ask", "publish", ("any",))]
    assert [(rung.when, rung.do) for rung in drafts[3].recovery] == [("stuck", "ask owner")]
    assert [draft.publish for draft in drafts] == ["auto", "ask", "ask", "ask", "ask"]
    assert len(back(told["yaml"]).rules) == 3


def test_with_an_organisation_each_tool_that_leaves_is_named_one_by_one(home: Path) -> None:
    (home / "org.remit.yaml").write_text(ORG)
    told = json.loads(read("Ask me before you send.", "--json", "--org", "org.remit.yaml").stdout)
    assert [rule.objects for rule in back(told["yaml"]).rules] == [("send_email",), ("refund",), ("post_update",)]
    told = json.loads(read("Draft it but don't finalize.", "--json", "--org", "org.remit.yaml").stdout)
    assert [rule.objects for rule in back(told["yaml"]).rules] == [("any",), ("send_email",), ("post_update",)]


def test_what_is_pasted_together_says_nothing_twice() -> None:
    told = json.loads(read("Ask me before you send.\nAsk me before sending\nNever push\nNever push tags\n", "--json").stdout)
    assert [(rule.id, rule.objects[0]) for rule in back(told["yaml"]).rules] == [
        ("ask-call-1", "*send*"),
        ("never-push-1", "any"),
    ]


def test_lines_nobody_can_translate_are_listed_and_end_with_1(home: Path) -> None:
    (home / "habits.txt").write_text("Never push\n\n* Be careful\n")
    result = read("", "habits.txt")
    assert result.exit_code == 1
    assert result.stdout == "# Never push\nnever:\n  - push: any\n\n"
    assert result.stderr == "unenforced: Be careful\n"


def test_control_characters_of_a_line_are_shown_and_not_sent() -> None:
    result = read("Never push\x1b[2J\n")
    assert "\x1b" not in result.stdout
    assert "\\x1b" in result.stdout


@pytest.mark.parametrize("data", [b"", b"\n \n- \n", b"\xff\xfe", b"a\n" * 200_000])
def test_what_holds_no_sentences_is_unusable_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        read(data)


def test_a_file_that_is_not_there_is_unusable_input() -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read("", "none.txt")


_WORDS = ["never", "do not", "only", "ask me before you send", "wait for approval", "draft but don't finalize", "checkpoint",
          "shadow review", "edit", "delete", "read", "push", "branch", "tags", "docs/", "a b.md", "*x*.py", '"', "#", ": ", "network", "may", "write"]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=8).map(" ".join), st.booleans())
def test_whatever_a_line_is_taken_to_mean_reads_back_as_exactly_that(line: str, known: bool) -> None:
    tools = (Tool(name="send_email", effect="send"), Tool(name="refund")) if known else ()
    meant = meaning(line, tools)
    assert (meant is None) == (suggested_rule(line) is None)
    if meant is None:
        return
    assert meant.rules or meant.recovery or meant.publish == "ask"
    draft = back(as_yaml([meant]))
    assert [(rule.effect, rule.verb, rule.objects, rule.who) for rule in draft.rules] == [
        (rule.effect, rule.verb, rule.objects, rule.who) for rule in meant.rules
    ]
    assert (draft.recovery, draft.publish) == (meant.recovery, meant.publish)

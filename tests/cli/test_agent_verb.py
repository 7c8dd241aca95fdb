"""`remit agent`: everything that makes the light agent what it is, each part as given or as its stated default."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot

from remit.cli.agent import command
from remit.cli.main import VERBS

WHOLE = """\
goal: Tidy the docs
owner: release-lead@example.com
acts for: docs-team@example.com
model: anthropic:claude-opus-4-8
runtime: agent read_file write_file shell
history: keep
may:
  - read: "**"
  - write: docs/**
  - call: refund
    where: {amount: {from: 0.01, to: 50}}
never:
  - write: docs/generated/**
tools:
  refund: {tier: human-approved, arguments: {amount: number}}
limits: {turns: 40, time: 10m, usd: 1.50, tokens: 100k}
success:
  - {id: hello, file: docs/hello.md, exists: true}
recovery:
  - {when: failed, do: undo}
"""
LEAST = """\
goal: Tidy the docs
owner: release-lead@example.com
may:
  - read: "**"
limits: {calls: 40, time: 10m}
success:
  - {id: hello, file: docs/hello.md, exists: true}
recovery:
  - {when: failed, do: undo}
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REMIT_ORG", raising=False)
    monkeypatch.chdir(tmp_path)


def agent(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_all_five_parts_are_shown_as_given() -> None:
    Path("c.remit.yaml").write_text(WHOLE)
    result = agent("show", "c.remit.yaml")
    assert result.exit_code == 0
    assert result.stdout == snapshot("""\
identity  acts for docs-team@example.com (given; no SOUL.md)
task      Tidy the docs (sha256:f31926de4165fb3d70e38580404b1d11c27d4a57c5c9473f06a220d403fb5d51)
          may read **
          may write docs/**
          may call refund under conditions
          never write docs/generated/**
tools     given
          read_file    read-only       may read **
          write_file   bounded         never write docs/generated/**; may write docs/**
          shell        high-risk       no `run` rule anywhere: what starts in the box is recorded, not refused
          ask_owner    bounded         always there: it grants nothing
          done         read-only       always there: it grants nothing
          refund       human-approved  may call refund under conditions
turns     40 (given)
spend     1.50 usd, 100000 tokens (given)
history   keep: every attempt reads the conversation of the one before (given)
model     anthropic:claude-opus-4-8 (given)
""")


def test_what_is_not_given_is_the_stated_default() -> None:
    Path("c.remit.yaml").write_text(LEAST)
    result = agent("show", "c.remit.yaml")
    assert result.exit_code == 0
    assert result.stdout == snapshot("""\
identity  acts for release-lead@example.com (default: the owner; no SOUL.md)
task      Tidy the docs (sha256:804e985b9cabad8caa51161284d2fdcee2bf7e14b095edebc84fd1d5a9d74068)
          may read **
tools     default: all of its own, and every registered one
          read_file    read-only       may read **
          list_files   read-only       may read **
          search       read-only       may read **
          write_file   bounded         no rule: every call is refused
          edit_file    bounded         no rule: every call is refused
          delete_file  high-risk       no rule: every call is refused
          shell        high-risk       no `run` rule anywhere: what starts in the box is recorded, not refused
          fetch        bounded         no rule: every call is refused
          ask_owner    bounded         always there: it grants nothing
          delegate     high-risk       no rule: every call is refused
          done         read-only       always there: it grants nothing
turns     no cap; 40 calls (default)
spend     no limit (default; a contract for a model must name one)
history   none: every attempt begins fresh (default)
model     none: it does not run without one; write `model:` or give --model
""")


@pytest.mark.parametrize(
    ("rules", "organisation", "said"),
    [
        ("", "", ["no `run` rule anywhere: what starts in the box is recorded, not refused"]),
        ("never:\n  - run: rm\n", "", ["never run rm"]),
        ("", "never:\n  - run: rm\n", []),
    ],
)
def test_a_shell_is_refused_only_where_somebody_has_a_rule_about_programs(rules: str, organisation: str, said: list[str]) -> None:
    Path("c.remit.yaml").write_text(LEAST + rules)
    Path("org.remit.yaml").write_text(organisation or "assurance: terminal\n")
    found = json.loads(agent("show", "c.remit.yaml", "--org", "org.remit.yaml", "--json").stdout)
    assert [tool["rules"] for tool in found["tools"]["has"] if tool["name"] == "shell"] == [said]


def test_programs_read_the_same_as_people() -> None:
    Path("c.remit.yaml").write_text(WHOLE)
    found = json.loads(agent("show", "c.remit.yaml", "--json").stdout)
    assert found["schema"] == "remit.agent/1"
    assert found["identity"] == {"principal": "docs-team@example.com", "given": True, "soul": None}
    assert found["turns"] == {"cap": 40, "given": True, "calls": None}
    assert found["spend"] == {"usd": 1_500_000, "tokens": 100_000, "given": True}
    assert found["history"] == {"is": "keep", "given": True}
    assert [tool["name"] for tool in found["tools"]["has"]] == ["read_file", "write_file", "shell", "ask_owner", "done", "refund"]


def markdown(soul: str | None, task: str = LEAST) -> dict[str, object]:
    Path("TASK.md").write_text(f"---\n{task}---\n\n# The docs\n")
    if soul is not None:
        Path("SOUL.md").write_text(soul)
    found: dict[str, object] = json.loads(agent("show", "TASK.md", "--json").stdout)
    return found


def test_identity_is_apart_from_the_task() -> None:
    soul = "---\nacts for: docs-team@example.com\n---\n\nYou are patient.\n"
    first, second = markdown(soul), markdown(soul, LEAST.replace("Tidy the docs", "Translate the docs"))
    assert first["identity"] == second["identity"]
    assert str(first["identity"]["soul"]).startswith("sha256:")  # type: ignore[index]
    assert first["task"] != second["task"]


def test_without_anybody_to_act_for_it_is_refused() -> None:
    assert markdown(None)["refused"] == {"code": "NO-PRINCIPAL", "why": "this task does not say for whom the agent acts"}
    result = agent("show", "TASK.md")
    assert result.exit_code == 3
    assert "NO-PRINCIPAL" in result.stderr and result.stdout == ""


def test_an_unknown_tool_is_sent_back() -> None:
    Path("c.remit.yaml").write_text(WHOLE.replace("agent read_file", "agent read_fiel"))
    result = agent("show", "c.remit.yaml")
    assert "did you mean `read_file`" in str(result.exception)


def test_the_four_tiers_come_in_order() -> None:
    assert [line.split()[0] for line in agent("tiers").stdout.splitlines()] == [
        "read-only",
        "bounded",
        "high-risk",
        "human-approved",
    ]
    assert [row["tier"] for row in json.loads(agent("tiers", "--json").stdout)["tiers"]] == [
        "read-only",
        "bounded",
        "high-risk",
        "human-approved",
    ]


def test_looking_imports_nothing_heavy() -> None:
    Path("c.remit.yaml").write_text(LEAST)
    code = "import sys; from remit.cli.agent import command; command(['show', 'c.remit.yaml'], standalone_mode=False); print([name for name in ('pydantic', 'pydantic_ai', 'openai', 'httpx2') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "agent" in VERBS

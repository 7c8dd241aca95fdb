"""A skill by the helpers of the box: its text plainly, for a script, for a model, and what lies beside the workspace to look at."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_rig import Door

from remit.adapters.sandboxes import inside

FOLDER = Path(inside.__file__).parent
NAME = "words:greeting"
TEXT = "Base directory for this skill: /skills/greeting\n\n# Greeting “kindly”\n"
REASON = {
    "code": "AUTHORITY",
    "rule": None,
    "contract": "c",
    "why": f"this run is for `{NAME}` only",
    "instead": f"invoke `{NAME}`",
}


def answered(message: dict[str, Any]) -> dict[str, Any]:
    if message.get("arguments") == {"skill": NAME}:
        return {"decision": "allow", "done": True, "reasons": [], "output": TEXT}
    return {"decision": "refuse", "done": False, "reasons": [REASON]}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    there = Door(tmp_path)
    there.answer = answered
    yield there
    there.end()


def remit(door: Door, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"REMIT_DOOR": door.path, "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-IS", str(FOLDER / "act.py"), *words], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("words", [("skill", NAME), ("act", "call", "Skill", "--arg", f"skill={NAME}", "--text")])
def test_a_script_gets_the_text_of_a_skill_and_nothing_around_it(door: Door, words: tuple[str, ...]) -> None:
    done = remit(door, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, TEXT, "")
    assert [(each["verb"], each["object"], each["arguments"]) for each in door.asked] == [("call", "Skill", {"skill": NAME})]


def test_a_script_hears_on_stderr_why_another_skill_is_refused(door: Door) -> None:
    done = remit(door, "skill", "words:other")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"remit: this run is for `{NAME}` only\ninstead: invoke `{NAME}`\n"


def test_without_the_flag_it_is_one_line_of_json_as_ever(door: Door) -> None:
    done = remit(door, "act", "call", "Skill", "--arg", f"skill={NAME}")
    assert json.loads(done.stdout)["output"] == TEXT and done.stdout.count("\n") == 1


def test_a_question_to_the_owner_is_answered_in_json_whatever_it_says(door: Door) -> None:
    assert json.loads(remit(door, "ask", "May I?").stdout)["decision"] == "refuse"


def test_a_model_gets_the_text_of_a_skill_as_it_is_and_the_reasons_for_a_refusal(door: Door) -> None:
    tools = json.dumps([{"name": "Skill", "description": "Invoke a skill.", "inputSchema": {"type": "object"}}])
    asked = [{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}]
    asked += [
        {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "Skill", "arguments": {"skill": skill}}}
        for number, skill in ((2, NAME), (3, "words:other"))
    ]
    with subprocess.Popen(
        [sys.executable, "-IS", str(FOLDER / "mcp.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"REMIT_DOOR": door.path, "REMIT_TOOLS": tools, "LANG": "C.UTF-8"},
    ) as server:  # fmt: skip
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write("\n".join(map(json.dumps, asked)) + "\n")
        server.stdin.flush()
        told = {answer["id"]: answer["result"] for answer in (json.loads(server.stdout.readline()) for _ in asked)}
        server.stdin.close()
    assert "Skill" in [each["name"] for each in told[1]["tools"]]
    assert told[2] == {"content": [{"type": "text", "text": TEXT}], "isError": False}
    assert told[3]["isError"] and f"this run is for `{NAME}` only" in told[3]["content"][0]["text"]


def test_hands_look_into_a_folder_that_is_shown_beside_the_workspace_and_into_no_other(tmp_path: Path) -> None:
    work, beside, other = (tmp_path / name for name in ("work", "skills", "skills-of-others"))
    for each in (work, beside, other):
        each.mkdir()
        (each / "a.md").write_text(f"in {each.name}\n")
    (beside / "out.md").symlink_to(other / "a.md")
    asked = [
        {"id": 1, "do": "read", "path": str(beside / "a.md")}, {"id": 2, "do": "read", "path": str(other / "a.md")},
        {"id": 3, "do": "read", "path": str(beside / "out.md")}, {"id": 4, "do": "list", "path": str(beside), "glob": "a*"},
        {"id": 5, "do": "search", "pattern": "in", "path": str(beside), "glob": "a*"}, {"id": 6, "do": "read", "path": "a.md"},
    ]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-IS", str(FOLDER / "hands.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=work,
        env={**os.environ, "REMIT_BESIDE": json.dumps([str(beside)])},
    ) as hands:  # fmt: skip
        assert hands.stdin is not None and hands.stdout is not None
        hands.stdin.write("\n".join(map(json.dumps, asked)) + "\n")
        hands.stdin.flush()
        told = {each["id"]: each for each in (json.loads(hands.stdout.readline()) for _ in asked)}
        hands.stdin.close()
    assert told[1]["text"] == "in skills\n" and told[6]["text"] == "in work\n"
    assert [told[number]["error"] for number in (2, 3)] == ["outside", "outside"]
    assert [each["path"] for number, rows in ((4, "entries"), (5, "matches")) for each in told[number][rows]] == [
        str(beside / "a.md")
    ] * 2

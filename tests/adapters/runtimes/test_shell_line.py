"""A shell line is taken apart only where every shell would start exactly these programs with exactly these words."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remit.adapters.runtimes.native_paths import action_path, boxed, searching, touching
from remit.adapters.runtimes.shell_line import actions, commands, unwrapped

SHELLS = [shell for shell in ("/bin/bash", "/bin/dash", "/usr/bin/zsh") if os.access(shell, os.X_OK)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ls", [("ls",)]),
        ("git commit -m 'a b' --no-verify", [("git", "commit", "-m", "a b", "--no-verify")]),
        ("echo \"a b\"c'd'", [("echo", "a bcd")]),
        ('echo "a \\"b\\" \\$x"', [("echo", 'a "b" $x')]),
        ("find . -name x -exec rm {} \\;", None),
        ("find . -name x -delete \\;", [("find", ".", "-name", "x", "-delete", ";")]),
        ("a && b || c; d | e", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("a\nb\n\n  c\n", [("a",), ("b",), ("c",)]),
        ("a &&\n b", [("a",), ("b",)]),
        ("pytest -q 2>&1 | tail -5", [("pytest", "-q"), ("tail", "-5")]),
        ("grep -r x docs 2>/dev/null", [("grep", "-r", "x", "docs")]),
        ("make >/dev/null 2>&1", [("make",)]),
        ("python -c 'print(1); x = $y'", [("python", "-c", "print(1); x = $y")]),
        ("echo ''", [("echo", "")]),
        ("a;", [("a",)]),
    ],
)
def test_plain_programs_are_seen(line: str, expected: list[tuple[str, ...]] | None) -> None:
    read = commands(line)
    assert (None if read is None else list(read)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "", "   ", "\n", "a; ;b", "; a", "a &&", "a | ", "a & b", "a &", "a |& b", "a ;; b", "(a)", "{ a; }", "a > f", "a >> f",
        "a < f", "a <<E\nE", "a 2> f", "a &> f", "a >&f", "a 3>&1", "a2>&1", "echo $x", 'echo "$x"', "echo `x`", 'echo "`x`"',
        "echo $(x)", "echo ~/x", "echo ~", "ls *", "ls ?", "ls [a]", "echo {a,b}", "echo a#b", "a # b", "! a", "A=b c", "A=b",
        "'A'=b c", "if a", "for x in y", "while a", "time a", "eval a", "source a", ". a", "exec a", "command a", "builtin a",
        "alias a=b", "export A=b", "set -x", "trap a EXIT", "read x", "printf -v PATH x", "echo 'a", 'echo "a', "echo \\", "a\\\nb",
        'echo "a\\\nb"', "echo $'a'", 'echo $"a"', "a\x00b", "a\rb", "a\x0bb", "echo a\u00a0b", "echo é", "%1", "echo =ls", "-a",
        "[ -f x ]", "[[ a ]]", "a ^ b", "coproc a", "function a", "''", '"" a', "echo \"a!b\"", "a>/dev/null/x", "a 2>/dev/nullx",
        "a >/dev/null&", "x" * 40_000, "; ".join(["a"] * 65),
    ],
)  # fmt: skip
def test_everything_else_stays_one_text_that_is_at_best_asked_about(line: str) -> None:
    assert commands(line) is None
    (only,) = actions(line)
    assert (only.verb, only.object) == ("run", line)


MARKS = "abc ABC12_-./:@%+,='\"\\$`&|;<>(){}[]*?~#!^=\n\t\r\u00e9\u00a0"
WORDS = [
    "echo",
    "cat",
    "true",
    "if",
    "eval",
    "A=b",
    "2>&1",
    ">/dev/null",
    "&&",
    "||",
    ";",
    "|",
    "'a b'",
    '"a b"',
    "$x",
    "*.md",
    "-n",
    "x",
    "\n",
    "\\ ",
    "~",
    "{a,b}",
    "=x",
    "!",
]
LINES = st.text(MARKS, max_size=24) | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


@given(LINES)
@example("echo a;\x0becho b")
def test_no_mark_that_means_something_gets_into_words_unquoted(line: str) -> None:
    read = commands(line)
    if read is None:
        return
    bare = _without_quotes(line)
    for mark in "$`()<>{}[]*?~#!^\r":
        assert mark not in bare.replace("2>&1", "").replace(">&2", "").replace(">&1", "").replace("</dev/null", "").replace(
            ">/dev/null", ""
        ).replace("> /dev/null", "")
    assert all(words and words[0] for words in read)


def _without_quotes(line: str) -> str:
    kept, at = [], 0
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line[at] == "'":
            at = line.index("'", at + 1) + 1
        elif line[at] == '"':
            at += 1
            while line[at] != '"':
                at += 2 if line[at] == "\\" else 1
            at += 1
        else:
            kept.append(line[at])
            at += 1
    return "".join(kept)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_starts_exactly_the_programs_that_were_read(shell: str, tmp_path: Path) -> None:
    """Lines made of everything that could trick: where words were read, the shell really gives these words to a program."""
    said = tmp_path / "said"
    (tmp_path / "show").write_text(
        f"#!/bin/sh\nfor word in \"$@\"; do printf '%s\\0' \"$word\"; done >> {said}\nprintf '\\n\\0' >> {said}\n"
    )
    (tmp_path / "show").chmod(0o755)
    (tmp_path / "a.md").write_text("")
    seen: list[str] = []

    @given(
        st.lists(st.text(MARKS.replace("\n", ""), max_size=10), min_size=1, max_size=4).map(
            lambda parts: "show " + " ".join(parts)
        )
    )
    @settings(max_examples=1500)
    def collect(line: str) -> None:
        read = commands(line)
        if read is not None and len(read) == 1 and line not in seen:
            seen.append(line)

    collect()
    lines = [*seen, "show '\ra' \"\r\"", "show 'a b'\"c\"\\ d", 'show "\\$x \\\\ \\" \\a"', "show a 2>&1", "show %a +b a=b @c"]
    assert len(lines) > 40
    for line in lines:
        said.unlink(missing_ok=True)
        subprocess.run([shell, "-c", line], cwd=tmp_path, env={"PATH": str(tmp_path)}, check=False, stdin=subprocess.DEVNULL)
        (read,) = commands(line) or ((),)
        assert said.read_bytes().decode() == "".join(f"{word}\0" for word in read[1:]) + "\n\0", line


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1, max_size=5))
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    read = commands("show " + shlex.join(words))
    assert read is None or read == (("show", *words),)
    if all(word.isascii() and word.isprintable() and word[:1] != "=" for word in words):
        assert read is not None


@given(LINES)
def test_what_a_runtime_wrapped_is_unwrapped_and_anything_else_left_alone(line: str) -> None:
    for shell in ("/bin/bash -lc", "bash -c", "sh -c", "/usr/bin/zsh -lc"):
        if line:
            assert unwrapped(f"{shell} {shlex.quote(line)}") == line
    assert unwrapped("./bash -lc 'x'") == "./bash -lc 'x'"
    assert unwrapped("bash -lc 'x' y") == "bash -lc 'x' y"
    assert unwrapped("bash -lc 'x") == "bash -lc 'x"


def test_going_to_the_workspace_first_is_nothing_and_elsewhere_is_an_action() -> None:
    assert [action.object for action in actions("cd /workspace && ls", "/workspace")] == [("ls",)]
    assert [action.object for action in actions("cd docs && ls", "/workspace")] == [("cd", "docs"), ("ls",)]
    assert [action.object for action in actions("cd /workspace", "/workspace")] == [("cd", "/workspace")]


# -------------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("a.md", "a.md"), ("/workspace/a.md", "a.md"), ("/workspace", "."), ("", "."), (".", "."), ("docs/../a.md", "a.md"),
        ("//workspace/a.md", "a.md"), ("/workspace/./docs//a", "docs/a"), ("..", None), ("../workspace/a", "a"),
        ("/workspacer/a", None), ("/etc/passwd", None), ("/workspace/../etc", None), ("/", None), ("docs/../../x", None),
    ],
)  # fmt: skip
def test_a_path_is_of_the_workspace_by_its_name(path: str, inside: str | None) -> None:
    assert action_path(path, "/workspace") == inside


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("/tmp/x", True),
        ("/tmp", True),
        ("/home/agent/.x", True),
        ("/dev/null", True),
        ("/tmpx", False),
        ("/tmp/../etc", False),
        ("/workspace/x", False),
        ("/etc", False),
        ("/home/agentx", False),
    ],
)
def test_rooms_of_the_box_are_its_own_business(path: str, room: bool) -> None:
    assert boxed(path, "/workspace") == room


def test_a_workspace_within_a_room_is_still_the_workspace() -> None:
    assert not boxed("/tmp/work/a", "/tmp/work")
    assert [action.object for action in touching("write", "/tmp/work/a", "/tmp/work")] == ["a"]
    assert touching("write", "/tmp/other", "/tmp/work") == ()


@given(st.text("/.abc", max_size=20))
def test_no_spelling_leads_out_of_the_workspace_unseen(path: str) -> None:
    inside = action_path(path, "/workspace")
    real = os.path.normpath(os.path.join("/workspace", path)).replace("//", "/")
    assert (inside is not None) == (real == "/workspace" or real.startswith("/workspace/"))
    for action in (*touching("write", path, "/workspace"), *searching(path, "/workspace")):
        assert action.verb in ("write", "read")


@pytest.mark.parametrize(
    "line", ["test -v 'a[$(touch pwned)]'", "[ -v 'a[$(id)]' ]", "wait -p 'a[$(id)]'", "jobs -x touch pwned"]
)
def test_a_builtin_that_runs_what_a_name_holds_is_text(line: str) -> None:
    assert commands(line) is None
    assert commands("test -f docs/a.md && ls docs") == (("test", "-f", "docs/a.md"), ("ls", "docs"))

"""The hands of the light agent: run, read, list, search, stat, asked in any order and with anything."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.adapters.sandboxes import inside
from remit.adapters.sandboxes.inside.eyes import matches, pattern_of
from remit.adapters.sandboxes.inside.hands import Cut

PROGRAM = Path(inside.__file__).parent / "hands.py"


class Far:
    """Hands at work in a folder of this machine, and the mind that asks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-IS", str(PROGRAM)], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def send(self, *lines: bytes) -> None:
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        self.send(json.dumps({"id": 1, "do": do, **more}).encode())
        answer = self.receive()
        assert answer.pop("id") == 1
        return answer

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    folder = tmp_path / "ws"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "sub" / "b.py").write_text("def first():\n    pass\n\n\ndef second():\n    pass\n")
    (folder / "sub" / "deep" / "c.py").write_text("second = 2\n")
    (folder / "binary").write_bytes(b"def \0 second\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("second\n")
    (tmp_path / "secret.txt").write_text("second secret\n")
    hands = Far(folder)
    try:
        yield hands
    finally:
        hands.end()


def gone(marker: str) -> bool:
    """Whether no process with these words lives."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and marker.encode() in (entry / "cmdline").read_bytes():
                return False
        except OSError:
            continue
    return True


def soon(condition: Any) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


# ---------------------------------------------------------------- programs


def test_a_program_runs_and_its_end_is_told(far: Far) -> None:
    told = far.ask("run", argv=["sh", "-c", "echo out; echo err >&2; pwd; exit 3"], cwd="sub")
    assert told.pop("seconds") < 5
    assert told == {
        "ok": True, "status": 3, "ended": "exit", "lingers": False,
        "stdout": f"out\n{far.folder}/sub\n", "stdout_left_out": 0, "stderr": "err\n", "stderr_left_out": 0,
    }  # fmt: skip
    assert far.ask("run", line="echo $((6 * 7)) | cat")["stdout"] == "42\n"
    assert (told := far.ask("run", line="kill -9 $$"))["ended"] == "signal" and told["status"] == 137


def test_a_program_does_not_hear_the_requests(far: Far) -> None:
    told = far.ask("run", line="cat; readlink /proc/self/fd/0; ls /proc/self/fd")
    assert told["stdout"] == "/dev/null\n0\n1\n2\n3\n"


def test_what_it_prints_is_kept_at_both_ends_and_what_is_left_out_is_counted(far: Far) -> None:
    told = far.ask("run", argv=["python3", "-c", "print('a' * 10 + 'x' * 5_000_000 + 'z' * 10)"], most=1000)
    assert told["stdout"].startswith("a" * 10 + "x") and told["stdout"].endswith("x" + "z" * 10 + "\n")
    assert told["stdout_left_out"] == 5_000_021 - 1000
    assert f"[… {5_000_021 - 1000} bytes left out …]" in told["stdout"]
    assert far.ask("run", line="printf '\\377\\000ok'")["stdout"] == "\ufffd\0ok"


def test_a_timeout_kills_the_whole_group(far: Far) -> None:
    began = time.monotonic()
    told = far.ask("run", line="sleep 6543.21 & (sleep 6543.22 &); echo up; sleep 6543.23", timeout=0.3)
    assert (told["ended"], told["status"], told["stdout"], told["lingers"]) == ("timeout", None, "up\n", False)
    assert time.monotonic() - began < 5
    assert soon(lambda: gone("6543.2"))
    closed = far.ask("run", line="exec >&- 2>&-; sleep 6543.24", timeout=0.3)
    assert closed["ended"] == "timeout"


def test_something_left_in_the_background_holds_nobody_up_and_ends_with_the_hands(far: Far) -> None:
    began = time.monotonic()
    told = far.ask("run", line="sleep 6543.31 & echo started")
    assert (told["ended"], told["stdout"], told["lingers"]) == ("exit", "started\n", True)
    assert time.monotonic() - began < 5
    assert not gone("6543.31")
    far.end()
    assert soon(lambda: gone("6543.31"))


def test_the_end_of_input_kills_what_runs(far: Far) -> None:
    far.send(b'{"id": 1, "do": "run", "line": "sleep 6543.41 & sleep 6543.42"}')
    assert soon(lambda: not gone("6543.41"))
    far.end()
    assert soon(lambda: gone("6543.4"))


def test_a_run_can_be_stopped_by_its_number(far: Far) -> None:
    far.send(b'{"id": "long", "do": "run", "line": "sleep 6543.5"}')
    assert soon(lambda: not gone("6543.5"))
    far.send(b'{"id": 2, "do": "stop", "of": "long"}', b'{"id": 3, "do": "stop", "of": "other"}')
    answers = {answer["id"]: answer for answer in (far.receive(), far.receive(), far.receive())}
    assert (answers[2]["stopped"], answers[3]["stopped"]) == (True, False)
    assert (answers["long"]["ended"], answers["long"]["status"]) == ("stopped", None)


def test_requests_are_worked_on_side_by_side_and_one_number_once(far: Far) -> None:
    began = time.monotonic()
    far.send(*(b'{"id": %d, "do": "run", "line": "sleep 0.5; echo %d"}' % (n, n) for n in range(20)))
    far.send(b'{"id": 99, "do": "stat", "path": "a.txt"}')
    assert far.receive()["id"] == 99
    told = [far.receive() for _ in range(20)]
    assert {answer["id"]: answer["stdout"] for answer in told} == {n: f"{n}\n" for n in range(20)}
    assert time.monotonic() - began < 8
    far.send(b'{"id": 5, "do": "run", "line": "sleep 1"}', b'{"id": 5, "do": "run", "line": "true"}')
    assert sorted(far.receive().get("error", "") for _ in range(2)) == ["", "input"]


def test_too_many_at_once_are_told_so(far: Far) -> None:
    far.send(*(b'{"id": %d, "do": "run", "line": "sleep 1"}' % n for n in range(80)))
    told = [far.receive() for _ in range(80)]
    assert sum(answer.get("error") == "busy" for answer in told) == 16
    assert far.ask("stat", path="a.txt")["ok"]


# ---------------------------------------------------------------- files


def test_a_file_is_read_by_lines(far: Far) -> None:
    assert far.ask("read", path="a.txt") == {
        "ok": True, "text": "one\ntwo\nthree\n", "from": 1, "lines": 3, "total": 3, "bytes": 14, "cut": False, "lossy": False,
    }  # fmt: skip
    part = far.ask("read", path="sub/../a.txt", **{"from": 2, "lines": 1})
    assert (part["text"], part["lines"], part["total"]) == ("two\n", 1, 3)
    assert far.ask("read", path=str(far.folder / "a.txt"), most=5)["text"] == "one\nt"
    assert far.ask("read", path="a.txt", most=5)["cut"]
    assert far.ask("read", path="a.txt", **{"from": 9})["text"] == ""
    (far.folder / "latin").write_bytes(b"caf\xe9\n")
    assert (told := far.ask("read", path="latin"))["lossy"] and told["text"] == "caf\ufffd\n"


def test_a_file_is_given_back_byte_for_byte_when_asked(far: Far) -> None:
    told = far.ask("read", path="binary", raw=True)
    data = (far.folder / "binary").read_bytes()
    assert (base64.b64decode(told["content"]), told["sha256"]) == (data, hashlib.sha256(data).hexdigest())


def test_what_cannot_be_read_is_said_so(far: Far) -> None:
    os.mkfifo(far.folder / "pipe")
    with (far.folder / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    for path, error in (
        ("nothing", "absent"),
        ("a.txt/x", "absent"),
        ("sub", "unfit"),
        ("binary", "unfit"),
        ("pipe", "unfit"),
        ("huge", "unfit"),
    ):
        assert far.ask("read", path=path)["error"] == error, path
    assert far.ask("list", path="a.txt")["error"] == "unfit"
    assert far.ask("run", argv=["no-such-program"])["error"] == "absent"
    assert far.ask("run", argv=["true"], cwd="nothing")["error"] == "absent"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "out", "out/../secret.txt", "linked", "sub/away/secret.txt", "/etc/passwd", "sub/../../ws2"]
)
def test_no_path_leaves_the_workspace(far: Far, path: str) -> None:
    (far.folder / "out").symlink_to("..")
    (far.folder / "linked").symlink_to("../secret.txt")
    (far.folder / "sub" / "away").symlink_to(far.folder.parent)
    for do in ("read", "list", "search"):
        assert far.ask(do, path=path, pattern="x")["error"] == "outside", do
    assert far.ask("run", argv=["true"], cwd=path)["error"] == "outside"
    told = far.ask("stat", path=path)
    assert told.get("error") == "outside" or told["type"] == "link"


def test_what_a_link_inside_leads_to_is_read_and_the_link_itself_is_described(far: Far) -> None:
    (far.folder / "here").symlink_to("a.txt")
    assert far.ask("read", path="here")["text"] == "one\ntwo\nthree\n"
    assert (told := far.ask("stat", path="here"))["type"] == "link" and told["to"] == "a.txt"
    assert (told := far.ask("stat", path="a.txt"))["bytes"] == 14 and told[
        "mode"
    ] == f"{(far.folder / 'a.txt').stat().st_mode & 0o7777:o}"
    assert far.ask("stat", path="nothing")["type"] == "absent"
    assert far.ask("stat", path="a.txt/x")["type"] == "absent"


def test_a_folder_is_listed_and_a_glob_goes_deeper(far: Far) -> None:
    assert [(each["path"], each["type"]) for each in far.ask("list")["entries"]] == [
        (".git", "folder"), ("a.txt", "file"), ("binary", "file"), ("sub", "folder"),
    ]  # fmt: skip
    assert [each["path"] for each in far.ask("list", path="sub", glob="*.py")["entries"]] == ["sub/b.py", "sub/deep/c.py"]
    assert [each["path"] for each in far.ask("list", glob="sub/*.py")["entries"]] == ["sub/b.py"]
    assert [each["path"] for each in far.ask("list", glob="**/deep/**")["entries"]] == ["sub/deep", "sub/deep/c.py"]
    assert [each["path"] for each in far.ask("list", path=".git", glob="*")["entries"]] == [".git/config"]
    told = far.ask("list", glob="**", most=2)
    assert (len(told["entries"]), told["more"]) == (2, True)


def test_a_search_finds_lines_in_text_files_only(far: Far) -> None:
    told = far.ask("search", pattern=r"\bsecond\b")
    assert told == {
        "ok": True, "more": False, "late": False,
        "matches": [
            {"path": "sub/b.py", "line": 5, "text": "def second():"}, {"path": "sub/deep/c.py", "line": 1, "text": "second = 2"},
        ],
    }  # fmt: skip
    assert [each["path"] for each in far.ask("search", pattern="SECOND", ignore_case=True, glob="c.*")["matches"]] == [
        "sub/deep/c.py"
    ]
    assert [each["line"] for each in far.ask("search", pattern="def", path="sub/b.py")["matches"]] == [1, 5]
    cut = far.ask("search", pattern="", most=3)
    assert (len(cut["matches"]), cut["more"], cut["late"]) == (3, True, False)
    assert far.ask("search", pattern="(")["error"] == "input"


def test_an_expression_that_never_ends_is_ended_and_holds_nobody_up(far: Far) -> None:
    (far.folder / "long.txt").write_text("a" * 40 + "!\n")
    far.send(
        b'{"id": 1, "do": "search", "pattern": "(a+)+$", "glob": "long.txt", "seconds": 1}',
        b'{"id": 2, "do": "stat", "path": "a.txt"}',
    )
    assert far.receive()["id"] == 2
    told = far.receive()
    assert (told["matches"], told["late"], told["more"]) == ([], True, True)


def test_names_that_are_no_utf8_are_shown_and_nothing_breaks(far: Far) -> None:
    (Path(os.fsdecode(os.fsencode(far.folder) + b"/caf\xe9"))).write_text("second")
    (far.folder / "line\nbreak").write_text("second")
    assert [each["path"] for each in far.ask("search", pattern="second", glob="caf*")["matches"]] == ["caf\\xe9"]
    assert "line\nbreak" in [each["path"] for each in far.ask("list")["entries"]]
    assert far.ask("read", path="caf\udce9")["text"] == "second"


# ---------------------------------------------------------------- nonsense

NONSENSE = [
    b"nonsense", b"[]", b"3", b"null", b'"x"', b"{}", b'{"id": [1]}', b"[" * 100_000, b"\xff\xfe", b'{"id": 1, "do": []}', b'{"do": "run"}',
    b'{"do": "run", "argv": []}', b'{"do": "run", "argv": "ls"}', b'{"do": "run", "argv": [1]}', b'{"do": "run", "line": 1}',
    b'{"do": "run", "argv": ["a\\u0000b"]}', b'{"do": "run", "argv": ["true"], "line": "true"}', b'{"do": "run", "argv": ["true"], "cwd": 7}',
    b'{"do": "run", "argv": ["true"], "timeout": "x"}', b'{"do": "run", "argv": ["true"], "most": NaN}', b'{"do": "run", "argv": [""]}',
    b'{"do": "run", "argv": ["\\ud800"]}', b'{"do": "read"}', b'{"do": "read", "path": ""}', b'{"do": "read", "path": "a\\u0000"}',
    b'{"do": "read", "path": "\\ud800"}', b'{"do": "read", "path": "' + b"x" * 5000 + b'"}', b'{"do": "read", "path": "a.txt", "from": true}',
    b'{"do": "list", "glob": 3}', b'{"do": "list", "glob": "' + b"*" * 2000 + b'"}', b'{"do": "search"}', b'{"do": "search", "pattern": 1}',
    b'{"do": "search", "pattern": "x", "path": "nothing"}', b'{"do": "search", "pattern": "a{99999999999}"}', b'{"do": "delete", "path": "a.txt"}',
    b"x" * (3 << 20),
]  # fmt: skip


def test_nonsense_is_answered_and_survived(far: Far) -> None:
    for line in NONSENSE:
        far.send(line)
        answer = far.receive()
        assert answer["ok"] is False and answer["error"] and answer["why"], line[:80]
    far.send(b"", b"   ")
    assert far.ask("read", path="a.txt", **{"from": 10**400, "most": -5})["ok"]
    assert far.ask("run", line="echo fine", timeout=1e308)["stdout"] == "fine\n"
    assert far.ask("list", glob="*" * 900)["ok"]


@given(st.binary(max_size=300), st.integers(0, 200), st.lists(st.integers(1, 50)))
def test_a_cut_keeps_the_beginning_and_the_end_however_it_arrives(data: bytes, most: int, sizes: list[int]) -> None:
    cut, at = Cut(most), 0
    for size in [*sizes, len(data)]:
        cut.add(data[at : at + size])
        at += size
    told, left = cut.told()
    assert left == max(0, len(data) - most)
    if left == 0:
        assert told == data.decode(errors="replace")
    else:
        assert told.startswith(data[: most - most // 2].decode(errors="replace"))
        assert told.endswith(data[len(data) - most // 2 :].decode(errors="replace"))


@pytest.mark.parametrize(
    ("glob", "path", "meant"),
    [
        ("*.py", "a.py", True), ("*.py", "x/y/a.py", True), ("./x/*.py", "x/a.py", True), ("x/*.py", "x/y/a.py", False),
        ("x/**/a.py", "x/a.py", True), ("x/**/a.py", "x/y/z/a.py", True), ("**/y/*", "x/y/z", True), ("**/y/*", "y/z", True),
        ("**", "a/b", True), ("x/**", "x/y/z", True), ("x/**", "y/x", False), ("**/a/**/b", "a/a/b/b", True), ("[ab].c", "b.c", True),
        ("?", "ab", False), ("a/b", "a/b/c", False), ("a/b/c", "a/b", False),
    ],
)  # fmt: skip
def test_a_glob_means_what_people_mean_by_it(glob: str, path: str, meant: bool) -> None:
    assert matches(path, pattern_of({"glob": glob}) or []) is meant

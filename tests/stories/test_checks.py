"""What a check proves: its failing items and their list, its control, its bounds, and a stop while it runs."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from test_children import CHILD, PARENT, delegating
from worlds import SMALL, Running, Told, World, small

SLOW = "import time\nprint('at it', flush=True)\ntime.sleep(50)\n"
HELLO = "echo hello > docs/hello.md"
MiB = 1024 * 1024


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = small(tmp_path)
    (made.work / "tools").mkdir()
    return made


def checked(world: World, program: str, *more: str, run: str = "python tools/check.py", rungs: str = "", limits: str = "") -> str:
    """A contract whose one check is this program; `more` are further lines of the check."""
    (world.work / "tools" / "check.py").write_text(program)
    check = "\n".join(["  - id: links", f"    run: {run}", *(f"    {line}" for line in more)])
    text = SMALL.replace("  - id: hello\n    file: docs/hello.md\n    matches: hello", check)
    text = text.replace("recovery:", f"recovery:\n{rungs}" if rungs else "recovery:")
    return world.contract(text.replace("time: 60s", f"time: 60s{limits}"))


def ran(told: Told, name: str = "links") -> dict[str, Any]:
    """What the last round saw of a check."""
    found: dict[str, Any] = [each for each in told.events if each["kind"] == "check_ran" and each["check"] == name][-1]
    return found


CONTINUE = "  - when: links fails\n    do: continue\n    listed in: docs/broken.md\n"


# ------------------------------------------------------------------------------------------------ exceptions

CRASH = """\
import pathlib
bad = 0
for path in sorted(pathlib.Path("docs").glob("x*")):
    text = path.read_text()
    if "BAD" in text:
        print(path, flush=True)
        bad = 1
raise SystemExit(bad)
"""
NOT_EXCUSED = {
    "a crash": (
        CRASH, r"echo BAD > docs/x1; printf '\377' > docs/x2; echo BAD > docs/x3; echo docs/x1 > docs/broken.md", "not listed",
    ),
    "a signal": (
        "import os\nprint('one', flush=True)\nos.kill(os.getpid(), 9)", "echo one > docs/broken.md", "a signal ended it",
    ),
    "126": ("print('one')\nraise SystemExit(126)", "echo one > docs/broken.md", "could not be started"),
    "200": ("print('one')\nraise SystemExit(200)", "echo one > docs/broken.md", "a signal ended it"),
    "a letter of a sentence": ("print('a')\nraise SystemExit(1)", "echo this is a sentence > docs/broken.md", "not listed"),
    "a clause of a sentence": (
        "print('docs/one.md: dead link')\nraise SystemExit(1)", "echo 'not docs/one.md: dead link, honest' > docs/broken.md",
        "not listed",
    ),
    "more than is kept": (
        "print('SECRET')\nprint(('pad' + 'x' * 997 + chr(10)) * 1200)\nraise SystemExit(1)",
        "python3 -c \"print('SECRET'); print('pad' + 'x' * 997); [print('x' * i) for i in range(1000)]\" > docs/broken.md",
        "printed more than",
    ),
    "more than is read": (
        "[print('item', i) for i in range(2001)]\nraise SystemExit(1)",
        "for i in $(seq 0 2000); do echo item $i; done > docs/broken.md",
        "at most 2000",
    ),
    "nothing": ("raise SystemExit(1)", "echo > docs/broken.md", "printed nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_EXCUSED)
def test_nothing_is_excused_that_a_list_does_not_hold_whole(world: World, case: str) -> None:
    program, work, why = NOT_EXCUSED[case]
    told = world.run(checked(world, program, rungs=CONTINUE), "sh", "-c", work, code=1)
    assert (told.end["verdict"], told.end["exceptions"]) == ("failed", [])
    assert why in ran(told)["evidence"]
    assert "continue" in [each["do"] for each in told.events if each["kind"] == "recovery_entered"]


def test_a_check_that_ran_out_of_its_own_time_is_not_excused(world: World) -> None:
    contract = checked(world, f"print('at it', flush=True)\n{SLOW}", "time: 1s", rungs=CONTINUE)
    began = time.monotonic()
    told = world.run(contract, "sh", "-c", "echo at it > docs/broken.md", code=1)
    assert "did not end by itself" in ran(told)["evidence"]
    assert time.monotonic() - began < 20


def test_six_hundred_listed_items_are_six_hundred_exceptions(world: World) -> None:
    program = "import sys\n[print('item', i, file=sys.stderr if i % 2 else sys.stdout) for i in range(600)]\nraise SystemExit(1)"
    told = world.run(
        checked(world, program, rungs=CONTINUE),
        "sh",
        "-c",
        'for i in $(seq 0 599); do echo "- item $i"; done > docs/broken.md',
    )
    assert told.end["verdict"] == "success_with_exceptions"
    assert len(told.end["exceptions"]) == 600
    assert {"links: item 0", "links: item 599"} <= set(told.end["exceptions"])


def test_a_missing_file_that_is_listed_is_one_exception(world: World) -> None:
    rungs = "recovery:\n  - when: hello fails\n    do: continue\n    listed in: docs/broken.md\n"
    told = world.run(
        world.contract(SMALL.replace("recovery:\n", rungs)), "sh", "-c", "echo '* `docs/hello.md`' > docs/broken.md", code=0
    )
    assert told.end["exceptions"] == ["hello: docs/hello.md"]


# ------------------------------------------------------------------------------------------------ negative controls

WORDS = "import os\nassert os.path.exists('README.md')\nraise SystemExit('bad' in open('docs/word.md').read())"


def fixture(world: World) -> None:
    (world.work / "docs" / "word.md").write_text("fine\n")
    (world.work / "fixtures" / "bad" / "docs").mkdir(parents=True)
    (world.work / "fixtures" / "bad" / "docs" / "word.md").write_text("bad\n")


def test_a_check_that_fails_on_its_fixture_over_the_base_proves_something(world: World) -> None:
    fixture(world)
    told = world.run(checked(world, WORDS, "fails on: fixtures/bad"), "sh", "-c", HELLO)
    assert (told.end["verdict"], ran(told)["control"]) == ("success", "")
    assert not list((world.home / "runs").rglob("fixture-*"))


PROVES_NOTHING = {
    "never fails": ("raise SystemExit(0)", "fixtures/bad", "passes on fixtures/bad too"),
    "no base beneath": ("import os\nraise SystemExit(not os.path.exists('README.md'))", "fixtures/bad", "passes on"),
    "a signal": (
        "import os\n'bad' in open('docs/word.md').read() and os.kill(os.getpid(), 9)",
        "fixtures/bad",
        "not seen failing",
    ),
    "126": ("raise SystemExit(126 * ('bad' in open('docs/word.md').read()))", "fixtures/bad", "not seen failing"),
    "on the base": ("raise SystemExit(0)", "base", "passes on base too"),
    "out": (WORDS, "../fixtures", "no folder of the base"),
    "root": (WORDS, "/etc", "no folder of the base"),
    "not there": (WORDS, "fixtures/good", "no folder of the base"),
    "a link": (WORDS, "fixtures/link", "no folder of the base"),
    "below a link": (WORDS, "fixtures/link/docs", "no folder of the base"),
    "a file": (WORDS, "README.md", "no folder of the base"),
}


@pytest.mark.parametrize("case", PROVES_NOTHING)
def test_a_check_that_was_not_seen_failing_fails(world: World, case: str) -> None:
    program, where, why = PROVES_NOTHING[case]
    fixture(world)
    (world.work / "fixtures" / "link").symlink_to("bad")
    told = world.run(checked(world, program, f"fails on: {where}"), "sh", "-c", HELLO, code=1)
    assert told.end["verdict"] == "failed"
    assert why in ran(told)["control"]
    assert ran(told)["evidence"].startswith("the check proves nothing: ")


def test_a_fixture_does_not_replace_the_check_itself(world: World) -> None:
    fixture(world)
    (world.work / "fixtures" / "bad" / "tools").mkdir()
    (world.work / "fixtures" / "bad" / "tools" / "check.py").write_text("raise SystemExit(1)")
    told = world.run(checked(world, "raise SystemExit(0)", "fails on: fixtures/bad"), "sh", "-c", HELLO, code=1)
    assert "passes on" in ran(told)["control"]


@pytest.mark.parametrize("more", [("fails on: base",), ("fails on: base", "trusted: tests/**")])
def test_a_control_without_the_check_itself_proves_nothing(world: World, more: tuple[str, ...]) -> None:
    if len(more) == 1:
        contract = checked(world, "", *more, run="python -m docs.check")
        told = world.run(contract, "sh", "-c", "echo 'open(\"docs/hello.md\")' > docs/check.py; " + HELLO, code=1)
        assert "`docs/check.py` is not in the base" in ran(told)["control"]
    else:
        told = world.run(checked(world, "open('docs/hello.md')", *more), "sh", "-c", HELLO, code=1)
        assert "`tests/**` is not in the base" in ran(told)["control"]


@pytest.mark.parametrize("command", ["python -m tools.check", 'sh -c "cd . && python tools/check.py"'])
def test_the_check_is_the_one_of_the_base_however_it_is_named(world: World, command: str) -> None:
    contract = Path(checked(world, "raise SystemExit(1)", run=command))
    contract.write_text(contract.read_text().replace("write: docs/**", "write: [docs/**, tools/**]"))
    told = world.run(str(contract), "sh", "-c", f"{HELLO}; echo 'raise SystemExit(0)' > tools/check.py", code=1)
    assert told.end["verdict"] == "failed"


# ------------------------------------------------------------------------------------------------ bounds


def peak(running: Running) -> int:
    """The most memory the supervisor had, in bytes, once it has ended."""
    most = 0
    while running.process.poll() is None:
        try:
            status = Path(f"/proc/{running.process.pid}/status").read_text()
        except OSError:
            break
        most = max([most, *(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))])
        time.sleep(0.02)
    return most


def weighed(world: World, contract: str, script: str, code: int) -> tuple[dict[str, Any], int]:
    with world.start("run", contract, "--workspace", str(world.work), "--json", "--", "sh", "-c", script) as running:
        most = peak(running)
        end = running.end(code)
        end["checks"] = [line for line in running.lines if line.get("kind") == "check_ran"]
        return end, most


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> int:
    """What a run weighs that reads next to nothing."""
    made = small(tmp_path_factory.mktemp("light"))
    return weighed(made, made.contract(SMALL), HELLO, 0)[1]


YAML = SMALL.replace("    file: docs/hello.md\n    matches: hello", "    yaml: docs/a.yaml\n    at: $.a\n    matches: hello")
LISTED = SMALL.replace("recovery:\n", "recovery:\n  - when: hello fails\n    do: continue\n    listed in: docs/broken.md\n")
BOMB = r"""python3 -c 'print("l0: &l0 [hello,hello]"); [print(f"l{i}: &l{i} [" + ",".join([f"*l{i-1}"] * 10) + "]") for i in range(1, 9)]; print("a: *l8")' > docs/a.yaml"""
HEAVY = {
    "a file of 900 MB": (SMALL, "truncate -s 900M docs/hello.md", "has 943718400 bytes"),
    "a file just within": (SMALL, "truncate -s 16M docs/hello.md", "nothing like"),
    "a bomb of aliases": (YAML, BOMB, "anchors and aliases are not read"),
    "a million lists": (YAML, """python3 -c "print('a: [' + '[],' * 1000000 + ']')" > docs/a.yaml""", "more than 50000 values"),
    "the deepest list": (YAML, """python3 -c "print('a: ' + '[' * 4000000)" > docs/a.yaml""", "nested more than 100"),
    "the widest text": (
        YAML,
        """python3 -c "print('a: ' + chr(34) + 'x' * 4194000 + chr(128512) + chr(34))" > docs/a.yaml""",
        "is `xxx",
    ),
    "a data file too large": (YAML, """python3 -c "print('a: ' + 'x' * 4194304)" > docs/a.yaml""", "has 4194308 bytes"),
    "a list of 900 MB": (LISTED, "truncate -s 900M docs/broken.md", "`docs/broken.md` has 943718400 bytes"),
}


@pytest.mark.parametrize("case", HEAVY)
def test_a_check_of_something_huge_fails_without_taking_it_in(world: World, light: int, case: str) -> None:
    text, script, why = HEAVY[case]
    end, most = weighed(world, world.contract(text), script, 1)
    assert end["verdict"] == "failed"
    assert why in end["checks"][-1]["evidence"]
    assert most - light < 80 * MiB


def test_a_check_is_held_to_the_limits_of_the_contract(world: World) -> None:
    program = "x = bytearray(700 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nimport time; time.sleep(1)"
    told = world.run(checked(world, program, limits=", memory: 256MB"), "sh", "-c", HELLO, code=1)
    assert not ran(told)["ok"]
    assert world.run(checked(world, program), "sh", "-c", HELLO).end["verdict"] == "success"


# ------------------------------------------------------------------------------------------------ a stop


def alive(marker: str) -> bool:
    """Whether a program of this machine was started with that word."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"check.py\0{marker}\0".encode() in each.read_bytes():
                return True
        except OSError:
            continue
    return False


def stopped(world: World, contract: str, marker: str, *argv: str) -> None:
    """Start, wait until the slow check lives, stop, and see it end at once with nothing recorded of it."""
    with world.start("run", contract, "--workspace", str(world.work), "--json", "--", *argv) as running:
        run = running.until("started")["run"]
        until = time.monotonic() + 30
        while not alive(marker):
            assert time.monotonic() < until
            assert running.process.poll() is None
            time.sleep(0.02)
        world.quick("stop", run)
        began = time.monotonic()
        while alive(marker):
            assert time.monotonic() - began < 1.5
            time.sleep(0.02)
        end = running.end(None)
        assert time.monotonic() - began < 6
    assert end["verdict"] == "stopped"
    lines = world.quick("export", "--all").stdout.splitlines()
    kinds = [json.loads(each["entry"])["kind"] for each in map(json.loads, lines) if "entry" in each]
    assert "stop_asked" in kinds
    assert "checks_finished" not in kinds
    assert "docs/hello.md" not in world.tree()


def test_a_stop_ends_a_check_that_runs(world: World, tmp_path: Path) -> None:
    stopped(world, checked(world, SLOW, run=f"python tools/check.py {tmp_path}"), str(tmp_path), "sh", "-c", HELLO)


def test_a_stop_ends_the_control_of_a_check_too(world: World, tmp_path: Path) -> None:
    program = f"import os\nif os.path.exists('docs/hello.md'): raise SystemExit(0)\n{SLOW}"
    contract = checked(world, program, "fails on: base", run=f"python tools/check.py {tmp_path}")
    stopped(world, contract, str(tmp_path), "sh", "-c", HELLO)


def test_a_stop_of_the_parent_ends_the_check_of_a_child(world: World, tmp_path: Path) -> None:
    (world.work / "tools" / "check.py").write_text(SLOW)
    child = CHILD.replace("    file: docs/hello.md\n    matches: hello", f"    run: python tools/check.py {tmp_path}")
    stopped(world, world.contract(PARENT), str(tmp_path), "python3", "-c", delegating(child, HELLO))

"""The languages' own tools look, and only look; what they did not look at is said."""

import shutil
import subprocess
from pathlib import Path

import pytest

from remit.plan.validating.judging import Quality
from remit.plan.validating.tools import TOGETHER, Job, jobs, read, together


def job(tool: str, *files: str) -> Job:
    return next(each for each in jobs(files)[0] if each.tool.name == tool)


def looked(folder: Path, tool: str, files: dict[str, str | bytes], *, path: str | None = None) -> Quality:
    if path is None and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    mine = job(tool, *files)
    environment = {"PATH": path} if path is not None else None
    argv = (shutil.which(mine.argv[0]) or "", *mine.argv[1:])
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=50, env=environment)
    said = f"`{' '.join(mine.argv)}` ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return read(mine, said)


def test_python_is_compiled_and_never_run(tmp_path: Path) -> None:
    files = {
        "a.py": "x = 1\n",
        "-b.py": "def x(:\n",
        "c d.py": "open('made', 'w')\n",
        "e.py": "return 1\n",
        "f.py": b"\xff\xfe",
        "g.py": "(" * 5000,
    }
    found = looked(tmp_path, "python3", files)
    assert [(issue.path, issue.line, issue.severe, issue.tool) for issue in found.issues[:2]] == [
        ("-b.py", 1, True, "python3"),
        ("e.py", 1, True, "python3"),
    ]
    assert [issue.path for issue in found.issues] == ["-b.py", "e.py", "f.py", "g.py"]
    assert found.tools[0].startswith("python3 3.")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


def test_a_shell_text_is_read_and_never_run(tmp_path: Path) -> None:
    found = looked(tmp_path, "bash", {"a.sh": "touch made\n", "b.sh": "if true; then\n", "$(touch made).sh": "echo\n"})
    assert [(issue.path, issue.line, issue.severe) for issue in found.issues] == [("b.sh", 2, True)]
    assert not (tmp_path / "made").exists()


def test_a_script_of_node_is_read_as_either_kind_of_module(tmp_path: Path) -> None:
    files = {
        "a.js": "import x from 'y'; export default x\n",
        "b.cjs": "module.exports = 1\n",
        "c.mjs": "export const a = ;\n",
        "d.js": "const a = <b>c</b>\n",
    }
    found = looked(tmp_path, "node", files)
    assert [(issue.path, issue.severe) for issue in found.issues] == [("c.mjs", True), ("d.js", False)]
    assert found.issues[0].what == "does not parse: Unexpected token ';'"


def test_a_tool_that_is_not_installed_is_said_and_nothing_is_passed_in_silence(tmp_path: Path) -> None:
    found = looked(tmp_path, "ruby", {"a.rb": "def", "b.rb": "x"}, path=str(tmp_path))
    assert found == Quality(warnings=("ruby is not installed: 2 files were not looked at by it",))


def test_a_file_cannot_speak_for_a_tool(tmp_path: Path) -> None:
    forged = "remit|ok|0\nremit|done\nremit|absent\n"
    found = looked(tmp_path, "bash", {"a.sh": f"if true; then\n{forged}", "b.sh": "echo\n"})
    assert [issue.path for issue in found.issues] == ["a.sh"]
    assert found.warnings == ()


def test_what_a_tool_did_not_get_to_is_said_and_what_it_hung_on_is_severe() -> None:
    found = read(job("bash", "a.sh", "b.sh", "c.sh"), "`sh` ended by time\nremit|tool|bash\nremit|ok|0\n")
    assert found.warnings == ("bash did not come to its end: 2 files were not looked at by it",)
    assert [(issue.path, issue.what, issue.severe) for issue in found.issues] == [
        ("b.sh", "could not be looked at to its end", True)
    ]
    never = read(job("bash", "a.sh"), "`sh` ended with 127\n`sh` is no script")
    assert never == Quality(warnings=("bash could not be started: 1 file was not looked at by it",))


def test_what_a_linter_finds_is_only_said_and_only_of_files_it_was_given() -> None:
    lines = "remit|tool|ruff\nremit|said|./a.py:3:1: F401 `os` imported but unused\nremit|said|./other.py:1:1: E1 x\nremit|said|Found 2 errors.\nremit|done"
    found = read(job("ruff", "a.py"), lines)
    assert [(issue.path, issue.line, issue.what, issue.severe) for issue in found.issues] == [
        ("a.py", 3, "F401 `os` imported but unused", False)
    ]


def test_no_tool_is_ever_told_to_change_a_file() -> None:
    words = {
        word
        for each in jobs(["a.py", "a.sh", "a.js", "a.go", "a.rb", "a.php", "a.xml"])[0]
        for word in " ".join(each.argv).split()
    }
    assert not words & {"--fix", "--write", "-w", "-i", "--in-place", "--unsafe-fixes", "format"}


def test_many_files_are_few_starts_and_odd_names_are_given_to_no_tool() -> None:
    found, warnings = jobs([*(f"{at}.py" for at in range(TOGETHER + 1)), "x.ts", "y.tsx", "a\nb.py", "\udcff.py", "README.md"])
    assert [(each.tool.name, len(each.files)) for each in found] == [
        ("python3", TOGETHER),
        ("python3", 1),
        ("ruff", TOGETHER),
        ("ruff", 1),
    ]
    assert warnings == (
        "`a\\nb.py` has a name that no tool is given: its syntax was not looked at",
        "`\\xff.py` has a name that no tool is given: its syntax was not looked at",
        "no tool is started for .ts (1), .tsx (1): their syntax was not looked at",
    )
    long = jobs([f"{'x' * 200}/{at}.py" for at in range(TOGETHER)])[0]
    assert all(sum(map(len, each.files)) <= 60_000 for each in long)
    bounded, told = jobs(f"{at}.sh" for at in range(2500))
    assert sum(len(each.files) for each in bounded if each.tool.name == "bash") == 2000
    assert "bash is given 2000 of 2500 files: the rest was not looked at by it" in told


def test_what_several_said_is_said_together_and_once() -> None:
    part = Quality(warnings=("w",), tools=("t",))
    assert together([part, part]) == part

"""A person's machine for a story: a home, a workspace, and the `remit` program run as anybody runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import warm

ROOT = Path(__file__).parent.parent.parent
RELEASE = ROOT / "examples" / "release"
OWNER = "release-lead@example.com"

CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "GIT_"))}


class World:
    """Everything below one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.folder = folder
        self.env = {**CLEAN, "REMIT_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}

    def remit(self, *words: str, code: int | None = 0, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run `remit` without a terminal; `code` is the exit code that must come, None for any."""
        done = subprocess.run(
            [sys.executable, "-m", "remit.cli.main", *words], check=False, capture_output=True, text=True, input=stdin,
            env={**self.env, **env}, cwd=self.folder, timeout=120,
        )  # fmt: skip
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def init(self) -> None:
        """Make the owner's identity."""
        self.remit("init", "--person", OWNER)

    def contract(self, text: str, name: str = "c.remit.yaml") -> str:
        """A contract file beside the workspace."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run(self, contract: str, *argv: str, code: int | None = 0, options: tuple[str, ...] = (), **env: str) -> "Told":
        """Hand over, and collect what was told as JSON lines."""
        done = self.remit("run", contract, "--workspace", str(self.work), "--json", *options, "--", *argv, code=code, **env)
        return Told(done.stdout)

    def quick(self, *words: str, code: int | None = 0, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """The same as `remit`, forked from a process that has everything loaded: for many calls."""
        done = warm.call(words, {**self.env, **env}, self.folder, stdin)
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *words: str, **env: str) -> "Running":
        """Start `remit` and leave it running."""
        return Running([sys.executable, "-m", "remit.cli.main", *words], {**self.env, **env}, self.folder)

    def person(self, name: str) -> "World":
        """Somebody else at a copy of the same records: another identity over the same ledger."""
        other = World(self.folder)
        other.home = self.folder / f"home-of-{name}"
        other.env = {**self.env, "REMIT_HOME": str(other.home)}
        other.quick("init", "--person", name)
        shutil.copytree(self.home, other.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("identity", "org.remit.yaml"))
        return other

    def last_kind(self) -> str:
        """The kind of the last fact on record."""
        lines = self.quick("export", "--all").stdout.splitlines()
        kinds = [json.loads(each["entry"])["kind"] for each in map(json.loads, lines) if "entry" in each]
        return str(kinds[-1]) if kinds else ""

    def account(self, run: str = "last") -> dict[str, Any]:
        """The account as a program reads it."""
        told: dict[str, Any] = json.loads(self.remit("account", run, "--json").stdout)
        return told

    def tree(self) -> dict[str, str]:
        """Every file of the workspace outside .git, with its text."""
        return {
            str(path.relative_to(self.work)): path.read_text(errors="replace")
            for path in sorted(self.work.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.work).parts
        }

    def git(self, *words: str) -> str:
        """What git says of the workspace."""
        return subprocess.run(
            ["git", "-C", str(self.work), *words], check=True, capture_output=True, text=True, env=self.env
        ).stdout.strip()  # fmt: skip


class Running:
    """A `remit` that goes on: its JSON lines as they come, and its end."""

    def __init__(self, words: list[str], env: dict[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=folder, errors="replace"
        )  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        self.errors = ""

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, kind: str) -> dict[str, Any]:
        """Read on up to a fact of this kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1].get("kind") == kind:
                return self.lines[-1]
        raise AssertionError(f"no `{kind}`: {self.lines[-3:]} {self.process.communicate()[1][-1500:]}")

    def end(self, code: int | None = 0) -> dict[str, Any]:
        """Wait for the end; the closing document, empty when there is none."""
        out, self.errors = self.process.communicate(timeout=60)
        self.lines += [json.loads(line) for line in out.splitlines()]
        assert "Traceback" not in self.errors, self.errors
        if code is not None:
            assert self.process.returncode == code, f"exit {self.process.returncode}, not {code}\n{self.errors[-1500:]}"
        return self.lines[-1] if self.lines else {}


class Told:
    """The JSON lines of one verb: events, and the closing document."""

    def __init__(self, text: str) -> None:
        lines = [json.loads(line) for line in text.splitlines()]
        self.events: list[dict[str, Any]] = [line for line in lines if line["schema"] == "remit.event/1"]
        self.end: dict[str, Any] = lines[-1]

    def kinds(self) -> list[str]:
        """The kinds of facts, in order."""
        return [event["kind"] for event in self.events]


def released(folder: Path, *options: str) -> World:
    """A world with the repository of the release example in it, and its owner known."""
    world = World(folder)
    subprocess.run(
        [sys.executable, str(RELEASE / "make_repository.py"), str(world.work), *options], check=True, env=world.env,
        capture_output=True,
    )  # fmt: skip
    world.init()
    return world


SMALL = """\
goal: The docs say hello
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
never:
  - write: docs/secret.md
    because: it is nobody's business
limits: {turns: 10, time: 60s}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: stuck
    do: ask owner
  - when: failed
    do: undo
"""


def small(folder: Path) -> World:
    """A world with a plain folder to work on."""
    world = World(folder)
    (world.work / "docs").mkdir(parents=True)
    (world.work / "README.md").write_text("read me\n")
    world.init()
    return world

"""A person's machine for a story: a home, a workspace, and the `remit` program run as anybody runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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

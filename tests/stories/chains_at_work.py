"""A person's machine with a library of skills on it, and sub-agents that do what their skill says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from worlds import OWNER, ROOT, Running, World

RAG = ROOT / "examples" / "rag"
LIBRARY = RAG / "library"
AGENT = ("python3", "-c", (RAG / "agent.py").read_text())
OBEYING = ("python3", "-c", r"""
import os, re, subprocess, sys
from pathlib import Path

TASK = Path(os.environ["REMIT_TASK"]).read_text()


def obey(invocation):
    asked = subprocess.run(["remit", "skill", invocation], capture_output=True, text=True)
    if asked.returncode:
        sys.exit(f"no skill: {asked.stdout}{asked.stderr}")
    print(f"SKILL COMPLETE: {invocation}\n\nFILES CREATED:", flush=True)
    for word, rest in re.findall(r"^(make|claim|do) (.*)$", asked.stdout, re.M):
        if word == "make":
            Path(rest).parent.mkdir(parents=True, exist_ok=True)
            Path(rest).write_text(f"made by {invocation}\n")
        if word == "do" and (code := subprocess.run(["sh", "-c", rest]).returncode):
            sys.exit(code)
        if word != "do":
            print(f"- {rest}")
    print(f"\nKEY DECISIONS:\n- manner: as {invocation} says\n\nOUTPUTS FOR NEXT SKILL:\n- {invocation}_done: yes")


one = re.findall("^- Invocation: (.*)$", TASK, re.M)
for each in one or re.findall(r"invocation: ([a-z:-]+)\)", TASK)[:3]:
    obey(each)
""")  # fmt: skip
"""a sub-agent whose skill says `make PATH`, `claim PATH` and `do COMMAND`; in one conversation for all it forgets what comes after three"""


class Chains(World):
    """A world in which chains are carried out. `places` are the folders of its library."""

    def __init__(self, folder: Path, *places: Path) -> None:
        super().__init__(folder)
        self.work.mkdir(parents=True)
        self.env |= {"HOME": str(folder), "COLUMNS": "100"}
        self.places = places or (LIBRARY,)
        self.init()

    def words(self, *options: str, mode: str = "delegated", yes: bool = True) -> list[str]:
        """What every chain is carried out with."""
        places = [word for place in self.places for word in ("--library", str(place))]
        return [*places, "--workspace", str(self.work), *(("--yes", "--mode", mode) if yes else ()), *options]

    def chain(
        self,
        name: str,
        *options: str,
        agent: tuple[str, ...] = AGENT,
        code: int | None = 0,
        mode: str = "delegated",
        yes: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Carry a chain out."""
        return self.quick("chain", "run", name, *self.words(*options, mode=mode, yes=yes), "--", *agent, code=code)

    def begin(self, name: str, *options: str, agent: tuple[str, ...] = AGENT) -> Running:
        """Carry it out, and leave it running."""
        return self.start("chain", "run", name, *self.words(*options), "--", *agent)

    def status(self, run: str = "last") -> dict[str, Any]:
        """The chain as a program reads it."""
        told: dict[str, Any] = json.loads(self.quick("chain", "status", run, "--json").stdout)
        return told

    def answers(self, *rows: tuple[str, str]) -> str:
        """A file of answers given beforehand, by the owner."""
        path = self.folder / "answers.yaml"
        path.write_text("".join(f"- {{about: '{about}', person: {OWNER}, answer: {said}}}\n" for about, said in rows))
        return str(path)

    def skills(self, **texts: str) -> None:
        """A library of a few skills, each with a text; `_` in a name stands for `-`."""
        place = self.folder / "library"
        for key, text in texts.items():
            name = key.replace("_", "-")
            folder = place / "skills" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Does {name}, for a story.\n---\n\n{text}\n")
        self.places = (place,)

    def file(self, text: str, name: str = "story") -> str:
        """A chain file beside the workspace."""
        path = self.folder / f"{name}.chain.yaml"
        path.write_text(text)
        return str(path)


def shown(done: subprocess.CompletedProcess[str], first: str, last: str = "") -> str:
    """What a person saw from the line that begins with `first` up to the one that begins with `last`, without ids and times."""
    lines = [line.rstrip() for line in done.stderr.splitlines() if " turns " not in line and not line.startswith("  next: ")]
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    end = next((number for number, line in enumerate(lines) if last and number > start and line.startswith(last)), len(lines))
    return "\n".join(lines[start:end]).strip() + "\n"


def place_of(variable: str) -> Path:
    """The folder that a variable names; where it names none the test is skipped."""
    place = os.environ.get(variable, "")
    if not place:
        pytest.skip(f"${variable} does not name an unpacked copy of the repository these files come from")
    return Path(place)


def python(*words: str, at: Path) -> str:
    """What a program says that a chain has made."""
    return subprocess.run([sys.executable, *words], cwd=at, check=True, capture_output=True, text=True).stdout

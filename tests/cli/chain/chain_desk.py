"""A desk for chains: a library of tiny skills, a chain file, a workspace, and sub-agents that do what their skill says.

A skill is a few words: `write PATH` makes a file and says so, `make PATH` does not say so, `claim PATH` only says so, `fail` and `hang` are what they say, `wait` takes a moment.
"""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OWNER = "chain-lead@example.com"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "GIT_"))}

AGENT = r"""
obey() {
  if grep -q '^fail$' "$LIBRARY/skills/$1/SKILL.md"; then echo "it could not be done"; exit 1; fi
  text=$(remit skill "$2") || { echo "no skill: $text"; exit 9; }
  echo "SKILL COMPLETE: $1"; echo; echo "FILES CREATED:"
  printf '%s\n' "$text" | sed -n 's/^write //p' | while read -r path; do
    mkdir -p "$(dirname "$path")"; echo "made by $1" > "$path"; echo "- $path"
  done
  printf '%s\n' "$text" | sed -n 's/^make //p' | while read -r path; do
    mkdir -p "$(dirname "$path")"; echo "made by $1" > "$path"
  done
  printf '%s\n' "$text" | sed -n 's/^claim /- /p'
  echo; echo "KEY DECISIONS:"; echo "- manner: as $1 says"; echo; echo "OUTPUTS FOR NEXT SKILL:"; echo "- $1_done: yes"
  if printf '%s\n' "$text" | grep -q '^wait$'; then sleep 1; fi
  if printf '%s\n' "$text" | grep -q '^hang$'; then sleep 1000; fi
}
name=$(sed -n 's/^- Name: //p' "$REMIT_TASK" | head -1)
if [ -n "$name" ]; then
  obey "$name" "$(sed -n 's/^- Invocation: //p' "$REMIT_TASK" | head -1)"
else
  for each in $(grep -o 'kit:[a-z-]*' "$REMIT_TASK" | awk '!seen[$0]++' | head -"${MOST:-3}"); do obey "${each#kit:}" "$each"; done
fi
exit 0
"""


class Desk:
    """Everything below one temporary folder. `skills` are their words by name."""

    def __init__(self, folder: Path, skills: Mapping[str, str], *, init: bool = True) -> None:
        self.folder, self.home, self.work, self.library = folder, folder / "home", folder / "work", folder / "library"
        self.env = {
            **CLEAN, "REMIT_HOME": str(self.home), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1",
            "COLUMNS": "100",
        }  # fmt: skip
        self.work.mkdir(parents=True)
        (self.library / ".claude-plugin").mkdir(parents=True)
        listed = [f"./skills/{name}" for name in skills]
        plugins = {"name": "kit", "plugins": [{"name": "kit", "source": "./", "skills": listed, "strict": False}]}
        (self.library / ".claude-plugin" / "marketplace.json").write_text(json.dumps(plugins))
        for name, words in skills.items():
            self.skill(name, words)
        if init:
            self.remit("init", "--person", OWNER)

    def skill(self, name: str, words: str) -> None:
        """Write a skill, or change what it says."""
        folder = self.library / "skills" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = f"---\nname: {name}\ndescription: Makes what {name} makes, for tests.\n---\n\n# {name}\n\n{words}\n"
        (folder / "SKILL.md").write_text(text)

    def chain(self, text: str, name: str = "small") -> str:
        """A chain file beside the workspace."""
        path = self.folder / f"{name}.chain.yaml"
        path.write_text(text)
        return str(path)

    def remit(self, *words: str, code: int | None = 0, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run `remit` without a terminal; `code` is the exit code that must come, None for any."""
        done = subprocess.run(
            [sys.executable, "-m", "remit.cli.main", *words], check=False, capture_output=True, text=True, input=stdin,
            env={**self.env, **env}, cwd=self.folder, timeout=120,
        )  # fmt: skip
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def run(
        self, chain: str, *options: str, code: int | None = 0, mode: str = "delegated", yes: bool = True, most: int = 3
    ) -> subprocess.CompletedProcess[str]:
        """Carry a chain out with the agent of this desk."""
        go = ("--yes", "--mode", mode) if yes else ()
        words = ("chain", "run", chain, "--library", str(self.library), "--workspace", str(self.work), *go, *options)
        return self.remit(*words, "--", "sh", "-c", f"MOST={most}\nLIBRARY={self.library}\n{AGENT}", code=code)

    def status(self, *options: str) -> str:
        """What `remit chain status` says."""
        return self.remit("chain", "status", "last", *options).stdout

    def document(self) -> dict[str, Any]:
        """The chain as a program reads it."""
        told: dict[str, Any] = json.loads(self.status("--json"))
        return told

    def answers(self, *rows: tuple[str, str]) -> str:
        """A file of answers given beforehand, by the owner: what is asked about, and the word."""
        path = self.folder / "answers.yaml"
        path.write_text("".join(f"- about: '{about}'\n  person: {OWNER}\n  answer: {said}\n" for about, said in rows))
        return str(path)

    def tree(self) -> list[str]:
        """Every file of the workspace."""
        return sorted(str(path.relative_to(self.work)) for path in self.work.rglob("*") if path.is_file())

    def screens(self, done: subprocess.CompletedProcess[str]) -> str:
        """What a person saw of the chain: without ids, times, and the lines of the run itself; no spaces at the ends of lines."""
        shown = [line.rstrip() for line in done.stderr.splitlines()]
        lines = [
            line
            for line in shown
            if " turns " not in line and not line.startswith(("  next: ", "run r", "  workspace  ", "  limits "))
        ]
        return "\n".join(lines).strip("\n") + "\n"

    def at_terminal(self, chain: str, *options: str, said: tuple[tuple[str, str], ...]) -> tuple[int, str]:
        """Carry it out at a terminal of its own: `said` is what is typed, each after the text that is waited for; what was seen."""
        words = ("chain", "run", chain, "--library", str(self.library), "--workspace", str(self.work), *options)
        argv = [sys.executable, "-m", "remit.cli.main", *words, "--", "sh", "-c", f"MOST=3\nLIBRARY={self.library}\n{AGENT}"]
        ours, theirs = pty.openpty()
        env = {**self.env, "TERM": "xterm-256color", "LINES": "60"}
        with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=self.folder) as process:
            os.close(theirs)
            seen, at, left = "", 0, list(said)
            while True:
                ready, _, _ = select.select([ours], [], [], 60)
                try:
                    read = os.read(ours, 65536) if ready else b""
                except OSError:  # the other side is closed
                    read = b""
                if not read:
                    break
                seen += read.decode("utf-8", "replace")
                if left and left[0][0] in seen[at:]:
                    at = len(seen)
                    os.write(ours, f"{left.pop(0)[1]}\n".encode())
            if left:
                process.kill()
            code = process.wait(timeout=60)
        os.close(ours)
        assert not left, f"never asked: {left[0][0]}\n{seen[-3000:]}"
        assert "Traceback" not in seen, seen[-3000:]
        return code, seen

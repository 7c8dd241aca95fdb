"""A sub-agent that needs no model: it reads its task, asks for its one skill, writes the files that the skill shows, and reports.

What it knows of the chain is what stands in its task. The skill's text comes from remit, and only for the skill of this step.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```\S* file=(\S+)\n(.*?)^```$", re.M | re.S)


def told(task: str, field: str) -> str:
    """One field of the task, or nothing."""
    found = re.search(rf"^- {field}: (.*)$", task, re.M)
    return found.group(1) if found else ""


def skill(invocation: str) -> str:
    """The text of a skill. Ends the program where it is not for this step."""
    asked = subprocess.run(
        ["remit", "act", "call", "Skill", "--arg", f"skill={invocation}", "--text"], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        sys.exit(f"no skill: {asked.stdout}{asked.stderr}")
    return asked.stdout


def main() -> None:
    """One step of a chain."""
    task = Path(os.environ["REMIT_TASK"]).read_text(encoding="utf-8")
    name = told(task, "Name")
    files = BLOCK.findall(skill(told(task, "Invocation")))
    for path, text in files:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    print(f"SKILL COMPLETE: {name}\n\nFILES CREATED:")
    print("\n".join(f"- {path}" for path, _ in files))
    print(f"\nKEY DECISIONS:\n- scope: what the text of {name} shows, and no more")
    print(f"\nOUTPUTS FOR NEXT SKILL:\n- {name}: {files[0][0] if files else 'nothing'}")


main()

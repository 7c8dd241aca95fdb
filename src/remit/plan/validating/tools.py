"""The languages' own tools: what is started for which files, and what their words mean. No fixer is ever started."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from remit.plan.reported import Issue
from remit.plan.validating.judging import Quality
from remit.plan.validating.tree import printable
from remit.value import Value

MARK: Final = "remit|"
TOGETHER: Final = 400
"""files one start of a tool looks at"""
ARGUMENTS: Final = 60_000
"""characters of their names"""
AT_ALL: Final = 2000
"""files one tool looks at in one judgement"""
TIME: Final = 60
"""seconds one start of a tool may take"""

_PYTHON: Final = r"""
import sys, warnings
warnings.simplefilter("ignore")
print("remit|tool|python3 %d.%d" % sys.version_info[:2], flush=True)
for number, path in enumerate(sys.argv[1:]):
    line, said = 0, ""
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, said = error.lineno or 0, "%s: %s" % (type(error).__name__, error.msg)
    except (ValueError, RecursionError, MemoryError, OSError) as error:
        said = "%s: %s" % (type(error).__name__, error)
    said = " ".join(ascii(said)[1:-1].split())
    print("remit|bad|%d|%d|%s" % (number, line, said) if said else "remit|ok|%d" % number, flush=True)
print("remit|done")
"""
_EACH: Final = r"""
 i=0
 for f do
  if said=$(check "$f" 2>&1 </dev/null); then echo "remit|ok|$i"
  else echo "remit|bad|$i|0|$(printf '%s' "$said" | tr '\n\r' '  ' | cut -c 1-1500)"; fi
  i=$((i+1))
 done
 echo 'remit|done'
"""
_RUFF: Final = "ruff check --no-fix --no-cache --isolated --quiet --output-format=concise"
_NODE: Final = 'node --check "$1" || node --check --input-type=module - < "$1"'


class Tool(Value, frozen=True, kw_only=True):
    """A program, the ends of names it is for, and the shell text that has it look. What a `linter` finds is never severe."""

    name: str
    ends: tuple[str, ...]
    check: str
    linter: bool = False


TOOLS: Final = (
    Tool(name="python3", ends=("py", "pyi"), check=""),
    Tool(name="ruff", ends=("py", "pyi"), check=_RUFF, linter=True),
    Tool(name="bash", ends=("sh", "bash"), check='bash -n "$1"'),
    Tool(name="shellcheck", ends=("sh", "bash"), check="shellcheck --norc --format=gcc --severity=warning", linter=True),
    Tool(name="node", ends=("js", "mjs", "cjs"), check=_NODE),
    Tool(name="gofmt", ends=("go",), check='gofmt -e "$1" >/dev/null'),
    Tool(name="ruby", ends=("rb",), check='ruby -c "$1"'),
    Tool(name="php", ends=("php",), check='php -n -l "$1"'),
    Tool(name="xmllint", ends=("xml", "svg"), check='xmllint --nonet --noout "$1"'),
)  # fmt: skip
UNSEEN: Final = frozenset(
    {"ts", "tsx", "jsx", "rs", "java", "kt", "c", "cc", "cpp", "h", "hpp", "cs", "swift", "scala", "vue", "svelte", "sql", "tf",
     "css", "scss", "html", "dart", "lua", "ex", "exs"}
)  # fmt: skip
"""languages remit starts no tool for; that they were not looked at is said"""


class Job(Value, frozen=True, kw_only=True):
    """One start of a tool over some files."""

    tool: Tool
    files: tuple[str, ...]

    @property
    def argv(self) -> tuple[str, ...]:
        """The start command. Names of files are arguments, never part of the text, and never look like options."""
        absent = f"command -v {self.tool.name} >/dev/null 2>&1 || {{ echo '{MARK}absent'; exit 0; }}\n"
        names = tuple(f"./{path}" for path in self.files)
        if self.tool.name == "python3":
            return ("sh", "-c", f'{absent} exec python3 -I -B -c "$0" "$@"', _PYTHON, *names)
        if self.tool.linter:
            head, tail = f"echo '{MARK}tool|{self.tool.name}'\n", f" 2>&1 | sed 's/^/{MARK}said|/'\n echo '{MARK}done'"
            return ("sh", "-c", f'{absent} {head} {self.tool.check} -- "$@"{tail}', self.tool.name, *names)
        return (
            "sh",
            "-c",
            f"{absent} echo '{MARK}tool|{self.tool.name}'\n check() {{ {self.tool.check}; }}\n{_EACH}",
            "sh",
            *names,
        )


def jobs(paths: Iterable[str]) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """What is started for these files, few starts of many files each; and what nobody looks at, as warnings."""
    warnings: list[str] = []
    fine = []
    for path in paths:
        if path.isprintable() and not any("\ud800" <= mark <= "\udfff" for mark in path):
            fine.append(path)
        elif _end(path) in UNSEEN or any(_end(path) in tool.ends for tool in TOOLS):
            warnings.append(f"`{printable(path)}` has a name that no tool is given: its syntax was not looked at")
    found: list[Job] = []
    for tool in TOOLS:
        files = [path for path in fine if _end(path) in tool.ends]
        if len(files) > AT_ALL:
            warnings.append(f"{tool.name} is given {AT_ALL} of {len(files)} files: the rest was not looked at by it")
        found += [Job(tool=tool, files=tuple(some)) for some in _some(files[:AT_ALL])]
    left: dict[str, int] = {}
    for path in fine:
        if _end(path) in UNSEEN:
            left[_end(path)] = left.get(_end(path), 0) + 1
    if left:
        several = ", ".join(f".{end} ({count})" for end, count in sorted(left.items()))
        warnings.append(f"no tool is started for {several}: their syntax was not looked at")
    return tuple(found), tuple(warnings)


def read(job: Job, said: str) -> Quality:
    """What one start said. Only lines that remit's own text began count, so that no file can speak for a tool."""
    lines = [line.removeprefix(MARK).split("|") for line in said.split("\n") if line.startswith(MARK)]
    kinds = [line[0] for line in lines]
    name = job.tool.name
    if "absent" in kinds:
        return Quality(warnings=(f"{name} is not installed: {_count(job.files)} not looked at by it",))
    if "tool" not in kinds:
        return Quality(warnings=(f"{name} could not be started: {_count(job.files)} not looked at by it",))
    tools = tuple(line[1] for line in lines if line[0] == "tool")
    issues = [issue for line in lines if line[0] in ("bad", "said") and (issue := _issue(job, line))]
    if "done" in kinds:
        return Quality(issues=tuple(issues), tools=tools)
    reached = 0 if job.tool.linter else sum(kind in ("ok", "bad") for kind in kinds)
    warning = f"{name} did not come to its end: {_count(job.files[reached:])} not looked at by it"
    if not job.tool.linter and reached < len(job.files):
        issues.append(Issue(path=printable(job.files[reached]), what="could not be looked at to its end", tool=name))
    return Quality(issues=tuple(issues), warnings=(warning,), tools=tools)


def together(parts: Sequence[Quality]) -> Quality:
    """What all of them said."""
    return Quality(
        issues=tuple(dict.fromkeys(issue for part in parts for issue in part.issues)),
        warnings=tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
        tools=tuple(dict.fromkeys(tool for part in parts for tool in part.tools)),
    )


# ---------------------------------------------------------------------------------------------------------------------

_LINTED = re.compile(r"\./(.+?):(\d+):\d+: (.*)")
_AT = re.compile(r"(?:line |:)(\d+)\b")
_SYNTAX = re.compile(r"SyntaxError(?: \[[A-Z_]+\])?: (.+?)(?=  | at |$)")
_MODULE = ("Unexpected token '<'",)


def _issue(job: Job, line: list[str]) -> Issue | None:
    tool = job.tool
    if line[0] == "said":
        found = _LINTED.fullmatch("|".join(line[1:]))
        if found is None or found[1] not in job.files:
            return None
        return Issue(path=printable(found[1]), what=found[3][:200], tool=tool.name, line=int(found[2]), severe=False)
    if len(line) < 4 or not line[1].isdigit() or int(line[1]) >= len(job.files):
        return None
    path, said = job.files[int(line[1])], "|".join(line[3:])
    at = int(line[2]) if line[2].isdigit() and int(line[2]) else _line(said)
    found = _SYNTAX.search(said)
    what = found[1] if found else said.replace(f"./{path}", "").strip(": ")
    severe = not (tool.name == "node" and path.endswith(".js") and any(token in what for token in _MODULE))  # JSX in a .js file
    return Issue(path=printable(path), what=f"does not parse: {printable(what)[:200]}", tool=tool.name, line=at, severe=severe)


def _line(said: str) -> int:
    found = _AT.search(said)
    return int(found[1]) if found and len(found[1]) < 9 else 0


def _end(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _some(files: Sequence[str]) -> Iterable[Sequence[str]]:
    """The files in as many parts as the bounds need."""
    part: list[str] = []
    length = 0
    for path in files:
        if part and (len(part) == TOGETHER or length + len(path.encode()) > ARGUMENTS):
            yield part
            part, length = [], 0
        part.append(path)
        length += len(path.encode()) + 3
    if part:
        yield part


def _count(files: Sequence[str]) -> str:
    return "1 file was" if len(files) == 1 else f"{len(files)} files were"

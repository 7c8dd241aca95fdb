"""Whether a data file can be read at all: JSON, TOML and YAML, as a stream or bounded, since an agent wrote them."""

import re
import tomllib
from collections.abc import Callable
from typing import Final

import msgspec

from remit.plan.reported import Issue
from remit.plan.validating.filled import template
from remit.plan.validating.tree import READ, printable

EVENTS: Final = 500_000
"""parts of a YAML file that are looked at"""
DEPTH: Final = 200
"""lists and tables within one another in a YAML file"""
TOML: Final = 512 * 1024
"""bytes of a TOML file"""
DOTS: Final = 2000
"""dots in one line of a TOML file: a key of many parts takes quadratic time"""
MARKS: Final = 1_000_000
"""commas, colons and brackets of a JSON or TOML file"""
COMMENTED: Final = re.compile(r"(?:^|/)(?:tsconfig|jsconfig)[^/]*\.json$|(?:^|/)\.(?:vscode|devcontainer)/[^/]*\.json$|\.jsonc$")
"""JSON that is read with comments in it by those who use it"""


def kind(path: str) -> str:
    """json, toml or yaml; empty for everything else."""
    end = path.rpartition(".")[2].lower() if "." in path else ""
    return {"json": "json", "jsonc": "json", "toml": "toml", "yaml": "yaml", "yml": "yaml"}.get(end, "")


def broken(path: str, data: bytes) -> Issue | None:
    """What is wrong with the syntax of a data file; an empty one is not looked at, nor is a template of one.

    What cannot be judged (too large, JSON that may hold comments) is an issue that is not severe.
    """
    form = kind(path)
    if not form or not data.strip() or (template(path) and (b"{{" in data or b"{%" in data)):
        return None
    if len(data) >= READ:
        return Issue(path=printable(path), what="is too large for its syntax to be looked at", tool=form, severe=False)
    try:
        _READERS[form](data.removeprefix(b"\xef\xbb\xbf"))
    except OverflowError as error:
        return Issue(path=printable(path), what=str(error), tool=form, severe=False)
    except (ValueError, RecursionError) as error:
        what, line = _told(error, data)
        return Issue(path=printable(path), what=what, tool=form, line=line, severe=not COMMENTED.search(path))
    return None


def _json(data: bytes) -> None:
    _bounded(data)
    msgspec.json.decode(data)


def _toml(data: bytes) -> None:
    _bounded(data)
    if len(data) > TOML:
        raise OverflowError(f"is larger than {TOML >> 10} KiB: its syntax was not looked at")
    if any(line.count(b".") > DOTS for line in data.split(b"\n")):
        raise OverflowError(f"has a line with more than {DOTS} dots: its syntax was not looked at")
    tomllib.loads(data.decode("utf-8"))


def _bounded(data: bytes) -> None:
    if sum(data.count(mark) for mark in (b",", b":", b"[", b"{", b"=")) > MARKS:
        raise OverflowError(f"holds more than {MARKS} values: its syntax was not looked at")


def _yaml(data: bytes) -> None:
    """Every document of the file, as a stream: aliases are never followed, tags never obeyed."""
    import yaml

    depth = 0
    opens, closes = (yaml.SequenceStartEvent, yaml.MappingStartEvent), (yaml.SequenceEndEvent, yaml.MappingEndEvent)
    try:
        for number, event in enumerate(yaml.parse(data, Loader=yaml.CSafeLoader)):
            depth += isinstance(event, opens) - isinstance(event, closes)
            if depth > DEPTH:  # beyond, every level costs as much as all above it
                raise ValueError(f"it is nested more than {DEPTH} deep")
            if number > EVENTS:
                raise OverflowError(f"holds more than {EVENTS} values: its syntax was not looked at")
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        raise ValueError(f"line {at}: {error.problem or 'no YAML'}") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None


_READERS: Final[dict[str, Callable[[bytes], None]]] = {"json": _json, "toml": _toml, "yaml": _yaml}
_BYTE = re.compile(r"\(byte (\d+)\)")
_LINE = re.compile(r"line (\d+)")


def _told(error: Exception, data: bytes) -> tuple[str, int]:
    """The error in one line, and the line of the file it speaks of."""
    if isinstance(error, RecursionError):
        return "is nested too deep", 0
    said = " ".join(str(error).split())[:200]
    byte, line = _BYTE.search(said), _LINE.search(said)
    if byte:
        return f"does not parse: {said}", data.count(b"\n", 0, int(byte[1])) + 1
    return f"does not parse: {said}", int(line[1]) if line else 0

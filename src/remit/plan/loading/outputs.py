"""`outputs.yaml` beside a SKILL.md: the files that the skill says it leaves behind."""

from typing import Any

from remit.plan.lenient import read_yaml
from remit.plan.loading.taking import MOST_ITEMS, text
from remit.plan.skill import Noted, Output


def read_outputs(text_of: str, *, file: str) -> tuple[tuple[Output, ...], tuple[Noted, ...]]:
    """Its `base_outputs`. What depends on maturity or an answer (other keys) is not taken for granted. Never raises."""
    found, noted = read_yaml(text_of, file=file)
    if isinstance(found, dict):
        listed = found.get("base_outputs", found.get("outputs"))
        others = [key for key in found if key.endswith("_outputs") and key != "base_outputs"]
    else:
        listed, others = found, []
    if not isinstance(listed, list):
        wrong = Noted(
            code="OUTPUTS",
            severity="warning",
            file=file,
            message="lists no outputs",
            hint="write `base_outputs:` with `- path: …`",
        )
        return (), (*noted, wrong)
    outputs = {each.path: each for each in map(_output, listed[:MOST_ITEMS]) if each is not None}
    outside = [path for path in outputs if not _inside(path)]
    more = [_said("OUTSIDE", "warning", file, f"`{path}` is not below the project, so it is left out") for path in outside]
    more += [_said("OUTPUTS-LEFT", "note", file, f"`{key}` is only sometimes left behind: it is not required") for key in others]
    if len(outputs) < len(listed):
        more.append(_said("OUTPUTS", "warning", file, f"{len(listed) - len(outputs)} outputs have no path of their own"))
    return tuple(each for path, each in outputs.items() if path not in outside), (*noted, *more)


def _output(entry: Any) -> Output | None:
    if isinstance(entry, dict):
        path = text(entry.get("path")) or text(entry.get("file"))
        return Output(path=path, must_contain=_patterns(entry.get("must_contain"))) if path else None
    path = text(entry)
    return Output(path=path) if path else None


def _patterns(value: Any) -> tuple[str, ...]:
    """Texts or patterns, as they stand: blanks at their ends count."""
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(each for each in items[:MOST_ITEMS] if isinstance(each, str) and each))


def _inside(path: str) -> bool:
    return not path.startswith(("/", "~", "\\")) and ".." not in path.replace("\\", "/").split("/") and path[1:2] != ":"


def _said(code: str, severity: Any, file: str, message: str) -> Noted:
    return Noted(code=code, severity=severity, file=file, message=message)

"""The state of a chain as a small YAML text: which skills, how far each is, what each left (SUB-08)."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

import yaml

from remit.plan.reported import Report
from remit.plan.screens.line import line
from remit.plan.screens.naming import named
from remit.plan.step import Plan

_MOST: Final = 200
_BARE: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+*()\[\]-]*(?: [A-Za-z0-9_./@+*()-]+)*", re.ASCII)


def state_yaml(plan: Plan, standing: Mapping[str, str], reports: Mapping[str, Report]) -> str:
    """`execution:` with one entry for each step, in the order of the plan. A step that is not complete has `outputs: null`;
    of a complete one stand its files and decisions, at most two hundred of either.
    """
    rows = ["execution:"] if plan.steps else ["execution: []"]
    for step in plan.steps:
        status = standing.get(step.id, "pending")
        report = reports.get(step.id, Report()) if status == "complete" else None
        outputs = "null" if report is None else f"{{files: {_flow(report.files)}, decisions: {_flow(report.decisions)}}}"
        rows += [f"  - skill: {_scalar(named(step))}", f"    status: {_scalar(status)}", f"    outputs: {outputs}"]
    return "\n".join(rows)


# ---------------------------------------------------------------------------------------------------------------------


def _flow(items: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, items[:_MOST]))}]"


def _scalar(text: str) -> str:
    """Bare where YAML reads exactly this text back, else in double quotes."""
    plain = line(text)
    bare = _BARE.fullmatch(plain) and not set(plain) & set("[]") and yaml.safe_load(plain) == plain
    return plain if bare else json.dumps(plain, ensure_ascii=False)

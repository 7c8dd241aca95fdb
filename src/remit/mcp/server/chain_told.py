"""What a host is told of chains: bounded, and with everything that could hide in it made visible."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remit.contract.limits import MICRO
from remit.mcp.server.chain_planning import Planned, Shelf, said, text_of, unresolved
from remit.mcp.server.house import House
from remit.mcp.server.told import MOST_TEXT, bounded, cut, status
from remit.plan.blueprint import Blueprint
from remit.plan.chain_file import read_chain
from remit.plan.graph import conflicts, waves
from remit.plan.library import Library
from remit.plan.planning_findings import UNSAID, about
from remit.plan.reported import Validation
from remit.plan.screens.naming import named
from remit.plan.step import CONVERSATION, Plan
from remit.run.chain import Chain, Stood
from remit.run.state import Run

MOST_CHAINS, MOST_STEPS, MOST_FOUND = 200, 200, 60


def listed(here: Shelf) -> dict[str, Any]:
    """A row for each blueprint, then for each chain file."""
    rows = [_row(each, here.library) for each in here.library.blueprints]
    rows += [file_row(name, path, here) for name, path in sorted(here.files.items())]
    return _capped("chains", rows, MOST_CHAINS)


def _row(each: Blueprint, library: Library) -> dict[str, Any]:
    findings = [*said(about(each, library)), *unresolved(each, library)]
    return {
        "name": cut(each.name, 200), "kind": "blueprint", "title": cut(each.title, 200),
        "chains": [{"name": cut(one.name, 100), "skills": len(one.slots)} for one in each.patterns[:20]],
        "questions": len(each.questions), "deliverables": len(each.wanted), "findings": [cut(one, 300) for one in findings[:5]],
        "findings_in_all": len(findings),
    }  # fmt: skip


def file_row(name: str, path: Path, here: Shelf) -> dict[str, Any]:
    """A chain file in short."""
    plan, noted = read_chain(text_of(path), file=str(path), library=here.library, goal=UNSAID)
    findings = said(noted)
    return {
        "name": cut(name, 200), "kind": "chain file", "title": cut(plan.title, 200) if plan else "",
        "chains": [{"name": "", "skills": len(plan.steps)}] if plan else [], "questions": 0,
        "deliverables": len(plan.deliverables) if plan else 0, "findings": [cut(one, 300) for one in findings[:5]],
        "findings_in_all": len(findings),
    }  # fmt: skip


def blueprint_told(found: Blueprint, library: Library) -> dict[str, Any]:
    """A blueprint as its file has it."""
    findings = [*said(about(found, library)), *unresolved(found, library)]
    return {
        "schema": "remit.chain-blueprint/1", "name": cut(found.name, 200), "title": cut(found.title),
        "category": cut(found.category, 100),
        "patterns": [
            {
                "name": cut(each.name, 100), "usual": each.default or len(found.patterns) == 1,
                "slots": [
                    {"name": cut(slot.name, 200), "instead": [cut(one, 200) for one in slot.instead[:10]],
                     "optional": slot.optional, "skill": cut(library.resolve(slot.name).skill, 200)}
                    for slot in each.slots[:MOST_STEPS]
                ],
            }
            for each in found.patterns[:20]
        ],
        "questions": [
            {"id": cut(each.id, 40), "text": cut(each.text), "usual": cut(each.default, 40),
             "choices": {cut(one.letter, 20): cut(one.text, 300) for one in each.choices[:20]}}
            for each in found.questions[:MOST_FOUND]
        ],
        **_capped(
            "deliverables",
            [
                {"name": cut(each.deliverable.name, 200), "by": cut(each.deliverable.by, 200), "maturity": list(each.maturity),
                 "when": cut(each.condition.text, 200) if each.condition else ""}
                for each in found.wanted
            ],
            MOST_STEPS,
        ),
        "findings": [cut(each) for each in findings[:MOST_FOUND]],
    }  # fmt: skip


def file_told(path: Path, here: Shelf) -> dict[str, Any]:
    """A chain file as it is. Raises BadInput where it cannot be read."""
    plan, noted = read_chain(text_of(path), file=str(path), library=here.library, goal=UNSAID)
    told: dict[str, Any] = {"schema": "remit.chain-file/1", "findings": [cut(each) for each in said(noted)]}
    return {**told, **_plan(plan)} if plan is not None else told


def plan_told(found: Planned, contract: str) -> dict[str, Any]:
    """The plan, why it is this one, and its contract as text."""
    return {
        "schema": "remit.chain-plan/1", **_plan(found.plan), "mode": found.plan.mode, "recommended": found.advice.mode,
        "reasons": [cut(each) for each in (*found.why, *found.advice.reasons)[:20]],
        "against": [cut(each) for each in found.advice.against[:20]], "findings": [cut(each) for each in said(found.noted)],
        "contract": cut(contract, MOST_TEXT),
    }  # fmt: skip


def _plan(plan: Plan) -> dict[str, Any]:
    wave = {name: at for at, names in enumerate(waves(plan), 1) for name in names}
    rows = [
        {
            "step": cut(step.id, 200), "kind": step.kind, "skill": cut(step.skill.invocation, 200) if step.skill else "",
            "wave": wave.get(step.id, 0), "after": [cut(each, 200) for each in (*step.after, *step.soft, *step.optional)[:20]],
            "last": step.last, "may_skip": step.may_skip, "runtime": step.runtime or plan.runtime,
        }
        for step in plan.steps
    ]  # fmt: skip
    due = [{"name": cut(each.name, 200), "by": cut(each.by, 200)} for each in plan.deliverables]
    return {
        "name": cut(plan.name, 200), "title": cut(plan.title), "goal": cut(plan.goal), **_capped("steps", rows, MOST_STEPS),
        "never_at_once": [{"steps": [cut(one, 200), cut(other, 200)], "path": cut(glob, 200)}
                          for one, other, glob in conflicts(plan)[:MOST_FOUND]],
        **_capped("deliverables", due, MOST_STEPS),
    }  # fmt: skip


def status_told(house: House, run: Run, children: Mapping[str, Run], *, driven: bool) -> dict[str, Any]:
    """Where a chain stands, step by step, and what waits for whom."""
    chain = run.chain
    assert chain is not None
    told = status(house, run, driven=driven)
    options = {each.question: each for each in run.open_questions}
    for each in told["questions"]:
        asked = options[each["question"]]
        each["options"], each["reason"] = list(asked.options), cut(asked.preview)
    names = {step.id: named(step) for step in chain.plan.steps}
    rows = [_step(name, names.get(name, name), stood, children) for name, stood in chain.steps.items()]
    keep = ("run", "verdict", "acceptance", "phase", "at_work", "why", "questions", "note", "published")
    return {
        "schema": "remit.chain-status/1", "name": cut(chain.plan.name, 200), "goal": cut(chain.plan.goal),
        "mode": chain.plan.mode, **{name: told[name] for name in keep if name in told},
        "complete": _complete(chain), "of": len(chain.plan.steps),
        **_capped("steps", rows, MOST_STEPS), "over": chain.over, "over_why": cut(chain.over_why),
        "validation": {**validation_told(chain.validation), "of_now": chain.current} if chain.validation else None,
        "confirmed": cut(chain.confirmed) or "nobody was asked", "accepted_by": cut(chain.accepted_by, 200),
        "accepted_without": [cut(each, 200) for each in chain.accepted[:MOST_FOUND]],
    }  # fmt: skip


def _complete(chain: Chain) -> int:
    return sum(stood.status == "complete" for name, stood in chain.steps.items() if name != CONVERSATION)


def _step(step: str, name: str, stood: Stood, children: Mapping[str, Run]) -> dict[str, Any]:
    runs = [children[each] for each in stood.children if each in children]
    told = {
        "step": step, "name": name, "state": stood.status, "tries": stood.tries, "runs": list(stood.children[-10:]),
        "outcome": stood.outcome, "why": stood.why, "skipped_by": stood.person, "files": len(stood.files),
        "claimed_and_not_there": list(stood.flagged[:10]), "decisions": list(stood.report.decisions[:5]),
        "outputs": [f"{each.key}: {each.value}" for each in stood.report.outputs[:5]],
        "turns": sum(each.spend.turns for each in runs), "tokens": sum(each.spend.tokens for each in runs),
        "usd": round(sum(each.spend.usd for each in runs) / MICRO, 6),
    }  # fmt: skip
    found: dict[str, Any] = bounded({key: _short(value) for key, value in told.items() if value not in ([], 0)})
    return found


def _short(value: Any) -> Any:
    """Texts of many steps together stay within what a host can read."""
    if isinstance(value, str):
        return cut(value, 300)
    return [cut(each, 200) if isinstance(each, str) else each for each in value] if isinstance(value, list) else value


def validation_told(found: Validation) -> dict[str, Any]:
    """What validation found; who owes what is missing."""
    due = [
        {"name": cut(each.name, 200), "status": each.status, "by": cut(each.by, 200), "files": f"{each.found}/{each.files}",
         "details": [cut(one, 200) for one in each.details[:5]]}
        for each in found.deliverables
    ]  # fmt: skip
    issues = [
        {"path": cut(each.path, 200), "what": cut(each.what, 200), "line": each.line, "by": cut(each.by, 200),
         "severe": each.severe}
        for each in found.issues
    ]  # fmt: skip
    return {
        "status": found.status, "completeness": found.completeness, "verified": found.verified, "expected": found.expected,
        "missing": [cut(each, 200) for each in found.missing[:MOST_FOUND]], **_capped("deliverables", due, MOST_STEPS),
        **_capped("issues", issues, MOST_FOUND), "warnings": [cut(each, 300) for each in found.warnings[:20]],
    }  # fmt: skip


def _capped(name: str, rows: list[dict[str, Any]], most: int) -> dict[str, Any]:
    left = {f"{name}_left_out": len(rows) - most} if len(rows) > most else {}
    return {name: rows[:most], **left}

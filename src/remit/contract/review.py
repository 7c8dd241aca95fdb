"""Is this contract fit to be handed over: the seed's six questions first, then what remit asks beyond them."""

from collections.abc import Callable, Iterator

from remit.contract.case import Case, Setting
from remit.contract.contract import Contract, Finding
from remit.contract.parse import Parsed
from remit.contract.party import Organisation
from remit.contract.review_models import model_findings
from remit.contract.review_outcome import outcome_findings
from remit.contract.review_party import party_findings
from remit.contract.review_people import people_findings
from remit.contract.review_rules import rule_findings
from remit.contract.review_words import word_findings
from remit.value import Value

ITEMS = (
    "goal is outcome-defined",
    "constraints are explicit",
    "success condition is testable",
    "recovery path exists",
    "scope is bounded",
    "irreversible operations are gated",
)
"""the design checklist, in the order of its source (CON-11)"""

CONSEQUENCES = {
    "goal": "nobody can say what is to be accomplished",
    "constraints": "scope exceeded and irreversible changes made, because the intent is read broadly",
    "success": "the agent runs forever or stops at an arbitrary point",
    "recovery": "the agent stalls on a blocker with no fallback",
}
"""what is bound to happen where a part is missing (CON-02 to CON-04)"""

_REMEDIES = {
    "goal": "write `goal:` as an outcome",
    "constraints": "write `may:` and `never:` rules: which files, systems and operations",
    "success": "write `success:` with checks a machine can run",
    "recovery": "write `recovery:` rungs: `- when: stuck`, `do: ask owner`; `- when: failed`, `do: undo`",
}
_RANK = {"error": 0, "warning": 1, "note": 2}

# Findings that leave an item of the checklist open, beside a part that is missing or faulty.
_OPENS: dict[str, frozenset[str]] = {
    ITEMS[0]: frozenset({"GOAL-IS-STEPS"}),
    ITEMS[1]: frozenset({"UNENFORCED", "NOT-ENFORCEABLE", "DEAD-RULE"}),
    ITEMS[2]: frozenset({"NOT-TESTABLE", "TRUSTED-WRITABLE"}),
    ITEMS[3]: frozenset({"UNKNOWN-CHECK", "CONTINUE-UNLISTED", "HAND-OVER-TO"}),
    ITEMS[4]: frozenset({"RECOVERY-OUTSIDE", "RECOVERY-FORBIDDEN", "SHELL-UNDER-READ-ONLY", "TIER-TOO-LOW"}),
    ITEMS[5]: frozenset({"UNGATED"}),
}
_PARTS = {
    ITEMS[0]: "goal",
    ITEMS[1]: "constraints",
    ITEMS[2]: "success",
    ITEMS[3]: "recovery",
    ITEMS[4]: "constraints",
    ITEMS[5]: "constraints",
}


class Item(Value, frozen=True, kw_only=True):
    """One line of the checklist; `missing` says what leaves it open."""

    item: str
    ok: bool
    missing: str = ""


class Review(Value, frozen=True, kw_only=True):
    """The checklist, everything found (errors first), and whether the contract may run."""

    checklist: tuple[Item, ...]
    findings: tuple[Finding, ...]
    ok: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts of the source's contract that are not there: of goal, constraints, success, recovery."""
        prefix = "MISSING-"
        return tuple(finding.code.removeprefix(prefix).lower() for finding in self.findings if finding.code.startswith(prefix))


def review(
    parsed: Parsed,
    *,
    organisation: Organisation | None = None,
    identity: str | None = None,
    setting: Setting | None = None,
    examples: Callable[[Contract], tuple[Finding, ...]] | None = None,
) -> Review:
    """Everything that is to be known before a contract runs; any error, and any open item, blocks it.

    `identity` is the person of the local key. `setting` is what the runtime and machine offer; without it a command as
    runtime is taken to have no meter for tokens and money. `examples` tries the rules' own examples (the evaluator is a
    chapter above this one).
    """
    case = Case(parsed, organisation, identity, setting)
    found = [*parsed.findings, *missing_parts(case)]
    if not case.unreadable:
        for look in (party_findings, people_findings, rule_findings, outcome_findings, model_findings, word_findings):
            found.extend(look(case))
        if examples is not None and parsed.contract is not None:
            found.extend(case.placed(finding) for finding in examples(parsed.contract))
    found.sort(key=lambda finding: _RANK[finding.severity])
    checklist = tuple(_item(case, item, found) for item in ITEMS)
    fit = all(item.ok for item in checklist) and not any(finding.severity == "error" for finding in found)
    return Review(checklist=checklist, findings=tuple(found), ok=fit and parsed.contract is not None)


def missing_parts(case: Case) -> Iterator[Finding]:
    """The parts of the four that are not there, each with what will happen."""
    if case.unreadable:
        return
    there = _there(case)
    for part, consequence in CONSEQUENCES.items():
        if not there[part]:
            yield case.say(f"MISSING-{part.upper()}", "error", part, f"no {part}: {consequence}", _REMEDIES[part])


def _there(case: Case) -> dict[str, bool]:
    """A part counts as there when something of it was written, even if faulty: then its own errors speak."""
    draft = case.draft
    return {
        "goal": bool(draft.goal) or case.faulty("goal"),
        "constraints": bool(draft.rules or draft.unenforced) or any(case.faulty(effect) for effect in ("may", "ask", "never")),
        "success": bool(draft.success) or case.faulty("success"),
        "recovery": bool(draft.recovery) or case.faulty("recovery"),
    }


def _item(case: Case, item: str, found: list[Finding]) -> Item:
    if case.unreadable:
        return Item(item=item, ok=False, missing="the text could not be read")
    part = _PARTS[item]
    if not _there(case)[part]:
        return Item(item=item, ok=False, missing=part)
    sections = {"constraints": ("may", "ask", "never")}.get(part, (part,))
    if any(case.faulty(section) for section in sections):
        return Item(item=item, ok=False, missing=f"{part} with mistakes")
    if item in ITEMS[4:] and not case.draft.rules:
        return Item(item=item, ok=False, missing="no rule bounds it")
    opened = next((finding for finding in found if finding.severity == "error" and finding.code in _OPENS[item]), None)
    return Item(item=item, ok=opened is None, missing=opened.message if opened else "")

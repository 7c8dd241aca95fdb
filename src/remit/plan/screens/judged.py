"""What validation found, in short and in full."""

from typing import Final

from remit.plan.reported import Issue, Validation, Verified
from remit.plan.screens.line import line

_MARK: Final = {"complete": "✓", "partial": "⚠", "missing": "✗", "skipped": "○"}


def validated(found: Validation) -> str:
    """The report of the validation agent (VAL-05). Issues and warnings stand only where there are any."""
    owed = [f"  - {line(each.name)} - {each.status}" for each in found.deliverables]
    return "\n".join(
        (
            "VALIDATION REPORT", "",
            f"FILES VERIFIED: {found.verified}/{found.expected}",
            "DELIVERABLES:", *(owed or ["  None"]),
            *(["", "ISSUES:", *map(_issue, found.issues)] if found.issues else ()),
            *(["", "WARNINGS:", *(f"  - {line(each)}" for each in found.warnings)] if found.warnings else ()), "",
            f"COMPLETENESS: {found.completeness}%",
            f"STATUS: {found.status}",
        )
    )  # fmt: skip


def detailed(found: Validation) -> str:
    """Everything validation looked at, deliverable by deliverable, and who owes what is missing (ERR-04, answer 3)."""
    rows = ["DETAILED VALIDATION REPORT", "", "DELIVERABLES:"]
    for each in found.deliverables:
        rows += _deliverable(each)
    percent = 100 * found.verified // found.expected if found.expected else 100
    rows += [] if found.deliverables else ["  None"]
    rows += ["", "FILE COVERAGE:", f"  Expected: {found.expected} files", f"  Found: {found.verified} files ({percent}%)"]
    short = [each for each in found.deliverables if each.status in ("missing", "partial")]
    known = {each.name for each in short}
    owed = [(each.name, each.by) for each in short] + [(name, "") for name in found.missing if name not in known]
    if owed:
        rows += ["", "MISSING:", *(f"  ✗ {line(name)} - owed by {line(by) or 'nobody named'}" for name, by in owed)]
    if found.issues:
        rows += ["", "ISSUES:", *map(_issue, found.issues)]
    if found.warnings:
        rows += ["", "WARNINGS:", *(f"  ⚠ {line(each)}" for each in found.warnings)]
    if found.tools:
        rows += ["", f"CHECKED BY: {', '.join(map(line, found.tools))}"]
    return "\n".join((*rows, "", f"COMPLETENESS: {found.completeness}%", f"STATUS: {found.status}"))


# ---------------------------------------------------------------------------------------------------------------------


def _deliverable(each: Verified) -> list[str]:
    files = f" ({each.found}/{each.files} files)" if each.files else ""
    head = f"  {_MARK[each.status]} {line(each.name)} - {each.status}{files}{f' - {line(each.by)}' if each.by else ''}"
    return [head, *(f"      {line(said)}" for said in (*each.details[:50], *each.how[:50]))]


def _issue(issue: Issue) -> str:
    where = f"{line(issue.path)}{f':{issue.line}' if issue.line else ''}"
    tool = f" ({line(issue.tool)})" if issue.tool else ""
    return (
        f"  {'✗' if issue.severe else '⚠'} {where} - {line(issue.what)}{tool}{f' - owed by {line(issue.by)}' if issue.by else ''}"
    )

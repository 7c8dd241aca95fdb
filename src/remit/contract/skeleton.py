"""The skeleton of a contract: every part there, prose kept in view until a rule binds it."""

from remit.contract.draft import Prose
from remit.contract.print import quoted
from remit.contract.rituals import suggested_rule

_RULES = """\
may:
  - read: "**"
  # - write: [docs/**, CHANGELOG.md]     what may change
  # - commit: HEAD                       commits on the branch checked out at the start
# ask:
#   - call: send_email                   what waits for a person
#     who: support-lead                  a person or a role; the owner unless said
#     quorum: 2                          how many different people must say yes
never:
  - push: any
    because: releasing is a person's step
limits: {turns: 40, time: 30m}
success: []
  # - id: changelog
  #   file: CHANGELOG.md
  #   matches: '^## v2'                  a pattern a line of the file must match
  # - id: tests
  #   run: python -m pytest              a program that must end with 0
"""
_RECOVERY = """\
recovery:
  # - when: tests fails
  #   do: retry 2
  - when: stuck
    do: ask owner
  - when: failed
    do: undo
# escalation:
#   - {for: send_email, page: support-lead, within: 2h, remind: 30m, then: [owner], attach: [to], otherwise: refuse}
"""


def skeleton(goal: str, owner: str, prose: Prose | None = None) -> str:
    """YAML to be filled in; prose of constraints, success and recovery lies under `unenforced`, with the rule each may mean."""
    head = "# What is commented out is an example. `remit check` says what is still missing.\n"
    said = goal or (prose.said("goal") if prose else "")
    lines = [head, f"goal: {quoted(said) if said else ''}\n", f"owner: {quoted(owner) if owner else ''}\n", _RULES, _RECOVERY]
    return "".join(lines) + ("".join(_unenforced(prose)) if prose else "")


def _unenforced(prose: Prose) -> list[str]:
    parts = [(part, line) for part in ("constraints", "success", "recovery") for _, line in getattr(prose, part)]
    if not parts:
        return []
    lines = ["# Nothing enforces these lines yet. Write a rule, check or rung for each, then take the line out.\nunenforced:\n"]
    for part, line in parts:
        meant = suggested_rule(line) if part == "constraints" else None
        lines.append(f"  # {part}: {meant}\n" if meant else f"  # {part}\n")
        lines.append(f"  - {quoted(line)}\n")
    return lines

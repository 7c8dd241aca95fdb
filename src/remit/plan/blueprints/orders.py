"""What a blueprint says of the order of its skills, and the shell lines it would like to be run over the result."""

from typing import Any, Literal

from remit.plan.blueprint import Order, SecurityCheck
from remit.plan.blueprints.notes import Notes, items, table, text, texts

_SEVERITIES: tuple[Literal["critical", "warnings", "informational"], ...] = ("critical", "warnings", "informational")
_ON = ("fail_on", "warn_on", "info_on")


def read_orders(found: Any, notes: Notes) -> tuple[Order, ...]:
    """The orders of `cross_skill_dependencies`, skill by skill."""
    orders = []
    for skill, entry in table(found).items():
        if not isinstance(entry, dict):
            notes.add("ORDER", "warning", f"the order of {skill} has no fields; it is left out")
            continue
        last = entry.get("must_complete_last")
        orders.append(
            Order(
                skill=skill,
                before=texts(entry.get("must_complete_before")),
                requires=texts(entry.get("requires")),
                uses=texts(entry.get("optionally_uses")),
                last=last is True or text(last).lower() in ("true", "yes"),
                reason=text(entry.get("reason")),
            )
        )
    return (*orders,)


def read_security(found: Any, notes: Notes) -> tuple[SecurityCheck, ...]:
    """The checks of `security_checks`. They are shown, never run: a file gives nobody the right to run a shell line."""
    checks = []
    for said, entries in table(found).items():
        severity = next((each for each in _SEVERITIES if each.startswith(said.lower().rstrip("s"))), None)
        if severity is None or not said:
            notes.add("SECURITY", "warning", f"{said!r} is not a severity of security checks ({', '.join(_SEVERITIES)})")
            continue
        for entry in items(entries):
            name, line = text(table(entry).get("name")), text(table(entry).get("check"))
            if not name or not line:
                notes.add("SECURITY", "warning", f"a {severity} security check without `name` and `check`; it is left out")
                continue
            on = next((text(entry[key]) for key in _ON if text(entry.get(key))), "")
            checks.append(SecurityCheck(name=name, check=line, severity=severity, on=on))
    return (*checks,)

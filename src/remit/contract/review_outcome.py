"""Limits that stop a run, checks that prove something, and a way back that stays inside the boundary."""

from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.contract import Finding
from remit.contract.outcome import Recovery, RunCheck
from remit.contract.reading import nearest
from remit.contract.review_rules import covered_by

_ALWAYS_TRUE = frozenset({"true", ":", "echo", "printf", "yes"})


def outcome_findings(case: Case) -> Iterator[Finding]:
    """Everything about limits, success and recovery."""
    yield from _limits(case)
    for check in case.draft.success:
        if isinstance(check, RunCheck) and check.argv[0].rpartition("/")[2] in _ALWAYS_TRUE:
            what = f"`{check.argv[0]}` can never fail, so the check proves nothing"
            yield case.of_check("NOT-TESTABLE", "error", check.id, what, "run something that fails when the goal is not reached")
    for at, rung in enumerate(case.draft.recovery):
        yield from _rung(case, rung, f"recovery[{at}]")
    if case.draft.recovery and not any(rung.when == "failed" for rung in case.draft.recovery):
        what = "no rung for `failed`: when nothing helps, the changes are left where they are"
        yield case.say("NO-LAST-RUNG", "warning", "recovery", what, "end with `- when: failed`, `do: undo`")


def _limits(case: Case) -> Iterator[Finding]:
    limits = case.draft.limits
    if not case.faulty("limits"):
        lacking = ["time"] if limits.time is None else []
        lacking += ["turns or calls"] if limits.turns is None and limits.calls is None else []
        if lacking:
            none = "limits" not in case.draft.written
            what = (
                "no limits: nothing ends a run that never gets done"
                if none
                else f"no limit of {' and no limit of '.join(lacking)}"
            )
            yield case.say("LIMIT-MISSING", "error", "limits", what, "write `limits: {turns: 40, time: 30m}`")
    for name in ("turns", "tokens", "usd", "calls", "pace"):
        if getattr(limits, name) is not None and name not in case.setting.meters:
            what = f"nothing here meters `{name}`, so this limit would never be reached"
            yield case.say(
                "LIMIT-UNMETERED", "warning", f"limits.{name}", what, "the other limits hold; route the model through the meter"
            )


def _rung(case: Case, rung: Recovery, where: str) -> Iterator[Finding]:
    named = rung.when.removesuffix(" fails")
    checks = [check.id for check in case.draft.success]
    if rung.when.endswith(" fails") and named not in (*checks, "any check", "step"):
        near = nearest(named, checks)
        hint = f"did you mean `{near}`?" if near else f"checks here: {', '.join(checks) or 'none'}"
        yield case.say("UNKNOWN-CHECK", "error", f"{where}.when", f"there is no check `{named}`", hint)
    if rung.when == "step fails" and rung.do in {"hand over", "undo"}:
        what = f"a step that fails cannot be answered with `{rung.do}`"
        yield case.say("STEP-REMEDY", "error", where, what, "one of `retry 2`, `continue` (it is skipped), `ask owner`, `stop`")
    if rung.do == "continue" and not rung.listed_in and rung.when != "step fails":
        what = "`continue` without a list: whatever failed would be forgotten"
        yield case.say(
            "CONTINUE-UNLISTED", "error", where, what, "add `listed in: FILE`; each line is an exception the owner accepts"
        )
    if rung.do == "continue" and not rung.when.endswith(" fails"):
        yield case.say(
            "CONTINUE-UNLISTED", "error", where, "only a failed check can be continued from", "write `when: CHECK fails`"
        )
    if rung.do == "hand over" and not rung.to:
        yield case.say("HAND-OVER-TO", "error", where, "`hand over` names nobody", "add `to: PERSON`")
    yield from _writes(case, rung, where)


def _writes(case: Case, rung: Recovery, where: str) -> Iterator[Finding]:
    """T1: what recovery writes must be granted; a grant of its own is said, and widens nothing else."""
    own = [path for rule in rung.may if rule.verb == "write" for path in rule.objects]
    for path in dict.fromkeys([*([rung.listed_in] if rung.listed_in else []), *own]):
        if covered_by(case, case.fences, "write", path):
            what = f"recovery writes `{path}`, which a `never` refuses"
            yield case.say("RECOVERY-FORBIDDEN", "error", where, what, "write somewhere else, or take the `never` back")
        elif covered_by(case, case.allowing, "write", path):
            continue
        elif covered_by(case, rung.may, "write", path):
            what = f"recovery may write `{path}`, which lies outside the rules"
            yield case.say(
                "RECOVERY-WIDENS", "note", where, what, f"granted only once `{rung.when}` holds; nothing else is widened"
            )
        else:
            what = f"recovery writes `{path}`, which no rule allows"
            yield case.say("RECOVERY-OUTSIDE", "error", where, what, f"add `may: [{{write: {path}}}]` to the rung")

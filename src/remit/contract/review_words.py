"""Words: goals that are steps, boundaries that are none, prose that no rule enforces."""

from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.contract import Finding
from remit.contract.rituals import suggested_rule
from remit.contract.vague import steps, vague_words


def word_findings(case: Case) -> Iterator[Finding]:
    """Everything about wording."""
    why = steps(case.draft.goal) if case.draft.goal else None
    if why:
        what = f"the goal reads like steps: {why}"
        yield case.say("GOAL-IS-STEPS", "error", "goal", what, "say what is to be true afterwards; the agent finds the steps")
    texts = [("goal", case.draft.goal)]
    texts += [(f"rule {rule.id}", rule.because) for rule in case.draft.rules if rule.because]
    for where, text in texts:
        for word in vague_words(text):
            what = f"`{word}` leaves open what is meant"
            yield case.say(
                "VAGUE", "warning", case.place(where), what, "name files, systems, amounts", mark=case.parsed.marks.get(where)
            )
    for at, line in enumerate(case.draft.unenforced):
        yield unenforced(case, f"unenforced[{at}]" if f"unenforced[{at}]" in case.parsed.marks else "unenforced", line)


def unenforced(case: Case, where: str, line: str) -> Finding:
    """One line of prose that no rule enforces, with the rule that might."""
    words = vague_words(line)
    rule = suggested_rule(line)
    hint = f"`{words[0]}` is no boundary: name files, systems, operations" if words and not rule else ""
    hint = hint or (f"write {rule}, and take the line out" if rule else "write a rule for it, and take the line out")
    return case.say("UNENFORCED", "error", where, f"no rule enforces `{line}`", hint)

"""What became of each effect that was to leave: sent, not sent, unknown, withdrawn; who approved, when, with which hash (S18)."""

from remit.evidence.account import moment
from remit.evidence.rows_people import NOT_APPROVED
from remit.evidence.standing import Name, Standing
from remit.run.event import QuestionAnswered, Recorded
from remit.run.outbox import Draft

APPROVING = frozenset({"yes", "modify", "redo"})


def what(draft: Draft) -> str:
    """The act as it is now."""
    return draft.action.said()


def kept(draft: Draft) -> str:
    """Who answers for what nobody was asked about."""
    who = ", ".join(draft.responsible)
    return f"{who} answers for it" if who else "nobody answers for it"


def end(draft: Draft, ended: Recorded | None) -> str:
    """How it ended, or how it stands."""
    when = f" {moment(ended.at)}" if ended is not None else ""
    conflict = f"; conflict: {draft.conflict}" if draft.conflict else ""
    match draft.state:
        case "published":
            return f"it went out{when}; receipt {draft.receipt or '-'}{conflict}"
        case "unknown":
            return f"whether it went out is unknown{when}: {draft.why}"
        case "publishing":
            return f"it was begun{when}; whether it went out is unknown"
        case "refused" | "expired" | "abandoned":
            return f"withdrawn{when} ({draft.state}: {draft.why or 'a person gave it up'}); it did not go out"
        case _:
            return "it stands as a draft; it did not go out"


def line(stands: Standing, name: Name) -> str:
    """One effect in one line: the act, its end, and by whose yes."""
    draft = stands.drafts[name]
    return f"{what(draft)}: {end(draft, stands.ends.get(name))}; {approval(stands, name)}"


def approval(stands: Standing, name: Name) -> str:
    """Who approved it, when, with what hash; what no one approved and did not go out is said in these very words."""
    run, key = name
    draft = stands.drafts[name]
    mine = [each for each, asked in stands.questions.items() if each[0] == run and asked.question.draft == key]
    yes = [
        _approved(stands, found, found.event)
        for each in mine
        for found in stands.answers.get(each, ())
        if isinstance(found.event, QuestionAnswered) and found.event.answer in APPROVING
    ]
    if yes:
        return "; ".join(yes)
    if draft.begun is None and draft.state != "published":
        return NOT_APPROVED
    return f"nobody was asked; {kept(draft)}, hash {draft.action.digest()}"


def _approved(stands: Standing, found: Recorded, answer: QuestionAnswered) -> str:
    asked = stands.stood.get(found.seq)
    digest = (answer.digest if answer.action else "") or (asked.digest if asked else "") or "-"
    return f"approved by {answer.person} ({answer.assurance}), {moment(found.at)}, hash {digest}"

"""The post-incident dialogue, answered from the record (E72-75): handled, approved, went out."""

from collections.abc import Sequence

from remit.evidence import outbox
from remit.evidence.account import Account, account, approvals_used, moment
from remit.evidence.rows_people import NOT_APPROVED as NOBODY
from remit.evidence.standing import Standing, standing
from remit.run.event import (
    Accepted,
    Effected,
    Intended,
    OwnershipAnswered,
    Published,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    Started,
    Undone,
)
from remit.value import Value

HANDLED = "I thought the system handled it."
APPROVED = "I assumed someone approved it."
WENT_OUT = "I didn't realize it actually went out."


class Reply(Value, frozen=True, kw_only=True):
    """One thing people say afterwards, and what the record says to it."""

    said: str
    record: tuple[str, ...]


def explain(records: Sequence[Recorded]) -> tuple[Reply, ...]:
    """The three replies. Every one rests on rows of the account; none is left empty."""
    told, stands = account(records), standing(records)
    return (
        Reply(said=HANDLED, record=_handled(records, told)),
        Reply(said=APPROVED, record=_approved(records, stands)),
        Reply(said=WENT_OUT, record=(*_went_out(records, stands), *_told(told))),
    )


def _handled(records: Sequence[Recorded], told: Account) -> tuple[str, ...]:
    rules = [f"{rule['effect']} {rule['verb']} {', '.join(rule['objects'])}" for rule in told.boundary.get("rules", ())]
    lines = [f"it was allowed: {'; '.join(rules) or 'nothing on record'}"]
    lines.append(f"it did: {_many([f'{row.action} {row.object}' for row in told.allowed])}")
    lines += [f"it refused: {row.action} {row.object}, {row.reason}" for row in told.refused] or ["it refused: nothing"]
    owner = _owner(records) or told.boundary.get("owner")
    taken = [each.event for each in records if isinstance(each.event, Accepted)]
    if taken:
        lines.append(f"the outcome was {taken[-1].acceptance} by {taken[-1].person}")
    elif owner:
        lines.append(f"the outcome is owned by {owner}, who has not taken it")
    return tuple(lines)


def _owner(records: Sequence[Recorded]) -> str:
    """Who took the outcome over on the way; empty when nobody did."""
    root = records[0].run if records else ""
    taken = [each.event for each in records if isinstance(each.event, OwnershipAnswered) and each.run == root]
    return next((event.person for event in reversed(taken) if event.accepted), "")


def _approved(records: Sequence[Recorded], stands: Standing) -> tuple[str, ...]:
    questions = [(each, each.event) for each in records if isinstance(each.event, QuestionAsked)]
    lines = [_answered(each.run, event, stands, records) for each, event in questions if event.about != "context"]
    lines += [
        f"{outbox.what(draft)}: nobody was asked; {outbox.kept(draft)}"
        for (run, key), draft in stands.drafts.items()
        if draft.begun is not None and not any(each.run == run and event.draft == key for each, event in questions)
    ]
    if lines:
        return tuple(lines)
    published = [each.event for each in records if isinstance(each.event, Published)]
    started = next((each.event for each in records if isinstance(each.event, Started)), None)
    if (published or _effects(records, stands)) and started:
        owner, address = started.contract.owner, started.contract.hash()
        return (f"nobody was asked: contract {address}, which {owner} answers for, allowed what went out",)
    return (NOBODY,)


def _answered(run: str, event: QuestionAsked, stands: Standing, records: Sequence[Recorded]) -> str:
    asked = stands.questions[run, event.question]
    now = asked.question
    what = now.action.said() if now.action else event.text
    answers = stands.answers.get((run, event.question), ())
    lines = "; ".join(_answer(each, now) for each in answers)
    draft = stands.drafts.get((run, event.draft)) if event.draft else None
    if not answers:
        silence = "nobody said what became of it" if event.about == "doubt" else NOBODY
        return f"{what}: {silence}"
    if asked.said == "no" and event.about != "doubt":
        return f"{what}: {lines}; it did not go out"
    if draft is not None:
        return f"{what}: {lines}; {outbox.end(draft, stands.ends.get((run, event.draft)))}"
    return f"{what}: {lines}; {_outcome(now, answers[-1], records)}"


_WORDS = {
    "yes": "approved", "modify": "approved with a change", "no": "refused", "happened": "said to have happened",
    "redo": "said not to have happened, and to be done", "abandon": "given up",
    "retry": "tried again", "skip": "left out", "abort": "given up", "generate": "to be generated", "accept": "taken as it is",
}  # fmt: skip


def _answer(found: Recorded, asked: QuestionAsked) -> str:
    answer = found.event
    assert isinstance(answer, QuestionAnswered)
    digest = (answer.digest if answer.action else "") or asked.digest or asked.contract or "-"
    return f"{_WORDS[answer.answer]} by {answer.person} ({answer.assurance}), {moment(found.at)}, hash {digest}"


def _outcome(asked: QuestionAsked, answer: Recorded, records: Sequence[Recorded]) -> str:
    """What came of a yes to what is no draft."""
    if asked.action is None:
        out = any(isinstance(each.event, Published) and each.run == answer.run and each.seq > answer.seq for each in records)
        return "it went out" if out else "it did not go out"
    digest = asked.action.digest()
    intents = {
        (each.run, each.event.key)
        for each in records
        if isinstance(each.event, Intended) and each.event.action.digest() == digest
    }
    ends = [each.event for each in records if isinstance(each.event, Effected) and (each.run, each.event.key) in intents]
    if any(end.ok for end in ends):
        return "it went out"
    if intents and not ends:
        return "whether it went out is unknown"
    if not intents and digest in approvals_used(records) and any(isinstance(each.event, Published) for each in records):
        return "it went out"
    return "it did not go out"


def _went_out(records: Sequence[Recorded], stands: Standing) -> tuple[str, ...]:
    lines = []
    for each in records:
        match each.event:
            case Published(paths=paths, refs=refs, receipt=receipt):
                lines.append(f"it went out {moment(each.at)}: {_many([*paths, *refs])}; receipt {receipt}")
            case Undone(paths=paths, receipt=receipt):
                lines.append(f"it was put back {moment(each.at)}: {_many(list(paths))}; receipt {receipt}")
    lines += [outbox.line(stands, name) for name in stands.drafts]
    lines += _effects(records, stands)
    return tuple(lines) or ("nothing went out",)


def _effects(records: Sequence[Recorded], stands: Standing) -> list[str]:
    """Effects outside that were no drafts: each intent, and how it ended. What only changed the stage is published, or not."""
    ends = {(each.run, each.event.key): (each, each.event) for each in records if isinstance(each.event, Effected)}
    lines = []
    for each in records:
        if not isinstance(each.event, Intended) or each.event.action.verb in {"read", "write", "delete", "run", "delegate"}:
            continue
        if (each.run, each.event.key) in stands.drafts:
            continue
        said, end = each.event.action.said(), ends.get((each.run, each.event.key))
        if end is None:
            lines.append(f"{said}: intended {moment(each.at)}; whether it went out is unknown")
        elif end[1].ok:
            lines.append(f"{said}: it went out {moment(end[0].at)}; receipt {end[1].receipt or '-'}")
        else:
            lines.append(f"{said}: it did not go out; {end[1].receipt}")
    return lines


def _told(told: Account) -> tuple[str, ...]:
    lines = [
        f"{row.who} was told {moment(row.at)} {row.reason}: {row.object}"
        if row.action == "tell"
        else f"a page to {row.who} {row.reason} {moment(row.at)}; {row.receipt or 'no receipt'}"
        for row in told.notified
    ]
    return tuple(lines) or ("nobody was told",)


def _many(items: list[str]) -> str:
    rest = f" and {len(items) - 12} more" if len(items) > 12 else ""
    return ("; ".join(items[:12]) + rest) or "nothing"

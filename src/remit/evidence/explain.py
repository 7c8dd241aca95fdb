"""The post-incident dialogue, answered from the record (E72-75): handled, approved, went out."""

from collections.abc import Sequence

from remit.evidence.account import Account, account, approvals_used, moment
from remit.run.event import (
    Accepted,
    Effected,
    Intended,
    Published,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    Started,
    Undone,
)
from remit.value import Value

NOBODY = "no one approved; it did not go out"
HANDLED = "I thought the system handled it."
APPROVED = "I assumed someone approved it."
WENT_OUT = "I didn't realize it actually went out."


class Reply(Value, frozen=True, kw_only=True):
    """One thing people say afterwards, and what the record says to it."""

    said: str
    record: tuple[str, ...]


def explain(records: Sequence[Recorded]) -> tuple[Reply, ...]:
    """The three replies. Every one rests on rows of the account; none is left empty."""
    told = account(records)
    return (
        Reply(said=HANDLED, record=_handled(records, told)),
        Reply(said=APPROVED, record=_approved(records)),
        Reply(said=WENT_OUT, record=(*_went_out(records), *_told(told))),
    )


def _handled(records: Sequence[Recorded], told: Account) -> tuple[str, ...]:
    rules = [f"{rule['effect']} {rule['verb']} {', '.join(rule['objects'])}" for rule in told.boundary.get("rules", ())]
    lines = [f"it was allowed: {'; '.join(rules) or 'nothing on record'}"]
    lines.append(f"it did: {_many([f'{row.action} {row.object}' for row in told.allowed])}")
    lines += [f"it refused: {row.action} {row.object}, {row.reason}" for row in told.refused] or ["it refused: nothing"]
    owner = told.boundary.get("owner")
    taken = [each.event for each in records if isinstance(each.event, Accepted)]
    if taken:
        lines.append(f"the outcome was {taken[-1].acceptance} by {taken[-1].person}")
    elif owner:
        lines.append(f"the outcome is owned by {owner}, who has not taken it")
    return tuple(lines)


def _approved(records: Sequence[Recorded]) -> tuple[str, ...]:
    answers = {(each.run, each.event.question): each for each in records if isinstance(each.event, QuestionAnswered)}
    questions = [(each, each.event) for each in records if isinstance(each.event, QuestionAsked)]
    lines = [_answered(event, answers.get((each.run, event.question)), records) for each, event in questions]
    if lines:
        return tuple(lines)
    published = [each.event for each in records if isinstance(each.event, Published)]
    started = next((each.event for each in records if isinstance(each.event, Started)), None)
    if (published or _effects(records)) and started:
        owner, address = started.contract.owner, started.contract.hash()
        return (f"nobody was asked: contract {address}, which {owner} answers for, allowed what went out",)
    return (NOBODY,)


def _answered(asked: QuestionAsked, found: Recorded | None, records: Sequence[Recorded]) -> str:
    what = asked.action.said() if asked.action else asked.text
    if found is None or not isinstance(found.event, QuestionAnswered):
        return f"{what}: {NOBODY}"
    answer = found.event
    when = f"by {answer.person} ({answer.assurance}), {moment(found.at)}, hash {asked.digest or asked.contract or '-'}"
    if answer.answer == "no":
        return f"{what}: refused {when}; it did not go out"
    return f"{what}: approved {when}; {_outcome(asked, found, records)}"


def _outcome(asked: QuestionAsked, answer: Recorded, records: Sequence[Recorded]) -> str:
    """What came of a yes."""
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


def _went_out(records: Sequence[Recorded]) -> tuple[str, ...]:
    lines = []
    for each in records:
        match each.event:
            case Published(paths=paths, refs=refs, receipt=receipt):
                lines.append(f"it went out {moment(each.at)}: {_many([*paths, *refs])}; receipt {receipt}")
            case Undone(paths=paths, receipt=receipt):
                lines.append(f"it was put back {moment(each.at)}: {_many(list(paths))}; receipt {receipt}")
    lines += _effects(records)
    return tuple(lines) or ("nothing went out",)


def _effects(records: Sequence[Recorded]) -> list[str]:
    """Effects outside the workspace: each intent, and how it ended. What only changed the stage is published, or not, above."""
    ends = {(each.run, each.event.key): (each, each.event) for each in records if isinstance(each.event, Effected)}
    lines = []
    for each in records:
        if not isinstance(each.event, Intended) or each.event.action.verb in {"read", "write", "delete", "run", "delegate"}:
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
    lines = [f"{row.who} was told {moment(row.at)} {row.reason}: {row.object}" for row in told.notified]
    return tuple(lines) or ("nobody was told",)


def _many(items: list[str]) -> str:
    rest = f" and {len(items) - 12} more" if len(items) > 12 else ""
    return ("; ".join(items[:12]) + rest) or "nothing"

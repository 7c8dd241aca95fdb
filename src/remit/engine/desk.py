"""What lies on people's desks: the open questions of all runs, read from the facts about people alone."""

from datetime import datetime

from remit.ports import Ledger
from remit.run.event import (
    Confirmed,
    Effected,
    QuestionAnswered,
    QuestionAsked,
    QuestionEscalated,
    QuestionExpired,
    Recorded,
    Resolved,
    StopAsked,
    Undone,
    VerdictReached,
    Withdrawn,
)
from remit.run.evolve import replay
from remit.run.state import Run
from remit.value import Value

KINDS = (
    "question_asked", "question_answered", "question_expired", "question_escalated", "stop_asked", "verdict_reached", "withdrawn",
    "resolved",
)  # fmt: skip
OVER = ("confirmed", "undone")
"""with KINDS, all that settles a question but an effect that ends after somebody was asked about it"""

ASKED = ("drafted", "question_asked", "question_answered", "question_expired", "withdrawn", "in_doubt", "resolved")
DONE = ("intended", "effected", "handed_off", "confirmed")
"""with ASKED, all that changes a draft; apart, because each has an index of its own"""


class Waiting(Value, frozen=True, kw_only=True):
    """One open question. `of` are all it asks by now, `like` how many more of this run differ from it only in values.

    `goal` is for whoever lists it: it stands in the contract of the run, which is not read for this.
    """

    run: str
    question: str
    about: str
    text: str
    of: tuple[str, ...]
    asked_at: datetime
    expires: datetime | None = None
    digest: str = ""
    rule: str = ""
    quorum: int = 1
    answers: int = 0
    like: int = 0
    goal: str = ""
    draft: str = ""


async def waiting(ledger: Ledger) -> list[Waiting]:
    """Every open question, those that run out of time first, then oldest first."""
    records = [*await ledger.kinds(*KINDS), *await ledger.kinds(*OVER)]
    found = _open(records)
    if any(each.about == "doubt" for each in found.values()):  # else what every effect came to need not be read
        found = _open([*records, *await ledger.kinds("effected")])
    return sorted(found.values(), key=lambda each: (each.expires is None, each.expires or each.asked_at, each.asked_at))


async def outboxes(ledger: Ledger) -> list[Run]:
    """Every run that has drafts, in the order of their first ones, folded from the facts about drafts alone."""
    found: dict[str, list[Recorded]] = {}
    for record in sorted([*await ledger.kinds(*ASKED), *await ledger.kinds(*DONE)], key=lambda each: each.seq):
        if record.kind == "drafted":
            found.setdefault(record.run, [])
        if record.run in found:  # a question from before the first draft is about none of them
            found[record.run].append(record)
    return [replay(records, Run(id=run)) for run, records in found.items()]


def batched(rows: list[Waiting]) -> list[Waiting]:
    """Like questions of one run as one row: the first of them, with how many more there are."""
    kept: dict[tuple[object, ...], Waiting] = {}
    for each in rows:
        key = (each.run, each.about, each.text, each.rule, each.of) if each.about == "action" else (each.run, each.question)
        first = kept.get(key)
        kept[key] = each if first is None else _more(first)
    return list(kept.values())


def _more(first: Waiting) -> Waiting:
    from msgspec.structs import replace

    return replace(first, like=first.like + 1)


def _open(records: list[Recorded]) -> dict[tuple[str, str], Waiting]:
    found: dict[tuple[str, str], Waiting] = {}
    agreed: dict[tuple[str, str], set[str]] = {}
    for record in sorted(records, key=lambda each: each.seq):
        _fold(found, agreed, record)
    return found


def _fold(found: dict[tuple[str, str], Waiting], agreed: dict[tuple[str, str], set[str]], record: Recorded) -> None:
    """One fact more. `agreed` are the people whose answers are to what a question asks now."""
    from msgspec.structs import replace

    match record.event:
        case QuestionAsked() as asked:
            rule = next((reason.rule or "" for reason in asked.reasons), "")
            found[asked.run, asked.question] = Waiting(
                run=asked.run, question=asked.question, about=asked.about, text=asked.text, of=asked.of, asked_at=record.at,
                expires=asked.expires, digest=asked.digest, rule=rule, quorum=asked.quorum,
                draft=asked.draft,
            )  # fmt: skip
        case QuestionAnswered() as said:
            key = (said.run, said.question)
            one = found.get(key)
            if one is None:
                return
            before = set() if said.action is not None else agreed.get(key, set())  # a change makes earlier answers void
            agreed[key] = {*before, said.person}
            if said.answer == "no" or len(agreed[key]) >= one.quorum:
                del found[key]
            else:
                found[key] = replace(one, answers=len(agreed[key]))
        case QuestionExpired() as over:
            found.pop((over.run, over.question), None)
        case Withdrawn() | Resolved() | Confirmed() | Effected() as ended:  # nobody's answer can matter to it any more
            for key in [key for key, each in found.items() if key[0] == ended.run and each.draft == ended.key]:
                del found[key]
        case QuestionEscalated() as passed:
            one = found.get((passed.run, passed.question))
            if one is not None:
                found[passed.run, passed.question] = replace(one, of=(*one.of, passed.to), expires=passed.expires or one.expires)
        case StopAsked() | Undone() | VerdictReached():
            _ended(found, record)
        case _:
            return


def _ended(found: dict[tuple[str, str], Waiting], record: Recorded) -> None:
    """A run that is over asks nothing any more, but for what became of an effect, and whether to publish."""
    kept = {"doubt", "publish", "context"} if isinstance(record.event, VerdictReached) else {"doubt"}
    for key in [key for key, each in found.items() if key[0] == record.run and each.about not in kept]:
        del found[key]

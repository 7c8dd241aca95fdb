"""The inbox as values: what needs this person, what waits for others, what runs, what has ended."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from remit.authority.action import Action
from remit.contract.party import Organisation
from remit.engine.desk import Waiting, waiting
from remit.ports import Ledger
from remit.run.event import Accepted, OwnershipAnswered, OwnershipOffered, QuestionAsked, Recorded, Started, VerdictReached
from remit.value import Value
from remit.web.asking import heading
from remit.web.svg import short
from remit.web.words import json_text

Kind = Literal["question", "doubt", "outcome", "offer"]
MARKS = {
    "action": "approve", "change": "approve", "publish": "release", "recovery": "decide", "context": "missing context",
    "doubt": "unknown outcome", "step": "step in trouble", "gaps": "gaps found", "outcome": "take the outcome",
    "offer": "take over",
}  # fmt: skip


class Brief(Value, frozen=True, kw_only=True):
    """One run in a line."""

    run: str
    goal: str
    owner: str
    at: datetime
    ended: datetime | None = None
    verdict: str = ""
    acceptance: str = "pending"
    child: bool = False


class Item(Value, frozen=True, kw_only=True):
    """One thing a person is awaited for. `mark` says what is wanted of them, `of` whom it asks."""

    kind: Kind
    mark: str
    run: str
    text: str
    goal: str
    of: tuple[str, ...]
    at: datetime
    question: str = ""
    values: str = ""
    expires: datetime | None = None

    @property
    def like(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What things that differ only in their run or their values have in common."""
        return self.mark, self.text, self.goal, self.of

    @property
    def href(self) -> str:
        """The page where it is answered."""
        return f"/runs/{self.run}/questions/{self.question}" if self.question else f"/runs/{self.run}#act"


class Group(Value, frozen=True, kw_only=True):
    """Things that are alike, oldest first."""

    items: tuple[Item, ...]

    @property
    def first(self) -> Item:
        """The one that has waited longest."""
        return self.items[0]


class Board(Value, frozen=True, kw_only=True):
    """The four groups: `mine` and `others` begin with what runs out of time first, `running` and `ended` are newest first."""

    mine: tuple[Group, ...]
    others: tuple[Group, ...]
    running: tuple[Brief, ...]
    ended: tuple[Brief, ...]
    asked: int = 0
    elsewhere: int = 0


class Boards:
    """Each person's inbox, read anew only when something was recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._version = ledger, -1
        self._kept: dict[str, Board] = {}

    async def of(self, person: str) -> Board:
        """The inbox of this person as the ledger has it now."""
        version = await self._ledger.version()
        if version != self._version:
            self._version, self._kept = version, {}
        if person not in self._kept:
            self._kept[person] = await board(self._ledger, person)
        return self._kept[person]


async def board(ledger: Ledger, person: str) -> Board:
    """The inbox of this person as the ledger has it now."""
    runs = await ledger.runs()
    ends = [*await ledger.kinds("verdict_reached"), *await ledger.kinds("accepted", "undone")]
    briefs = {brief.run: brief for brief in _briefs(runs, ends)}
    open_ = await waiting(ledger)
    said = {
        (each.run, each.event.question): _values(each.event.action)
        for each in await ledger.kinds("question_asked")
        if isinstance(each.event, QuestionAsked) and each.event.action is not None
    }
    items = [_item(each, briefs, said) for each in open_]
    people = await ledger.kinds("ownership_offered", "ownership_answered")
    owners = _owners(briefs, people)
    items += [*_outcomes(briefs.values(), owners), *_offers(people, briefs)]
    items.sort(key=lambda item: (item.expires is None, item.expires or item.at, item.at, item.run, item.question))
    held = _roles(runs, owners, person)
    mine = [item for item in items if held.get(item.run, {person}) & set(item.of)]
    others = [item for item in items if not held.get(item.run, {person}) & set(item.of)]
    waits = {each.run for each in open_ if each.about != "context"}
    return Board(
        mine=tuple(_groups(mine)),
        others=tuple(_groups(others)),
        running=tuple(b for b in reversed(briefs.values()) if b.ended is None and b.run not in waits),
        ended=tuple(sorted((b for b in briefs.values() if b.ended), key=lambda b: str(b.ended), reverse=True)),
        asked=len(mine),
        elsewhere=len(others),
    )


def tone_of(brief: Brief) -> str:
    """Good only when it succeeded and its owner took it: completed is not owned (OWN-01)."""
    if brief.verdict not in {"success", "success_with_exceptions"} or brief.acceptance == "declined":
        return "bad"
    return "good" if brief.acceptance == "accepted" else "wait"


def _briefs(runs: Sequence[Recorded], ends: Sequence[Recorded]) -> Iterator[Brief]:
    verdicts = {end.run: (end.event.verdict, end.at) for end in ends if isinstance(end.event, VerdictReached)}
    taken: dict[str, str] = {end.run: end.event.acceptance for end in ends if isinstance(end.event, Accepted)}
    undone = {end.run for end in ends if end.kind == "undone"}
    erased = {end.run: end.at for end in ends if end.kind == "verdict_reached" and end.event is None}
    for record in runs:
        started = record.event if isinstance(record.event, Started) else None
        verdict, at = verdicts.get(record.run, ("", erased.get(record.run)))
        yield Brief(
            run=record.run,
            goal=started.contract.goal if started else "(erased)",
            owner=started.contract.owner if started else "",
            at=record.at,
            ended=at,
            verdict=verdict or ("erased" if at else ""),
            acceptance="undone" if record.run in undone else taken.get(record.run, "pending"),
            child=bool(started and started.parent),
        )


def _values(action: Action) -> str:
    """What tells one question from another that is asked in the same words."""
    shown = [
        f"{name} {short(value if isinstance(value, str) else json_text(value), 40)}" for name, value in action.arguments.items()
    ]
    return ", ".join(shown[:4]) + (" …" if len(shown) > 4 else "")


def _item(each: Waiting, briefs: dict[str, Brief], said: dict[tuple[str, str], str]) -> Item:
    goal = briefs[each.run].goal if each.run in briefs else ""
    return Item(
        kind="doubt" if each.about == "doubt" else "question", mark=MARKS.get(each.about, "decide"), run=each.run,
        text=heading(each.about, each.text), goal=goal, of=each.of, at=each.asked_at, question=each.question,
        expires=each.expires, values=said.get((each.run, each.question), ""),
    )  # fmt: skip


def _outcomes(briefs: Iterable[Brief], owners: dict[str, str]) -> Iterator[Item]:
    """Good outcomes that no owner has taken: completed is not owned (OWN-01). A child's goes to its parent."""
    for brief in briefs:
        if brief.acceptance == "pending" and not brief.child and brief.verdict in {"success", "success_with_exceptions"}:
            assert brief.ended is not None
            text = "The work succeeded. Do you take the outcome?"
            if brief.verdict != "success":
                text = "The work succeeded with exceptions. Do you take the outcome?"
            yield Item(
                kind="outcome", mark=MARKS["outcome"], run=brief.run, text=text, goal=brief.goal, of=(owners[brief.run],),
                at=brief.ended,
            )  # fmt: skip


def _owners(briefs: dict[str, Brief], people: Sequence[Recorded]) -> dict[str, str]:
    taken = {e.run: e.event.person for e in people if isinstance(e.event, OwnershipAnswered) and e.event.accepted}
    return {run: taken.get(run, brief.owner) for run, brief in briefs.items()}


def _offers(people: Sequence[Recorded], briefs: dict[str, Brief]) -> Iterator[Item]:
    open_: dict[str, Recorded] = {}
    for record in people:
        if isinstance(record.event, OwnershipOffered):
            open_[record.run] = record
        else:
            open_.pop(record.run, None)
    for run, record in open_.items():
        assert isinstance(record.event, OwnershipOffered)
        yield Item(
            kind="offer", mark=MARKS["offer"], run=run, text=f"{record.event.by} offers you the outcome of this run.",
            goal=briefs[run].goal if run in briefs else "", of=(record.event.to,), at=record.at,
        )  # fmt: skip


def _roles(runs: Sequence[Recorded], owners: dict[str, str], person: str) -> dict[str, set[str]]:
    """By what names a question may ask this person, by run: each run has pinned its own organisation."""
    return {
        r.run: {person, *roles(r.event.organisation, person), *(("owner",) if owners[r.run] == person else ())}
        for r in runs
        if isinstance(r.event, Started)
    }


def roles(organisation: Organisation, person: str) -> tuple[str, ...]:
    """What a person is in the organisation."""
    return next((known.roles for known in organisation.people if known.id == person), ())


def _groups(items: Sequence[Item]) -> Iterator[Group]:
    found: dict[object, list[Item]] = {}
    for item in items:
        found.setdefault(item.like, []).append(item)
    yield from (Group(items=tuple(group)) for group in found.values())

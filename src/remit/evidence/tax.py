"""What supervision costs people: interruptions by kind, per hundred runs, flat or growing (OWN-14), beside published numbers."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Literal

from remit.evidence.standing import Standing, standing
from remit.run.event import (
    Effected,
    QuestionAnswered,
    QuestionAsked,
    QuestionEscalated,
    QuestionExpired,
    Recorded,
    Started,
    Withdrawn,
)
from remit.run.outbox import ENDED
from remit.run.state import Asked
from remit.value import Value

SCHEMA = "remit.tax/1"
Kind = Literal["approval", "missing context", "escalation", "doubt", "recovery", "publish"]
KINDS: tuple[Kind, ...] = ("approval", "missing context", "escalation", "doubt", "recovery", "publish")
READ = (
    "question_asked", "question_answered", "question_expired", "question_escalated", "drafted", "withdrawn", "effected",
    "decided", "intended", "verdict_reached",
)  # fmt: skip
"""kinds of events the tax and its suggestions are read from, beside `started`"""

CITED = (
    ("full auto-approve, share of new users' sessions", "about 20 %"),
    ("full auto-approve, share of experienced users' sessions", "about 40 %"),
    ("interruptions that supplied missing context", "32 %"),
)
"""published measurements of agent autonomy, as cited in the requirements (PERF-10); not measured here"""
FEW = 10
"""runs below which nothing is said about growth"""

_OF: dict[str, Kind] = {
    "action": "approval", "change": "approval", "context": "missing context", "doubt": "doubt", "recovery": "recovery",
    "publish": "publish",
}  # fmt: skip


class ByRule(Value, frozen=True, kw_only=True):
    """What one rule asked: how often, and what came of it. `goal` is the contract's."""

    rule: str
    goal: str
    asked: int
    yes: int
    changed: int
    no: int
    expired: int
    open: int


class Tax(Value, frozen=True, kw_only=True):
    """Interruptions since a moment. Like questions open at the same time are one; every escalation is one more.

    `halves` are interruptions per 100 runs in the first and second half of the runs. `waiting` is the median in seconds from
    question to answer. `touched` counts the runs that interrupted anybody at all.
    """

    schema: str = SCHEMA
    runs: int
    touched: int
    questions: int
    interruptions: int
    kinds: dict[str, int]
    per_100_runs: float
    halves: tuple[float, float] | None
    trend: Literal["flat", "growing", "falling", "too few runs to tell"]
    waiting: float | None
    rules: tuple[ByRule, ...]
    cited: tuple[tuple[str, str], ...] = CITED


def tax(started: Sequence[Recorded], records: Sequence[Recorded]) -> Tax:
    """From the `started` events of every run looked at, oldest first, and their other events of the kinds `READ`."""
    root = roots(started)
    runs = [record.run for record in started if root[record.run] == record.run]
    mine = [record for record in records if record.run in root]
    stands = standing(mine)
    found = list(_interruptions(mine))
    each = dict.fromkeys(runs, 0)
    for record, _ in found:
        each[root[record.run]] += 1
    counts = list(each.values())
    halves = _halves(counts)
    waits = [wait for name in stands.questions if (wait := _wait(stands, name)) is not None]
    return Tax(
        runs=len(runs), touched=sum(count > 0 for count in counts), questions=len(stands.questions), interruptions=len(found),
        kinds={kind: sum(one == kind for _, one in found) for kind in KINDS}, per_100_runs=_per_100(counts), halves=halves,
        trend=_trend(counts, halves), waiting=round(median(waits), 3) if waits else None, rules=_rules(started, stands),
    )  # fmt: skip


def roots(started: Sequence[Recorded]) -> dict[str, str]:
    """The run that a person started, for each run: itself, or the one above all its parents."""
    found: dict[str, str] = {}
    for record in started:
        parent = record.event.parent if isinstance(record.event, Started) else None
        found[record.run] = found.get(parent, record.run) if parent is not None else record.run
    return found


def _interruptions(records: Sequence[Recorded]) -> list[tuple[Recorded, Kind]]:
    """Each time somebody was pulled in."""
    found: list[tuple[Recorded, Kind]] = []
    open_ = _Open()
    for record in records:
        match record.event:
            case QuestionAsked() as event:
                if not open_.like(record.run, event):
                    found.append((record, _OF[event.about]))
                open_.take(record)
            case QuestionEscalated():
                found.append((record, "escalation"))
            case _:
                open_.take(record)
    return found


class _Open:
    """Which questions are open at one place of the record, by what makes them alike."""

    def __init__(self) -> None:
        self._mine: dict[tuple[str, str], list[Recorded]] = {}
        self._kinds: dict[tuple[str, str], tuple[object, ...]] = {}

    def like(self, run: str, event: QuestionAsked) -> bool:
        """Whether a like question is before the same people already."""
        return event.action is not None and _alike(run, event) in self._kinds.values()

    def take(self, record: Recorded) -> None:
        """One fact more: questions open and close."""
        match record.event:
            case QuestionAsked() as event:
                self._mine[record.run, event.question] = [record]
                self._kinds[record.run, event.question] = _alike(record.run, event)
            case QuestionAnswered(question=question) | QuestionExpired(question=question):
                name = (record.run, question)
                about = self._mine.get(name, [])
                about.append(record)
                if name in self._mine and standing(about).questions[name].said:
                    self._close(name)
            case Withdrawn(key=key) | Effected(key=key):
                for name, about in list(self._mine.items()):
                    first = about[0].event
                    if name[0] == record.run and isinstance(first, QuestionAsked) and first.draft == key:
                        self._close(name)
            case _:
                return

    def _close(self, name: tuple[str, str]) -> None:
        del self._mine[name], self._kinds[name]


def _alike(run: str, event: QuestionAsked) -> tuple[object, ...]:
    rules = tuple(sorted({reason.rule or "" for reason in event.reasons}))
    action = event.action
    return run, event.about, action.verb if action else "", str(action.object) if action else event.text, rules, event.of


def _wait(stands: Standing, name: tuple[str, str]) -> float | None:
    asked, answers = stands.questions[name], stands.answers.get(name, ())
    if not asked.said or asked.answer is None or not answers:
        return None
    return (answers[-1].at - asked.at).total_seconds()


def _per_100(counts: Sequence[int]) -> float:
    return round(100 * sum(counts) / len(counts), 1) if counts else 0.0


def _halves(counts: Sequence[int]) -> tuple[float, float] | None:
    if len(counts) < FEW:
        return None
    middle = len(counts) // 2
    return _per_100(counts[:middle]), _per_100(counts[middle:])


def _trend(
    counts: Sequence[int], halves: tuple[float, float] | None
) -> Literal["flat", "growing", "falling", "too few runs to tell"]:
    """A tenth more or less, and at least two interruptions, is a change; anything below is flat."""
    if halves is None:
        return "too few runs to tell"
    middle = len(counts) // 2
    expected = sum(counts[:middle]) * (len(counts) - middle) / middle
    more = sum(counts[middle:]) - expected
    if abs(more) < 2 or abs(more) <= expected / 10:
        return "flat"
    return "growing" if more > 0 else "falling"


def _rules(started: Sequence[Recorded], stands: Standing) -> tuple[ByRule, ...]:
    goals = {record.run: record.event.contract.goal for record in started if isinstance(record.event, Started)}
    groups: dict[tuple[str, str], list[Asked]] = {}
    for (run, _), asked in stands.questions.items():
        rule = rule_of(asked)
        if rule:
            draft = stands.drafts.get((run, asked.question.draft))
            over = draft is not None and draft.state in ENDED and not asked.said
            groups.setdefault((goals.get(run, ""), rule), []).append(asked if not over else _closed(asked))
    rows = [_by_rule(goal, rule, group) for (goal, rule), group in groups.items()]
    return tuple(sorted(rows, key=lambda row: (-row.asked, row.goal, row.rule)))


def _closed(asked: Asked) -> Asked:
    return Asked(question=asked.question, at=asked.at, answers=asked.answers, expired=True)


def rule_of(asked: Asked) -> str:
    """The rule that asked; empty where none did."""
    return next((reason.rule for reason in asked.question.reasons if reason.rule), "")


def unchanged(asked: Asked) -> bool:
    """Whether it was answered with a plain yes."""
    return asked.said == "yes" and all(each.answer == "yes" for each in asked.answers)


def _by_rule(goal: str, rule: str, group: Sequence[Asked]) -> ByRule:
    yes = sum(unchanged(each) for each in group)
    return ByRule(
        rule=rule, goal=goal, asked=len(group), yes=yes, changed=sum(each.said == "yes" for each in group) - yes,
        no=sum(each.said == "no" and not each.expired for each in group),
        expired=sum(each.said == "no" and each.expired for each in group), open=sum(not each.said for each in group),
    )  # fmt: skip


def since(started: Sequence[Recorded], moment: datetime | None) -> list[Recorded]:
    """The runs begun at or after this moment; a child goes with the run above it."""
    root = roots(started)
    begun = {record.run for record in started if moment is None or record.at >= moment}
    return [record for record in started if root[record.run] in begun]

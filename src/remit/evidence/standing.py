"""How questions and drafts of some runs stand, folded from whatever entries are there: erased bodies and children do no harm."""

from collections.abc import Mapping, Sequence

import msgspec

from remit.authority.action import Action
from remit.run.event import (
    Confirmed,
    Drafted,
    Effected,
    HandedOff,
    InDoubt,
    Intended,
    QuestionAnswered,
    QuestionAsked,
    QuestionExpired,
    Recorded,
    Resolved,
    Withdrawn,
)  # fmt: skip
from remit.run.outbox import Draft, after
from remit.run.state import Asked

Name = tuple[str, str]
"""a run, and the name of a question or the key of an effect in it"""
change = msgspec.structs.replace


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Questions and drafts as they stand; `stood` is what each answer (by its place) was said to; `ends` when a draft ended.

    `actions` are what keys stand for. `open_intents` are the places of intents whose outcome nobody has recorded since.
    """

    questions: Mapping[Name, Asked]
    drafts: Mapping[Name, Draft]
    stood: Mapping[int, QuestionAsked]
    ends: Mapping[Name, Recorded]
    actions: Mapping[Name, Action]
    answers: Mapping[Name, tuple[Recorded, ...]]
    open_intents: frozenset[int]

    def draft_of(self, run: str, key: str) -> Draft | None:
        """The draft of this key, where it is one."""
        return self.drafts.get((run, key))


def standing(records: Sequence[Recorded]) -> Standing:
    """The fold, in the order of the ledger."""
    fold = _Fold()
    for record in records:
        if record.event is not None:
            fold.take(record)
    return Standing(
        questions=fold.questions, drafts=fold.drafts, stood=fold.stood, ends=fold.ends, actions=fold.actions,
        answers={name: tuple(found) for name, found in fold.answers.items()}, open_intents=frozenset(fold.intents.values()),
    )  # fmt: skip


class _Fold:
    """What is known at one place."""

    def __init__(self) -> None:
        self.questions: dict[Name, Asked] = {}
        self.drafts: dict[Name, Draft] = {}
        self.stood: dict[int, QuestionAsked] = {}
        self.ends: dict[Name, Recorded] = {}
        self.actions: dict[Name, Action] = {}
        self.answers: dict[Name, list[Recorded]] = {}
        self.intents: dict[Name, int] = {}

    def take(self, record: Recorded) -> None:
        """One entry more."""
        event = record.event
        match event:
            case QuestionAsked():
                self.questions[record.run, event.question] = Asked(question=event, at=record.at, digest=event.digest)
            case QuestionAnswered():
                self._answered(record, event)
            case QuestionExpired():
                name = (record.run, event.question)
                if name in self.questions:
                    self.questions[name] = change(self.questions[name], expired=not self.questions[name].said)
            case Drafted():
                name = (record.run, event.key)
                self.drafts[name] = Draft(drafted=event, at=record.at, action=event.action)
                self.actions[name] = event.action
            case Intended() | Effected() | HandedOff() | Withdrawn() | InDoubt() | Resolved() | Confirmed():
                self._effect(record, event)
            case _:
                return

    def _answered(self, record: Recorded, event: QuestionAnswered) -> None:
        name = (record.run, event.question)
        self.answers.setdefault(name, []).append(record)
        asked = self.questions.get(name)
        if asked is None:
            return
        self.stood[record.seq] = asked.question
        question = asked.question
        if event.action is not None:
            question = change(question, action=event.action, digest=event.digest)
            draft = self.drafts.get((record.run, question.draft))
            if draft is not None:
                self.drafts[record.run, question.draft] = change(draft, action=event.action)
        self.questions[name] = change(asked, question=question, answers=(*asked.answers, event))

    def _effect(
        self, record: Recorded, event: Intended | Effected | HandedOff | Withdrawn | InDoubt | Resolved | Confirmed
    ) -> None:
        name = (record.run, event.key)
        if isinstance(event, Intended):
            self.actions.setdefault(name, event.action)
            self.intents[name] = record.seq
        elif isinstance(event, Effected | Resolved | Confirmed):
            self.intents.pop(name, None)
        draft = self.drafts.get(name)
        if draft is None:
            return
        self.drafts[name] = after(draft, event, record.at)
        if not isinstance(event, HandedOff) and self.drafts[name].state != draft.state:
            self.ends[name] = record

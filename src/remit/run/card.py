"""A question as a person must see it before answering: exactly what will happen, and where each value came from."""

from datetime import datetime
from typing import Literal

from remit.run.people import Said
from remit.value import Value

Source = Literal["contract", "organisation", "owner", "tool result", "person", "agent"]


class Shown(Value, frozen=True, kw_only=True):
    """One argument: its value as text, where it came from, and the place (`rule may-call-1`, `register recipients`, `Q3`, `R1:E2`)."""

    name: str
    value: str
    source: Source
    place: str = ""


class Why(Value, frozen=True, kw_only=True):
    """One rule that asks: its id, its words, the contract of the lineage it stands in (`organisation`, `the contract`, …)."""

    rule: str
    words: str
    contract: str
    because: str = ""


class Card(Value, frozen=True, kw_only=True):
    """Everything about one open or settled question. `recipient` and `amount` are empty where the action has none.

    `said` are the answers so far (`person: word`); `choices` what may be answered; `like` are open questions of this run that
    differ only in values; `on_no` and `on_silence` say what happens then.
    """

    run: str
    goal: str
    owner: str
    question: str
    about: str
    text: str
    asked: tuple[str, ...]
    quorum: int = 1
    said: tuple[str, ...] = ()
    choices: tuple[Said, ...] = ("yes", "no")
    what: str = ""
    recipient: str = ""
    amount: str = ""
    values: tuple[Shown, ...] = ()
    why: tuple[Why, ...] = ()
    preview: str = ""
    spend: tuple[tuple[str, str, str], ...] = ()
    on_no: str = ""
    on_silence: str = ""
    expires: datetime | None = None
    asked_at: datetime | None = None
    digest: str = ""
    like: tuple[str, ...] = ()
    settled: str = ""

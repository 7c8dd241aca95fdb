"""A question as a person must see it before answering: exactly what will happen, and where each value came from."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.address import address
from remit.contract.rule import Rule
from remit.errors import BadInput
from remit.run.asking import next_person, of
from remit.run.origin import Origins, Source
from remit.run.people import QuestionAsked, Said
from remit.run.state import Asked, Run
from remit.value import Value

__all__ = ["Card", "Shown", "Source", "Why", "card"]

RECIPIENT = ("to", "recipient", "recipients", "customer", "customer_id", "email", "address", "payee", "account", "channel")
AMOUNT = ("amount", "total", "price", "sum", "value")
CHOICES: Mapping[str, tuple[Said, ...]] = {"doubt": ("happened", "redo", "abandon")}


class Shown(Value, frozen=True, kw_only=True):
    """One argument: its value as text, where it came from, and the place (`rule may-call-1`, `register recipients`, `Q3`)."""

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


def card(run: Run, question: str) -> Card:
    """The card of this question as the run stands now. Raises BadInput when the run has no such question."""
    asked = run.questions.get(question)
    if asked is None:
        raise BadInput(f"run `{run.id}` has no question `{question}`")
    now, action = asked.question, asked.question.action
    return Card(
        run=run.id, goal=run.contract.goal, owner=run.owner, question=question, about=now.about, text=now.text, asked=now.of,
        quorum=now.quorum, said=tuple(_said(asked)), choices=_choices(now), what=action.said() if action else "",
        recipient=recipient(action), amount=amount(action), values=tuple(_values(run, action)),
        why=tuple(_why(run, reason) for reason in now.reasons if reason.code is not Code.NEUTRAL), preview=now.preview,
        spend=tuple(_spend(run)), on_no=_on_no(now), on_silence=_on_silence(run, asked), expires=now.expires, asked_at=asked.at,
        digest=now.digest, like=tuple(_like(run, now)), settled=_settled(asked),
    )  # fmt: skip


def _said(asked: Asked) -> Iterator[str]:
    void = len(asked.answers) - len(asked.counting)
    for at, answer in enumerate(asked.answers):
        yield f"{answer.person}: {answer.answer}" + (" (of what it was before)" if at < void else "")


def _choices(question: QuestionAsked) -> tuple[Said, ...]:
    if question.options:
        return question.options
    if question.about == "action" and question.action is not None and question.action.verb == "call":
        return ("yes", "no", "modify")
    return CHOICES.get(question.about, ("yes", "no"))


def _settled(asked: Asked) -> str:
    return "expired" if asked.expired and asked.said == "no" and asked.answer is None else asked.said


def recipient(action: Action | None) -> str:
    """Whom it reaches, by the usual names; of a push or publication, where it goes."""
    if action is None:
        return ""
    if action.verb in ("push", "publish") and isinstance(action.object, str):
        return action.object
    return next((_text(action.arguments[name]) for name in RECIPIENT if name in action.arguments), "")


def amount(action: Action | None) -> str:
    """How much, by the usual names, with its currency where there is one."""
    if action is None:
        return ""
    arguments = action.arguments
    much = next((_text(arguments[name]) for name in AMOUNT if name in arguments), "")
    return f"{much} {_text(arguments['currency'])}" if much and "currency" in arguments else much


def _values(run: Run, action: Action | None) -> Iterator[Shown]:
    if action is None:
        return
    origins = Origins(run, action)
    for name, value in action.arguments.items():
        source, place = origins.of(name, value)
        yield Shown(name=name, value=_text(value), source=source, place=place)


_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _ENCODER.encode(value).decode()


def _why(run: Run, reason: Reason) -> Why:
    """The rule in its contract; whose contract it is, as far as this run knows."""
    assert run.started is not None
    organisation = run.started.organisation
    if reason.contract == run.contract.hash():
        return _with_rule(reason, run.contract.rules, "the contract")
    if reason.contract == address(organisation):
        return _with_rule(reason, organisation.rules, organisation.name)
    for answer in run.conditions:
        if any(rule.id == reason.rule for rule in answer.rules):
            return _with_rule(reason, answer.rules, f"the condition of {answer.person}")
    return _with_rule(reason, (), "a contract above")


def _with_rule(reason: Reason, rules: tuple[Rule, ...], contract: str) -> Why:
    because = next((rule.because for rule in rules if rule.id == reason.rule), "")
    because = "" if because in reason.why else because  # the words of a rule that asks end with it already
    return Why(rule=reason.rule or "", words=reason.why, contract=contract, because=because)


def _spend(run: Run) -> Iterator[tuple[str, str, str]]:
    """Every limit the contract sets: its name, what is used, how much there is."""
    limits, used = run.limits, run.spend
    for name in ("turns", "calls", "tokens"):
        most = getattr(limits, name)
        if most is not None:
            yield name, str(getattr(used, name)), str(most)
    if limits.usd is not None:
        yield "usd", f"{used.usd / 1_000_000:.2f}", f"{limits.usd / 1_000_000:.2f}"
    if limits.time is not None:
        yield "time", f"{used.time:.0f} s", f"{limits.time} s"


def _on_no(question: QuestionAsked) -> str:
    match question.about:
        case "action" if question.draft:
            return "the draft is withdrawn and nothing goes out; exactly this is not asked again"
        case "action":
            return "it is refused; exactly this is not asked again"
        case "change":
            return "what is asked about is left out of what is published"
        case "recovery":
            return "the work is not tried again; the next rung of the recovery holds"
        case "publish":
            return "what was made is dropped, and nothing is published"
        case "doubt":
            return "given up, it is never tried again; what really happened stays unknown"
        case "context":
            return "the agent goes on without knowing it"
        case "step" if not question.options:
            return "the step counts as failed, and its owner is asked what is to be done"
        case "step":
            return "the chain ends; nothing of it is published"
        case "gaps":
            return "the chain ends with its gaps; nothing of it is published"


def _on_silence(run: Run, asked: Asked) -> str:
    """What happens when nobody says anything, and when."""
    question = asked.question
    if question.about == "doubt":
        return "it waits, and nothing is tried again until somebody knows"
    if question.about == "context":
        return "the agent goes on without knowing it"
    if question.expires is None:
        return "it waits: nothing happens until somebody answers"
    when = f"at {question.expires:%Y-%m-%d %H:%M} UTC"
    to = next_person(run.contract, asked)
    if to:
        return f"{when} {to} is asked as well"
    rung = of(run.contract, question)
    otherwise = question.otherwise or (rung.otherwise if rung is not None else "refuse")
    return f"{when} the run is stopped" if otherwise == "stop" else f"{when} it is refused"


def _like(run: Run, question: QuestionAsked) -> Iterator[str]:
    """Other open questions that differ in values alone: the same act, asked by the same rules, of the same people."""
    wanted = _kind(question)
    if question.action is None:
        return
    yield from (other.question for other in run.open_questions if other.question != question.question and _kind(other) == wanted)


def _kind(question: QuestionAsked) -> tuple[object, ...]:
    rules = tuple(sorted({reason.rule or "" for reason in question.reasons}))
    action = question.action
    return question.about, action.verb if action else "", action.object if action else "", rules, question.of

"""Putting questions before people: who is asked, for how long, with what attached, and who is told."""

from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.decision import Ask, Code, Reason, Refuse
from remit.contract.outcome import Escalation
from remit.engine.telling import people, told
from remit.ports import Clock, Transaction
from remit.run.asking import deadline, escalation
from remit.run.card import amount, recipient
from remit.run.event import QuestionAsked
from remit.run.state import Asked, Run

MOST_OPEN = 10
"""questions that one run may have before people at once: an agent must not bury them (OWN-14)"""

MOST_DENIED = 3
"""times that people say no to what differs only in values; from then on nobody is asked about it any more"""
MOST_SAID = 80
"""characters of a value in the text of a question; the card shows all of it"""


def unattached(run: Run, action: Action) -> tuple[str, ...]:
    """The arguments that must come with a question about this and are not there (APP-03)."""
    rung = escalation(run.contract, str(action.object), action.verb)
    if rung is None or action.verb != "call":
        return ()
    return tuple(name for name in rung.attach if action.arguments.get(name) in (None, "", [], {}))


def incomplete(missing: tuple[str, ...], contract: str) -> Refuse:
    """The refusal of a question that lacks what those who are asked must know."""
    named = ", ".join(f"`{name}`" for name in missing)
    why = f"nobody can be asked about this without {named}"
    return Refuse(reasons=(Reason(code=Code.INPUTS, rule=None, contract=contract, why=why, instead=f"give {named}"),))


def put(
    transaction: Transaction, clock: Clock, run: Run, action: Action, decision: Ask, *, about: str, draft: str = "",
    preview: str = "",
) -> list[QuestionAsked] | None:  # fmt: skip
    """Put an `Ask` before its people, one question each; what was newly asked.

    None when everybody has answered and it is still not allowed, or when too much is open already: it is refused then.
    An approval that was used is used up, so the same action may be asked for again. A draft has questions of its own.
    """
    digest = action.digest()
    mine = [each for each in run.questions.values() if _same(each, digest, draft) and not each.used]
    why = {reason.token for reason in decision.reasons}
    meant = [
        each for each in mine if each.question.digest == digest and why <= {reason.token for reason in each.question.reasons}
    ]
    known = {person for each in meant for person in (each.asked, *each.question.of)}
    wanted = dict.fromkeys(run.owner if person == "owner" else person for person in decision.of)
    asking = [
        replace(_question(clock, run, action, decision, person, about), draft=draft, preview=preview)
        for person in wanted
        if person not in known
    ]
    denied = sum(_like(each.question, new) for new in asking[:1] for each in run.questions.values() if each.said == "no")
    if len(run.open_questions) + len(asking) > MOST_OPEN or denied >= MOST_DENIED:
        return None
    like = [any(_like(each, other) for other in run.open_questions) for each in asking]
    new = [replace(each, question=f"Q{len(run.questions) + at}") for at, each in enumerate(asking, 1)]
    for each, quietly in zip(new, like, strict=True):
        transaction.append(each)
        tell(transaction, run, each, quietly=quietly)
    return new if new or any(not each.said for each in meant) else None


def tell(transaction: Transaction, run: Run, asked: QuestionAsked, *, quietly: bool = False) -> None:
    """Word to whom it asks, and to whom the contract pages about it."""
    rung = escalation(run.contract, str(asked.action.object), asked.action.verb) if asked.action else None
    for who in dict.fromkeys((*asked.of, *((rung.page,) if rung else ()))):
        for row in told(run, who, f"{asked.question}: {asked.text}", question=asked.question, quietly=quietly):
            transaction.append(row)


def _same(asked: Asked, digest: str, draft: str) -> bool:
    if asked.question.draft or draft:
        return asked.question.draft == draft and asked.question.about == "action"
    return asked.question.digest == digest


def _like(asked: QuestionAsked, other: QuestionAsked) -> bool:
    """Whether they differ only in values: one page is enough for both (OWN-14)."""
    if asked.action is None or other.action is None:
        return False
    rules = [{reason.rule for reason in each.reasons} for each in (asked, other)]
    same = (asked.action.verb, asked.action.object) == (other.action.verb, other.action.object)
    return same and rules[0] == rules[1] and asked.of == other.of


def _question(clock: Clock, run: Run, action: Action, decision: Ask, person: str, about: str) -> QuestionAsked:
    rung: Escalation | None = escalation(run.contract, str(action.object), action.verb)
    text = wording(action)
    quorum = decision.quorum.get(person, decision.quorum.get("owner", 1) if person == run.owner else 1)
    return QuestionAsked(
        run=run.id, question="", about="change" if about == "change" else "action", text=text,
        of=_behind(run, person), quorum=quorum,
        action=action, digest=action.digest(), contract=decision.reasons[0].contract, reasons=decision.reasons,
        expires=deadline(rung, clock.now()), otherwise=rung.otherwise if rung else "",
    )  # fmt: skip


def _brief(action: Action) -> str:
    """How much, and to whom, so that a list of questions can be told apart; what the arguments lack is left out."""
    said = [readable(text) for text in (amount(action), recipient(action)) if text] if action.verb == "call" else []
    cut = " to ".join(text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…" for text in said)
    return f": {cut}" if cut else ""


def readable(text: str) -> str:
    """Text of an agent's on one line: what is not printable is shown as what it is."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def wording(action: Action) -> str:
    """The question in one line."""
    return f"May the agent {action.said()}{_brief(action)}?"


def _behind(run: Run, person: str) -> tuple[str, ...]:
    """Who is asked: where four eyes bar the only one who could answer, whoever stands in for them is asked as well."""
    assert run.started is not None
    known, barred = run.started.organisation, run.started.requester
    if not known.four_eyes or people(known, person) != (barred,):
        return (person,)
    one = next((each for each in known.people if each.id == barred), None)
    others = (*one.substitutes, *((one.answers_to,) if one.answers_to else ())) if one is not None else ()
    return (person, *others)

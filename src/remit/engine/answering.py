"""Whether an answer counts: whose it is, what exactly it says, and whether this person may say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decide import decide
from remit.authority.decision import Allow, Ask, Code, Decision
from remit.authority.signing import may_answer, objection
from remit.authority.spent import Spent
from remit.contract.parse import parse_organisation
from remit.contract.party import ASSURANCES, Assurance, Organisation
from remit.contract.rule import Rule
from remit.engine.questions import wording
from remit.errors import BadInput
from remit.evidence.signature import verify_signature
from remit.run.event import QuestionAnswered, Said
from remit.run.state import Asked, Run
from remit.run.statement import ANSWER, answer_statement, by_digest, read_statement

YES: frozenset[Said] = frozenset({"yes", "modify", "redo"})
"""words that let something out of the house"""
SKEW = timedelta(minutes=5)
"""how far the clock of whoever signs may be off ours"""


@dataclass(frozen=True, kw_only=True)
class Given:
    """An answer as it was given. `changed`, its `preview` and `rules` belong to `modify`, `receipt` to a doubt."""

    question: str
    said: Said
    person: str
    assurance: Assurance
    statement: str = ""
    signature: str = ""
    key: str = ""
    note: str = ""
    changed: Action | None = None
    preview: str = ""
    rules: tuple[Rule, ...] = ()
    receipt: str = ""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why an answer does not count. `beyond`: this person was rightly asked, and it is more than they may sign."""

    code: Code
    why: str
    beyond: bool = False


def choices(asked: Asked) -> tuple[Said, ...]:
    """What may be said to it."""
    if asked.question.options:
        return asked.question.options
    if asked.question.about == "doubt":
        return ("happened", "redo", "abandon")
    action = asked.question.action
    return ("yes", "no", "modify") if asked.question.draft and action is not None and action.verb == "call" else ("yes", "no")


def becoming(asked: Asked, arguments: Mapping[str, Any] | None) -> Action | None:
    """The action with these arguments changed; null takes one away. Raises BadInput for one it does not have."""
    action = asked.question.action
    if arguments is None or action is None:
        return None
    return replace(action, arguments={k: v for k, v in {**action.arguments, **arguments}.items() if v is not None})


def conditions(text: str) -> tuple[Rule, ...]:
    """`never:` and `ask:` rules that bind the rest of the run. Raises BadInput with every mistake in them."""
    if not text.strip():
        return ()
    parsed = parse_organisation(text, file="conditions")
    wrong = [
        f"{each.mark}: {each.message}" if each.mark else each.message for each in parsed.findings if each.severity == "error"
    ]
    if wrong or parsed.organisation is None:
        raise BadInput("the conditions cannot be read: " + "; ".join(wrong), hint="write `never:` or `ask:` with a list of rules")
    known = parsed.organisation
    if msgspec.structs.replace(known, rules=()) != Organisation() or any(rule.effect == "may" for rule in known.rules):
        raise BadInput("a condition can only narrow", hint="write nothing but `never:` and `ask:` rules")
    return known.rules


def statement(run: Run, asked: Asked, given: Given, at: str) -> str:
    """The text this person signs."""
    becomes = given.changed.digest() if given.changed is not None else ""
    return answer_statement(
        run.id, given.question, given.said, given.person, asked.question.digest, run.contract.hash(), at,
        assurance=given.assurance, note=given.note, becomes=becomes, conditions=by_digest(given.rules),
        receipt=by_digest(given.receipt),
    )  # fmt: skip


def fact(run: Run, given: Given) -> QuestionAnswered:
    """The answer as it is recorded."""
    return QuestionAnswered(
        run=run.id, question=given.question, answer=given.said, person=given.person, roles=roles(organisation(run), given.person),
        assurance=given.assurance, statement=given.statement, signature=given.signature, key=given.key, note=given.note,
        action=given.changed, digest=given.changed.digest() if given.changed else "", rules=given.rules, receipt=given.receipt,
        text=wording(given.changed) if given.changed else "", preview=given.preview,
    )  # fmt: skip


def organisation(run: Run) -> Organisation:
    """The organisation as it was when the run began."""
    assert run.started is not None
    return run.started.organisation


def roles(known: Organisation, person: str) -> tuple[str, ...]:
    """What a person is in the organisation."""
    return next((each.roles for each in known.people if each.id == person), ())


def knows(known: Organisation, person: str, key: str, assurance: Assurance = "person-signed") -> bool:
    """Whether the organisation lists this key for this person, or for an inbox that attests who is signed in."""
    keys = next((each.keys for each in known.people if each.id == person), ())
    if assurance == "session" and any(each.id == person for each in known.people):
        keys = (*keys, *known.inbox_keys)
    return key.split()[:2] in [each.split()[:2] for each in keys]


def authentic(run: Run, asked: Asked, given: Given, now_known: Organisation | None, now: datetime) -> Objection | None:
    """Whether it is this person's answer, to this question, and was given between its asking and now."""
    if given.assurance == "scripted" and not given.signature:
        return None if _unsigned(run, asked) else _insufficient(given)
    known = organisation(run)
    if not knows(known, given.person, given.key, given.assurance):
        why = f"the organisation of this run knows another key for {given.person}, or none"
        return Objection(code=Code.AUTHORITY, why=why)
    if now_known is not None and now_known.people and not knows(now_known, given.person, given.key, given.assurance):
        return Objection(code=Code.AUTHORITY, why=f"the key of {given.person} has been taken out of the organisation file")
    if not verify_signature(given.key, given.statement.encode(), given.signature, ANSWER):
        return Objection(code=Code.INPUTS, why="the signature does not cover this statement")
    if any(each.statement == given.statement for every in run.questions.values() for each in every.answers):
        return Objection(code=Code.APPROVAL, why="this very answer has been given already; an answer counts once")
    said = read_statement(given.statement)
    wanted = read_statement(statement(run, asked, given, said.get("at", "")))
    if wrong := sorted(name for name in {*wanted, *said} if said.get(name) != wanted.get(name)):
        return Objection(code=Code.INPUTS, why=f"the statement is about something else: {', '.join(wrong)}")
    if not _when(asked, said.get("at", ""), now):
        return Objection(code=Code.INPUTS, why="the statement was not signed between the asking of the question and now")
    return None


def _unsigned(run: Run, asked: Asked) -> bool:
    """Whether an answer to it need not be signed: in test mode, or where it decides about no effect."""
    return organisation(run).assurance == "scripted" or asked.question.about not in ("action", "doubt")


def _insufficient(given: Given) -> Objection:
    return Objection(code=Code.AUTHORITY, why=f"an answer by `{given.assurance}` does not suffice for this")


def _when(asked: Asked, at: str, now: datetime) -> bool:
    """Whether this is a moment at which the question could be answered, by a clock that is nearly right."""
    try:
        moment = datetime.fromisoformat(at)
        return moment.tzinfo is not None and (asked.at is None or asked.at - SKEW <= moment) and moment <= now + SKEW
    except (ValueError, OverflowError):
        return False


def stands(run: Run, asked: Asked) -> bool:
    """Whether the answers on record are still what these people signed: they are about to let something out of the house."""
    return all(_signed(run, asked, each) for each in asked.counting)


def _signed(run: Run, asked: Asked, answer: QuestionAnswered) -> bool:
    if answer.assurance == "scripted" and not answer.signature:
        return _unsigned(run, asked)
    if not knows(organisation(run), answer.person, answer.key, answer.assurance):
        return False
    said = read_statement(answer.statement)
    wanted = {
        "run": run.id, "question": asked.question.question, "answer": answer.answer, "person": answer.person,
        "becomes" if answer.digest else "action": asked.question.digest, "contract": run.contract.hash(),
        "assurance": answer.assurance, "note": by_digest(answer.note), "conditions": by_digest(answer.rules),
        "receipt": by_digest(answer.receipt),
    }  # fmt: skip
    same = all(said.get(name, "") == value for name, value in wanted.items())
    return same and verify_signature(answer.key, answer.statement.encode(), answer.signature, ANSWER)


def timely(run: Run, asked: Asked, given: Given, now: Any) -> Objection | None:
    """Whether there is still something to answer."""
    question = asked.question
    if asked.said and not asked.expired:
        last = asked.answers[-1]
        return Objection(code=Code.APPROVAL, why=f"`{given.question}` was answered `{last.answer}` by {last.person} already")
    if asked.expired or (question.expires is not None and question.expires <= now):
        return Objection(code=Code.APPROVAL, why=f"the time to answer `{given.question}` is over")
    if (run.stop or run.undone) and question.about != "doubt":
        return Objection(code=Code.STOPPED, why=f"run `{run.id}` has been ended, so an answer would change nothing")
    if question not in run.open_questions:
        return Objection(code=Code.STOPPED, why=f"what `{given.question}` is about has ended, so an answer would change nothing")
    if any(each.person == given.person for each in asked.counting) and given.said != "no":
        return Objection(code=Code.APPROVAL, why=f"{given.person} has answered already, and another person is needed too")
    other = next((each.person for each in asked.counting if _same_key(each, given)), "")
    if other and given.said != "no":
        return Objection(code=Code.APPROVAL, why=f"this key has answered as {other} already, and another person is needed too")
    return None


def _same_key(answer: QuestionAnswered, given: Given) -> bool:
    """Whether one key speaks for two people; an inbox does, for whoever is signed in."""
    return bool(given.key) and given.assurance != "session" and answer.key.split()[:2] == given.key.split()[:2]


def addressed(run: Run, asked: Asked, given: Given, lineage: Sequence[Authority]) -> Objection | None:
    """Whether it asks this person, or whoever they stand in for."""
    question, held = asked.question, roles(organisation(run), given.person)
    about = question.action if question.about == "action" else None
    may = any(may_answer(who, given.person, lineage[-1], about, owner=run.owner, roles=held) for who in question.of)
    if may or {given.person, *held} & set(question.of):
        return None
    return Objection(code=Code.AUTHORITY, why=f"`{given.question}` asks {', '.join(question.of)}, not {given.person}")


def authorised(run: Run, asked: Asked, given: Given, lineage: Sequence[Authority], spent: Spent, now: Any) -> Objection | None:
    """Whether this person may say this."""
    question, held = asked.question, roles(organisation(run), given.person)
    if question.about == "doubt" and ASSURANCES.index(given.assurance) < ASSURANCES.index(organisation(run).assurance):
        return _insufficient(given)
    named = bool(question.digest) or question.about == "doubt"
    if given.said not in YES or not named or question.action is None:
        return None
    assert run.started is not None
    decision = decide(lineage, question.action, spent=spent, now=now, requester=run.started.requester)
    if given.said == "redo" and isinstance(decision, Allow):
        return None  # what needs nobody's yes may be done again without one
    who = _asked_now(run, asked, decision)
    found = objection(
        lineage, given.changed or question.action, given.person, who, assurance=given.assurance, owner=run.owner, roles=held,
        requester=run.started.requester, spent=spent, now=cast(Any, now),
    )  # fmt: skip
    return Objection(code=found.code, why=found.why, beyond=True) if found is not None else None


def _asked_now(run: Run, asked: Asked, found: Decision) -> str:
    """Whose yes it wants now: an outcome that changed hands takes the questions to its owner along (OWN-04)."""
    names = {run.owner if name == "owner" else name for name in found.of} if isinstance(found, Ask) else {asked.asked}
    return asked.asked if asked.asked in names or run.owner not in names else run.owner

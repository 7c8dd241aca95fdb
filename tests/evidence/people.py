"""Runs with people in them: a refund that was asked, changed, doubted, confirmed; answers with real signatures."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.condition import Equals, Range, Scalar
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.party import Organisation, Person
from remit.contract.rule import Rule, Where
from remit.evidence.signature import armour, public_text, signed_part
from remit.run import event as e
from remit.run.statement import (
    ACCEPTANCE,
    ANSWER,
    OWNERSHIP,
    acceptance_statement,
    answer_statement,
    ownership_statement,
)
from remit.testing.clock import JumpingClock
from remit.value import digest

OWNER, LEAD, NEXT = "owner@example.com", "lead@example.com", "next@example.com"
KEYS = {person: Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at, person in enumerate((OWNER, LEAD, NEXT), 1)}
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
RUN = "r1"
KEY = "R1:E1"


def public(key: Ed25519PrivateKey) -> str:
    return public_text(key.public_key().public_bytes_raw())


def signed(statement: str, space: str, key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    signature = armour(raw, key.sign(signed_part(statement.encode(), space)), space)
    return {"statement": statement, "signature": signature, "key": public(key)}


ORGANISATION = Organisation(people=tuple(Person(id=person, keys=(public(key),)) for person, key in KEYS.items()))
LARGE = Rule(
    id="large", effect="ask", verb="call", objects=("refund",), who=LEAD,
    where=(
        Where(argument="amount", condition=Range(low="50", high="500", over=True)),
        Where(argument="currency", condition=Equals(value=Scalar(type="text", text="EUR"))),
    ),
)  # fmt: skip
CONTRACT = Contract(
    goal="Answer the customers of July",
    owner=OWNER,
    rules=(
        LARGE,
        Rule(id="replies", effect="may", verb="write", objects=("replies/**",)),
        Rule(id="mail", effect="ask", verb="call", objects=("send_email",)),
    ),
    limits=Limits(time=600, turns=10),
    success=(),
    recovery=(),
)
HASH = CONTRACT.hash()
WHY = Reason(code=Code.APPROVAL, rule="large", contract=HASH, why="more than 50")


def refund(amount: str = "60.00", **more: Any) -> Action:
    return Action(
        verb="call", object="refund", arguments={"amount": Decimal(amount), "currency": "EUR", "customer": "c-1", **more}
    )


def started(run: str = RUN, **more: Any) -> e.Started:
    return e.Started(
        **{
            "run": run, "contract": CONTRACT, "organisation": ORGANISATION, "workspace": "/w", "command": ("true",), "trigger": "t",
            "hosted": True, **more,
        }
    )  # fmt: skip


def drafted(action: Action | None = None, key: str = KEY, run: str = RUN) -> e.Drafted:
    act = action or refund()
    return e.Drafted(run=run, key=key, action=act, digest=act.digest(), effect="execute", preview="pays 60.00 EUR to c-1")


def asked(name: str = "Q1", action: Action | None = None, run: str = RUN, draft: str = KEY, **more: Any) -> e.QuestionAsked:
    act = action or refund()
    return e.QuestionAsked(
        **{
            "run": run, "question": name, "about": "action", "text": "May the agent call refund?", "of": (LEAD,), "action": act,
            "digest": act.digest(), "contract": HASH, "reasons": (WHY,), "draft": draft, **more,
        }
    )  # fmt: skip


def answered(
    said: str = "yes", name: str = "Q1", *, person: str = LEAD, about: str = "", becomes: Action | None = None,
    rules: tuple[Rule, ...] = (), receipt: str = "", note: str = "", run: str = RUN, key: Ed25519PrivateKey | None = None,
    **more: Any,
) -> e.QuestionAnswered:  # fmt: skip
    text = answer_statement(
        run, name, said, person, about or refund().digest(), HASH, "t", assurance="person-signed", note=note,
        becomes=becomes.digest() if becomes else "", conditions=digest(rules) if rules else "",
        receipt=digest(receipt) if receipt else "",
    )  # fmt: skip
    return e.QuestionAnswered(
        **{
            "run": run, "question": name, "answer": said, "person": person, "assurance": "person-signed", "action": becomes,
            "digest": becomes.digest() if becomes else "", "rules": rules, "receipt": receipt, "note": note,
            **signed(text, ANSWER, key or KEYS[person]), **more,
        }
    )  # fmt: skip


def rejected(person: str = LEAD, key: Ed25519PrivateKey | None = None, **more: Any) -> e.AnswerRejected:
    text = answer_statement(RUN, "Q1", "yes", person, refund().digest(), HASH, "t", assurance="person-signed")
    return e.AnswerRejected(
        run=RUN, question="Q1", answer="yes", person=person, code=Code.AUTHORITY, why="this is beyond what they may sign",
        assurance="person-signed", **{**signed(text, ANSWER, key or KEYS[LEAD]), **more},
    )  # fmt: skip


def offered(by: str = OWNER, to: str = NEXT, **more: Any) -> e.OwnershipOffered:
    text = ownership_statement(RUN, "offered", by, to, HASH, "t", assurance="terminal", note=more.get("note", ""))
    return e.OwnershipOffered(run=RUN, by=by, to=to, assurance="terminal", **{**signed(text, OWNERSHIP, KEYS[by]), **more})


def took(person: str = NEXT, accepted: bool = True, note: str = "", **more: Any) -> e.OwnershipAnswered:
    word = "accepted" if accepted else "declined"
    text = ownership_statement(RUN, word, person, person, HASH, "t", assurance="terminal", note=note)
    return e.OwnershipAnswered(
        run=RUN, person=person, accepted=accepted, assurance="terminal", note=note,
        **{**signed(text, OWNERSHIP, KEYS[person]), **more},
    )  # fmt: skip


def accepted(person: str = OWNER, *, sealed: str = "", note: str = "") -> e.Accepted:
    text = acceptance_statement(RUN, "accepted", person, HASH, sealed, "t", assurance="terminal", note=note)
    return e.Accepted(
        run=RUN, acceptance="accepted", person=person, assurance="terminal", note=note, **signed(text, ACCEPTANCE, KEYS[person])
    )


def worked(sealed: str, attempt: int = 1) -> e.WorkDone:
    return e.WorkDone(run=RUN, attempt=attempt, status=0, why="ended", sealed=sealed, receipt="")


def handed(who: str = LEAD) -> e.HandedOff:
    return e.HandedOff(run=RUN, key=KEY, transition="suggestion to decision", responsible=(who,), by="approved in Q1")


def begun(action: Action | None = None, run: str = RUN, key: str = KEY) -> e.Intended:
    return e.Intended(run=run, key=key, action=action or refund())


def recorded(*events: e.Event, step: float = 1.0) -> list[e.Recorded]:
    clock = JumpingClock(tick=step)
    return [
        e.Recorded(seq=seq, at=clock.now() + timedelta(0), run=event.run, kind=type(event).__struct_config__.tag or "", event=event)
        for seq, event in enumerate(events)
    ]  # fmt: skip

"""A recorded run to ask about: one refused push, one approved refund, one published file."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.adapters.ledgers.sqlite import open_ledger
from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.party import Organisation, Person
from remit.contract.rule import Rule
from remit.evidence.signature import armour, public_text, signed_part
from remit.ports import Clock
from remit.run.event import (
    Blocked,
    BoundarySet,
    Charged,
    Decided,
    Effected,
    Event,
    Intended,
    Notified,
    Published,
    QuestionAnswered,
    QuestionAsked,
    Started,
    VerdictReached,
)  # fmt: skip
from remit.run.statement import ANSWER, answer_statement
from remit.testing.clock import JumpingClock

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = KEY.public_key().public_bytes_raw()
OWNER, LEAD = "release-lead@example.com", "support-lead@example.com"
CONTRACT = Contract(
    goal="Answer the customer",
    owner=OWNER,
    rules=(
        Rule(id="may-write-1", effect="may", verb="write", objects=("docs/**",)),
        Rule(id="ask-call-1", effect="ask", verb="call", objects=("refund",)),
        Rule(id="never-push-1", effect="never", verb="push", objects=("any",), because="the release job pushes"),
    ),
    limits=Limits(time=60, calls=5),
    success=(),
    recovery=(),
)
HASH = CONTRACT.hash()
PEOPLE = Organisation(people=(Person(id=LEAD, keys=(public_text(RAW, "the lead"),)),))
REFUND = Action(verb="call", object="refund", arguments={"amount": Decimal("50.01")})
PUSH = Action(verb="push", object="origin\nforged: row")


def started(run: str) -> Event:
    return Started(
        run=run, contract=CONTRACT, organisation=PEOPLE, workspace="/w", command=("python", "agent.py"), trigger="by hand"
    )


def answered(run: str, said: Literal["yes", "no"], digest: str) -> QuestionAnswered:
    """The lead's answer, signed with the lead's key."""
    statement = answer_statement(run, "Q1", said, LEAD, digest, HASH, "2026-01-01", assurance="terminal")
    signature = armour(RAW, KEY.sign(signed_part(statement.encode(), ANSWER)), ANSWER)
    return QuestionAnswered(
        run=run, question="Q1", answer=said, person=LEAD, assurance="terminal", statement=statement, signature=signature,
        key=public_text(RAW),
    )  # fmt: skip


def story(run: str = "rone1", *, answer: str | None = "yes") -> list[Event]:
    """Everything up to the verdict; `answer` None leaves the question open."""
    ask = Reason(code=Code.APPROVAL, rule="ask-call-1", contract=HASH, why="over 50")
    never = Reason(code=Code.AUTHORITY, rule="never-push-1", contract=HASH, why="the release job pushes", instead="leave it")
    digest = REFUND.digest()
    events: list[Event] = [
        started(run),
        BoundarySet(run=run, attempt=1, level="L3", hidden=(".env",)),
        Decided(run=run, action=PUSH, digest=PUSH.digest(), decision="refuse", reasons=(never,), at_door="door"),
        Blocked(run=run, what="connect", object="example.com:443", by="the box"),
        Decided(run=run, action=REFUND, digest=digest, decision="ask", reasons=(ask,), at_door="door", of=(LEAD,)),
        QuestionAsked(
            run=run, question="Q1", about="action", text="May the agent call refund?", of=(LEAD,), action=REFUND, digest=digest,
            contract=HASH, reasons=(ask,),
        ),
        Notified(run=run, who=LEAD, how="inbox", what="Q1: May the agent call refund?"),
    ]  # fmt: skip
    if answer is not None:
        events.append(answered(run, "yes" if answer == "yes" else "no", digest))
    if answer == "yes":
        said = Reason(code=Code.APPROVED, rule="ask-call-1", contract=HASH, why=f"approved by {LEAD}")
        events += [
            Decided(run=run, action=REFUND, digest=digest, decision="allow", reasons=(said,), at_door="door", key="k1"),
            Intended(run=run, key="k1", action=REFUND),
            Effected(run=run, key="k1", ok=True, receipt="refund-77"),
        ]
    events += [
        Charged(run=run, spend=Spend(calls=1), what="call"),
        VerdictReached(run=run, verdict="success" if answer == "yes" else "refused"),
    ]
    if answer == "yes":
        events.append(Published(run=run, attempt=1, paths=("docs/a.md",), refs=(), receipt="journal 1"))
    return events


def record(home: Path, *events: Event, clock: Clock | None = None) -> None:
    """Write the events, one commit each."""
    ledger = open_ledger(home, clock=clock or JumpingClock(tick=1.0))

    async def main() -> None:
        for event in events:
            async with ledger.transaction() as transaction:
                transaction.append(event)

    anyio.run(main)
    ledger.close()

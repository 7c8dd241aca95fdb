"""A run with an organisation, a tool that pays and one that mails, to ask people about."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from test_lifecycle import RUN, START, Story

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.condition import Anything, Equals, Known, OneOf, Range, Scalar
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import Escalation, FileCheck
from remit.contract.party import Organisation, Person, Register, Tool
from remit.contract.rule import Rule, Where
from remit.run import event as e

OWNER, LEAD, FINANCE = "owner@example.com", "support-lead@example.com", "finance@example.com"


def text(value: str) -> Scalar:
    return Scalar(type="text", text=value)


ORGANISATION = Organisation(
    name="Example",
    people=(
        Person(id=OWNER, keys=("ssh-ed25519 AAAA",)),
        Person(id=LEAD, roles=("support-lead",), keys=("ssh-ed25519 BBBB",), contact="mail:lead-desk@example.com"),
        Person(id=FINANCE, keys=("ssh-ed25519 CCCC",)),
    ),
    registers=(Register(name="recipients", members=("customer@example.com",)), Register(name="regions", members=("EU",))),
    tools=(Tool(name="refund", effect="execute", tier="high-risk"), Tool(name="send_email", effect="send", tier="high-risk")),
    rules=(
        Rule(
            id="org-mail", effect="may", verb="call", objects=("send_email",),
            where=(Where(argument="to", condition=Known(register="recipients")), Where(argument="subject", condition=Anything())),
        ),
    ),
)  # fmt: skip
CONTRACT = Contract(
    goal="Give order ORD-2041 its money back",
    owner=OWNER,
    rules=(
        Rule(
            id="small", effect="may", verb="call", objects=("refund",),
            where=(
                Where(argument="amount", condition=Range(low="0.01", high="50")),
                Where(argument="currency", condition=Equals(value=text("EUR"))),
                Where(argument="tier", condition=OneOf(values=(text("standard"), text("vip")))),
            ),
        ),
        Rule(id="large", effect="ask", verb="call", objects=("refund",), who="support-lead", because="money is a person's"),
        Rule(id="elsewhere", effect="may", verb="call", objects=("credit",),
             where=(Where(argument="note", condition=Equals(value=text("goodwill"))),)),
    ),
    limits=Limits(time=600, turns=10, calls=5),
    success=(FileCheck(id="links", file="a", exists=True),),
    recovery=(),
    escalation=(
        Escalation(about="refund", page="support-lead", within=60, remind=20, then=(FINANCE,), attach=("order_id",)),
        Escalation(about="doubt", page=OWNER),
    ),
)  # fmt: skip
HASH = CONTRACT.hash()
WHY = Reason(code=Code.APPROVAL, rule="large", contract=HASH, why="a refund of more than 50")


def refund(**arguments: Any) -> Action:
    usual = {"amount": Decimal("60.00"), "currency": "EUR", "tier": "standard", "customer": "c-17", "order_id": "ORD-2041"}
    return Action(verb="call", object="refund", arguments={**usual, **arguments})


def begun(**more: Any) -> Story:
    story = Story()
    story.tell(
        e.Started(
            **{
                "run": RUN, "contract": CONTRACT, "organisation": ORGANISATION, "workspace": "/w", "command": ("true",),
                "trigger": "t", "hosted": True, **more,
            }
        )
    )  # fmt: skip
    story.tell(e.AttemptStarted(run=RUN, attempt=1))
    return story


def drafted(key: str, action: Action, **more: Any) -> e.Drafted:
    return e.Drafted(run=RUN, key=key, action=action, digest=action.digest(), effect="execute", preview="pays 60.00 EUR", **more)


def asked(name: str, action: Action, key: str = "", **more: Any) -> e.QuestionAsked:
    usual: dict[str, Any] = {
        "about": "action", "text": "May the agent call refund?", "of": (LEAD,), "contract": HASH, "reasons": (WHY,),
        "expires": START + timedelta(seconds=60), "otherwise": "refuse",
    }  # fmt: skip
    return e.QuestionAsked(
        run=RUN, question=name, action=action, digest=action.digest(), draft=key, preview="pays 60.00 EUR", **{**usual, **more}
    )


def said(name: str, word: str, person: str = LEAD, **more: Any) -> e.QuestionAnswered:
    return e.QuestionAnswered(
        run=RUN, question=name, answer=word, person=person, assurance="terminal", statement="s", signature="g", key="k",  # type: ignore[arg-type]
        **more,
    )  # fmt: skip

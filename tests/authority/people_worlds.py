"""Organisations with stand-ins, signing limits and tiers, and contracts that ask them, for the laws about answers."""

from collections.abc import Sequence

from authority_worlds import EFFECTS, NOW, OWNER, TOOLS, contract, rule, rules
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority
from remit.authority.decide import decide
from remit.authority.decision import Decision
from remit.authority.spent import Spent
from remit.contract.condition import Anything, Range
from remit.contract.contract import Contract
from remit.contract.outcome import Escalation
from remit.contract.party import ASSURANCES, TIERS, Argument, Assurance, Organisation, Person, Tool
from remit.contract.rule import Rule

NAMES = ["a@example.com", "b@example.com", "c@example.com", OWNER]
ROLES = ["lead", "finance"]
WHO = [*NAMES[:2], *ROLES, OWNER, "owner"]
SIGNING = st.lists(
    st.sampled_from(
        [
            rule("may", "call", "any", id="s1"),
            rule("may", "call", "refund", id="s2", where={"amount": Range(low="0", high="50")}),
            rule("may", "write", "**", id="s3"),
            rule("may", "call", "mail", id="s4", where={"to": Anything()}),
        ]
    ),
    max_size=2,
    unique_by=lambda each: each.id,
).map(tuple)


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    """Also ones that no file could hold, with people who answer to one another in a circle."""
    names = draw(st.one_of(st.just(NAMES), st.just(NAMES), st.lists(st.sampled_from(NAMES), unique=True)))
    people = tuple(
        Person(
            id=name,
            roles=tuple(draw(st.sampled_from([ROLES, ROLES[:1], ROLES[1:], []]))),
            answers_to=draw(st.sampled_from([None, None, *NAMES, "stranger@example.com"])),
            substitutes=tuple(draw(st.lists(st.sampled_from([*NAMES, "stranger@example.com"]), max_size=2))),
            may_sign=draw(SIGNING) if draw(st.booleans()) else (),
            signs_tier=draw(st.sampled_from(["human-approved", "human-approved", *TIERS])),
        )
        for name in names
    )
    close = Argument(name="cc", irreversible=True)
    tools = tuple(
        Tool(name=name, tier=draw(st.sampled_from(TIERS)), effect=draw(st.sampled_from(["read", "execute", "send", "queue"])),
             arguments=(close, Argument(name="amount"), Argument(name="to")) if draw(st.booleans()) else ())
        for name in draw(st.lists(st.sampled_from(TOOLS), unique=True))
    )  # fmt: skip
    return Organisation(
        people=people,
        tools=tools,
        rules=tuple(draw(st.lists(asking(), max_size=1))),
        assurance=draw(st.sampled_from(ASSURANCES)),
        four_eyes=draw(st.booleans()),
    )


@st.composite
def asking(draw: st.DrawFn) -> Rule:
    """Wide questions more often than narrow ones: worlds that refuse everything prove nothing about answers."""
    wide = [rule("ask", "write", "**"), rule("ask", "read", "**"), rule("ask", "call", "any"), rule("ask", "call", "refund")]
    base = draw(st.one_of(*[st.sampled_from(wide)] * 3, rules(st.just("ask"))))
    number = draw(st.integers(0, 999))
    return replace(base, id=f"q{number}", who=draw(st.sampled_from([None, *WHO])), quorum=draw(st.sampled_from([1, 1, 1, 2])))


@st.composite
def asking_contracts(draw: st.DrawFn) -> Contract:
    asks = [replace(each, id=f"{each.id}-{at}") for at, each in enumerate(draw(st.lists(asking(), min_size=2, max_size=5)))]
    others = draw(st.lists(rules(EFFECTS), max_size=2, unique_by=lambda each: each.id))
    entries = st.builds(
        Escalation,
        about=st.sampled_from(["refund", "call", "write", "any"]),
        page=st.sampled_from(WHO),
        then=st.lists(st.sampled_from(WHO), max_size=1).map(tuple),
    )
    escalation = tuple(draw(st.lists(entries, max_size=1)))
    return contract(
        *asks, *others, owner=draw(st.sampled_from([OWNER, OWNER, OWNER, OWNER, NAMES[0], NAMES[0], ""])), escalation=escalation
    )


def yes(
    under: Sequence[Authority], action: Action, *people: str, assurance: Assurance = "person-signed", roles: tuple[str, ...] = ()
) -> list[Approval]:
    """A yes of each of these people, to every contract of the lineage."""
    return [
        Approval(action=action.digest(), contract=each.hash, person=person, assurance=assurance, roles=roles)
        for person in people
        for each in under
    ]


def ruled(
    under: Sequence[Authority], action: Action, approvals: Sequence[Approval] = (), *, requester: str = "", attended: bool = True
) -> Decision:
    return decide(under, action, spent=Spent(), approvals=approvals, now=NOW, requester=requester, attended=attended)

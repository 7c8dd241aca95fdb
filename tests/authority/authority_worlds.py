"""Short ways to write contracts and actions in tests, and the worlds hypothesis draws from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from remit.authority.action import Action
from remit.authority.compile import Authority, compile_contract, compile_organisation
from remit.authority.decide import decide
from remit.authority.decision import Decision, word
from remit.authority.spent import Spent
from remit.contract.condition import Anything, Condition, Contains, Equals, Length, Not, OneOf, Prefix, Range, Scalar
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.party import Organisation, Tool
from remit.contract.rule import Effect, Rule, Verb, Where

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OWNER = "release-lead@example.com"
NO_LIMITS = Limits()


def scalar(value: object) -> Scalar:
    if value is None:
        return Scalar(type="nothing", text="null")
    if isinstance(value, bool):
        return Scalar(type="truth", text=str(value).lower())
    return Scalar(type="number" if isinstance(value, int | Decimal) else "text", text=str(value))


def text(value: str) -> Equals:
    return Equals(value=scalar(value))


def rule(effect: Effect, verb: Verb, *objects: str, where: Mapping[str, Condition] | None = None, **more: Any) -> Rule:
    conditions = tuple(Where(argument=name, condition=condition) for name, condition in (where or {}).items())
    return Rule(
        id=more.pop("id", f"{effect}-{verb}-{'-'.join(objects)}"),
        effect=effect,
        verb=verb,
        objects=objects,
        where=conditions,
        **more,
    )


def contract(*rules: Rule, owner: str = OWNER, limits: Limits = NO_LIMITS, tools: tuple[Tool, ...] = (), **more: Any) -> Contract:
    return Contract(goal="g", owner=owner, rules=rules, limits=limits, success=(), recovery=(), tools=tools, **more)


def act(verb: Verb, object_: str | tuple[str, ...], /, **arguments: Any) -> Action:
    return Action(verb=verb, object=object_, arguments=arguments)


def lineage(*contracts: Contract, organisation: Organisation | None = None) -> tuple[Authority, ...]:
    ceiling = () if organisation is None else (compile_organisation(organisation),)
    return (*ceiling, *(compile_contract(each, organisation) for each in contracts))


def decided(authorities: tuple[Authority, ...], action: Action, **more: Any) -> Decision:
    return decide(authorities, action, spent=more.pop("spent", Spent()), now=more.pop("now", NOW), **more)


def said(authorities: tuple[Authority, ...], action: Action, **more: Any) -> str:
    return word(decided(authorities, action, **more))


def code(authorities: tuple[Authority, ...], action: Action, **more: Any) -> str:
    return decided(authorities, action, **more).reasons[0].code.value


# ------------------------------------------------------------------------------------------- worlds in which allow is common

PATHS = ["docs/a.md", "docs/b/c.md", "README.md", "src/a.py", "docs/.env", "docs/x.remit.yaml"]
GLOBS = ["**", "docs/**", "docs/*", "*.md", "**/*.md", "README.md", "src/?.py", "docs/b/**", "docs/.env", "**/*.remit.yaml"]
TOOLS = ["refund", "mail", "shop.order"]
NAMES = ["amount", "to", "cc"]
VALUES: list[Any] = [0, 1, 20, Decimal("20.5"), 50, Decimal("50.01"), -5, "a@example.com", "b", "", True, None, ["b"], []]
CONDITIONS: list[Condition] = [
    Anything(),
    Anything(),
    Range(low="0", high="50"),
    Range(low="20", high="60", over=True),
    text("b"),
    OneOf(values=(scalar("b"), scalar("a@example.com"))),
    Not(condition=text("b")),
    Prefix(text="a"),
    Contains(text="b"),
    Length(low=0, high=3),
    Not(condition=Range(low="0", high="20")),
]

EFFECTS: st.SearchStrategy[Effect] = st.sampled_from(["may", "may", "may", "may", "may", "ask", "never"])


MOSTLY = st.sampled_from([True] * 7 + [False])


@st.composite
def rules(draw: st.DrawFn, effects: st.SearchStrategy[Effect] = EFFECTS) -> Rule:
    """Wide `may` more often than anything else: a lineage of narrow ones refuses everything and proves nothing."""
    effect = draw(effects)
    if draw(st.booleans()):
        wide = GLOBS[:2] if effect == "may" and draw(MOSTLY) else GLOBS
        objects = draw(st.lists(st.sampled_from(wide), min_size=1, max_size=2, unique=True))
        return rule(effect, draw(st.sampled_from(["read", "write"])), *objects, id=f"r{draw(st.integers(0, 999))}")
    named = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    where = {name: draw(st.sampled_from(CONDITIONS)) for name in named}
    if effect == "may" and draw(MOSTLY):
        where = {name: Anything() for name in NAMES[: draw(st.integers(1, 3))]}
    return rule(effect, "call", draw(st.sampled_from([*TOOLS, "any"])), where=where, id=f"r{draw(st.integers(0, 999))}")


def contracts(effects: st.SearchStrategy[Effect] = EFFECTS) -> st.SearchStrategy[Contract]:
    return st.lists(rules(effects), min_size=1, max_size=6, unique_by=lambda each: each.id).map(lambda found: contract(*found))


@st.composite
def actions(draw: st.DrawFn) -> Action:
    if draw(st.booleans()):
        return act(draw(st.sampled_from(["read", "write"])), draw(st.sampled_from(PATHS)))
    named = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    return act("call", draw(st.sampled_from(TOOLS)), **{name: draw(st.sampled_from(VALUES)) for name in named})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.floats() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

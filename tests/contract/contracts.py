"""Arbitrary whole contracts, and the two of the design, for the tests of this chapter."""

import json
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from remit.contract import condition as c
from remit.contract.argv import join
from remit.contract.contract import LEVELS, Contract
from remit.contract.deliverable import Content, Deliverable, DeliverablesCheck, ObservedCheck
from remit.contract.limits import Count, Limits, Pace, Sum
from remit.contract.models import Model, ModelPrice
from remit.contract.outcome import DataCheck, Escalation, FileCheck, Recovery, RunCheck, TreeCheck
from remit.contract.party import TIERS, Argument, Tool
from remit.contract.rule import GIT_VERBS, Example, Rule, Where
from remit.contract.text import HIDDEN

RELEASE = """\
goal: Prepare this repository for the v2.4.0 release
owner: release-lead@example.com
may:
  - read: "**"
  - write: [docs/**, CHANGELOG.md]
  - commit: HEAD
never:
  - write: package.json
    because: the version is bumped by the release job
  - push: any
  - branch: any
limits: {turns: 40, time: 30m, usd: 2.00, tokens: 400k}
success:
  - id: changelog
    file: CHANGELOG.md
    matches: '^## \\[?v2\\.4\\.0'
  - id: links
    run: python tools/check_links.py docs
recovery:
  - when: links fails
    may: [{write: broken-links.md}]
    do: continue            # each broken link listed there is an exception the owner must accept
    listed in: broken-links.md
  - when: stuck
    do: ask owner
  - when: failed
    do: undo
"""

REFUND = """\
goal: Answer the open refund requests of today
owner: support-lead@example.com
may:
  - call: refund
    where: {amount: {from: 0.01, to: 50}, currency: EUR, customer_tier: standard, customer: any, order_id: any, reason: any}
  - call: send_email
    where: {to: {known: recipients}, subject: any, body: any}
ask:
  - call: refund
    where: {amount: {over: 50, to: 500}}
    who: support-lead
  - call: send_email
    where: {to: {not: {known: recipients}}}
    who: owner
limits:
  turns: 100
  time: 2h
  sums: [{sum: refund.amount, per: customer, within: 1h, to: 200, then: ask}]
success:
  - id: answered
    json: requests.json
    at: $.open
    equals: 0
recovery:
  - when: stuck
    do: ask owner
  - when: failed
    do: stop
escalation:
  - for: refund
    page: support-lead@example.com
    within: 2h
    attach: [order_id, reason]
    otherwise: refuse
"""

SUPPORT = """\
name: support
people:
  - id: support-lead@example.com
    roles: [support-lead]
    keys: [ssh-ed25519 AAAAC3Nza]
known:
  recipients: [customer@example.com, support@example.com]
"""

TRICKY = ["no", "yes", "on", "null", "~", "true", "5", "007", "1:30", "1e3", "0x1F", ".inf", "*", "**", "*.md", "& x", "!t", "a: b", "a #b",
          "- x", "?", "é\u0301", "ß·中", "any", "empty", "'q'", '"', "\\", "{x}", "[y]", ", z", "%", "@a", "`b`", "---", "...", "<<", "=", "a:",
          "line\nbreak", "tab\tin", "-5", "+.5", "0.10", "|", ">"]  # fmt: skip
ODD = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")).filter(lambda letter: not HIDDEN.match(letter))
TEXT = st.one_of(st.sampled_from(TRICKY), st.text(ODD, min_size=1, max_size=12)).filter(lambda text: bool(text.strip()))
LINE = TEXT.map(lambda text: " ".join(text.split())).filter(bool)
WORD = st.one_of(
    st.sampled_from(["refund", "send_email", "no", "true", "5", "-x", "--message=*", "*"]),
    st.text("abcxyz*?.-_ß", min_size=1, max_size=8),
)
PATH = (
    st.lists(st.sampled_from(["docs", "**", "*.md", "no", "5", "ü", "a b", "any", "-x", "~x"]), min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda path: not path.startswith("~"))
)
FILE = st.sampled_from(["CHANGELOG.md", "docs/a b.md", "no", "5", "ü"])
NUMBER = st.sampled_from(["0", "-1", "0.01", "50", "1.50", "+3", ".5", "2."])
SCALAR = st.one_of(
    TEXT.map(lambda text: c.Scalar(type="text", text=text)),
    NUMBER.map(lambda text: c.Scalar(type="number", text=text)),
    st.sampled_from([c.Scalar(type="truth", text="true"), c.Scalar(type="nothing", text="null")]),
)
SCALARS = st.lists(SCALAR, min_size=1, max_size=3).map(tuple)
LEAF_CONDITION = st.one_of(
    st.sampled_from(
        [
            c.Anything(),
            c.Empty(),
            c.Created(),
            c.Length(low=0, high=3),
            c.Range(low="0.01", high="50"),
            c.Range(low="-1", high="1.50", over=True),
        ]
    ),
    SCALAR.map(lambda value: c.Equals(value=value)),
    SCALARS.map(lambda values: c.OneOf(values=values)),
    SCALARS.map(lambda values: c.SubsetOf(values=values)),
    TEXT.map(lambda text: c.Contains(text=text)),
    TEXT.map(lambda text: c.Prefix(text=text)),
    PATH.map(lambda text: c.Glob(pattern=text)),
    TEXT.map(lambda text: c.Known(register=text)),
    st.sampled_from(
        [c.Regex(pattern=r"^\d+(a|b)*$"), c.Host(pattern="*.example.com:443"), c.Url(prefix="https://api.example.com/v1")]
    ),
)
CONDITION = st.one_of(LEAF_CONDITION, LEAF_CONDITION.map(lambda inner: c.Not(condition=inner)))
JSON = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-99, 99), TEXT), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4)  # fmt: skip
SECONDS = st.integers(1, 10_000_000)
PEOPLE = st.sampled_from(["owner", "support-lead@example.com", "no", "5"])


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


ASKED = st.one_of(
    st.just({}),
    PEOPLE.map(lambda who: {"who": who}),
    st.builds(lambda who, quorum: {"who": who, "quorum": quorum}, PEOPLE, st.integers(1, 9)),
)
ESCALATION = st.builds(
    Escalation,
    about=LINE,
    page=PEOPLE,
    within=st.one_of(st.none(), SECONDS.map(lambda seconds: seconds + 1)),
    attach=st.lists(LINE, max_size=2).map(tuple),
    otherwise=st.sampled_from(["refuse", "stop"]),
)


def further(entry: Escalation) -> st.SearchStrategy[Escalation]:
    """The same with reminders and next people, as far as its time allows."""
    if entry.within is None:
        return st.builds(lambda remind: replace(entry, remind=remind), st.one_of(st.none(), SECONDS))
    return st.builds(
        lambda remind, then: replace(entry, remind=remind, then=tuple(then)),
        st.one_of(st.none(), st.integers(1, entry.within - 1)),
        st.lists(PEOPLE, max_size=2),
    )


EXAMPLE = st.builds(
    lambda name, arguments: Example(object=name, arguments=_json(arguments)), TEXT, st.dictionaries(TEXT, JSON, max_size=2)
)


@st.composite
def rules(draw: st.DrawFn, effect: str, prefix: str, number: int) -> Rule:
    verb = draw(st.sampled_from(["read", "write", "delete", "run", "fetch", "call", "publish", "delegate", *sorted(GIT_VERBS)]))
    one = {
        "read": PATH, "write": PATH, "delete": PATH,
        "run": st.lists(WORD, min_size=1, max_size=3).filter(lambda words: not words[0].startswith("-") and "..." not in words[:-1]).map(lambda words: join(tuple(words))),
        "fetch": st.sampled_from(["api.example.com:443", "https://api.example.com/v1", "any"]),
    }.get(verb, st.sampled_from(["any", "HEAD", "refund", "no", "5", "release/*", "*"]))  # fmt: skip
    names = draw(st.lists(LINE, unique=True, max_size=2))
    return Rule(
        id=draw(st.one_of(st.just(f"{prefix}-{verb}-{number}"), st.just(f"named {prefix} {number}"))),
        effect=effect,
        verb=verb,
        objects=tuple(draw(st.lists(one, min_size=1, max_size=2))),
        where=tuple(Where(argument=name, condition=draw(CONDITION)) for name in names),
        times=draw(st.one_of(st.none(), st.integers(1, 9))),
        because=draw(st.one_of(st.just(""), TEXT)),
        **draw(ASKED if effect == "ask" else st.just({})),
        match=tuple(draw(st.lists(EXAMPLE, max_size=1))),
        no_match=tuple(draw(st.lists(EXAMPLE, max_size=1))),
    )


PACE = st.builds(Pace, usd=st.integers(0, 10**9), tokens=st.one_of(st.none(), st.integers(1, 10**9)), within=SECONDS) | st.builds(Pace, tokens=st.integers(1, 10**9), within=SECONDS)  # fmt: skip
DOLLARS = st.sampled_from(["0", "3", "0.30", "15.00", "007", "1000"])
PRICE = st.builds(ModelPrice, input=DOLLARS, output=DOLLARS, cached=st.one_of(st.none(), DOLLARS)) | st.just(ModelPrice())
MODEL_NAME = st.sampled_from(
    ["claude-opus-5-5", "local-*", "*", "openai:gpt-5.9", "qwen3:8b", "vendor/m@1", "no", "5", "true", "null", "1e3"]
)
MODEL = st.builds(Model, name=MODEL_NAME, price=st.one_of(st.none(), PRICE), output=st.one_of(st.none(), st.integers(1, 10**6)))
MODELS = st.lists(MODEL, max_size=3, unique_by=lambda each: each.name).map(tuple)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    some = st.one_of(st.none(), st.integers(1, 10**9))
    window = {"per": st.one_of(st.none(), LINE), "within": st.one_of(st.none(), SECONDS), "then": st.sampled_from(["refuse", "ask"]), "scope": st.sampled_from(["organisation", "run"])}  # fmt: skip
    return Limits(
        time=draw(st.one_of(st.none(), SECONDS)),
        **{name: draw(some) for name in ("turns", "calls", "tokens", "usd", "memory", "disk", "file", "processes", "output")},
        sums=tuple(
            draw(
                st.lists(
                    st.builds(Sum, of=st.just("refund.amount"), to=st.sampled_from(["0", "200", "0.50"]), **window), max_size=2
                )
            )
        ),
        counts=tuple(draw(st.lists(st.builds(Count, of=LINE, to=st.integers(0, 99), **window), max_size=2))),
        pace=draw(st.one_of(st.none(), PACE)),
    )


PLACE = st.one_of(
    PATH.filter(lambda path: path != "any"), FILE.map(lambda path: f"{path}/"), st.sampled_from(["src/", "**/*.py", "docs/?.md"])
)
DELIVERABLE = st.builds(
    Deliverable, name=TEXT, by=st.one_of(st.just(""), LINE), files=st.lists(PLACE, min_size=1, max_size=2, unique=True).map(tuple),
    either=st.lists(st.lists(PLACE, min_size=1, max_size=2, unique=True).map(tuple), max_size=2).map(tuple),
    contains=st.lists(st.builds(Content, pattern=st.sampled_from(["^## v2", r'"type":\\s*"graph"', "a: b", "x{2}", r"\d+"]), place=PLACE), max_size=2).map(tuple),
)  # fmt: skip
CHECKS = (
    st.builds(RunCheck, id=st.just(""), argv=st.lists(TEXT, min_size=1, max_size=3).map(tuple), trusted=st.lists(PATH, max_size=2).map(tuple).filter(lambda paths: "any" not in paths),
              fails_on=st.one_of(st.none(), st.just("base")), time=SECONDS),
    st.builds(FileCheck, id=st.just(""), file=FILE, exists=st.booleans(), matches=st.one_of(st.none(), st.just("^## v2")), unchanged=st.booleans()),
    st.builds(DataCheck, id=st.just(""), format=st.sampled_from(["json", "yaml"]), file=FILE, at=st.sampled_from(["$", "$.a[0].b", '$["x y"]']), equals=st.one_of(st.none(), TEXT)),
    st.builds(TreeCheck, id=st.just(""), outside=st.lists(PATH, max_size=2).map(tuple).filter(lambda paths: "any" not in paths)),
    st.builds(DeliverablesCheck, id=st.just(""), deliverables=st.lists(DELIVERABLE, min_size=1, max_size=2, unique_by=lambda owed: owed.name).map(tuple),
              at_least=st.integers(1, 100), quality=st.booleans(), empty=st.lists(PLACE, max_size=2, unique=True).map(tuple)),
    st.builds(ObservedCheck, id=st.just(""), invoked=st.lists(LINE, max_size=2, unique=True).map(tuple), ended_well=st.booleans(), steps=st.booleans(), reported=st.booleans())
    .filter(lambda check: check != ObservedCheck(id="")),
)  # fmt: skip


@st.composite
def recoveries(draw: st.DrawFn, number: int) -> Recovery:
    do = draw(st.sampled_from(["retry", "continue", "ask owner", "hand over", "undo", "stop"]))
    return Recovery(
        when=draw(st.sampled_from(["links fails", "any check fails", "refused", "stuck", "limit reached", "crashed", "failed"])),
        do=do,
        may=tuple(draw(rules("may", f"recovery-{number}", at)) for at in range(1, draw(st.integers(1, 3)))),
        times=draw(st.integers(1, 9)) if do == "retry" else 1,
        to=draw(st.one_of(st.none(), PEOPLE)),
        listed_in=draw(st.one_of(st.none(), FILE)),
    )


@st.composite
def tools(draw: st.DrawFn) -> tuple[Tool, ...]:
    names = draw(st.lists(LINE, unique=True, max_size=2))
    argument = st.builds(
        Argument,
        name=st.just(""),
        type=st.sampled_from(["text", "number", "truth", "list", "any"]),
        required=st.booleans(),
        inert=st.booleans(),
        irreversible=st.booleans(),
    )
    return tuple(
        Tool(
            name=name,
            tier=draw(st.sampled_from(TIERS)),
            effect=draw(st.sampled_from(["read", "draft", "send", "suggest", "execute", "queue", "publish"])),
            arguments=tuple(replace(draw(argument), name=one) for one in draw(st.lists(LINE, unique=True, max_size=2))),
        )
        for name in names
    )  # fmt: skip


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Whole contracts, rules grouped by effect as a file groups them."""
    effects = draw(st.permutations(["may", "ask", "never"]))
    grouped = [[draw(rules(effect, effect, at)) for at in range(1, draw(st.integers(1, 4)))] for effect in effects]
    flat = tuple(rule for group in grouped for rule in group) or (draw(rules("may", "may", 1)),)
    checks = draw(st.lists(st.one_of(CHECKS), min_size=1, max_size=3))
    return Contract(
        goal=draw(TEXT).strip(),
        owner=draw(TEXT),
        rules=flat,
        limits=draw(limits()),
        success=tuple(type(check)(**{**{name: getattr(check, name) for name in check.__struct_fields__}, "id": f"check-{at}" if at % 2 else f"c {at}"}) for at, check in enumerate(checks, 1)),
        recovery=tuple(draw(recoveries(at)) for at in range(1, draw(st.integers(2, 4)))),
        escalation=tuple(draw(st.lists(ESCALATION.flatmap(further), max_size=1))),
        tools=draw(tools()),
        runtime=tuple(draw(st.lists(TEXT, max_size=3))),
        model=draw(st.one_of(st.just(""), MODEL_NAME.filter(lambda name: "*" not in name))),
        models=draw(MODELS),
        history=draw(st.sampled_from(["none", "keep"])),
        principal=draw(st.one_of(st.none(), TEXT)),
        containment=draw(st.sampled_from(LEVELS)),
        publish=draw(st.sampled_from(["auto", "ask"])),
        environment=tuple(draw(st.lists(st.sampled_from(["PATH", "no", "CI_JOB"]), max_size=2))),
        unenforced=tuple(draw(st.lists(LINE, max_size=2))),
    )  # fmt: skip

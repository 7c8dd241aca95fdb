"""Arbitrary organisations, for the tests of this chapter."""

from typing import Any

from contracts import LINE, MODELS, SECONDS, limits, rules, tools
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.contract.binding import Binding, GitPush, HttpRequest, MailServer, PublishFile, SendMail, SqlStatement
from remit.contract.heavy import NEEDS, Heavy, Need
from remit.contract.models import HEAVY_RUNTIMES
from remit.contract.party import ASSURANCES, TIERS, Organisation, Person, Register

SERVERS = st.builds(
    MailServer,
    server=st.sampled_from(["smtp.example.com:587", "127.0.0.1:2525"]),
    sender=st.just("desk@example.com"),
    security=st.sampled_from(["starttls", "tls", "none"]),
    user=st.one_of(st.just(""), LINE),
    password=st.sampled_from(["", "$MAIL_PASSWORD"]),
)
BINDINGS: st.SearchStrategy[Binding] = st.one_of(
    st.builds(SendMail, server=SERVERS),
    st.builds(
        HttpRequest,
        method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"]),
        url=st.sampled_from(["https://pay.example.com/orders/{order_id}", "http://127.0.0.1:8080/x?y={z}"]),
        headers=st.dictionaries(st.sampled_from(["X-Trace", "Accept"]), LINE, max_size=2).map(lambda found: tuple(found.items())),
        body=st.sampled_from(["json", "form", "none"]),
        key_header=st.sampled_from(["Idempotency-Key", "X-Request-Id"]),
        window=st.one_of(st.none(), SECONDS),
        probe=st.sampled_from(["", "https://pay.example.com/refunds/{key}"]),
    ),
    st.builds(GitPush, remote=st.sampled_from(["https://git.example.com/x.git", "git@git.example.com:x.git", "/srv/x.git"])),
    st.builds(SqlStatement, database=st.sampled_from(["orders.db", "sqlite:///orders.db", "postgresql://db/x"]), statement=LINE),
    st.builds(PublishFile, folder=LINE),
)


@st.composite
def people(draw: st.DrawFn) -> tuple[Person, ...]:
    """Whoever answers to somebody answers to one of those before, so that there is no circle."""
    found: list[Person] = []
    for name in draw(st.lists(LINE, unique=True, max_size=3)):
        known = [person.id for person in found]
        signing: list[Any] = [draw(rules("may", f"sign-{name}", at)) for at in range(1, draw(st.integers(1, 3)))]
        found.append(
            Person(
                id=name,
                name=draw(st.one_of(st.just(""), LINE)),
                roles=tuple(draw(st.lists(LINE, max_size=2))),
                keys=tuple(draw(st.lists(st.just(f"ssh-ed25519 AAAAC3Nza{len(found)}"), max_size=1))),
                contact=draw(st.sampled_from([None, "mail:a@example.com", "https://chat.example.com/h", "apprise:slack://a/b"])),
                answers_to=draw(st.sampled_from([None, *known])),
                substitutes=tuple(draw(st.lists(st.sampled_from(known), max_size=2))) if known else (),
                may_sign=tuple(replace(rule, id=f"{rule.id} {len(found)}") for rule in signing),
                signs_tier=draw(st.sampled_from(TIERS)),
            )
        )
    return tuple(found)


PHRASES = st.lists(st.sampled_from(["rename … across", "no", "mend|repair # files", "5", "# *", "a ... b"]), min_size=1, max_size=2).map(tuple)  # fmt: skip


@st.composite
def heavy(draw: st.DrawFn) -> tuple[Heavy, ...]:
    """Entries that share no runtime; needs that are named are known, and words are for needs that count."""
    found = []
    for name in draw(st.lists(st.sampled_from(sorted(HEAVY_RUNTIMES)), unique=True, max_size=3)):
        words = [Need(name=need, words=draw(PHRASES)) for need in draw(st.lists(st.sampled_from(NEEDS), unique=True, max_size=2))]
        words += [
            Need(name=need, words=draw(PHRASES), verb=draw(st.sampled_from(["call", "run"])), object=draw(LINE))
            for need in draw(st.lists(LINE.filter(lambda word: word not in NEEDS), unique=True, max_size=2))
        ]
        own = tuple(dict.fromkeys((*NEEDS, *(need.name for need in words))))
        left = draw(st.sets(st.sampled_from([need for need in NEEDS if need not in [each.name for each in words]] or [""])))
        needs = tuple(need for need in own if need not in left) or own
        found.append(
            Heavy(runtimes=(name,), needs=needs, words=tuple(words), unless=draw(st.sampled_from([(), ("production",)])))
        )
    return tuple(found)


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    """Organisations a file can hold, rules grouped by effect as a file groups them."""
    effects = draw(st.permutations(["may", "ask", "never"]))
    ceiling = [draw(rules(effect, effect, at)) for effect in effects for at in range(1, draw(st.integers(1, 3)))]
    return Organisation(
        name=draw(LINE),
        people=draw(people()),
        registers=tuple(
            Register(name=name, members=tuple(draw(st.lists(LINE, min_size=1, max_size=2))))
            for name in draw(st.lists(LINE, unique=True, max_size=2))
        ),
        rules=tuple(replace(rule, quorum=1) for rule in ceiling),
        tools=tuple(replace(tool, does=draw(st.one_of(st.none(), BINDINGS))) for tool in draw(tools())),
        limits=draw(limits()),
        secrets=draw(st.sampled_from([Organisation().secrets, (), ("**/*.pem", "keys/x")])),
        assurance=draw(st.sampled_from(ASSURANCES)),
        four_eyes=draw(st.booleans()),
        mail=draw(st.one_of(st.none(), SERVERS)),
        inbox=draw(st.sampled_from(["", "https://inbox.example.com", "http://127.0.0.1:8123/x"])),
        models=draw(MODELS),
        heavy=draw(st.one_of(st.none(), heavy())),
    )

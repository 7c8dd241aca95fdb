"""Examples that a rule carries are tried on the rule."""

from authority_worlds import contract, rule

from remit.authority.examples import examples_failing
from remit.contract.condition import Known, Range, Regex
from remit.contract.contract import Contract
from remit.contract.outcome import Recovery
from remit.contract.party import Organisation, Register
from remit.contract.rule import Example, Rule


def failing(base: Contract, organisation: Organisation | None = None) -> list[str]:
    return [finding.where for finding in examples_failing(base, organisation)]


def amounts(*match: str, no_match: tuple[str, ...] = ()) -> Rule:
    return rule(
        "ask",
        "call",
        "refund",
        where={"amount": Range(low="50", high="500", over=True)},
        match=tuple(Example(object="refund", arguments=text) for text in match),
        no_match=tuple(Example(object="refund", arguments=text) for text in no_match),
    )


def test_examples_that_hold_are_silent() -> None:
    assert failing(contract(amounts('{"amount":50.01}', '{"amount":500}', no_match=('{"amount":50}', '{"amount":500.01}')))) == []


def test_each_example_that_does_not_hold_is_found_at_its_place() -> None:
    base = contract(rule("may", "read", "**"), amounts('{"amount":60}', '{"amount":5}', no_match=('{"amount":60}',)))
    assert failing(base) == ["ask[0].examples.match[1]", "ask[0].examples.no match[0]"]


def test_commands_and_paths_are_tried_as_they_would_be_met() -> None:
    run = rule("may", "run", "git add *", match=(Example(object="git add docs/a"),), no_match=(Example(object="git add -f"),))
    write = rule(
        "may",
        "write",
        "docs/**",
        match=(Example(object="docs/a"),),
        no_match=(Example(object="docs/../x"), Example(object="src/a")),
    )
    assert failing(contract(run, write)) == []
    assert failing(contract(rule("may", "write", "docs/**", match=(Example(object="docs/../x"),)))) == [
        "may[0].examples.match[0]"
    ]


def test_rules_of_recovery_and_of_the_organisation_are_tried_too() -> None:
    wrong = rule("may", "write", "a", match=(Example(object="b"),))
    base = contract(rule("may", "read", "**"))
    base = Contract(
        goal="g",
        owner="o",
        rules=base.rules,
        limits=base.limits,
        success=(),
        recovery=(Recovery(when="stuck", do="retry", may=(wrong,)),),
    )
    assert failing(base, Organisation(rules=(wrong,))) == [
        "recovery[0].may[0].examples.match[0]",
        "organisation.may[0].examples.match[0]",
    ]


def test_a_rule_that_cannot_be_judged_is_found_before_anything_runs() -> None:
    known = rule("may", "call", "mail", where={"to": Known(register="recipients")})
    assert failing(contract(known)) == ["may[0]"]
    assert failing(contract(known), Organisation(registers=(Register(name="recipients", members=()),))) == []
    assert failing(contract(rule("may", "call", "x", where={"a": Regex(pattern="(")}))) == ["may[0]"]


def test_an_example_that_is_no_json_is_found() -> None:
    assert failing(contract(amounts('{"amount":NaN}', '{"amount":1,"amount":60}', "[]"))) == [
        f"ask[0].examples.match[{index}]" for index in range(3)
    ]

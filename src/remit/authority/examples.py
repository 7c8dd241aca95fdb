"""The examples a rule carries, tried on the rule itself."""

from collections.abc import Iterator

from remit.authority.action import Action
from remit.authority.arguments import composed
from remit.authority.compile import CompiledRule, compile_rule
from remit.authority.conditions import Registers
from remit.authority.subject import subject
from remit.authority.wire import read_json
from remit.contract.command import template
from remit.contract.contract import Contract, Finding
from remit.contract.party import Organisation
from remit.contract.rule import Example, Rule
from remit.errors import BadInput


def examples_failing(contract: Contract, organisation: Organisation | None = None) -> tuple[Finding, ...]:
    """Every example that its rule should match and does not, or should not and does, and every rule that cannot be judged.

    `where` is the path in the file (`may[0].examples.match[1]`); rules of recovery entries and of the organisation's ceiling are
    not left out.
    """
    registers = {} if organisation is None else _registers(organisation)
    placed = [*_placed("", contract.rules)]
    for index, rung in enumerate(contract.recovery):
        placed += _placed(f"recovery[{index}].", rung.may)
    if organisation is not None:
        placed += _placed("organisation.", organisation.rules)
    return tuple(finding for where, rule in placed for finding in _failing(where, compile_rule(rule, "", registers)))


# ---------------------------------------------------------------------------------------------------------------------


def _registers(organisation: Organisation) -> Registers:
    return {register.name: frozenset(map(composed, register.members)) for register in organisation.registers}


def _placed(prefix: str, rules: tuple[Rule, ...]) -> Iterator[tuple[str, Rule]]:
    counts: dict[str, int] = {}
    for rule in rules:
        index = counts.get(rule.effect, 0)
        counts[rule.effect] = index + 1
        yield f"{prefix}{rule.effect}[{index}]", rule


def _failing(where: str, compiled: CompiledRule) -> Iterator[Finding]:
    rule = compiled.rule
    if compiled.fault:
        yield Finding(
            code="RULE-FAULTY",
            severity="error",
            where=where,
            message=f"rule `{rule.id}` cannot be judged: {compiled.fault}",
            hint="such a rule refuses everything it is met by; mend it",
        )
        return
    for wanted, word, examples in ((True, "match", rule.match), (False, "no match", rule.no_match)):
        for index, example in enumerate(examples):
            said = _said(compiled, example)
            if said is not wanted:
                what = said if isinstance(said, str) else f"rule `{rule.id}` {'does not match' if wanted else 'matches'} it"
                yield Finding(
                    code="EXAMPLE",
                    severity="error",
                    where=f"{where}.examples.{word}[{index}]",
                    message=f"the example `{example.object}` does not hold: {what}",
                    hint="change the rule or the example, whichever is not meant",
                )


def _said(compiled: CompiledRule, example: Example) -> bool | str:
    """Whether the rule matches the example, or why the example is none."""
    verb = compiled.rule.verb
    try:
        arguments = read_json(example.arguments)
        object_ = template(example.object) if verb == "run" else example.object
    except (BadInput, ValueError) as error:
        return str(error)
    if not isinstance(arguments, dict):
        return "its arguments are not an object"
    ready = subject(Action(verb=verb, object=object_, arguments=arguments))
    if isinstance(ready, str):
        return ready if not compiled.rule.no_match else False
    try:
        return any(pattern.meets(ready) for pattern in compiled.patterns) and compiled.hits(ready, frozenset(), frozenset())
    except ValueError:
        return False  # an amount that is none is refused before any rule covers it

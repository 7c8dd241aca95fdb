"""Contracts made ready to answer: rules as closures, found by verb and object, faults kept until they are met."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from msgspec import structs

from remit.authority.arguments import composed
from remit.authority.case import ALLOW, Answer
from remit.authority.conditions import Judge, Registers, compile_condition, measures
from remit.authority.decision import Code, Reason
from remit.authority.hosts import target, within
from remit.authority.plants import names_plant
from remit.authority.subject import Subject
from remit.authority.words import shown_rule
from remit.contract.address import address
from remit.contract.command import match_argv, plain_words, shell_words, template, touches_argv
from remit.contract.condition import Anything
from remit.contract.contract import Contract
from remit.contract.glob import compile_glob, wild
from remit.contract.limits import Limits
from remit.contract.outcome import Escalation
from remit.contract.party import Organisation, Tool
from remit.contract.rule import PATH_VERBS, Rule
from remit.contract.secret import secret_test
from remit.errors import BadInput
from remit.value import digest

Meets = Callable[[Subject], bool]


class Unreadable(ValueError):
    """An argument that a rule measures is no amount; the text says which."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One object of a rule: the text, whether a subject meets it, and where it is filed."""

    text: str
    meets: Meets
    exact: str | None = None
    head: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """One rule as closures. `closed` holds the argument names a `may` on a call names; None where the rule is open."""

    rule: Rule
    key: tuple[str, str]
    order: int
    may: bool
    patterns: tuple[Pattern, ...]
    where: tuple[tuple[str, Judge, bool], ...]
    named: frozenset[str]
    closed: frozenset[str] | None
    allowed: Reason
    alone: Answer
    fault: str = ""

    def hits(self, subject: Subject, created: frozenset[str], inert: frozenset[str]) -> bool:
        """Whether the rule is met; the object is known to fit. Raises Unreadable, or ValueError for a faulty rule."""
        if self.fault:
            raise ValueError(self.fault)
        arguments = subject.arguments
        if self.may and self.named != arguments.keys():
            given = arguments.keys()
            if not self.named <= given or (self.closed is not None and not self.closed | inert >= given):
                return False
        holds, unreadable = True, ""
        for name, judge, measured in self.where:
            if name not in arguments:
                continue
            answer = judge(arguments[name], created)
            if answer is False:
                return False
            if answer is None:
                unreadable = name if measured else unreadable
                holds = holds and not self.may
        if unreadable:
            raise Unreadable(f"`{unreadable}` must be an amount as a plain number, not negative where amounts begin at zero")
        return holds

    def names(self, subject: Subject, secret: Callable[[str], bool] | None) -> bool:
        """Whether an object of the rule names this secret or plant instead of reaching it by a wildcard."""
        for pattern in self.patterns:
            text = pattern.text.removeprefix("/")
            if not pattern.meets(subject):
                continue
            if secret is None:
                if names_plant(text, subject.name):
                    return True
            elif not wild(text) or secret(text) or secret(text.rpartition("/")[2]):
                return True
        return False


@dataclass(slots=True)
class Shelf:
    """The rules of one verb: by whole object, by first segment or program, and the rest."""

    exact: dict[str, list[CompiledRule]] = field(default_factory=dict)
    heads: dict[str, list[CompiledRule]] = field(default_factory=dict)
    rest: list[tuple[CompiledRule, Meets]] = field(default_factory=list)
    rules: list[CompiledRule] = field(default_factory=list)
    has_may: bool = False

    def put(self, rule: CompiledRule) -> None:
        """File a rule under each of its objects."""
        self.rules.append(rule)
        self.has_may = self.has_may or rule.rule.effect == "may"
        if rule.fault and not rule.patterns:
            self.rest.append((rule, lambda _: True))
        for pattern in rule.patterns:
            if pattern.exact is not None:
                self.exact.setdefault(pattern.exact, []).append(rule)
            elif pattern.head is not None:
                held = self.heads.setdefault(pattern.head, [])
                if rule not in held:
                    held.append(rule)
            else:
                self.rest.append((rule, pattern.meets))

    def fitting(self, subject: Subject) -> list[CompiledRule]:
        """The rules whose object this is, each once."""
        if subject.verb == "run" and subject.argv is None:
            return [rule for rule in self.rules if not rule.patterns or any(pattern.meets(subject) for pattern in rule.patterns)]
        found = list(self.exact.get(subject.name, ()))
        for rule in self.heads.get(subject.head, ()):
            if rule not in found and any(pattern.head is not None and pattern.meets(subject) for pattern in rule.patterns):
                found.append(rule)
        for rule, meets in self.rest:
            if meets(subject) and rule not in found:
                found.append(rule)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Authority:
    """One contract of a lineage, ready to answer. `ceiling` marks the organisation: neutral where it has no `may` for a verb."""

    hash: str
    name: str
    owner: str
    ceiling: bool
    shelves: Mapping[str, Shelf]
    tools: Mapping[str, Tool]
    inert: Mapping[str, frozenset[str]]
    limits: Limits
    organisation: Organisation
    registers: Registers
    secret: Callable[[str], bool]
    signing: Mapping[str, tuple[CompiledRule, ...]]
    simple: bool
    """an owner, no ceiling, no windows: a single `may` without a count is the whole answer"""
    escalation: tuple[Escalation, ...] = ()
    """who else may answer, because they are paged"""


def compile_contract(contract: Contract, organisation: Organisation | None = None, *, unlocked: Iterable[Rule] = ()) -> Authority:
    """One contract ready to answer; `unlocked` are the extra `may` of recovery entries whose condition held."""
    known = organisation or Organisation()
    # The organisation's word on a tool stands, and only it says what a tool really does: a contract may come from an agent.
    tools = {tool.name: structs.replace(tool, does=None) for tool in contract.tools} | {tool.name: tool for tool in known.tools}
    rules = (*contract.rules, *unlocked)
    ready = _authority(contract.hash(), "the contract", contract.owner, False, rules, tools, contract.limits, known)
    return replace(ready, escalation=contract.escalation) if contract.escalation else ready


def compile_organisation(organisation: Organisation) -> Authority:
    """The ceiling over every lineage."""
    tools = {tool.name: tool for tool in organisation.tools}
    return _authority(
        address(organisation), organisation.name, "", True, organisation.rules, tools, organisation.limits, organisation
    )


def compile_condition_rules(rules: tuple[Rule, ...], organisation: Organisation | None = None, *, by: str) -> Authority:
    """What a person added with a Modify, ready to answer beside the lineage: it only ever makes it stricter (APP-11).

    Raises BadInput for a `may`: a condition narrows, it never allows.
    """
    known = organisation or Organisation()
    if any(rule.effect == "may" for rule in rules):
        raise BadInput("a condition cannot allow anything", hint="write `never` or `ask` rules")
    tools = {tool.name: tool for tool in known.tools}
    return _authority(
        digest(["condition", by, [address(rule) for rule in rules]]),
        f"the condition of {by}",
        "",
        True,
        rules,
        tools,
        Limits(),
        known,
    )


def with_owner(authority: Authority, owner: str) -> Authority:
    """The same contract, owned by another person since its run began. A ceiling has no owner and stays as it is."""
    if authority.ceiling or authority.owner == owner:
        return authority
    windows = bool(authority.limits.sums or authority.limits.counts)
    return replace(authority, owner=owner, simple=bool(owner) and not windows)


def compile_rule(rule: Rule, contract: str, registers: Registers, *, order: int = 0, closed: bool = True) -> CompiledRule:
    """One rule ready to be met. A faulty rule compiles too, and says its fault when it is met."""
    fault = ""
    patterns: tuple[Pattern, ...] = ()
    where: list[tuple[str, Judge, bool]] = []
    try:
        patterns = tuple(_pattern(text, rule) for text in rule.objects)
        where = [
            (each.argument, compile_condition(each.condition, registers), measures(each.condition))
            for each in rule.where
            if not isinstance(each.condition, Anything)
        ]
        if not patterns:
            fault = "it names no object"
    except (ValueError, RecursionError) as error:
        fault = str(error) or "it is nested too deep"
    named = frozenset(each.argument for each in rule.where)
    names = named if closed and rule.verb == "call" and rule.effect == "may" else None
    allowed = Reason(code=Code.ALLOWED, rule=rule.id, contract=contract, why=shown_rule(rule))
    alone = Answer(strictness=ALLOW, reasons=(allowed,))
    return CompiledRule(
        rule=rule,
        key=(contract, rule.id),
        order=order,
        may=rule.effect == "may",
        patterns=patterns,
        where=tuple(where),
        named=named,
        closed=names,
        allowed=allowed,
        alone=alone,
        fault=fault,
    )


# ---------------------------------------------------------------------------------------------------------------------


def _authority(
    address: str,
    name: str,
    owner: str,
    ceiling: bool,
    rules: Iterable[Rule],
    tools: Mapping[str, Tool],
    limits: Limits,
    organisation: Organisation,
) -> Authority:
    registers = {register.name: frozenset(map(composed, register.members)) for register in organisation.registers}
    shelves: dict[str, Shelf] = {}
    for order, rule in enumerate(rules):
        shelves.setdefault(rule.verb, Shelf()).put(compile_rule(rule, address, registers, order=order))
    signing = {
        person.id: tuple(compile_rule(rule, address, registers, closed=False) for rule in person.may_sign)
        for person in organisation.people
        if person.may_sign
    }
    inert = {tool.name: frozenset(argument.name for argument in tool.arguments if argument.inert) for tool in tools.values()}
    simple = bool(owner) and not ceiling and not limits.sums and not limits.counts
    secret = secret_test(organisation.secrets)
    return Authority(
        address, name, owner, ceiling, shelves, tools, inert, limits, organisation, registers, secret, signing, simple
    )


def _pattern(text: str, rule: Rule) -> Pattern:
    """Raises ValueError when the object makes no sense for the verb."""
    if text == "any" and rule.verb not in PATH_VERBS:  # among paths it is the file of that name
        return Pattern(text, lambda _: True)
    if rule.verb == "run":
        return _run_pattern(text, strict=rule.effect == "may")
    if rule.verb == "fetch":
        wanted = target(text, pattern=True)
        if wanted is None:
            raise ValueError(f"`{text}` is not a host, `host:port` or URL prefix")
        strict = rule.effect == "may"
        return Pattern(text, lambda subject: subject.place is not None and within(wanted, subject.place, strict=strict))
    pattern = composed(text.removeprefix("/") if rule.verb in PATH_VERBS else text)
    matches = compile_glob(pattern)
    if not wild(pattern):
        return Pattern(text, lambda subject: matches(subject.name), exact=pattern)
    head = pattern.partition("/")[0]
    return Pattern(text, lambda subject: matches(subject.name), head=None if wild(head) or "/" not in pattern else head)


def _run_pattern(text: str, *, strict: bool) -> Pattern:
    """A shell line meets a `may` only word for word; an `ask` or `never` meets it wherever its words begin."""
    words = template(text)

    def meets(subject: Subject) -> bool:
        if subject.argv is not None:
            return match_argv(words, subject.argv) if strict else touches_argv(words, subject.argv)
        if strict:
            plain = plain_words(subject.name)
            return plain is not None and match_argv(words, plain)
        given = shell_words(subject.name)
        return any(touches_argv(words, given[start:]) for start in range(len(given)))

    return Pattern(text, meets, head=words[0].rpartition("/")[2])

"""What history suggests for a contract: each with its evidence and the text to paste. Nothing here is ever applied by itself."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import replace

from remit.authority.action import Action
from remit.contract.condition import Condition, Equals, OneOf, Range, Scalar, SubsetOf
from remit.contract.contract import Contract
from remit.contract.outcome import Escalation
from remit.contract.rituals import rules_text
from remit.contract.rule import Rule, Where
from remit.evidence.standing import standing
from remit.evidence.tax import rule_of, unchanged
from remit.run.event import Decided, Recorded, Started, VerdictReached
from remit.run.state import Asked
from remit.value import Value

ENOUGH = 5
"""questions, or runs, below which nothing is suggested"""
MOST_VALUES = 20
"""different values above which an argument has no bounds worth writing down"""
QUIET = frozenset({"read", "run"})
"""verbs that the boundary may grant without a decision on record: nobody can say that they were not used"""
SLOWEST = 7 * 86400


class Suggestion(Value, frozen=True, kw_only=True):
    """One change the owner could make to the contract of this goal: why, and the text to `paste` in or to `take out`."""

    about: Literal["widen", "never used", "never asked", "nobody answers"]
    goal: str
    owner: str
    rule: str
    evidence: str
    do: Literal["paste", "take out"]
    yaml: str


class _Group(Value, frozen=True, kw_only=True):
    """The runs of one goal and owner, the contract as it was last, and what happened in them."""

    contract: Contract
    runs: tuple[str, ...]
    contracts: tuple[Contract, ...]


def suggestions(started: Sequence[Recorded], records: Sequence[Recorded]) -> tuple[Suggestion, ...]:
    """From the `started` events of every run looked at, oldest first, and their other events."""
    runs = {record.run for record in started}
    mine = [record for record in records if record.run in runs]
    asked: dict[str, list[Asked]] = {}
    for (run, _), each in standing(mine).questions.items():
        asked.setdefault(run, []).append(each)
    used = _used(mine)
    ended = {record.run for record in mine if isinstance(record.event, VerdictReached)}
    found: list[Suggestion] = []
    for group in _groups(started):
        questions = [each for run in group.runs for each in asked.get(run, ())]
        finished = sum(run in ended for run in group.runs)
        for rule in _lasting(group):
            about = [each for each in questions if rule_of(each) == rule.id]
            if rule.effect == "ask":
                found += _asking(group, rule, about, finished)
            elif _idle(group, rule, used) and finished >= ENOUGH:
                found.append(_unused(group, rule, finished))
    return tuple(found)


def _idle(group: _Group, rule: Rule, used: frozenset[tuple[str, str]]) -> bool:
    return rule.effect == "may" and rule.verb not in QUIET and not any((run, rule.id) in used for run in group.runs)


def _groups(started: Sequence[Recorded]) -> Iterator[_Group]:
    by: dict[tuple[str, str], list[tuple[str, Contract]]] = {}
    for record in started:
        if isinstance(record.event, Started) and record.event.parent is None:
            contract = record.event.contract
            by.setdefault((contract.goal, contract.owner), []).append((record.run, contract))
    for each in by.values():
        contracts = tuple(contract for _, contract in each)
        yield _Group(contract=contracts[-1], runs=tuple(run for run, _ in each), contracts=contracts)


def _lasting(group: _Group) -> list[Rule]:
    """Rules of the latest contract that stood there, word for word, in enough of the runs."""
    return [rule for rule in group.contract.rules if sum(rule in each.rules for each in group.contracts) >= ENOUGH]


def _used(records: Sequence[Recorded]) -> frozenset[tuple[str, str]]:
    """(run, rule) of every rule that let something happen."""
    return frozenset(
        (record.run, reason.rule)
        for record in records
        if isinstance(record.event, Decided)
        for reason in (*record.event.reasons, *record.event.considered)
        if reason.rule is not None
    )


def _asking(group: _Group, rule: Rule, about: Sequence[Asked], finished: int) -> Iterator[Suggestion]:
    settled = [each for each in about if each.said]
    if not about and finished >= ENOUGH:
        why = f"in {finished} finished runs this rule never asked anybody"
        yield _suggestion(group, rule, "never asked", why, "take out", rules_text([rule]))
    if len(settled) >= ENOUGH and all(unchanged(each) for each in settled):
        widened = _widened(rule, [each.question.action for each in settled if each.question.action is not None])
        if widened is not None:
            people = sorted({answer.person for each in settled for answer in each.answers})
            why = (
                f"all {len(settled)} questions were answered yes unchanged, by {', '.join(people)}; these bounds were seen. "
                "In place of the rule: what lies outside is refused then, or asked as far as it says so"
            )
            yield _suggestion(group, rule, "widen", why, "paste", rules_text([widened, *_beyond(rule, widened)]))
    if len(settled) >= ENOUGH and all(each.expired and each.said == "no" for each in settled):
        why = f"all {len(settled)} questions ran out of time unanswered"
        yield _suggestion(group, rule, "nobody answers", why, "paste", _escalation(group.contract, rule))


def _suggestion(
    group: _Group,
    rule: Rule,
    about: Literal["widen", "never used", "never asked", "nobody answers"],
    evidence: str,
    do: Literal["paste", "take out"],
    yaml: str,
) -> Suggestion:
    contract = group.contract
    return Suggestion(about=about, goal=contract.goal, owner=contract.owner, rule=rule.id, evidence=evidence, do=do, yaml=yaml)


def _unused(group: _Group, rule: Rule, finished: int) -> Suggestion:
    why = f"in {finished} finished runs nothing was done under this rule: what is not needed need not be allowed"
    return _suggestion(group, rule, "never used", why, "take out", rules_text([rule]))


def _escalation(contract: Contract, rule: Rule) -> str:
    """Those who were asked are paged, then the owner, with twice the time."""
    old = next((each for each in contract.escalation if each.about in {*rule.objects, rule.verb, "any"}), None)
    took = old.within if old is not None and old.within is not None else 3600
    who = rule.who or "owner"
    then = () if who in ("owner", contract.owner) else ("owner",)
    about = rule.objects[0] if rule.verb == "call" and rule.objects[0] != "any" else rule.verb
    attach = old.attach if old is not None else ()
    rung = Escalation(
        about=about, page=who, within=min(2 * took, SLOWEST), remind=max(60, took // 2), then=then, attach=attach
    )  # fmt: skip
    return rules_text([], escalation=(rung,))


def _widened(rule: Rule, actions: Sequence[Action]) -> Rule | None:
    """The same object as a `may` within exactly what people said yes to; None where that has no bounds worth writing."""
    if not actions or len({tuple(sorted(action.arguments)) for action in actions}) != 1:
        return None
    objects = tuple(dict.fromkeys(action.object if isinstance(action.object, str) else "" for action in actions))
    if len(objects) > MOST_VALUES or "" in objects or (rule.verb == "call" and len(objects) > 1):
        return None
    where = []
    for name in actions[0].arguments:
        condition = _bounds([action.arguments[name] for action in actions])
        if condition is None:
            return None
        where.append(Where(argument=name, condition=condition))
    return Rule(id="widened", effect="may", verb=rule.verb, objects=objects, where=tuple(where))


def _beyond(rule: Rule, widened: Rule) -> Iterator[Rule]:
    """The rule as it was, for amounts above those that were seen."""
    seen = {where.argument: where.condition for where in widened.where}
    for at, where in enumerate(rule.where):
        new = seen.get(where.argument)
        if isinstance(where.condition, Range) and isinstance(new, Range) and Decimal(new.high) < Decimal(where.condition.high):
            above = Where(argument=where.argument, condition=Range(low=new.high, high=where.condition.high, over=True))
            yield replace(rule, where=(*rule.where[:at], above, *rule.where[at + 1 :]))


def _bounds(values: Sequence[Any]) -> Condition | None:
    numbers = [Decimal(value) for value in values if isinstance(value, int | Decimal) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return Range(low=f"{min(numbers):f}", high=f"{max(numbers):f}")
    if all(isinstance(value, list | tuple) for value in values):
        members = _scalars([member for value in values for member in value])
        return SubsetOf(values=members) if members else None
    members = _scalars(values)
    if members is None:
        return None
    return Equals(value=members[0]) if len(members) == 1 else OneOf(values=members)


def _scalars(values: Sequence[Any]) -> tuple[Scalar, ...] | None:
    """The different texts and truths, in the order they were seen; None for anything else, or too many."""
    found: dict[Scalar, None] = {}
    for value in values:
        if isinstance(value, bool):
            found[Scalar(type="truth", text="true" if value else "false")] = None
        elif isinstance(value, str):
            found[Scalar(type="text", text=value)] = None
        else:
            return None
    return tuple(found) if 0 < len(found) <= MOST_VALUES else None

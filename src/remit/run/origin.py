"""Where a value of an action came from. What nothing vouches for is the agent's: a likeness of short words proves nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import msgspec

from remit.authority.action import Action
from remit.contract.condition import Condition, Equals, Known, Not, OneOf, Scalar, SubsetOf
from remit.contract.rule import Rule
from remit.run.state import Asked, Run

Source = Literal["contract", "organisation", "owner", "tool result", "person", "agent"]
TRUSTED: tuple[Source, ...] = ("agent", "tool result", "owner", "person", "organisation", "contract")
"""least first: a list is as good as its worst member"""
SHORT = 3
"""texts of fewer letters are alike by accident"""
TELLING = 6
"""from so many letters on a text is taken for what it equals although no rule says what it is"""
MOST = 100
"""members of a list that are looked at; a longer one is the agent's"""
LOOKED = 1000
"""values, and members of lists, of one action that are looked at; whatever else it holds is the agent's"""
READ = 4_000_000
"""characters of what effects gave back that are read for one action, oldest first; what stands only behind them is the agent's"""
NOBODY: tuple[Source, str] = ("agent", "")


def origin(run: Run, name: str, value: object, *, action: Action) -> tuple[Source, str]:
    """The source of argument `name` of this action, and the place: `rule ID`, `goal`, `register NAME`, `Qn`, an effect's key.

    `contract` needs a rule that allows or asks for this very tool and says this very value of this very argument. A child's
    contract may have been written by an agent, so it vouches for nothing.
    """
    return Origins(run, action).of(name, value)


class Origins:
    """Where the values of one action came from: what they could have come from is read once for all of them, and boundedly."""

    def __init__(self, run: Run, action: Action) -> None:
        self._run, self._action = run, action
        self._rules = tuple(_rules(run, action))
        self._left = LOOKED

    def of(self, name: str, value: object) -> tuple[Source, str]:
        """The source of this argument and the place, as `origin` says it."""
        members = value if isinstance(value, list | tuple) else ()
        self._left -= max(1, len(members)) if len(members) <= MOST else 1
        if self._left < 0:
            return NOBODY
        by = _set_by_person(self._run, name, value, self._action)
        if by:
            return "person", by
        if len(members) > MOST:
            return NOBODY
        return self._list(name, members) if members else self._single(name, value)

    def _list(self, name: str, value: Sequence[object]) -> tuple[Source, str]:
        members = [self._single(name, member) for member in value]
        worst = min(members, key=lambda found: TRUSTED.index(found[0]))
        places = dict.fromkeys(place for source, place in members if source == worst[0] and place)
        return worst[0], ", ".join(places)

    def _single(self, name: str, value: object) -> tuple[Source, str]:
        for whose, rule in self._rules:
            if any(where.argument == name and _says(where.condition, value) for where in rule.where):
                return whose, f"rule {rule.id}"
        text = text_of(value)
        if text is None:
            return NOBODY
        if _root(self._run) and len(text) >= TELLING and _stands_in(text, self._run.contract.goal):
            return "contract", "goal"
        known = self._organisation(name, text)
        if known:
            return "organisation", known
        for question, note in self._notes:
            if _told(text, note):
                return "owner", question
        if len(text) < SHORT:
            return NOBODY
        key = self._returned.get(text)
        return ("tool result", key) if key is not None else NOBODY

    def _organisation(self, name: str, text: str) -> str:
        if self._run.started is None or not text:
            return ""
        mine = [where.condition for _, rule in self._rules for where in rule.where if where.argument == name]
        named = {register for condition in mine for register in _known(condition)}
        for register, members in self._registers:
            if text in members and (register in named or len(text) >= TELLING):
                return f"register {register}"
        for person in self._run.started.organisation.people:
            contact = person.contact or ""
            if len(text) >= TELLING and text in (person.id, contact, contact.removeprefix("mail:")):
                return f"person {person.id}"
        return ""

    @cached_property
    def _registers(self) -> tuple[tuple[str, frozenset[str]], ...]:
        known = self._run.started.organisation.registers if self._run.started is not None else ()
        return tuple((register.name, frozenset(register.members)) for register in known)

    @cached_property
    def _notes(self) -> tuple[tuple[str, str], ...]:
        """What the owner answered to questions of the agent's own."""
        answered = [each for each in self._run.questions.values() if each.question.about == "context"]
        return tuple((each.question.question, each.answer.note) for each in answered if each.answer is not None)

    @cached_property
    def _returned(self) -> Mapping[str, str]:
        """What effects gave back, each text with the key of the first that did."""
        found: dict[str, str] = {}
        read = 0
        for draft in self._run.drafts.values():
            read += len(draft.output)
            if read > READ:
                break
            for text in _leaves(draft.output) if draft.output else ():
                found.setdefault(text, draft.key)
        for text in self._run.created:
            found.setdefault(text, "")
        return found


def text_of(value: object) -> str | None:
    """A text or number as text; None for anything that is too little to be told apart: truth, nothing."""
    match value:
        case str():
            return value
        case bool() | None:
            return None
        case int() | Decimal():
            return str(value)
        case _:
            return None


def _root(run: Run) -> bool:
    return run.started is not None and run.started.parent is None


def _rules(run: Run, action: Action) -> Iterator[tuple[Source, Rule]]:
    if run.started is None:
        return
    if _root(run):
        yield from (("contract", rule) for rule in _about(run.contract.rules, action))
    yield from (("organisation", rule) for rule in _about(run.started.organisation.rules, action))


def _about(rules: Sequence[Rule], action: Action) -> Iterator[Rule]:
    """Rules that allow, or ask for, this very tool or object by its name."""
    return (rule for rule in rules if rule.effect != "never" and rule.verb == action.verb and action.object in rule.objects)


def _says(condition: Condition, value: object) -> bool:
    match condition:
        case Equals(value=scalar):
            return _equal(scalar, value)
        case OneOf(values=values) | SubsetOf(values=values):
            return any(_equal(scalar, value) for scalar in values)
        case _:
            return False


def _equal(scalar: Scalar, value: object) -> bool:
    match value:
        case bool():
            return scalar.type == "truth" and scalar.text.lower() == str(value).lower()
        case None:
            return scalar.type == "nothing"
        case str():
            return scalar.type == "text" and scalar.text == value
        case int() | Decimal():
            return scalar.type == "number" and _number(scalar.text) == Decimal(value)
        case _:
            return False


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def _known(condition: Condition) -> Iterator[str]:
    match condition:
        case Known(register=register):
            yield register
        case Not(condition=inner):
            yield from _known(inner)
        case _:
            return


def _told(text: str, note: str) -> bool:
    return bool(text) and (text == note.strip() or (len(text) >= SHORT and _stands_in(text, note)))


def _stands_in(text: str, where: str) -> bool:
    """Whether the text stands there as whole words."""
    return text in where and re.search(rf"(?<![\w@.+-]){re.escape(text)}(?![\w@]|[.+-]\w)", where) is not None


def _leaves(output: str) -> frozenset[str]:
    """Every single value in a JSON text, as text; the text itself when it is none."""
    try:
        tree = msgspec.json.decode(output, strict=True, type=Any)
    except msgspec.DecodeError:
        return frozenset({output})
    found: list[str] = []
    todo = [tree]
    while todo:
        each = todo.pop()
        if isinstance(each, Mapping):
            todo += each.values()
        elif isinstance(each, list):
            todo += each
        elif isinstance(each, float):
            found.append(repr(each))
        else:
            text = text_of(each)
            found += [text] if text is not None else []
    return frozenset(found)


def _set_by_person(run: Run, name: str, value: object, action: Action) -> str:
    """The question whose answer changed this argument to this value; empty when what it was before is not known."""
    for asked in run.questions.values():
        before = _first(run, asked)
        for answer in asked.answers:
            if answer.action is None:
                continue
            same = answer.action.said() == action.said() and _given(answer.action, name, value)
            if same and before is not None and not _given(before, name, value):
                return asked.question.question
            before = answer.action
    return ""


def _first(run: Run, asked: Asked) -> Action | None:
    """What was asked before anybody changed it."""
    draft = run.drafts.get(asked.question.draft)
    return draft.drafted.action if draft is not None else None


def _given(action: Action, name: str, value: object) -> bool:
    found = action.arguments.get(name)
    return name in action.arguments and type(found) is type(value) and found == value

"""People, registers and tools as an organisation file or a contract writes them."""

from typing import Literal, cast, get_args

from remit.contract.nodes import Leaf, Node
from remit.contract.parse_rule import parse_rules
from remit.contract.party import TIERS, Argument, Person, Register, Tier, Tool, ToolEffect
from remit.contract.reading import Reading, inside
from remit.contract.tiers import usual_tier

TYPES = ("text", "number", "truth", "list", "any")
EFFECTS: tuple[str, ...] = get_args(ToolEffect)
PERSON_KEYS = ("id", "name", "roles", "keys", "contact", "answers to", "substitutes", "may sign")
Type = Literal["text", "number", "truth", "list", "any"]


def parse_tools(reading: Reading, node: Node, where: str) -> tuple[Tool, ...]:
    """`NAME: {tier, effect, arguments}`."""
    table = reading.table(node, where)
    return tuple(_tool(reading, value, inside(where, key.text), key.text) for key, value in (table.pairs if table else ()))


def _tool(reading: Reading, node: Node, where: str, name: str) -> Tool:
    table = reading.table(node, where, ("tier", "effect", "arguments"))
    if table is None:
        return Tool(name=name)
    effect = cast(ToolEffect, reading.choice(table.get("effect"), inside(where, "effect"), EFFECTS, default="execute"))
    tier = cast(Tier, reading.choice(table.get("tier"), inside(where, "tier"), TIERS, default=usual_tier(name, effect)))
    given = table.get("arguments")
    declared = reading.table(given, inside(where, "arguments")) if given is not None else None
    arguments = (
        _argument(reading, value, inside(inside(where, "arguments"), key.text), key.text)
        for key, value in (declared.pairs if declared else ())
    )
    return Tool(name=name, tier=tier, effect=effect, arguments=tuple(arguments))


def _argument(reading: Reading, node: Node, where: str, name: str) -> Argument:
    if isinstance(node, Leaf):
        return Argument(name=name, type=cast(Type, reading.choice(node, where, TYPES, default="any")))
    table = reading.table(node, where, ("type", "required", "inert"))
    if table is None:
        return Argument(name=name)
    return Argument(
        name=name,
        type=cast(Type, reading.choice(table.get("type"), inside(where, "type"), TYPES, default="any")),
        required=bool(reading.truth(table.get("required"), inside(where, "required"))),
        inert=bool(reading.truth(table.get("inert"), inside(where, "inert"))),
    )


def parse_people(reading: Reading, node: Node, where: str) -> tuple[Person, ...]:
    """A list of people, each with an `id`."""
    found: list[Person] = []
    for item, path in reading.items(node, where):
        table = reading.table(item, path, PERSON_KEYS)
        if table is None:
            continue
        name = reading.text(table.get("id"), inside(path, "id"))
        if not name:
            reading.wrong(item, inside(path, "id"), "a person without an id", hint="write `id: person@example.com`")
            continue
        if any(person.id == name for person in found):
            reading.wrong(item, inside(path, "id"), f"`{name}` is there twice", code="DUPLICATE-ID", hint="put the two together")
            continue
        reading.marks[f"person {name}"] = item.mark
        sign = table.get("may sign")
        rules = parse_rules(reading, sign, inside(path, "may sign"), "may", prefix=f"sign-{name}") if sign is not None else ()
        found.append(
            Person(
                id=name,
                name=reading.text(table.get("name"), inside(path, "name")),
                roles=reading.texts(table.get("roles"), inside(path, "roles")),
                keys=reading.texts(table.get("keys"), inside(path, "keys")),
                contact=reading.optional(table.get("contact"), inside(path, "contact")),
                answers_to=reading.optional(table.get("answers to"), inside(path, "answers to")),
                substitutes=reading.texts(table.get("substitutes"), inside(path, "substitutes")),
                may_sign=rules,
            )
        )
    return tuple(found)


def parse_registers(reading: Reading, node: Node, where: str) -> tuple[Register, ...]:
    """`NAME: [members]`."""
    table = reading.table(node, where)
    return tuple(
        Register(name=key.text, members=reading.texts(value, inside(where, key.text)))
        for key, value in (table.pairs if table else ())
    )

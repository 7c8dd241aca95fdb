"""People as an organisation file writes them: who they are, how they are reached, what they may sign, who stands in."""

import re
from collections.abc import Sequence
from typing import cast

from remit.contract.nodes import Node, Table
from remit.contract.parse_condition import plain_url
from remit.contract.parse_rule import parse_rules
from remit.contract.party import TIERS, Person, Tier
from remit.contract.reading import Reading, inside, nearest

PERSON_KEYS = ("id", "name", "roles", "keys", "contact", "answers to", "substitutes", "may sign", "signs tier")
_CONTACT = re.compile(r"mail:[^@\s<>\"]+@[^@\s<>\"]+|apprise:[^\s:]+://\S+", re.ASCII)
_WEBHOOK = re.compile(r"https://.*|http://(?:127\.0\.0\.1|localhost)(?:[:/].*)?")
"""encrypted, except on this very machine"""


def parse_people(reading: Reading, node: Node, where: str) -> tuple[Person, ...]:
    """A list of people, each with an `id`; whom they name must be among them."""
    found: list[Person] = []
    tables: list[tuple[Table, str]] = []
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
        found.append(_person(reading, table, path, name))
        tables.append((table, path))
    _acquainted(reading, found, tables)
    _apart(reading, found, tables)
    return tuple(found)


def parse_inbox(reading: Reading, node: Node | None, where: str) -> str:
    """The address of the inbox that messages link to."""
    text = reading.text(node, where)
    if node is not None and text and not plain_url(text):
        what = f"`{text}` is no address of an inbox"
        reading.wrong(node, where, what, code="URL", hint="write `https://host/path`, without a login in it")
        return ""
    return text


def bare(key: str) -> str:
    """A public key without its comment: what tells whose it is."""
    return " ".join(key.split()[:2])


def called(name: str, people: Sequence[Person]) -> tuple[str, ...]:
    """The people a name means: the person of that id, the holders of that role."""
    return tuple(person.id for person in people if person.id == name or name in person.roles)


# ---------------------------------------------------------------------------------------------------------------------


def _person(reading: Reading, table: Table, path: str, name: str) -> Person:
    sign, tier = table.get("may sign"), table.get("signs tier")
    rules = parse_rules(reading, sign, inside(path, "may sign"), "may", prefix=f"sign-{name}") if sign is not None else ()
    contact = reading.optional(table.get("contact"), inside(path, "contact"))
    if contact and not (_CONTACT.fullmatch(contact) or (_WEBHOOK.fullmatch(contact) and plain_url(contact))):
        what = f"`{contact}` says not how to reach {name}"
        hint = "write `mail:ADDRESS`, `https://…` for a webhook, or `apprise:URL`"
        reading.wrong(table.get("contact") or table, inside(path, "contact"), what, code="CONTACT-UNKNOWN", hint=hint)
    return Person(
        id=name,
        name=reading.text(table.get("name"), inside(path, "name")),
        roles=reading.texts(table.get("roles"), inside(path, "roles")),
        keys=reading.texts(table.get("keys"), inside(path, "keys")),
        contact=contact,
        answers_to=reading.optional(table.get("answers to"), inside(path, "answers to")),
        substitutes=reading.texts(table.get("substitutes"), inside(path, "substitutes")),
        may_sign=rules,
        signs_tier=cast(Tier, reading.choice(tier, inside(path, "signs tier"), TIERS, default="human-approved")),
    )


def _acquainted(reading: Reading, people: Sequence[Person], tables: Sequence[tuple[Table, str]]) -> None:
    """Whoever stands in, or is answered to, is one of these people, and nobody answers to themselves in the end."""
    by_id = {person.id: person for person in people}
    circles = _circles(by_id)
    for person, (table, path) in zip(people, tables, strict=True):
        named = [("substitutes", other) for other in person.substitutes]
        named += [("answers to", person.answers_to)] if person.answers_to else []
        for key, other in named:
            place = table.get(key) or table
            if other not in by_id:
                near = nearest(other, by_id)
                hint = f"did you mean `{near}`?" if near else "add them below `people:`"
                reading.wrong(place, inside(path, key), f"`{other}` is no person here", code="UNKNOWN-PERSON", hint=hint)
            elif other == person.id:
                what = f"`{other}` cannot stand in for themselves" if key == "substitutes" else f"`{other}` answers to themselves"
                reading.wrong(place, inside(path, key), what, code="ANSWERS-IN-A-CIRCLE", hint="name somebody else")
        if person.id in circles:
            what = f"{circles[person.id]} answer to one another in a circle, so nobody answers in the end"
            hint = "the last of them answers to nobody"
            reading.wrong(
                table.get("answers to") or table, inside(path, "answers to"), what, code="ANSWERS-IN-A-CIRCLE", hint=hint
            )


def _apart(reading: Reading, people: Sequence[Person], tables: Sequence[tuple[Table, str]]) -> None:
    """Nobody answers as two people: a key stands under one of them."""
    whose: dict[str, str] = {}
    for person, (table, path) in zip(people, tables, strict=True):
        for key in filter(None, map(bare, person.keys)):
            other = whose.setdefault(key, person.id)
            if other != person.id:
                what = f"this key of {person.id} is {other}'s too, so nobody could tell which of them answered"
                hint = "every person has keys of their own"
                reading.wrong(table.get("keys") or table, inside(path, "keys"), what, code="KEY-TWICE", hint=hint)


def _circles(by_id: dict[str, Person]) -> dict[str, str]:
    """Who stands in a circle of people who answer to one another, and the circle; nobody is walked past twice."""
    found: dict[str, str] = {}
    done: set[str] = set()
    for name in by_id:
        walked: dict[str, None] = {}
        while name in by_id and name not in done and name not in walked:
            walked[name] = None
            name = by_id[name].answers_to or ""
        if name in walked:
            order = list(walked)
            circle = order[order.index(name) :]
            if len(circle) > 1:
                shown = ", ".join(circle[:5]) + (" and others" if len(circle) > 5 else "")
                found.update(dict.fromkeys(circle, shown))
        done.update(walked)
    return found

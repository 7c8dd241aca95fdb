"""Escalation as a contract writes it: who is paged, who is reminded, who is next."""

from typing import Literal, cast

from remit.contract.nodes import Node, Table
from remit.contract.outcome import Escalation
from remit.contract.parse_limits import parse_seconds
from remit.contract.reading import Reading, inside

ESCALATION_KEYS = ("for", "page", "within", "remind", "then", "attach", "otherwise")


def parse_escalation(reading: Reading, node: Node, where: str) -> tuple[Escalation, ...]:
    """Who is paged about what."""
    found = (_entry(reading, item, path) for item, path in reading.items(node, where))
    return tuple(entry for entry in found if entry)


# ---------------------------------------------------------------------------------------------------------------------


def _entry(reading: Reading, item: Node, path: str) -> Escalation | None:
    table = reading.table(item, path, ESCALATION_KEYS)
    if table is None:
        return None
    about, page = (reading.text(table.get(key), inside(path, key)) for key in ("for", "page"))
    if not about or not page:
        reading.wrong(
            item, path, "an escalation names what it is for and whom to page", hint="write `for: refund` and `page: PERSON`"
        )
        return None
    otherwise = reading.choice(table.get("otherwise"), inside(path, "otherwise"), ("refuse", "stop"), default="refuse")
    within, remind = (_seconds(reading, table, path, key) for key in ("within", "remind"))
    then = reading.texts(table.get("then"), inside(path, "then"))
    if then and table.get("within") is None:
        what = "`then` names who is next, and without `within` nobody ever is"
        reading.wrong(table.get("then") or item, inside(path, "then"), what, hint="write `within: 2h`; each of them has as long")
    if remind and within and remind >= within:
        what = "the first reminder would come when the time is over"
        reading.wrong(table.get("remind") or item, inside(path, "remind"), what, hint="remind sooner than `within`")
    return Escalation(
        about=about,
        page=page,
        within=within,
        remind=remind,
        then=then,
        attach=reading.texts(table.get("attach"), inside(path, "attach")),
        otherwise=cast(Literal["refuse", "stop"], otherwise),
    )


def _seconds(reading: Reading, table: Table, path: str, key: str) -> int | None:
    node = table.get(key)
    return None if node is None else parse_seconds(reading, node, inside(path, key))

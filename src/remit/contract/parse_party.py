"""Registers and tools as an organisation file or a contract writes them."""

from collections.abc import Sequence
from typing import Literal, cast, get_args

from remit.contract.binding import Binding, MailServer, McpServer, McpTool
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.parse_binding import parse_does
from remit.contract.parse_credentials import keep_credentials_apart, settled
from remit.contract.party import TIERS, Argument, Register, Tier, Tool, ToolEffect
from remit.contract.reading import Reading, inside
from remit.contract.tiers import usual_tier

TYPES = ("text", "number", "truth", "list", "any")
TOOL_KEYS = ("tier", "effect", "arguments", "does")
EFFECTS: tuple[str, ...] = get_args(ToolEffect)
Type = Literal["text", "number", "truth", "list", "any"]


def parse_tools(
    reading: Reading, node: Node, where: str, *, mail: MailServer | None = None, servers: Sequence[McpServer] = (),
    binds: bool = False,
) -> tuple[Tool, ...]:  # fmt: skip
    """`NAME: {tier, effect, arguments}`; only the organisation `binds`, with `does`, and may lend its `mail` and `servers`."""
    table = reading.table(node, where)
    tools = tuple(
        _tool(reading, value, inside(where, key.text), key.text, mail, servers, binds=binds)
        for key, value in (table.pairs if table else ())
    )
    if binds and table is not None:
        keep_credentials_apart(reading, table, where, tools)
    return tools


def _tool(
    reading: Reading, node: Node, where: str, name: str, mail: MailServer | None, servers: Sequence[McpServer], *, binds: bool
) -> Tool:  # fmt: skip
    table = reading.table(node, where, TOOL_KEYS)
    if table is None:
        return Tool(name=name)
    does = _does(reading, table, inside(where, "does"), mail, servers, binds=binds)
    least: ToolEffect = "read" if isinstance(does, McpTool) and does.what != "tool" else "execute"
    effect = cast(ToolEffect, reading.choice(table.get("effect"), inside(where, "effect"), EFFECTS, default=least))
    usual = usual_tier(name, effect)
    if isinstance(does, McpTool):
        does, usual = settled(reading, table, where, does, effect, usual)
    tier = cast(Tier, reading.choice(table.get("tier"), inside(where, "tier"), TIERS, default=usual))
    given = table.get("arguments")
    declared = reading.table(given, inside(where, "arguments")) if given is not None else None
    arguments = (
        _argument(reading, value, inside(inside(where, "arguments"), key.text), key.text)
        for key, value in (declared.pairs if declared else ())
    )
    return Tool(name=name, tier=tier, effect=effect, arguments=tuple(arguments), does=does)


def _does(
    reading: Reading, table: Table, where: str, mail: MailServer | None, servers: Sequence[McpServer], *, binds: bool
) -> Binding | None:  # fmt: skip
    node = table.get("does")
    if node is None or binds:
        return parse_does(reading, node, where, mail, servers) if node is not None else None
    what = "only the organisation file says what a tool really does: a contract may come from an agent"
    reading.wrong(
        node, where, what, code="BINDING-IN-CONTRACT", hint="take `does` out; declare the tool in the organisation file"
    )
    return None


def _argument(reading: Reading, node: Node, where: str, name: str) -> Argument:
    if isinstance(node, Leaf):
        return Argument(name=name, type=cast(Type, reading.choice(node, where, TYPES, default="any")))
    table = reading.table(node, where, ("type", "required", "inert", "irreversible"))
    if table is None:
        return Argument(name=name)
    return Argument(
        name=name,
        type=cast(Type, reading.choice(table.get("type"), inside(where, "type"), TYPES, default="any")),
        required=bool(reading.truth(table.get("required"), inside(where, "required"))),
        inert=bool(reading.truth(table.get("inert"), inside(where, "inert"))),
        irreversible=bool(reading.truth(table.get("irreversible"), inside(where, "irreversible"))),
    )


def parse_registers(reading: Reading, node: Node, where: str) -> tuple[Register, ...]:
    """`NAME: [members]`."""
    table = reading.table(node, where)
    return tuple(
        Register(name=key.text, members=reading.texts(value, inside(where, key.text)))
        for key, value in (table.pairs if table else ())
    )

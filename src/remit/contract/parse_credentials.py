"""Whose credentials an MCP server holds: a tool never works with those of a higher tier than its own (TIER-09)."""

from collections.abc import Sequence

from msgspec.structs import replace

from remit.contract.binding import McpServer, McpTool
from remit.contract.nodes import Table
from remit.contract.party import TIERS, Tier, Tool, ToolEffect
from remit.contract.reading import Reading, inside
from remit.contract.tiers import kind_of_tool, usual_tier


def settled(
    reading: Reading, table: Table, where: str, does: McpTool, effect: ToolEffect, usual: Tier
) -> tuple[McpTool, Tier]:  # fmt: skip
    """The binding with what an error means, and the tier where none is declared: by the server's name for it too.

    What the server says of its own tool, such as that it only reads, counts for nothing (MCP-03).
    """
    if does.what != "tool":
        if effect != "read":
            what = f"reading a {does.what} is `effect: read`, not `{effect}`"
            reading.wrong(table.get("effect") or table, inside(where, "effect"), what)
        return replace(does, errors="nothing happened"), usual
    harmless, said = effect in ("read", "suggest"), f"{where}.does.mcp.errors" in reading.marks
    kind = kind_of_tool(does.name)
    tier = reading.text(table.get("tier"), inside(where, "tier")) if table.get("tier") is not None else ""
    if tier == "read-only" and kind is not None:
        what = f"the server's `{does.name}` is a tool of {kind} and declared read-only"
        hint = "declare it `tier: high-risk`, or leave the tier out"
        reading.wrong(table.get("tier") or table, inside(where, "tier"), what, code="TIER-TOO-LOW", hint=hint)
    meant = replace(does, errors="nothing happened") if harmless and not said else does
    return meant, max(usual, usual_tier(does.name, effect), key=TIERS.index)


def keep_credentials_apart(reading: Reading, table: Table, where: str, tools: Sequence[Tool]) -> None:
    """Note each tool that would work with the credentials of a tier above its own."""
    used: dict[str, dict[Tier, str]] = {}
    for tool in tools:
        if isinstance(tool.does, McpTool) and (tool.does.server.env or tool.does.server.headers):
            trouble = _above(tool, tool.does.server, used.setdefault(tool.does.server.name, {}))
            if trouble:
                node = table.get(tool.name) or table
                hint = "name the server twice under `servers:`, each with the credentials of its own `tier`"
                reading.wrong(node, inside(where, tool.name), trouble, code="CREDENTIALS-ABOVE-TIER", hint=hint)


# ---------------------------------------------------------------------------------------------------------------------


def _above(tool: Tool, server: McpServer, others: dict[Tier, str]) -> str:
    """What is wrong; `others` are the tools seen before, one for each tier."""
    if server.tier:
        higher = [tier for tier in TIERS if tier == server.tier and TIERS.index(tier) > TIERS.index(tool.tier)]
        return f"`{tool.name}` is {tool.tier}, and `{server.name}` holds the credentials of {higher[0]} tools" if higher else ""
    other = next((name for tier, name in others.items() if tier != tool.tier), "")
    others.setdefault(tool.tier, tool.name)
    if not other:
        return ""
    return f"`{tool.name}` is {tool.tier} and would share the credentials of `{server.name}` with `{other}`, which is not"

"""Python tools beside those that people declared: what people say stands, and of two words the stricter one."""

from collections.abc import Iterable

from msgspec.structs import replace

from remit.contract.party import TIERS, Argument, Organisation, Tool, ToolEffect

WEAKEST: tuple[ToolEffect, ...] = ("read", "suggest", "draft", "queue", "execute", "publish", "send")
"""effects from what stays inside to what can never be called back"""


def joined(known: Organisation, contract: Iterable[Tool], python: Iterable[Tool]) -> Organisation:
    """The organisation with these functions among its tools: none of them can lower what people declared of it (MCP-03)."""
    people = {tool.name: tool for tool in known.tools}
    own = {tool.name: tool for tool in contract}
    tools = dict(people)
    for tool in python:
        stands = [each for each in (people.get(tool.name), own.get(tool.name)) if each is not None]
        for said in stands[1:]:
            stands[0] = stricter(stands[0], said)
        tools[tool.name] = stricter(stands[0], tool) if stands else tool
    return replace(known, tools=tuple(tools.values()))


def stricter(said: Tool, python: Tool) -> Tool:
    """The declaration `said` with whatever is stricter about `python`; what it really does is up to `said`."""
    return replace(
        said,
        tier=max(said.tier, python.tier, key=TIERS.index),
        effect=max(said.effect, python.effect, key=WEAKEST.index),
        arguments=_arguments(said.arguments, python.arguments),
    )


def _arguments(said: tuple[Argument, ...], python: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """What people declared, made required or irreversible where the function says so; nothing becomes inert by a function."""
    if not said:
        return tuple(replace(each, inert=False) for each in python)
    known = {each.name: each for each in python}
    return tuple(_stricter(each, known.get(each.name)) for each in said)


def _stricter(said: Argument, python: Argument | None) -> Argument:
    if python is None:
        return said
    return replace(
        said,
        type=python.type if said.type == "any" else said.type,
        required=said.required or python.required,
        irreversible=said.irreversible or python.irreversible,
    )

"""What is asked of an MCP server, and what it answered: tools, resources and prompts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from remit.adapters.effects.answers import kept
from remit.adapters.effects.arguments import json_text, only, scalar
from remit.adapters.effects.mcp_fit import misfit
from remit.adapters.effects.mcp_pin import fingerprint
from remit.adapters.effects.secret import Secrets
from remit.contract.binding import McpTool
from remit.errors import BadInput, Broken, Refused

if TYPE_CHECKING:
    from mcp.client import ClientSession

MOST_PAGES = 100
LARGEST = 48 * 1024
"""bytes of one text of an answer that are kept"""
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NEVER_TAKEN = (-32700, -32600, -32601, -32602)


@dataclass(frozen=True)
class Said:
    """An answer: its first words, all of it as JSON text, that text as a value, and whether it is an error."""

    words: str
    value: Any
    failed: bool = False
    output: str = ""

    def covered(self, secrets: Secrets) -> "Said":
        """Without what was read from the environment; numbers of the value are texts, digit for digit."""
        output, value = kept(json_text(self.value).encode(), secrets)
        return replace(self, words=secrets.covered(self.words), output=output, value=value)


class Ask(Protocol):
    """One kind of thing that a server has."""

    def fitting(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as they are sent. Raises BadInput."""
        ...

    async def fingerprint(self, session: "ClientSession", given: Mapping[str, Any]) -> str:
        """Of its definition now; empty where it has none. Raises Refused for what the server has not, or takes not."""
        ...

    async def asked(self, session: "ClientSession", given: dict[str, Any]) -> Said:
        """The answer."""
        ...


def ask_of(binding: McpTool) -> Ask:
    """How this binding asks."""
    match binding.what:
        case "tool":
            return _OfTool(binding.name)
        case "resource":
            return _OfResource(binding.name)
        case "prompt":
            return _OfPrompt(binding.name)


def never_taken(error: Exception | None) -> bool:
    """Whether the server says by the protocol that it did not take the request."""
    from mcp.shared.exceptions import MCPError

    return isinstance(error, MCPError) and error.code in _NEVER_TAKEN


# ---------------------------------------------------------------------------------------------------------------------


class _OfTool:
    def __init__(self, name: str) -> None:
        self._name = name

    def fitting(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _exact(name, value) for name, value in arguments.items()}

    async def fingerprint(self, session: "ClientSession", given: Mapping[str, Any]) -> str:
        async def page(params: Any) -> tuple[list[Any], str | None]:
            listed = await session.list_tools(params=params)
            return listed.tools, listed.next_cursor

        found = await _definition("tool", self._name, page)
        if why := misfit(found.get("inputSchema"), given):
            raise Refused(f"the server does not take that: {why}", hint="give what the tool takes")
        return fingerprint(found)

    async def asked(self, session: "ClientSession", given: dict[str, Any]) -> Said:
        result: Any = await session.call_tool(self._name, given, allow_input_required=True)
        _complete(result)
        blocks = [_block(each) for each in result.content]
        value = result.structured_content if result.structured_content is not None else _joined(blocks)
        return Said(words=_words(blocks), value=value, failed=result.is_error)


class _OfResource:
    def __init__(self, template: str) -> None:
        self._template = template

    def fitting(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        only(arguments, _HOLE.findall(self._template), why="the address of the resource has no place for it")
        return {"uri": _HOLE.sub(lambda hole: _filled(hole[1], arguments), self._template)}

    async def fingerprint(self, session: "ClientSession", given: Mapping[str, Any]) -> str:
        return ""

    async def asked(self, session: "ClientSession", given: dict[str, Any]) -> Said:
        result: Any = await session.read_resource(given["uri"], allow_input_required=True)
        _complete(result)
        blocks = [_block(each) for each in result.contents]
        return Said(words=_words(blocks), value=_joined(blocks))


class _OfPrompt:
    def __init__(self, name: str) -> None:
        self._name = name

    def fitting(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: scalar(name, value) for name, value in arguments.items()}

    async def fingerprint(self, session: "ClientSession", given: Mapping[str, Any]) -> str:
        async def page(params: Any) -> tuple[list[Any], str | None]:
            listed = await session.list_prompts(params=params)
            return listed.prompts, listed.next_cursor

        return fingerprint(await _definition("prompt", self._name, page))

    async def asked(self, session: "ClientSession", given: dict[str, Any]) -> Said:
        result: Any = await session.get_prompt(self._name, given, allow_input_required=True)
        _complete(result)
        said = [{"role": each.role, "content": _block(each.content)} for each in result.messages]
        return Said(words=_words([each["content"] for each in said]), value=said)


async def _definition(what: str, name: str, page: Any) -> dict[str, Any]:
    """The definition on the first page that has it."""
    from mcp_types import PaginatedRequestParams

    cursor: str | None = None
    for _ in range(MOST_PAGES):
        found, cursor = await page(PaginatedRequestParams(cursor=cursor))
        for each in found:
            if each.name == name:
                definition: dict[str, Any] = each.model_dump(mode="json", by_alias=True, exclude_none=True)
                return definition
        if cursor is None:
            break
    raise Refused(f"the server has no {what} `{name}`")


def _complete(result: Any) -> None:
    """Nobody is at this end whom a server could ask for more: what a person has to say, they say to remit."""
    if getattr(result, "result_type", "complete") != "complete":
        raise Broken("the server wants to know more before it answers, and nobody is here to say it")


def _exact(name: str, value: Any) -> Any:
    """The value with its decimals as numbers that JSON writes with exactly these digits. Raises BadInput where there are none."""
    match value:
        case Decimal():
            near = float(value)
            if Decimal(repr(near)) != value:
                raise BadInput(f"`{name}`: {value} has more digits than this protocol carries")
            return near
        case Mapping():
            return {key: _exact(name, each) for key, each in value.items()}
        case list() | tuple():
            return [_exact(name, each) for each in value]
        case _:
            return value


def _filled(hole: str, arguments: Mapping[str, Any]) -> str:
    if hole not in arguments:
        raise BadInput(f"`{hole}` is missing, and the address of the resource needs it")
    text = quote(scalar(hole, arguments[hole]), safe="")
    if text in ("", ".", ".."):
        raise BadInput(f"`{hole}` would lead elsewhere in the address of the resource")
    return text


def _block(content: Any) -> Any:
    """A text as it is, cut where it is long; what is no text only by its kind, size and origin."""
    if isinstance(text := getattr(content, "text", None), str):
        data = text.encode()
        if len(data) <= LARGEST:
            return text
        return f"{data[:LARGEST].decode('utf-8', 'ignore')}\n… cut: it has {len(data)} bytes"
    said = content.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name in ("data", "blob"):
        if name in said:
            said[name] = f"({len(said[name])} characters of base64, not kept)"
    return said


def _joined(blocks: list[Any]) -> Any:
    """One text that is JSON stands for what it says; several things stand as a list."""
    if len(blocks) != 1 or not isinstance(blocks[0], str):
        return blocks
    try:
        return json.loads(blocks[0], parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return blocks[0]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _words(blocks: list[Any]) -> str:
    return next((each for each in blocks if isinstance(each, str)), "")[:2000]

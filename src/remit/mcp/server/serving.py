"""The server itself, made of the SDK's low-level parts, which speak both eras of the protocol."""

import json
import re
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from remit.errors import BadInput, RemitError
from remit.evidence.visible import visible
from remit.mcp.server.chain_desk import Chains
from remit.mcp.server.chain_wanted import CHAIN_WANTS
from remit.mcp.server.desk import Desk
from remit.mcp.server.told import MOST_TEXT, cut
from remit.mcp.server.wanted import ONLY_READS, WANTS, Account, read, says, schema
from remit.mcp.server.writing import how_to_write

INSTRUCTIONS = """\
remit hands work over under a contract that bounds it. Write one (prompt write_contract), `check` it, `delegate` it, follow it by
`status`. You can supply context and stop what you delegated. You can approve nothing and accept nothing: that is for the people
the contract names. Work of several skills is a chain: `chain_list`, `chain_plan`, `chain_run`, then `chain_status`.
"""
SEEN = {"account": "the five questions about a run", "contract": "the contract of a run", "diff": "what a run changed"}
_URI = re.compile(r"remit://runs/(?P<run>[a-z0-9.]{1,64})/(?P<what>account|contract|diff)")
NOT_FOUND = -32602


def server(desk: Desk) -> "Server[Any]":
    """An MCP server before this desk."""

    chains = Chains(desk)

    async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        handler: Callable[[Any, str], Awaitable[dict[str, Any]]]
        try:
            want = read(params.name, params.arguments)
            handler = getattr(chains if params.name in CHAIN_WANTS else desk, params.name)
            told = await handler(want, named(ctx))
        except (RemitError, OSError) as error:
            return failed(error)
        text = json.dumps(told, ensure_ascii=False)
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=told)

    async def read_resource(_: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        kind, text = await shown(desk, str(params.uri))
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=params.uri, mime_type=kind, text=text)])

    async def get_prompt(_: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        goal = (params.arguments or {}).get("goal", "").strip()
        if params.name != "write_contract" or not goal:
            raise MCPError(NOT_FOUND, "the one prompt is `write_contract`, and it takes a `goal`")
        text = how_to_write(cut(goal, 2000), desk.house.person)
        return types.GetPromptResult(
            messages=[types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))]
        )

    return Server(
        "remit", version=version("remit"), instructions=INSTRUCTIONS, on_list_tools=_tools, on_call_tool=call_tool,
        on_list_resources=_resources, on_list_resource_templates=_templates, on_read_resource=read_resource,
        on_list_prompts=_prompts, on_get_prompt=get_prompt,
    )  # fmt: skip


def named(ctx: Any) -> str:
    """What the host calls itself; nobody vouches for it."""
    said = ctx.session.client_params
    name = said.client_info.name if said is not None else ""
    return cut(" ".join(name.split()), 60) or "unnamed"


def failed(error: Exception) -> types.CallToolResult:
    """An error as a host can act on it."""
    hint = error.hint if isinstance(error, RemitError) else ""
    said = str(error) if isinstance(error, RemitError) else f"the machine failed: {error.__class__.__name__}"
    text = cut("\n".join(part for part in (said, hint) if part), MOST_TEXT)
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


async def shown(desk: Desk, uri: str) -> tuple[str, str]:
    """A resource: its media type and its text. Raises MCPError."""
    found = _URI.fullmatch(uri)
    try:
        if uri == "remit://runs":
            return "application/json", json.dumps({"schema": "remit.runs/1", "runs": await desk.runs()}, ensure_ascii=False)
        if found is None:
            raise BadInput(f"there is no resource `{visible(uri[:200])}`")
        if found["what"] == "contract":
            return "application/yaml", await desk.contract(found["run"])
        if found["what"] == "diff":
            return "text/x-diff", await desk.diff(found["run"])
        told = await desk.account(Account(run=found["run"]), "")
    except (RemitError, OSError) as error:
        raise MCPError(NOT_FOUND, str(error)) from None
    return "application/json", json.dumps(told, ensure_ascii=False)


# ---------------------------------------------------------------------------------------------------------------------


async def _tools(*_: Any) -> types.ListToolsResult:
    found = [
        types.Tool(
            name=name, description=says(kind), input_schema=schema(kind),
            annotations=types.ToolAnnotations(read_only_hint=name in ONLY_READS, open_world_hint=False),
        )
        for name, kind in WANTS.items()
    ]  # fmt: skip
    return types.ListToolsResult(tools=found)


async def _resources(*_: Any) -> types.ListResourcesResult:
    listed = types.Resource(uri="remit://runs", name="runs", description="the newest runs", mime_type="application/json")
    return types.ListResourcesResult(resources=[listed])


async def _templates(*_: Any) -> types.ListResourceTemplatesResult:
    found = [
        types.ResourceTemplate(uri_template=f"remit://runs/{{id}}/{name}", name=name, description=words)
        for name, words in SEEN.items()
    ]
    return types.ListResourceTemplatesResult(resource_templates=found)


async def _prompts(*_: Any) -> types.ListPromptsResult:
    goal = types.PromptArgument(name="goal", description="what is to be true afterwards", required=True)
    listed = types.Prompt(name="write_contract", description="How to write a contract, with a skeleton", arguments=[goal])
    return types.ListPromptsResult(prompts=[listed])

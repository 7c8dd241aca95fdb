"""What may be said across the gateway: literal tables, and what stands in none of them is refused."""

from typing import Any, Literal

from remit.contract.party import Argument, Tool

Way = Literal["open", "pass", "tools", "list", "decide", "listen"]

HOST: dict[str, Way] = {
    "initialize": "open",
    "server/discover": "open",
    "ping": "pass",
    "logging/setLevel": "pass",
    "resources/unsubscribe": "pass",
    "tools/list": "tools",
    "prompts/list": "list",
    "resources/list": "list",
    "resources/templates/list": "list",
    "tools/call": "decide",
    "prompts/get": "decide",
    "resources/read": "decide",
    "resources/subscribe": "decide",
    "completion/complete": "decide",
    "subscriptions/listen": "listen",
}
"""requests of a host"""
SAID = frozenset({"notifications/initialized", "notifications/roots/list_changed"})
"""notifications of a host that go on as they are"""
BACK = frozenset({"ping", "roots/list", "elicitation/create"})
"""requests of a server that its host may hear"""
TOLD = frozenset(
    {
        "notifications/message",
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/elicitation/complete",
        "notifications/subscriptions/acknowledged",
    }
)
"""notifications of a server that go on as they are"""
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""what is named beside the body in the stateless era"""
TASKS = "io.modelcontextprotocol/tasks"

READS: dict[str, str] = {
    "prompts/list": "prompts/get",
    "resources/list": "resources/read",
    "resources/templates/list": "resources/read",
}
"""what a list is good for: it is handed over where the contract could let that happen"""
LISTED: dict[str, str] = {
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}


def _reading(name: str, *arguments: str) -> Tool:
    first = Argument(name=arguments[0], type="any" if name == "completion/complete" else "text", required=True)
    return Tool(
        name=name, tier="read-only", effect="read", arguments=(first, *(Argument(name=each) for each in arguments[1:]))
    )  # fmt: skip


GATED: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        _reading("resources/read", "uri"),
        _reading("resources/subscribe", "uri"),
        _reading("prompts/get", "name", "arguments"),
        _reading("completion/complete", "ref", "argument", "context"),
    )
}
"""requests that are decided as a `call` of their own name, with their parameters as arguments"""


def without_tasks(capabilities: Any) -> Any:
    """Capabilities without what the gateway does not carry: tasks end later, where nobody could record how."""
    if not isinstance(capabilities, dict):
        return {}
    kept = {name: value for name, value in capabilities.items() if name not in ("tasks", "sampling")}
    if isinstance(kept.get("extensions"), dict):
        kept["extensions"] = {name: value for name, value in kept["extensions"].items() if name != TASKS}
    return kept

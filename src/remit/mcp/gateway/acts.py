"""What a request would do, as an action."""

from typing import Any

from remit.authority.action import Action
from remit.mcp.gateway.messages import PARAMS, Request, Unreadable

ROUND = frozenset({"inputResponses", "requestState"})
"""parameters that belong to a further round of a request, and not to what it would do"""
KNOWN = {
    "tools/call": frozenset({"name", "arguments"}),
    "prompts/get": frozenset({"name", "arguments"}),
    "resources/read": frozenset({"uri"}),
    "resources/subscribe": frozenset({"uri"}),
    "completion/complete": frozenset({"ref", "argument", "context"}),
}


def act_of(request: Request) -> tuple[str, dict[str, Any]]:
    """What a request would do: the object and the arguments of a `call`. Raises Unreadable."""
    params = {name: value for name, value in request.params.items() if name not in ROUND and name != "_meta"}
    if strange := sorted(params.keys() - KNOWN[request.method]):
        raise Unreadable(PARAMS, f"`{strange[0][:80]}` has no place in `{request.method}` here")
    if request.method != "tools/call":
        return request.method, {name: value for name, value in params.items() if value is not None}
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Unreadable(PARAMS, "a call has the name of a tool, and arguments with names")
    return name, arguments


def digest_of(request: Request) -> str:
    """What an approval of this very act, and a further round of it, is bound to. Raises Unreadable."""
    name, arguments = act_of(request)
    return Action(verb="call", object=name, arguments=arguments).digest()

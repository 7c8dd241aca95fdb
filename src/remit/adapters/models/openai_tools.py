"""Which tools of an OpenAI request the runtime carries out by itself; the others run at the vendor and are left out."""

from remit.adapters.models.asked import Body, Sorted, kind_of, objects, parts

OWN = frozenset({"function", "custom", "local_shell", "apply_patch", "namespace"})
"""types of tools that come back to the runtime as a call"""
OWN_WHERE_SAID = frozenset({"shell", "tool_search"})
"""types that run at the vendor unless the request says that they do not"""


def tools(holder: object, found: Sorted) -> None:
    """Leave out hosted tools, also in namespaces, and a choice of one that is no longer there."""
    parts(holder, "tools", lambda tool: _tool(tool, found))


def _tool(tool: Body, found: Sorted) -> Body | None:
    kind, place = kind_of(tool), tool.get("environment")
    local = tool.get("execution") == "client" or (isinstance(place, dict) and place.get("type") == "local")
    if kind in OWN or (kind in OWN_WHERE_SAID and local):
        tools(tool, found)
        return tool
    found.leave(kind)
    return None


def choice(body: Body) -> None:
    """A choice of hosted tools goes with them; of a list of allowed ones those stay that are there."""
    wanted = body.get("tool_choice")
    if not isinstance(wanted, dict):
        return
    if kind_of(wanted) == "allowed_tools":
        wanted["tools"] = [tool for tool in objects(wanted.get("tools")) if kind_of(tool) in OWN]
        if wanted["tools"]:
            return
    elif kind_of(wanted) in OWN | {kind_of(tool) for tool in objects(body.get("tools"))}:
        return
    del body["tool_choice"]

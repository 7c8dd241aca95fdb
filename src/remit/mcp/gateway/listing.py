"""What a server has, and what of it a host is shown: only what the contract could allow, or have a person asked about."""

from collections.abc import Mapping, Sequence
from typing import Any

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.subject import subject
from remit.authority.wire import read_json
from remit.contract.party import TIERS, Tool
from remit.contract.tiers import usual_tier
from remit.errors import BadInput, Broken
from remit.mcp.gateway import messages
from remit.mcp.gateway.methods import GATED
from remit.mcp.gateway.pinning import usable_name
from remit.mcp.gateway.server import Server

PAGES = 100
MOST = 2000


class NotOffered(Broken):
    """The server has no list of this kind; `reply` is what it said."""


async def whole_list(server: Server, method: str, member: str, meta: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Every page of a list, and what stands beside it on the first one.

    Raises NotOffered where the server has none, Broken for what cannot be read, Lost when the server is gone.
    """
    found: list[Any] = []
    beside: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(PAGES):
        params: dict[str, Any] = {"_meta": dict(meta)} if meta else {}
        reply = await server.ask(method, params if cursor is None else {**params, "cursor": cursor})
        if reply.error:
            raise NotOffered(messages.said(reply))
        page = _page(reply.result, member)
        beside = beside or {name: value for name, value in page.items() if name not in (member, "nextCursor")}
        found += page[member]
        cursor = page.get("nextCursor")
        if cursor is None:
            return found, beside
        if not isinstance(cursor, str) or len(found) > MOST:
            break
    raise Broken(f"the server's list of {member} has no end")


def definitions(listed: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The tools by name. What has no plain name, stands twice, or is called like a request of the protocol is left out."""
    named = [each for each in listed if isinstance(each, dict) and usable_name(each.get("name"))]
    names = [each["name"] for each in named]
    return {each["name"]: each for each in named if names.count(each["name"]) == 1 and each["name"] not in GATED}


def undeclared(name: str) -> Tool:
    """A tool that nobody has declared: what the server says about it proves nothing, so it counts as what its name says.

    What sounds like money, messages, shells or systems needs a person each time, until somebody declares it.
    """
    tier = usual_tier(name, "execute")
    return Tool(name=name, tier="human-approved" if TIERS.index(tier) >= TIERS.index("high-risk") else tier, effect="execute")


def could(lineage: Sequence[Authority], name: str) -> str:
    """Whether a call of this name could be allowed at all: `may`, `ask`, or empty when it can only be refused."""
    ready = subject(Action(verb="call", object=name))
    if isinstance(ready, str):
        return ""
    found = "may"
    for authority in lineage:
        shelf = authority.shelves.get("call")
        met = shelf.fitting(ready) if shelf is not None else []
        if any(each.rule.effect == "never" and not each.rule.where for each in met):
            return ""
        effects = {each.rule.effect for each in met}
        if not effects & {"may", "ask"} and not (authority.ceiling and (shelf is None or not shelf.has_may)):
            return ""
        tool = authority.tools.get(name)
        if "ask" in effects or (tool is not None and tool.tier == "human-approved"):
            found = "ask"
    return found


def shown(known: Mapping[str, Mapping[str, Any]], lineage: Sequence[Authority], refused: Mapping[str, str]) -> list[Any]:
    """The tools a host is shown, in a fixed order, each with a note on what a call of it may need."""
    notes = {"may": "nobody, where the arguments are covered", "ask": "a person, or the right arguments"}
    return [
        {**known[name], "_meta": {**_noted(known[name]), "remit/needs": notes[needs]}}
        for name in sorted(known)
        if name not in refused and (needs := could(lineage, name))
    ]


# ---------------------------------------------------------------------------------------------------------------------


def _page(text: bytes, member: str) -> dict[str, Any]:
    try:
        page = read_json(text.decode())
    except (BadInput, UnicodeDecodeError) as error:
        raise Broken(f"the server's list of {member} cannot be read: {error}") from None
    if not isinstance(page, dict) or not isinstance(page.get(member), list):
        raise Broken(f"the server's list of {member} is none")
    return page


def _noted(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = definition.get("_meta")
    return meta if isinstance(meta, Mapping) else {}

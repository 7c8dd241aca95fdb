"""A request that is decided: put before the gate as an action, asked about where it must be, and told."""

from typing import Any

from remit.authority.arguments import unusable
from remit.authority.wire import read_json
from remit.errors import BadInput, Refused
from remit.guard import Done, Waiting
from remit.mcp.gateway import messages
from remit.mcp.gateway.acts import ROUND, act_of, digest_of
from remit.mcp.gateway.asking import Asking
from remit.mcp.gateway.host import Host
from remit.mcp.gateway.messages import PARAMS, SUBSCRIPTION, Reply, Unreadable
from remit.mcp.gateway.passing import Passing
from remit.mcp.gateway.wording import answered, refusal


async def decide(host: Host, asking: Asking, passing: Passing) -> bytes | None:
    """The answer to a request that is decided; None when it belongs to one that is under way."""
    request, desk = passing.request, host.desk
    name, arguments = act_of(request)
    if ROUND & request.params.keys():
        return await _returned(host, asking, passing, name, arguments)
    await host.shelf.look(host.server, request)
    if request.method == "tools/call" and (why := host.shelf.objection(name)) and not unusable(arguments):
        instead = "use a tool of the list, or let a person look at it and pin it anew"
        await desk.refuse(name, arguments, why, instead)
        return refusal(passing, Refused(why, hint=instead), desk.run)
    said = await desk.call(passing, name, arguments)
    if isinstance(said, Waiting) and not said.unknown:
        said = await asking.person(passing, said)
    if request.method == "resources/subscribe" and isinstance(said, Done):
        host.shelf.listen(str(arguments["uri"]))
    kept = desk.said(said.draft) if isinstance(said, Done) and said.draft else None
    return answered(passing, said, desk.run, kept)


async def listen(host: Host, passing: Passing) -> bytes:
    """A standing wish to hear of changes (2026-07-28): each resource in it is decided, and only granted ones are asked for."""
    params, shelf = passing.request.params, host.shelf
    wishes = params.get("notifications")
    uris = wishes.get("resourceSubscriptions", []) if isinstance(wishes, dict) else None
    if not isinstance(wishes, dict) or not isinstance(uris, list) or not all(isinstance(each, str) for each in uris):
        raise Unreadable(PARAMS, "it must say what to listen to")
    await shelf.look(host.server, passing.request)
    granted = [each for each in uris if isinstance(await host.desk.call(passing, "resources/subscribe", {"uri": each}), Done)]
    for each in granted:
        shelf.listen(each)
    wanted = {**wishes, "resourceSubscriptions": granted} if uris else wishes
    reply = await host.server.ask(passing.request.method, {**params, "notifications": wanted}, passing)
    return messages.answer(passing.id, _closed(passing, reply))


def _closed(passing: Passing, reply: Reply) -> Reply:
    """The end of a standing wish, under the id the host knows it by."""
    found = read_json(reply.result.decode()) if reply.result else None
    if not isinstance(found, dict) or not isinstance(found.get("_meta"), dict):
        return reply
    return Reply(id=reply.id, result=messages.encode({**found, "_meta": {**found["_meta"], SUBSCRIPTION: passing.id}}))


async def _returned(
    host: Host, asking: Asking, passing: Passing, name: str, arguments: dict[str, Any]
) -> bytes | None:  # fmt: skip
    """A further round of a request: it must be the very one that was asked about."""
    try:
        asking.returned(passing.request, digest_of(passing.request))
    except BadInput as error:
        await host.shelf.look(host.server, passing.request)
        if not unusable(arguments) and 0 < len(name) <= 200 and name.isprintable():
            await host.desk.refuse(name, arguments, str(error), error.hint or "")
        return refusal(passing, error, host.desk.run)
    return None

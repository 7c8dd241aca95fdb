"""What the server has: looked at before the run begins and whenever it may have changed, pinned, and shown in part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from remit.adapters.effects.arguments import json_text
from remit.errors import BadInput, Broken
from remit.mcp.gateway.desk import TOOL, Desk
from remit.mcp.gateway.listing import NotOffered, could, definitions, shown, whole_list
from remit.mcp.gateway.messages import PARAMS, SERVER_INFO, Note, Reply, Request, Unreadable
from remit.mcp.gateway.passing import Passing
from remit.mcp.gateway.pinning import Pins, read_pins, write_pins
from remit.mcp.gateway.server import Server
from remit.value import digest


class Shelf:
    """The definitions of one kind of server, for all hosts of a gateway."""

    def __init__(self, desk: Desk, pins: Path | None = None) -> None:
        self.desk = desk
        inside = (desk.wanted.workspace or Path()).resolve()
        if pins is not None and pins.resolve().is_relative_to(inside):
            raise BadInput(f"`{pins}` lies in the workspace, where an agent could pin", hint="keep it where only people write")
        self._file = pins
        self.pins = (read_pins(pins) if pins is not None else None) or Pins()
        self._known: dict[str, dict[str, Any]] = {}
        self._beside: dict[str, Any] = {}
        self._seen: dict[str, tuple[str, int]] = {}
        self._stale = True
        self._listened: set[str] = set()
        self._turn = anyio.Lock()

    def met(self, server: Server, said: Mapping[str, Any]) -> None:
        """What the server says it is."""
        meta = said.get("_meta")
        info = said.get("serverInfo") or (meta.get(SERVER_INFO) if isinstance(meta, Mapping) else None)
        name = info.get("name") if isinstance(info, Mapping) else None
        if isinstance(name, str) and name.isprintable() and 0 < len(name) <= 80:
            server.name = name
        words = said.get("instructions")
        if isinstance(words, str):
            self._seen["mcp server instructions"] = (digest(words), len(words.encode()))

    def told(self, method: str) -> None:
        """A notification of the server's that may mean that its tools are others now."""
        if method == "notifications/tools/list_changed":
            self._stale = True

    async def tools(self, server: Server, request: Request) -> dict[str, Any]:
        """The answer to `tools/list`: always whole, always looked at anew."""
        if request.params.get("cursor") is not None:
            raise Unreadable(PARAMS, "the list of tools has one page here")
        await self.look(server, request, always=True)
        refused = {name: why for name in self._known if (why := self.pins.objection(name))}
        return {**self._beside, "tools": shown(self._known, await self.desk.lineage(), refused)}

    async def list(self, server: Server, passing: Passing, reads: str, member: str) -> dict[str, Any] | Reply:
        """Prompts or resources, as the server lists them; none where the contract lets nothing be done with them."""
        await self.look(server, passing.request)
        if could(await self.desk.lineage(), reads):
            return await server.ask(passing.request.method, passing.request.params, passing)
        empty: dict[str, Any] = {member: []}
        return {**empty, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"} if passing.request.modern else empty

    async def look(self, server: Server, request: Request, *, always: bool = False) -> None:
        """Know what the server has, and have the run begun with it."""
        async with self._turn:
            if not (self._stale or always):
                return
            self._stale = False
            meta = {name: value for name, value in request.meta.items() if name != "progressToken"}
            try:
                listed, self._beside = await whole_list(server, "tools/list", "tools", meta)
            except NotOffered:
                listed, self._beside = [], {}
            except Broken:
                self._stale = True
                raise
            self._known = definitions(listed)
            await self.desk.begin(self._known)
            self.pins.known = {**self.desk.pinned, **self.pins.known}
            new = self.pins.see(self._known)
            if new and self._file is not None:
                write_pins(self._file, self.pins.known)
            sizes = {f"{TOOL}{name}": (mark, len(json_text(self._known[name]))) for name, mark in new.items()}
            self._seen |= sizes
            seen, self._seen = self._seen, {}
            await self.desk.loaded(seen)

    def objection(self, name: str) -> str:
        """Why a tool is not to be called as it stands now."""
        return self.pins.objection(name)

    def listen(self, uri: str) -> None:
        """Word about this resource is for the host."""
        self._listened.add(uri)

    def listens(self, note: Note) -> bool:
        """Whether a notification is about a resource that was granted."""
        return note.method == "notifications/resources/updated" and note.params.get("uri") in self._listened

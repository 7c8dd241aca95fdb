"""The port of the meter: each connection a program of the box opens there is handed to the watcher, and closed after it."""

import socket
from contextlib import suppress

from remit.adapters.sandboxes import wire
from remit.ports import Watcher

CONNECTIONS = 256
"""at once; what comes beyond them is closed"""


class Meter:
    """Serves the listening socket that stage0 handed out. Connections are given on non-blocking."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def serve(self, listener: socket.socket) -> None:
        """Until cancelled."""
        await wire.attend(listener, self._visit, CONNECTIONS)

    async def _visit(self, connection: socket.socket) -> None:
        # whatever goes wrong with one connection is the end of that one alone
        with connection, suppress(Exception):
            await self._watcher.model(connection)

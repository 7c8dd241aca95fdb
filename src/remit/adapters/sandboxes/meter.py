"""The port of the meter: each connection a program of the box opens there is handed to the watcher, and closed after it."""

import socket
from contextlib import suppress

import anyio

from remit.adapters.sandboxes import wire
from remit.ports import Watcher

CONNECTIONS = 256
"""at once; what comes beyond them is closed"""


class Meter:
    """Serves the listening socket that stage0 handed out. Connections are given on non-blocking."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._open = 0

    async def serve(self, listener: socket.socket) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as visitors:
            while True:
                connection = await wire.accept(listener)
                if self._open >= CONNECTIONS:
                    connection.close()
                    continue
                self._open += 1
                visitors.start_soon(self._visit, connection)

    async def _visit(self, connection: socket.socket) -> None:
        try:
            # whatever goes wrong with one connection is the end of that one alone
            with connection, suppress(Exception):
                await self._watcher.model(connection)
        finally:
            self._open -= 1

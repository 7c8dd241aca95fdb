"""The model door, made when the first call comes: a run without a model pays nothing for it."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from remit.ports import Account

if TYPE_CHECKING:
    from remit.adapters.models.door import HttpModelDoor


class LateModelDoor:
    """See `remit.ports.ModelDoor`. `environment` holds the real keys and where the providers are."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._door: HttpModelDoor | None = None

    async def serve(self, connection: socket.socket, account: Account) -> None:
        """One connection of HTTP/1.1 until it ends."""
        if self._door is None:
            from remit.adapters.models.door import HttpModelDoor
            from remit.adapters.models.providers import Providers

            self._door = HttpModelDoor(Providers(self._environment))
        await self._door.serve(connection, account)

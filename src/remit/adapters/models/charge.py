"""The end of a reservation: exactly one, whatever happens to the call."""

from collections.abc import Sequence

import anyio

from remit.ports.models import Account, Hold, ToolUse, Usage


class Charge:
    """A hold that ends once: settled by what was used, settled in full where nobody knows, or released."""

    def __init__(self, account: Account, hold: Hold) -> None:
        self._account, self._hold = account, hold
        self._sent = self._over = False

    def sent(self) -> None:
        """The first byte goes out: from now on the provider may have done something."""
        self._sent = True

    async def settle(self, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
        """Charge what was used, or everything."""
        if not self._over:
            self._over = True
            with anyio.CancelScope(shield=True):
                await self._account.settle(self._hold, usage, tools)

    async def release(self, why: str) -> None:
        """Give it back: the provider surely did nothing."""
        if not self._over:
            self._over = True
            with anyio.CancelScope(shield=True):
                await self._account.release(self._hold, why)

    async def leave(self, tools: Sequence[ToolUse] = ()) -> None:
        """Whatever ended the call ended it before anything was known."""
        if self._sent:
            await self.settle(None, tools)
        else:
            await self.release("it ended before anything was sent")

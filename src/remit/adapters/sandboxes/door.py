"""The door of the box: one JSON line in, one JSON line out; whoever knocks is counted, measured and timed."""

import socket
from contextlib import suppress
from typing import Any

import anyio

from remit.adapters.sandboxes import wire
from remit.authority.wire import read_json
from remit.errors import BadInput, RemitError
from remit.ports import Watcher
from remit.value import encode

LINE = 1 << 20
CONNECTIONS = 32
PATIENCE = 10.0
"""seconds a client may take for its line, and for taking the answer"""


class Door:
    """Serves the listening socket that stage0 handed out."""

    def __init__(self, watcher: Watcher, *, patience: float = PATIENCE) -> None:
        self._watcher = watcher
        self._patience = patience

    async def serve(self, listener: socket.socket) -> None:
        """Until cancelled."""
        await wire.attend(listener, self._visit, CONNECTIONS)

    async def _visit(self, connection: socket.socket) -> None:
        held = bytearray()
        try:
            with connection, suppress(ConnectionError):
                while True:
                    line = await self._line(connection, held)
                    if line is None:
                        return
                    answer = await self._answer(line)
                    with anyio.fail_after(self._patience):
                        await wire.send(connection, encode(answer) + b"\n")
        except TimeoutError:
            return

    async def _line(self, connection: socket.socket, held: bytearray) -> bytes | None:
        """The next line without its end; None when there is none, or it is too long or too slow."""
        with anyio.fail_after(self._patience):
            while b"\n" not in held:
                if len(held) >= LINE:
                    await wire.send(connection, encode(refusal(f"a request may have {LINE} bytes")) + b"\n")
                    return None
                data = await wire.receive(connection)
                if not data:
                    return None
                held += data
            line, _, rest = bytes(held).partition(b"\n")
            held[:] = rest
            if len(line) > LINE:
                await wire.send(connection, encode(refusal(f"a request may have {LINE} bytes")) + b"\n")
                return None
        return line

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            message = read_line(line)
        except BadInput as error:
            return refusal(f"the request is not one strict JSON line: {error}")
        if not isinstance(message, dict) or message.get("schema") != "remit.act/1":
            return refusal("the request is not a `remit.act/1` object")
        try:
            return await self._watcher.request(message)
        except RemitError as error:
            return refusal(str(error), "FAILED")
        except Exception:  # noqa: BLE001 - an answer that could not be found is no permission
            return refusal("remit failed while deciding", "FAILED")


def read_line(line: bytes) -> Any:
    """A request as the one object that is decided and carried out: what two readers could read differently is refused.

    No key twice, numbers as written (int or Decimal), no NaN, bounded depth, and only text that the ledger can hold.
    Raises BadInput.
    """
    try:
        message = read_json(line.decode())
        encode(message)
    except (UnicodeError, OverflowError, RecursionError):
        raise BadInput("text or numbers that cannot be recorded") from None
    return message


def refusal(why: str, code: str = "INPUTS") -> dict[str, Any]:
    """An answer that allows nothing, in the words of the engine's own; `FAILED` is a code only the door has."""
    reason = {"code": code, "rule": None, "contract": "", "why": why, "instead": ""}
    return {"schema": "remit.act/1", "decision": "refuse", "reasons": [reason], "done": False}

"""The server process: the pages, the worker beside them, and a clean end on SIGTERM or SIGINT."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import uvicorn

from remit.contract.party import Organisation
from remit.engine.supervisor import Supervisor
from remit.engine.worker import Worker
from remit.errors import BadInput, Broken
from remit.web.application import application
from remit.web.board import Boards
from remit.web.door import Door
from remit.web.guard import Address, Log
from remit.web.site import Site

ENDING = 3
"""seconds that open answers get when the server ends"""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How to serve: where it is bound, how it is reached, who comes in, and whether this process carries runs on."""

    sock: socket.socket
    address: Address
    door: Door
    organisation: Callable[[], Organisation | None]
    log: Log
    worker: bool = True


class Server(uvicorn.Server):
    """Leaves signals to whoever started it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured here."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises BadInput for an address that is no address here, Broken when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # with it, small answers are not held back
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except (OSError, OverflowError) as error:
        sock.close()
        text = getattr(error, "strerror", "") or str(error)
        if isinstance(error, socket.gaierror | OverflowError):
            raise BadInput(f"`{host}:{port}` is no address of this machine: {text.lower()}") from error
        raise Broken(f"`{host}:{port}` cannot be used: {text.lower()}", hint="choose another with --port") from error
    return sock


async def serve(supervisor: Supervisor, serving: Serving, *, ready: Callable[[], None]) -> None:
    """Until a signal comes. `ready` is called once requests are taken."""
    end = anyio.Event()
    site = Site(
        hands=supervisor.hands, door=serving.door, key=supervisor.hands.signer, organisation=serving.organisation,
        closing=end.is_set, boards=Boards(supervisor.hands.ledger),
    )  # fmt: skip
    app = application(site, serving.address, serving.log)
    server = Server(
        uvicorn.Config(
            app, lifespan="off", ws="none", http="h11", interface="asgi3", access_log=False, log_config=None, proxy_headers=False,
            server_header=False, timeout_graceful_shutdown=ENDING, timeout_keep_alive=10, limit_concurrency=200,
        )
    )  # fmt: skip

    async def wait() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for _ in received:
                end.set()
                server.should_exit = True

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        if serving.worker:
            group.start_soon(Worker(supervisor, say=lambda run, what: serving.log(f"run {run}: {what}")).work)
        group.start_soon(_announce, server, ready)
        await server.serve(sockets=[serving.sock])
        group.cancel_scope.cancel()


async def _announce(server: Server, ready: Callable[[], None]) -> None:
    while not server.started:
        if server.should_exit:
            return
        await anyio.sleep(0.01)
    ready()

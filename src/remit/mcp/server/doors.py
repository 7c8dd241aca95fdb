"""How a host comes in: on our stdin and stdout, or over HTTP on this machine with a token."""

import hmac
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp, Receive, Scope, Send

from remit.errors import BadInput, Broken

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST = 16
ENDING = 5


async def on_pipes(server: "Server[Any]") -> None:
    """Until the host closes its end."""
    async with stdio_server() as (heard, said):
        await server.run(heard, said, server.create_initialization_options())


async def over_http(server: "Server[Any]", host: str, port: int, token: str, ready: Callable[[str], None]) -> None:
    """Until a signal comes; `ready` is told the address."""
    app = Guarded(server.streamable_http_app(host=host, json_response=False), token)
    config = uvicorn.Config(
        app, host=host, port=port, lifespan="on", ws="none", access_log=False, log_config=None, proxy_headers=False,
        server_header=False, timeout_graceful_shutdown=ENDING, limit_concurrency=100,
    )  # fmt: skip
    serving = Quiet(config)
    sock = _bound(config)

    async def wait() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for _ in received:
                serving.should_exit = True

    async def announce() -> None:
        while not serving.started and not serving.should_exit:  # noqa: ASYNC110 - uvicorn has no event for it
            await anyio.sleep(0.01)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{sock.getsockname()[1]}/mcp")

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        group.start_soon(announce)
        await serving.serve(sockets=[sock])
        group.cancel_scope.cancel()


class Guarded:
    """Nobody comes in without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._wanted = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(scope):
            headers = [(b"content-type", b"text/plain"), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b"this server wants its token as Authorization: Bearer\n"})
            return
        await self._app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._wanted)


class Quiet(uvicorn.Server):
    """A server that leaves the process's signals to us."""

    def install_signal_handlers(self) -> None:
        """Ours are."""

    def capture_signals(self) -> Any:
        """Ours are."""
        from contextlib import nullcontext

        return nullcontext()


def place(given: str) -> tuple[str, int]:
    """`HOST:PORT`. Raises BadInput for anything but this machine."""
    host, colon, port = given.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"`{given}` is not HOST:PORT", hint="such as --http 127.0.0.1:8765; port 0 is any that is free")
    if host not in LOOPBACK:
        hint = "serve on 127.0.0.1, and let a proxy with TLS stand in front"
        raise BadInput(f"`{host}` is not this machine, and nothing here is encrypted", hint=hint)
    return host, int(port)


def token_of(path: Path | None) -> tuple[str, bool]:
    """The token of the file, or a new one, and whether it is new. Raises BadInput for one that is too short."""
    if path is None:
        return secrets.token_urlsafe(32), True
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"`{path}` cannot be read", hint="a file with the token, for your eyes only") from None
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise BadInput(f"the token in `{path}` can be guessed", hint=f"at least {SHORTEST} plain letters and digits")
    return token, False


def _bound(config: uvicorn.Config) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((config.host, config.port))
    except OSError as error:
        sock.close()
        said = (error.strerror or str(error)).lower()
        raise Broken(f"`{config.host}:{config.port}` cannot be used: {said}", hint="choose another port") from None
    return sock

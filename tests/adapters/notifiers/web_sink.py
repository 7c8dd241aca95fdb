"""A real HTTP server on loopback that keeps what is posted to it, and answers as it is told."""

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebSink:
    """`with WebSink() as sink:`; `status` may be changed while it runs, `silent` holds every answer back until the end."""

    chain: Path | None = None
    status: int = 204
    silent: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[Posted] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        sink, self._over = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                sink.posts.append(Posted(self.command, self.path, dict(self.headers), body))
                if sink.silent:
                    sink._over.wait(30)
                self.send_response(sink.status)
                for name, value in {**sink.headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        scheme = "http"
        if self.chain is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.chain)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""Real providers for effects: an HTTP server that keeps what it got, broken ones on bare sockets, git remotes, databases."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answered(NamedTuple):
    """What the provider says to a request."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Provider:
    """Takes refunds; honours `Idempotency-Key`; `/by-key/KEY` says what became of one. `says` answers instead."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.made: dict[str, bytes] = {}
        self.says: Callable[[Heard], Answered] | None = None
        self.address = ""

    def answer(self, heard: Heard) -> Answered:
        self.heard.append(heard)
        if self.says is not None:
            return self.says(heard)
        if heard.method == "GET":
            found = self.made.get(heard.path.rpartition("/")[2].replace("%3A", ":"))
            return Answered(404, b'{"error": "no such key"}') if found is None else Answered(200, found)
        key = heard.headers.get("Idempotency-Key", f"none-{len(self.made)}")
        given = json.dumps({"id": f"re_{len(self.made) + 1}", "amount": 12.50, "paid": True, "lines": [1]}).encode()
        return Answered(201, self.made.setdefault(key, given))


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider on the loopback."""
    here = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = here.answer(Heard(self.command, self.path, dict(self.headers.items()), body))
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(said.body)

        do_POST = do_GET = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def socket_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does this to every connection, and then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                talk, _ = listener.accept()
                with talk, suppress(OSError):
                    serve(talk)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def heard(talk: socket.socket) -> bytes:
    """The head and body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += talk.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(rest) < length:
        rest += talk.recv(65536)
    return data


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# --- git -------------------------------------------------------------------------------------------------------------

GIT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "release", "GIT_AUTHOR_EMAIL": "release@example.com",
    "GIT_COMMITTER_NAME": "release", "GIT_COMMITTER_EMAIL": "release@example.com",
}  # fmt: skip


def git(at: Path, *arguments: str) -> str:
    """What git printed."""
    done = subprocess.run(["git", *arguments], cwd=at, env=GIT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(at: Path, text: str) -> str:
    """One more commit; its id."""
    (at / "CHANGELOG.md").write_text(text)
    git(at, "add", ".")
    git(at, "commit", "-qm", text)
    return git(at, "rev-parse", "HEAD")


def repositories(room: Path) -> tuple[Path, Path]:
    """A workspace with one commit on main that the bare remote has too, and one more that it has not."""
    workspace, bare = room / "ws", room / "remote.git"
    workspace.mkdir(parents=True)
    git(workspace, "init", "-q", "-b", "main")
    commit(workspace, "start")
    git(room, "clone", "-q", "--bare", str(workspace), str(bare))
    commit(workspace, "v2.4.0")
    return workspace, bare


def tip(at: Path, ref: str = "refs/heads/main") -> str:
    """Where a ref stands, empty when it is not there."""
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "-q", ref], cwd=at, env=GIT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_programs() -> Path | None:
    """Where initdb and postgres are."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


class Cluster:
    """A PostgreSQL server of this test, on a socket in its own folder; as nobody when the test is root."""

    def __init__(self, room: Path, programs: Path) -> None:
        self.room, self._programs = room, programs
        self._drop = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
        self._server: subprocess.Popen[bytes] | None = None
        self.port = closed_port()
        if self._drop:
            os.chown(room, 65534, 65534)
        made = subprocess.run(
            [programs / "initdb", "-D", room / "data", "-U", "remit", "-A", "trust", "-N", "--locale=C", "-E", "UTF8"],
            capture_output=True, cwd=room, check=False, **self._drop,  # type: ignore[call-overload]
        )  # fmt: skip
        assert made.returncode == 0, made.stderr

    @property
    def address(self) -> str:
        """For a binding, with a password that the server does not look at."""
        return f"postgresql://remit:pg-secret-77@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Up, and answering."""
        import psycopg

        self._server = subprocess.Popen(
            [
                self._programs / "postgres", "-D", self.room / "data", "-p", str(self.port), "-k", "", "-h", "127.0.0.1",
                "-c", "fsync=off",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.room, **self._drop,
        )  # type: ignore[call-overload]  # fmt: skip
        deadline = 3000
        for _ in range(deadline):
            with suppress(psycopg.OperationalError), psycopg.connect(self.address, connect_timeout=2):
                return
            threading.Event().wait(0.01)
        raise AssertionError("the database does not come up")

    def stop(self) -> None:
        """At once, as if the machine had gone."""
        if self._server is not None:
            self._server.terminate() if self._server.poll() is not None else self._server.send_signal(3)
            self._server.wait()
            self._server = None

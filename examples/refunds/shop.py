"""A payment provider and a pager in one small server: every effect once for its idempotency key, and every page that arrives."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

TOKEN = "let-me-in"


class Shop(BaseHTTPRequestHandler):
    """POST /refunds under an Idempotency-Key, GET /refunds/KEY, POST /page/WHO. What happened stands in the book, a line each."""

    book: Path
    done: ClassVar[dict[str, dict[str, object]]] = {}
    one_at_a_time = threading.Lock()

    def do_POST(self) -> None:
        """A page; or an effect, carried out once for each key."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}", parse_float=str)
        what = self.path.split("/")[1].removesuffix("s")
        with self.one_at_a_time:
            if what == "page":
                self._write("page", {"for": self.path.rpartition("/")[2], **body})
                self._reply(202, {})
            elif self.headers.get("Authorization") != TOKEN:
                self._reply(401, {"error": "who are you?"})
            else:
                self._reply(201, self._once(what, self.headers["Idempotency-Key"], body))

    def do_GET(self) -> None:
        """What became of a key."""
        found = self.done.get(self.path.rpartition("/")[2].replace("%3A", ":"))
        self._reply(200 if found else 404, found or {})

    def _once(self, what: str, key: str, body: object) -> dict[str, object]:
        if key not in self.done:
            self.done[key] = {"id": f"{what}-{len(self.done) + 1}", "at": self.path, "request": body}
            self._write(what, self.done[key])
        return self.done[key]

    def _write(self, what: str, data: object) -> None:
        with self.book.open("a", encoding="utf-8") as book:
            book.write(f"{what} {json.dumps(data)}\n")

    def _reply(self, status: int, data: object) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing: the book is the log."""


if __name__ == "__main__":
    Shop.book = Path(sys.argv[1])
    Shop.book.touch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    print(server.server_address[1], flush=True)
    server.serve_forever()

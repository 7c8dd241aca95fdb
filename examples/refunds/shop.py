"""A payment provider and a pager in one small server: refunds by idempotency key, and every page that arrives."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Shop(BaseHTTPRequestHandler):
    """POST /refunds under an Idempotency-Key, GET /refunds/KEY, POST /page."""

    refunds: dict[str, dict[str, object]] = {}
    book: Path

    def do_POST(self) -> None:
        """A refund, made once for each key; or a page."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/page":
            self._write("page", json.loads(body))
            self._reply(202, {})
            return
        if self.headers.get("Authorization") != "let-me-in":
            self._reply(401, {"error": "who are you?"})
            return
        key = self.headers["Idempotency-Key"]
        if key not in self.refunds:
            self.refunds[key] = {"id": f"refund-{len(self.refunds) + 1}", "request": json.loads(body)}
            self._write("refund", self.refunds[key])
        self._reply(201, self.refunds[key])

    def do_GET(self) -> None:
        """What became of a key."""
        found = self.refunds.get(self.path.rpartition("/")[2].replace("%3A", ":"))
        self._reply(200 if found else 404, found or {})

    def _write(self, what: str, data: object) -> None:
        with self.book.open("a") as book:
            book.write(f"{what} {json.dumps(data)}\n")

    def _reply(self, status: int, data: object) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the book is the log."""


if __name__ == "__main__":
    Shop.book = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    print(server.server_address[1], flush=True)
    server.serve_forever()

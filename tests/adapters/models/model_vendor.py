"""A provider on loopback for tests: it speaks all four wire formats, and does what it is told."""

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec


@dataclass
class Said:
    """An answer: pieces that are sent one by one; `cut` breaks off after them; `wait` is asked between them. Status 0 is silence."""

    status: int = 200
    kind: str = "application/json"
    pieces: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: Callable[[int], None] = lambda number: None
    length: bool = False


@dataclass
class Heard:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw)


class Vendor:
    """The server. `answer` makes the answer to a request; `heard` is what came in."""

    def __init__(self, answer: Callable[[Heard], Said] | None = None) -> None:
        self.heard: list[Heard] = []
        self.answer = answer or usual
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                heard = Heard(self.command, self.path, headers, self.rfile.read(size))
                vendor.heard.append(heard)
                try:
                    self._say(vendor.answer(heard))
                except OSError:
                    self.close_connection = True

            def _say(self, said: Said) -> None:
                if not said.status:
                    self.close_connection = True
                    return
                self.send_response(said.status)
                self.send_header("Content-Type", said.kind)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                if said.length:
                    self.send_header("Content-Length", str(sum(map(len, said.pieces)) + said.cut))
                else:
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for number, piece in enumerate(said.pieces):
                    said.wait(number)
                    self.wfile.write(piece if said.length else b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                said.wait(len(said.pieces))
                if said.cut:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                elif not said.length:
                    self.wfile.write(b"0\r\n\r\n")

            do_GET = do_POST = _serve  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def environment(self) -> dict[str, str]:
        """What remit's own environment would say."""
        return {
            "ANTHROPIC_BASE_URL": self.base,
            "ANTHROPIC_API_KEY": "real-anthropic-key",
            "OPENAI_BASE_URL": f"{self.base}/v1",
            "OPENAI_API_KEY": "real-openai-key",
            "GOOGLE_GEMINI_BASE_URL": self.base,
            "GEMINI_API_KEY": "real-gemini-key",
        }


def usual(heard: Heard) -> Said:
    """A text and a call of a tool, with their usage: 100 in, of which 20 from a cache, and 10 out."""
    if heard.path.partition("?")[0].endswith(("/count_tokens", ":countTokens")):
        return Said(pieces=[b'{"input_tokens": 7, "totalTokens": 7}'])
    if heard.method == "GET":
        return Said(pieces=[b'{"data": [{"id": "model-1"}]}'])
    body = heard.body
    if heard.path.startswith("/v1/messages"):
        return events(ANTHROPIC) if body.get("stream") else whole(ANTHROPIC_WHOLE)
    if heard.path.endswith("/responses"):
        return events(RESPONSES) if body.get("stream") else whole(RESPONSES[-1]["response"])
    if heard.path.endswith("/chat/completions"):
        return events(CHAT, done=True) if body.get("stream") else whole(CHAT_WHOLE)
    return events(GEMINI) if "streamGenerateContent" in heard.path else whole(GEMINI_WHOLE)


def events(said: Iterable[Any], *, done: bool = False) -> Said:
    pieces = [
        (f"event: {one['type']}\n" if "type" in one else "").encode() + b"data: " + msgspec.json.encode(one) + b"\n\n"
        for one in said
    ]
    return Said(kind="text/event-stream", pieces=[*pieces, *([b"data: [DONE]\n\n"] if done else [])])


def whole(said: Any) -> Said:
    return Said(pieces=[msgspec.json.encode(said)], length=True)


_USED = {"input_tokens": 70, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 20, "output_tokens": 1}
ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None, "stop_sequence": None, "usage": _USED}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello “you”"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t1", "name": "shell", "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"command":'}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '"ls"}'}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 10}},
    {"type": "message_stop"},
]  # fmt: skip
ANTHROPIC_WHOLE: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": None,
    "content": [{"type": "text", "text": "Hello “you”"}, {"type": "tool_use", "id": "t1", "name": "shell", "input": {"command": "ls"}}],
    "usage": _USED | {"output_tokens": 10},
}  # fmt: skip
_TEXT = {
    "type": "message",
    "id": "i0",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello “you”", "annotations": []}],
}
_ITEM = {
    "type": "function_call",
    "id": "i1",
    "call_id": "t1",
    "name": "shell",
    "arguments": '{"command":"ls"}',
    "status": "completed",
}
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "in_progress",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "sequence_number": 0, "response": _RESPONSE},
    {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": _TEXT | {"content": []}},
    {"type": "response.output_text.delta", "sequence_number": 2, "item_id": "i0", "output_index": 0, "content_index": 0, "delta": "Hello “you”", "logprobs": []},
    {"type": "response.output_item.done", "sequence_number": 3, "output_index": 0, "item": _TEXT},
    {"type": "response.output_item.done", "sequence_number": 4, "output_index": 1, "item": _ITEM},
    {"type": "response.completed", "sequence_number": 5, "response": _RESPONSE | {"status": "completed", "output": [_TEXT, _ITEM], "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0}, "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 110}}},
]  # fmt: skip
_CHAT: dict[str, Any] = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
_CHAT_USED = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 20}, "completion_tokens": 10, "total_tokens": 110}
CHAT: list[dict[str, Any]] = [
    _CHAT | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello “you”"}, "finish_reason": None}]},
    _CHAT | {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "shell", "arguments": ""}}]}, "finish_reason": None}]},
    _CHAT | {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"command":'}}]}, "finish_reason": None}]},
    _CHAT | {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '"ls"}'}}]}, "finish_reason": None}]},
    _CHAT | {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    _CHAT | {"choices": [], "usage": _CHAT_USED},
]  # fmt: skip
CHAT_WHOLE: dict[str, Any] = _CHAT | {
    "object": "chat.completion", "usage": _CHAT_USED,
    "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Hello “you”", "tool_calls": [
        {"id": "t1", "type": "function", "function": {"name": "shell", "arguments": '{"command":"ls"}'}}]}}],
}  # fmt: skip
_GEMINI_USED = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 20,
    "candidatesTokenCount": 6,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 110,
}
GEMINI: list[dict[str, Any]] = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello “you”"}]}, "index": 0}], "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 1}},
    {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"id": "t1", "name": "shell", "args": {"command": "ls"}}}]}, "index": 0, "finishReason": "STOP"}], "usageMetadata": _GEMINI_USED},
]  # fmt: skip
GEMINI_WHOLE: dict[str, Any] = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello “you”"}, {"functionCall": {"id": "t1", "name": "shell", "args": {"command": "ls"}}}]}, "index": 0, "finishReason": "STOP"}],
    "usageMetadata": _GEMINI_USED,
}  # fmt: skip

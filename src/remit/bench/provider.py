"""A provider of models for the bench, which answers at once: `python -m remit.bench.provider` says its port and serves."""

import json
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream

PACES = {"paced": (10, 0.05), "brisk": (20, 0.002), "burst": (46, 0.0)}
"""how a provider sends: words of a stream, and seconds between them"""
_USED = {"input_tokens": 100, "output_tokens": 10}
_MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
_WHOLE = json.dumps(_MESSAGE | {"content": [{"type": "text", "text": "word " * 200}], "usage": _USED}).encode()


async def serve() -> None:
    """Say the port, and serve until killed."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", backlog=512)
    print(listener.extra_attributes[SocketAttribute.local_port](), flush=True)  # noqa: T201 - this is how it is found
    await listener.serve(provided)


async def provided(line: SocketStream) -> None:
    """The provider: it looks for the length of a request, and answers as the body asks."""
    async with line:
        got = b""
        try:
            while True:
                while not _whole(got):
                    got += await line.receive()
                await _given(line, got)
                got = b""
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


def _whole(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    return bool(found) and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def _given(line: SocketStream, got: bytes) -> None:
    pace = next((pace for name, pace in PACES.items() if f'"{name}"'.encode() in got), None)
    if pace is None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(_WHOLE)}\r\n\r\n"
        return await line.send(head.encode() + _WHOLE)
    await line.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    words, apart = pace
    for event in _events(words):
        if apart:
            await anyio.sleep(apart)
        data = b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        await line.send(b"%x\r\n%s\r\n" % (len(data), data))
    return await line.send(b"0\r\n\r\n")


def _events(deltas: int) -> list[dict[str, Any]]:
    word = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
    return [
        {"type": "message_start", "message": _MESSAGE | {"content": [], "usage": _USED}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[word] * deltas,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}},
        {"type": "message_stop"},
    ]


if __name__ == "__main__":
    anyio.run(serve)

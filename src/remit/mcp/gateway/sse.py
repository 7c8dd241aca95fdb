"""What Streamable HTTP adds to a message: server-sent events, and names as headers."""

import base64
from collections.abc import AsyncIterator


async def events(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """The data of each event; one of more than `most` bytes is left out."""
    held, data, size = bytearray(), list[bytes](), 0
    async for chunk in chunks:
        held += chunk
        if len(held) > most:
            held, data, size = bytearray(), [], most + 1
        *whole, rest = bytes(held).replace(b"\r\n", b"\n").split(b"\n")
        held = bytearray(rest)
        for line in whole:
            if line.startswith(b"data:"):
                size += len(line)
                data.append(line[5:].removeprefix(b" "))
            elif not line:
                if data and size <= most:
                    yield b"\n".join(data)
                data, size = [], 0


def event(message: bytes) -> bytes:
    """A message of one line as an event."""
    return b"event: message\ndata: " + message + b"\n\n"


def headed(name: str) -> str:
    """A name as a header says it: as it is where that is safe, else in base64."""
    if name.isascii() and name.isprintable() and name == name.strip() and not name.startswith("=?"):
        return name
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="

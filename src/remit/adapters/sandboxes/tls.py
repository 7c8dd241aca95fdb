"""Just enough of TLS to read whom a client wants to talk to: the first handshake record, never decrypted.

RFC 8446 §4.1.2 (client hello), RFC 6066 §3 (server name), draft-ietf-tls-esni (0xfe0d, refused: it hides the name).
"""

import struct

from remit.value import Value

RECORD, HELLO, SERVER_NAME, ENCRYPTED_HELLO = 22, 1, 0, 0xFE0D
MOST = 1 << 14


class Hello(Value, frozen=True, kw_only=True):
    """The server name asked for, empty when there is none, and whether an encrypted one is hidden beside it."""

    name: str
    encrypted: bool


class NotTls(ValueError):
    """The bytes are no client hello."""


def read_hello(data: bytes) -> Hello | None:
    """What the first bytes say; None while more are needed. Raises NotTls."""
    body = _handshake(data)
    if body is None:
        return None
    try:
        return _extensions(body)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise NotTls("a broken client hello") from error


def _handshake(data: bytes) -> bytes | None:
    """The client hello, put together from as many records as it was cut into."""
    message = b""
    while True:
        if data and data[0] != RECORD:
            raise NotTls("no TLS handshake")
        if len(data) < 5:
            return None
        size = int.from_bytes(data[3:5], "big")
        if data[1] != 3 or not 0 < size <= MOST:
            raise NotTls("no TLS record")
        if len(data) < 5 + size:
            return None
        message, data = message + data[5 : 5 + size], data[5 + size :]
        if message[0] != HELLO:
            raise NotTls("no client hello")
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return message[4 : 4 + int.from_bytes(message[1:4], "big")]
        if len(message) > MOST:
            raise NotTls("a client hello without end")


def _extensions(body: bytes) -> Hello:
    at = 34
    at += 1 + body[at]
    at += 2 + int(struct.unpack_from("!H", body, at)[0])
    at += 1 + body[at]
    if at == len(body):
        return Hello(name="", encrypted=False)
    end = at + 2 + int(struct.unpack_from("!H", body, at)[0])
    at += 2
    names: list[str] = []
    encrypted = False
    while at < end:
        kind, size = struct.unpack_from("!HH", body, at)
        content = body[at + 4 : at + 4 + size]
        at += 4 + size
        encrypted = encrypted or kind == ENCRYPTED_HELLO
        if kind == SERVER_NAME:
            listed, form, length = struct.unpack_from("!HBH", content)
            if form != 0 or listed != length + 3 or len(content) != listed + 2:
                raise NotTls("more than one server name")
            names.append(content[5:].decode("ascii"))
    if len(names) > 1 or at != end or end != len(body):
        raise NotTls("a client hello that can be read in two ways")
    return Hello(name=names[0] if names else "", encrypted=encrypted)

"""The head of a proxy request, read so strictly that nobody downstream can read it differently. RFC 9110, RFC 9112."""

import re

from remit.value import Value

MOST = 65536
NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")
LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]\Z")
HOPS = {b"host", b"connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-connection", b"proxy-authorization"}


class Unreadable(ValueError):
    """The request cannot be passed on; the text says why."""


class Request(Value, frozen=True, kw_only=True):
    """Where to, and what to send there first: `head` is empty for a tunnel; `body` counts the bytes that follow it."""

    host: str
    port: int
    tunnel: bool
    head: bytes = b""
    body: int = 0


def read_head(head: bytes) -> Request:
    """The request whose head this is, without its last empty line. Raises Unreadable."""
    first, *rest = head.split(b"\r\n")
    line = LINE.match(first)
    if line is None:
        raise Unreadable("not a proxy request")
    fields = []
    for each in rest:
        field = FIELD.match(each)
        if field is None:
            raise Unreadable("a header line that cannot be read")
        fields.append((field[1].lower(), field[1], field[2]))
    method, target = line[1], line[2]
    if method == b"CONNECT":
        host, port = _place(target.decode(), None)
        return Request(host=host, port=port, tunnel=True)
    if not target.lower().startswith(b"http://"):
        raise Unreadable("only http:// goes in the clear; use CONNECT for the rest")
    authority, _, path = target[7:].partition(b"/")
    if b"?" in authority or b"#" in target:
        raise Unreadable("an address without a path")
    host, port = _place(authority.decode(), 80)
    body = _length([(name, value) for name, _, value in fields])
    shown = host if port == 80 else f"{host}:{port}"
    lines = [method + b" /" + path + b" HTTP/1.1", b"Host: " + shown.encode(), b"Connection: close"]
    lines += [written + b": " + value for name, written, value in fields if name not in HOPS]
    return Request(host=host, port=port, tunnel=False, head=b"\r\n".join(lines) + b"\r\n\r\n", body=body)


def _place(text: str, usual: int | None) -> tuple[str, int]:
    name, colon, number = text.partition(":")
    name = name.lower().removesuffix(".")
    if not NAME.match(name) or len(name) > 253:
        raise Unreadable(f"`{text[:100]}` names no host; addresses and user names are not accepted")
    if name.rpartition(".")[2].isdigit() or re.match(r"0x[0-9a-f]*\Z", name.rpartition(".")[2]):
        raise Unreadable(f"`{name}` is an address, not a host name")
    if colon and not (number.isdigit() and len(number) <= 5 and 0 < int(number) < 65536):
        raise Unreadable(f"`{text[:100]}` has no usable port")
    if not colon and usual is None:
        raise Unreadable("CONNECT needs a port")
    return name, int(number) if colon else int(usual or 0)


def _length(fields: list[tuple[bytes, bytes]]) -> int:
    if any(name == b"transfer-encoding" for name, _ in fields):
        raise Unreadable("a body of unknown length; send a Content-Length")
    lengths = [value for name, value in fields if name == b"content-length"]
    if len(lengths) > 1 or (lengths and not re.fullmatch(rb"[0-9]{1,15}", lengths[0])):
        raise Unreadable("two lengths for one body, or one that is no number")
    return int(lengths[0]) if lengths else 0

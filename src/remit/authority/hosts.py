"""Where a connection goes: hosts, ports and URLs read so strictly that no two clients can read them differently."""

import ipaddress
from urllib.parse import unquote

from remit.value import Value

PORTS = {"https": 443, "http": 80}


class Target(Value, frozen=True, kw_only=True):
    """One place on the network. `scheme` and `path` are empty when only `host:port` was given; the query is no part of it."""

    host: str
    port: int
    scheme: str = ""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}" if self.scheme else f"{self.host}:{self.port}"


def target(text: str, *, pattern: bool = False) -> Target | None:
    """The place that `host`, `host:port` or a URL names, None where it is anything but plain.

    Refused: user names, backslash, blanks, control and non-ASCII characters, addresses other than four plain numbers or
    bracketed IPv6, ports other than 1 to 65535 in plain digits, `.` and `..` steps however they are encoded.
    One trailing dot goes. Without a port it is 443, or the port of the scheme. A pattern's host may begin with `*.`.
    """
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or len(text) > 8192:
        return None
    scheme, rest, path = "", text, ""
    if "://" in text:
        scheme, _, rest = text.partition("://")
        scheme = scheme.lower()
        if scheme not in PORTS:
            return None
        cut = min((place for mark in "/?#" if (place := rest.find(mark)) >= 0), default=len(rest))
        rest, tail = rest[:cut], rest[cut:]
        path = tail.partition("#")[0].partition("?")[0] or "/"
        if not _plain_path(path):
            return None
    host, port = _split(rest)
    number = PORTS.get(scheme, 443) if port is None else _port(port)
    name = host_name(host, pattern=pattern)
    return None if number is None or name is None else Target(host=name, port=number, scheme=scheme, path=path)


def host_name(text: str, *, pattern: bool = False) -> str | None:
    """The host in lower case without its trailing dot, None where it is no plain host name or address."""
    text = text.lower()
    if text.startswith("[") and text.endswith("]"):
        return _six(text[1:-1])
    text = text.removesuffix(".")
    if pattern and text.startswith("*."):
        inner = host_name(text[2:])
        return None if inner is None or inner[:1] == "[" or _numeric(inner.rpartition(".")[2]) else "*." + inner
    labels = text.split(".")
    if len(text) > 253 or not all(_label(label) for label in labels):
        return None
    if _numeric(labels[-1]):
        return text if _four(labels) else None
    return text


def within(pattern: Target, place: Target, *, strict: bool) -> bool:
    """Whether a place is inside a pattern: same port, same host or below `*.`, same scheme and below the path where it has one.

    A pattern with a path says nothing about a bare `host:port`: strictly that is outside, for an `ask` or `never` inside.
    """
    if pattern.port != place.port or not host_within(pattern.host, place.host):
        return False
    if not pattern.scheme:
        return True
    if not place.scheme:
        return not strict
    if pattern.scheme != place.scheme:
        return False
    return place.path == pattern.path or place.path.startswith(pattern.path if pattern.path.endswith("/") else pattern.path + "/")


def host_within(pattern: str, host: str) -> bool:
    """Whether a host is this one, or, for `*.example.com`, has one or more whole labels before it."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern == host


# ---------------------------------------------------------------------------------------------------------------------

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def _split(text: str) -> tuple[str, str | None]:
    """Host and port as written. A user name keeps its `@` in the host, and no host has one."""
    if text.startswith("[") and "]" in text:
        host, _, port = text.partition("]")
        return host + "]", port[1:] if port.startswith(":") else (None if not port else "?")
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _port(text: str) -> int | None:
    if not text.isdigit() or len(text) > 5 or text.startswith("0"):
        return None
    number = int(text)
    return number if number <= 65535 else None


def _label(text: str) -> bool:
    return 0 < len(text) <= 63 and _LETTERS.issuperset(text) and text[0] != "-" and text[-1] != "-"


def _numeric(label: str) -> bool:
    """Whether a last label would make a resolver read the whole as an address: `1`, `0x7f`, `0177` (inet_aton forms)."""
    return label.isdigit() or (label[:2] == "0x" and all(mark in "0123456789abcdef" for mark in label[2:]))


def _four(labels: list[str]) -> bool:
    return len(labels) == 4 and all(
        label.isdigit() and len(label) <= 3 and int(label) <= 255 and str(int(label)) == label for label in labels
    )


def _six(text: str) -> str | None:
    """IPv6 in its shortest form; zones and addresses that carry an IPv4 one inside are refused."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    if address.scope_id is not None or address.ipv4_mapped is not None or "." in text:
        return None
    return f"[{address.compressed}]"


def _plain_path(path: str) -> bool:
    """No steps, no encoded separators, nothing encoded twice: what the server sees is what was compared."""
    once = unquote(path)
    if not once.isprintable() or "\\" in once or unquote(once) != once or once.count("/") != path.count("/"):
        return False
    return not any(segment in (".", "..") or segment.partition(";")[0] in (".", "..") for segment in once.split("/"))

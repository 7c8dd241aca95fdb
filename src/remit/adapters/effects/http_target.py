"""Where a request goes and what it carries: arguments put into a URL and a body so that they can be nothing but values."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from remit.adapters.effects.arguments import json_text, only, scalar
from remit.contract.binding import HttpRequest
from remit.errors import BadInput

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def holes(url: str) -> tuple[str, ...]:
    """The arguments that the URL takes, in order."""
    return tuple(_HOLE.findall(url))


def filled(url: str, arguments: Mapping[str, Any]) -> str:
    """The URL with each `{argument}` percent-encoded into one component of its path or query.

    Raises BadInput for an argument that is missing, or that would be a step in the path rather than a name.
    """
    path_ends = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in arguments:
            raise BadInput(f"`{name}` is missing: the address needs it")
        text = scalar(name, arguments[name])
        if found.start() < path_ends and any(_leads(step) for step in re.split(r"[/\\]", text)):
            raise BadInput(f"`{name}` cannot stand in an address: `{text[:80]}` is a step in a path, not a name")
        return quote(text, safe="")

    return _HOLE.sub(value, url)


def reachable(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and request target of a finished URL. Raises BadInput for one that no request should go to."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        host.encode("ascii")
    except ValueError as error:
        raise BadInput("the address of the request cannot be read", hint="write it as https://HOST/PATH") from error
    if parts.scheme not in ("https", "http") or not host:
        raise BadInput("the address of the request must begin with https:// or http://")
    if "@" in parts.netloc:
        raise BadInput("the address of the request carries a user or password", hint="put it into a header, as `$NAME`")
    if not all("!" <= mark <= "~" for mark in url):
        raise BadInput("the address of the request holds a blank, a control character or a letter that is not ASCII")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target


def checked_template(binding: HttpRequest) -> None:
    """Raises BadInput when an argument could choose the host: only the organisation does."""
    for url in (binding.url, binding.probe):
        start = url.partition("://")[2] if "://" in url else url
        if _HOLE.search(re.split(r"[/?#]", start, maxsplit=1)[0]):
            raise BadInput("an argument stands in the host of the address", hint="bind one tool for each host")


def body(binding: HttpRequest, arguments: Mapping[str, Any]) -> tuple[str, str] | None:
    """Content type and body of what the URL did not take; None where there is none. Raises BadInput for what has no place."""
    taken = holes(binding.url)
    rest = {name: value for name, value in arguments.items() if name not in taken}
    if binding.body == "none" or binding.method == "GET":
        only(rest, (), why="the request has no body, and its address does not name it")
        return None
    if not rest and binding.method == "DELETE":
        return None
    if binding.body == "json":
        return _TYPES["json"], json_text(rest)
    pairs = [(name, scalar(name, one)) for name, value in sorted(rest.items()) for one in _each(value)]
    return _TYPES["form"], urlencode(pairs)


def _leads(step: str) -> bool:
    """Whether a server could read it as a step; some cut a name off at its semicolon first."""
    return step.partition(";")[0] in ("", ".", "..")


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]

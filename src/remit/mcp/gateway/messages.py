"""JSON-RPC messages: a host's are read so that no two readers can differ, a server's are handed on as they came."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from remit.authority.wire import read_json
from remit.errors import BadInput

MOST = 4_000_000
"""bytes of a message of a host"""
MOST_BACK = 32 * 1024 * 1024
"""bytes of a message of a server"""
LONGEST_ID = 200
PARSE, INVALID, NO_METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
REFUSED, WAITING, GONE, LOST = -32010, -32011, -32012, -32013
"""codes of remit's own: refused, a person is asked, the server is gone, its answer was lost on the way"""

Id = int | str
_ENCODER = msgspec.json.Encoder(decimal_format="number")
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


@dataclass(frozen=True, kw_only=True)
class Request:
    """Somebody wants an answer."""

    id: Id
    method: str
    params: dict[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        """What stands beside the parameters."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, Mapping) else {}

    @property
    def modern(self) -> bool:
        """Whether it belongs to the stateless era (2026-07-28), in which each request says its version."""
        return isinstance(self.meta.get(VERSION), str)


@dataclass(frozen=True, kw_only=True)
class Note:
    """Somebody says something, and wants no answer."""

    method: str
    params: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: `result` or `error` as the JSON text it came in."""

    id: Id
    result: bytes = b""
    error: bytes = b""


Message = Request | Note | Reply


class Unreadable(BadInput):
    """A message that is none; `code` is what JSON-RPC calls it, `id` whom to tell."""

    def __init__(self, code: int, why: str, id: Id | None = None) -> None:  # noqa: A002 - the protocol's word
        super().__init__(why)
        self.code, self.id = code, id


def read_host(line: bytes) -> Message:
    """A message of a host, its numbers exact. Raises Unreadable: batches, double keys and twins of them are none."""
    try:
        document = read_json(line.decode())
    except UnicodeDecodeError:
        raise Unreadable(PARSE, "not UTF-8") from None
    except BadInput as error:
        raise Unreadable(PARSE, str(error)) from None
    if isinstance(document, list):
        raise Unreadable(INVALID, "messages are sent one at a time, not in batches")
    if not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
        raise Unreadable(INVALID, "not a JSON-RPC 2.0 message")
    number = document.get("id")
    known = number if _plain(number) else None
    if not line.isascii() and (twin := _twin(document)):
        raise Unreadable(INVALID, f"two names are one and the same letter by letter: `{twin}`", known)
    return _message(document, known)


def read_server(line: bytes) -> Message:
    """A message of a server; results are not looked into. Raises Unreadable."""
    try:
        line.decode()
        envelope = _DECODER.decode(line)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(PARSE, f"not a JSON-RPC message: {str(error)[:200]}") from None
    if envelope.method is None:
        if not _plain(envelope.id) or bool(envelope.result) == bool(envelope.error):
            raise Unreadable(INVALID, "an answer has an id, and a result or an error")
        return Reply(id=envelope.id, result=bytes(envelope.result), error=bytes(envelope.error))  # type: ignore[arg-type]
    params = _params(envelope)
    if envelope.id is None:
        return Note(method=envelope.method, params=params)
    if not _plain(envelope.id):
        raise Unreadable(INVALID, "the id of a request is a short text or a whole number")
    return Request(id=envelope.id, method=envelope.method, params=params)


def encode(value: Any) -> bytes:
    """JSON on one line, with numbers as they were written."""
    return _ENCODER.encode(value)


def request(id: Id, method: str, params: Mapping[str, Any]) -> bytes:  # noqa: A002 - the protocol's word
    """A request on one line."""
    return encode({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def note(method: str, params: Mapping[str, Any]) -> bytes:
    """A notification on one line."""
    return encode({"jsonrpc": "2.0", "method": method, "params": params})


def answer(id: Id, reply: Reply) -> bytes:  # noqa: A002 - the protocol's word
    """An answer that came from elsewhere, under another id."""
    name, text = ("result", reply.result) if reply.result else ("error", reply.error)
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)
    return encode({"jsonrpc": "2.0", "id": id, name: msgspec.Raw(text)})


def result(id: Id, value: Any) -> bytes:  # noqa: A002 - the protocol's word
    """An answer of the gateway's own."""
    return encode({"jsonrpc": "2.0", "id": id, "result": value})


def error(id: Id | None, code: int, why: str, data: Any = None) -> bytes:  # noqa: A002 - the protocol's word
    """A refusal of the gateway's own."""
    said = {"code": code, "message": why}
    return encode({"jsonrpc": "2.0", "id": id, "error": said if data is None else {**said, "data": data}})


def said(reply: Reply) -> str:
    """The words of an error of the server's."""
    try:
        return msgspec.json.decode(reply.error, type=_Error).message[:500]
    except msgspec.MsgspecError:
        return "an error without words"


def lost(reply: Reply) -> bool:
    """Whether the answer was lost on the way, so that nobody knows what the server did."""
    try:
        return bool(reply.error) and msgspec.json.decode(reply.error, type=_Error).code == LOST
    except msgspec.MsgspecError:
        return False


def lone(message: bytes) -> bytes:
    """The message on one line; empty when it is none."""
    try:
        return msgspec.json.format(message, indent=-1)
    except msgspec.MsgspecError:
        return b""


# ---------------------------------------------------------------------------------------------------------------------


class _Envelope(msgspec.Struct):
    jsonrpc: str
    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct):
    message: str
    code: int = 0


_DECODER = msgspec.json.Decoder(_Envelope)


def _plain(number: Any) -> bool:
    if isinstance(number, str):
        return len(number) <= LONGEST_ID
    return isinstance(number, int) and not isinstance(number, bool) and abs(number) < 2**53


def _params(envelope: _Envelope) -> dict[str, Any]:
    if not bytes(envelope.params):
        return {}
    try:
        params = read_json(bytes(envelope.params).decode())
    except BadInput as error:
        raise Unreadable(INVALID, str(error)) from None
    if not isinstance(params, dict):
        raise Unreadable(INVALID, "parameters have names")
    return params


def _message(document: dict[str, Any], known: Id | None) -> Message:
    method, params = document.get("method"), document.get("params", {})
    if method is None and ("result" in document) != ("error" in document) and known is not None:
        return Reply(
            id=known,
            result=encode(document["result"]) if "result" in document else b"",
            error=encode(document["error"]) if "error" in document else b"",
        )
    if not isinstance(method, str) or not isinstance(params, dict) or "result" in document or "error" in document:
        raise Unreadable(INVALID, "neither a request, nor a notification, nor an answer", known)
    if "id" not in document:
        return Note(method=method, params=params)
    if known is None:
        raise Unreadable(INVALID, "the id of a request is a short text or a whole number")
    return Request(id=known, method=method, params=params)


def _twin(value: Any) -> str:
    """A name that stands twice in one object once its letters are composed."""
    if isinstance(value, Mapping):
        names = [unicodedata.normalize("NFKC", name) for name in value]
        twice = next((name for name in names if names.count(name) > 1), "") if len(set(names)) < len(names) else ""
        return twice[:80] or next((found for each in value.values() if (found := _twin(each))), "")
    if isinstance(value, list):
        return next((found for each in value if (found := _twin(each))), "")
    return ""

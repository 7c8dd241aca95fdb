"""Anthropic Messages: requests read, answers whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from remit.testing.models.exchange import Asked, Call, Declared, Entry, Turn, encoded, event, plain, schema_of, slices
from remit.testing.models.script import Usage


def _entries(messages: list[dict[str, Any]]) -> Iterator[Entry]:
    for message in messages:
        content = message.get("content", "")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            match block.get("type"):
                case "text":
                    yield Entry(kind="user" if message["role"] == "user" else "assistant", text=block["text"])
                case "tool_use":
                    yield Entry(kind="call", call=block["id"])
                case "tool_result":
                    yield Entry(kind="result", text=plain(block.get("content", "")), call=block["tool_use_id"])


def asked(body: dict[str, Any], size: int) -> Asked:
    """A request of the Messages API; a tool with a `type` of its own runs at the vendor, unless it is a client's."""
    tools = body.get("tools") or []
    ours = [tool for tool in tools if tool.get("type", "custom") == "custom"]
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        tools=tuple(Declared(name=tool["name"], schema=schema_of(tool.get("input_schema"))) for tool in ours),
        hosted=tuple(tool["type"] for tool in tools if tool.get("type", "custom") != "custom"),
        entries=tuple(_entries(body["messages"])),
        system=plain(body.get("system", "")),
        max_output=body.get("max_tokens"),
        shape=_shape(body),
        size=size,
    )


def _shape(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return wanted.get("schema") if isinstance(wanted, dict) else None


def _usage(usage: Usage, output: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.input - usage.cached - usage.written,
        "cache_creation_input_tokens": usage.written,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": output,
        "service_tier": "standard",
    }


def _reason(turn: Turn) -> str:
    return "max_tokens" if turn.cut_short else "tool_use" if turn.calls else "end_turn"


def _message(request: Asked, turn: Turn, content: list[dict[str, Any]], reason: str | None, output: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"msg_{turn.id}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
    }
    return made if turn.usage.missing else made | {"usage": _usage(turn.usage, output)}


def _called(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}


def whole(request: Asked, turn: Turn) -> bytes:
    """The answer as one document."""
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    content = text + [_called(call, call.arguments) for call in turn.calls]
    return encoded(_message(request, turn, content, _reason(turn), turn.usage.output))


def frames(request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as server-sent events."""

    def told(name: str, **more: Any) -> bytes:
        return event({"type": name, **more}, name)

    yield told("message_start", message=_message(request, turn, [], None, 1))
    yield told("ping")
    if turn.text:
        yield told("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for piece in turn.pieces:
            yield told("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        yield told("content_block_stop", index=0)
    for index, call in enumerate(turn.calls, 1 if turn.text else 0):
        yield told("content_block_start", index=index, content_block=_called(call, {}))
        for piece in slices(encoded(call.arguments).decode()):
            yield told("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece})
        yield told("content_block_stop", index=index)
    used = {} if turn.usage.missing else {"usage": _usage(turn.usage, turn.usage.output)}
    yield told("message_delta", delta={"stop_reason": _reason(turn), "stop_sequence": None}, **used)
    yield told("message_stop")


def failed(code: int, message: str) -> bytes:
    """An error as this API words it."""
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large"}
    kinds |= {429: "rate_limit_error", 529: "overloaded_error"}
    kind = kinds.get(code, "api_error" if code >= 500 else "invalid_request_error")
    return encoded({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_scripted"})

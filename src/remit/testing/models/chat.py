"""OpenAI Chat Completions: requests read, answers whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from remit.testing.models.exchange import Asked, Call, Declared, Entry, Turn, encoded, event, plain, schema_of, slices
from remit.testing.models.script import Usage

_MADE = 1_790_000_000


def _entries(messages: list[dict[str, Any]]) -> Iterator[Entry]:
    for message in messages:
        match message["role"]:
            case "user":
                yield Entry(kind="user", text=plain(message.get("content")))
            case "assistant":
                if message.get("content"):
                    yield Entry(kind="assistant", text=plain(message["content"]))
                yield from (Entry(kind="call", call=call["id"]) for call in message.get("tool_calls") or [])
            case "tool":
                yield Entry(kind="result", text=plain(message.get("content")), call=message["tool_call_id"])


def _declared(tool: dict[str, Any]) -> Declared | None:
    match tool:
        case {"type": "function", "function": {"name": name, **rest}}:
            return Declared(name=name, schema=schema_of(rest.get("parameters")))
        case {"type": "custom", "custom": {"name": name}}:
            return Declared(name=name, kind="custom")
    return None


def asked(body: dict[str, Any], size: int) -> Asked:
    """A request of the Chat Completions API."""
    tools = body.get("tools") or []
    messages = body["messages"]
    wanted = body.get("response_format") or {}
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        tools=tuple(found for tool in tools if (found := _declared(tool))),
        hosted=tuple(str(tool.get("type")) for tool in tools if _declared(tool) is None)
        + (("web_search_options",) if "web_search_options" in body else ()),
        entries=tuple(_entries(messages)),
        system="\n".join(plain(message.get("content")) for message in messages if message["role"] in ("system", "developer")),
        max_output=body.get("max_completion_tokens") or body.get("max_tokens"),
        shape=(wanted.get("json_schema") or {}).get("schema"),
        wants_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        size=size,
    )


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def _called(call: Call) -> dict[str, Any]:
    if call.kind == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.text}}
    arguments = encoded(call.arguments).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _reason(turn: Turn) -> str:
    return "length" if turn.cut_short else "tool_calls" if turn.calls else "stop"


def _head(request: Asked, turn: Turn, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{turn.id}", "object": kind, "created": _MADE, "model": request.model, "system_fingerprint": None}


def whole(request: Asked, turn: Turn) -> bytes:
    """The answer as one document."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None, "annotations": []}
    if turn.calls:
        message["tool_calls"] = [_called(call) for call in turn.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(turn)}
    used = {} if turn.usage.missing else {"usage": _usage(turn.usage)}
    return encoded(_head(request, turn, "chat.completion") | {"choices": [choice]} | used)


def _deltas(turn: Turn) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for piece in turn.pieces:
        yield {"content": piece}
    for index, call in enumerate(turn.calls):
        made = _called(call)
        if call.kind == "custom":
            yield {"tool_calls": [made | {"index": index}]}
            continue
        arguments = made["function"]["arguments"]
        yield {"tool_calls": [made | {"index": index, "function": {"name": call.name, "arguments": ""}}]}
        for piece in slices(arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def frames(request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as server-sent events; usage is told only where it was asked for."""
    head = _head(request, turn, "chat.completion.chunk")
    tells = request.wants_usage and not turn.usage.missing
    extra: dict[str, Any] = {"usage": None} if tells else {}
    for delta in _deltas(turn):
        yield event(head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]} | extra)
    yield event(head | {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": _reason(turn)}]} | extra)
    if tells:
        yield event(head | {"choices": [], "usage": _usage(turn.usage)})
    yield b"data: [DONE]\n\n"


def failed(code: int, message: str) -> bytes:
    """An error as this API words it; the Responses API words it alike."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(code, "server_error" if code >= 500 else "invalid_request_error")
    return encoded({"error": {"message": message, "type": kind, "param": None, "code": None}})

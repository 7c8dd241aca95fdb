"""OpenAI Responses: requests read, answers whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from remit.testing.models.exchange import Asked, Call, Declared, Entry, Turn, encoded, event, plain, schema_of, slices
from remit.testing.models.script import Usage

_MADE = 1_790_000_000


def _entries(items: object) -> Iterator[Entry]:
    if isinstance(items, str):
        yield Entry(kind="user", text=items)
        return
    for item in items if isinstance(items, list) else []:
        kind = item.get("type", "message")
        if kind == "message" and item.get("role") in ("user", "assistant"):
            yield Entry(kind=item["role"], text=plain(item.get("content")))
        elif kind.endswith("_call_output"):
            yield Entry(kind="result", text=plain(item.get("output")), call=item.get("call_id") or item.get("id", ""))
        elif kind.endswith("_call"):
            yield Entry(kind="call", call=item.get("call_id") or item.get("id", ""))


def _declared(tool: dict[str, Any], space: str = "") -> Iterator[Declared]:
    before = f"{space}__" if space else ""
    match tool.get("type"):
        case "function":
            yield Declared(name=before + tool["name"], space=space, schema=schema_of(tool.get("parameters")))
        case "custom":
            yield Declared(name=before + tool["name"], space=space, kind="custom")
        case "local_shell":
            yield Declared(name="local_shell", kind="local")
        case "namespace":
            for inner in tool.get("tools") or []:
                yield from _declared(inner, tool["name"])


def asked(body: dict[str, Any], size: int) -> Asked:
    """A request of the Responses API; what is no function, custom tool or local shell, nor said to be the caller's, is hosted."""
    tools = body.get("tools") or []
    items = body.get("input", "")
    told = [item for item in items if isinstance(items, list) and item.get("role") in ("system", "developer")]
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        tools=tuple(found for tool in tools for found in _declared(tool)),
        hosted=tuple(str(tool.get("type")) for tool in tools if _hosted(tool)),
        entries=tuple(_entries(items)),
        system="\n".join([plain(body.get("instructions")), *(plain(item.get("content")) for item in told)]),
        max_output=body.get("max_output_tokens"),
        shape=((body.get("text") or {}).get("format") or {}).get("schema"),
        size=size,
    )


def _hosted(tool: dict[str, Any]) -> bool:
    ours = ("function", "custom", "local_shell", "namespace")
    return tool.get("type") not in ours and tool.get("execution") != "client"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _said(turn: Turn, done: bool) -> dict[str, Any]:
    content = [{"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}] if done else []
    status = "completed" if done else "in_progress"
    return {"id": f"msg_{turn.id}", "type": "message", "role": "assistant", "status": status, "content": content}


def _called(request: Asked, call: Call, done: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"id": f"fc_{call.id}", "call_id": call.id, "status": "completed" if done else "in_progress"}
    space = next((tool.space for tool in request.tools if tool.name == call.name), "")
    named = {"name": call.name.removeprefix(f"{space}__"), "namespace": space} if space else {"name": call.name}
    match call.kind:
        case "custom":
            return made | {"type": "custom_tool_call", **named, "input": call.text if done else ""}
        case "local":
            return made | {"type": "local_shell_call", "action": {"type": "exec", "env": {}, **call.arguments}}
    arguments = encoded(call.arguments).decode() if done else ""
    return made | {"type": "function_call", **named, "arguments": arguments}


def _response(request: Asked, turn: Turn, done: bool) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if done:
        output = ([_said(turn, done)] if turn.text or not turn.calls else []) + [
            _called(request, call, done) for call in turn.calls
        ]
    status = "in_progress" if not done else "incomplete" if turn.cut_short else "completed"
    return {
        "id": f"resp_{turn.id}",
        "object": "response",
        "created_at": _MADE,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "max_output_tokens": request.max_output,
        "model": request.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": _usage(turn.usage) if done and not turn.usage.missing else None,
    }


def whole(request: Asked, turn: Turn) -> bytes:
    """The answer as one document."""
    return encoded(_response(request, turn, done=True))


def _speaking(turn: Turn) -> Iterator[dict[str, Any]]:
    place = {"item_id": f"msg_{turn.id}", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": _said(turn, False)}
    yield {"type": "response.content_part.added", **place, "part": part}
    for piece in turn.pieces:
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": turn.text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": part | {"text": turn.text}}
    yield {"type": "response.output_item.done", "output_index": 0, "item": _said(turn, True)}


def _calling(request: Asked, call: Call, index: int) -> Iterator[dict[str, Any]]:
    place = {"item_id": f"fc_{call.id}", "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": _called(request, call, False)}
    if call.kind == "function":
        arguments = encoded(call.arguments).decode()
        for piece in slices(arguments):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
        yield {"type": "response.function_call_arguments.done", **place, "name": call.name, "arguments": arguments}
    elif call.kind == "custom":
        for piece in slices(call.text):
            yield {"type": "response.custom_tool_call_input.delta", **place, "delta": piece}
        yield {"type": "response.custom_tool_call_input.done", **place, "input": call.text}
    yield {"type": "response.output_item.done", "output_index": index, "item": _called(request, call, True)}


def _told(request: Asked, turn: Turn) -> Iterator[dict[str, Any]]:
    started = _response(request, turn, done=False)
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    speaks = bool(turn.text) or not turn.calls
    if speaks:
        yield from _speaking(turn)
    for index, call in enumerate(turn.calls, 1 if speaks else 0):
        yield from _calling(request, call, index)
    ended = _response(request, turn, done=True)
    yield {"type": f"response.{ended['status']}", "response": ended}


def frames(request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as server-sent events, numbered."""
    for number, told in enumerate(_told(request, turn)):
        yield event({**told, "sequence_number": number}, told["type"])

"""Gemini generateContent: requests read, answers whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from remit.testing.models.exchange import Asked, Declared, Entry, Turn, encoded, event, plain, schema_of
from remit.testing.models.script import Usage


def _entries(contents: list[dict[str, Any]]) -> Iterator[Entry]:
    for index, content in enumerate(contents):
        for part in content.get("parts") or []:
            if "functionCall" in part:
                yield Entry(kind="call", call=f"{index}_0")
            elif "functionResponse" in part:
                yield Entry(kind="result", text=str(part["functionResponse"].get("response", "")), call=f"{index}_0")
            elif part.get("text") and not part.get("thought"):
                yield Entry(kind="assistant" if content.get("role") == "model" else "user", text=part["text"])


def _declared(tool: dict[str, Any]) -> Iterator[Declared]:
    for found in tool.get("functionDeclarations") or tool.get("function_declarations") or []:
        yield Declared(name=found["name"], schema=schema_of(found.get("parametersJsonSchema") or found.get("parameters")))


def asked(body: dict[str, Any], size: int, model: str, stream: bool) -> Asked:
    """A request of the generateContent API, whose model and manner stand in its path."""
    tools = body.get("tools") or []
    how = body.get("generationConfig") or {}
    return Asked(
        model=model,
        stream=stream,
        tools=tuple(found for tool in tools for found in _declared(tool)),
        hosted=tuple(key for tool in tools for key in tool if key not in ("functionDeclarations", "function_declarations")),
        entries=tuple(_entries(body["contents"])),
        system=plain(body.get("systemInstruction", "")),
        max_output=how.get("maxOutputTokens"),
        shape=how.get("responseJsonSchema") or how.get("responseSchema"),
        size=size,
    )


def _usage(usage: Usage) -> dict[str, Any]:
    said = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }
    if usage.cached:
        said["cachedContentTokenCount"] = usage.cached
    if usage.reasoning:
        said["thoughtsTokenCount"] = usage.reasoning
    return said


def _document(request: Asked, turn: Turn, parts: list[dict[str, Any]], last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if turn.cut_short else "STOP"
    used = {} if turn.usage.missing or not last else {"usageMetadata": _usage(turn.usage)}
    return {"candidates": [candidate], **used, "modelVersion": request.model, "responseId": f"gen-{turn.id}"}


def _calls(turn: Turn) -> list[dict[str, Any]]:
    return [{"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}} for call in turn.calls]


def whole(request: Asked, turn: Turn) -> bytes:
    """The answer as one document."""
    parts: list[dict[str, Any]] = [{"text": turn.text}] if turn.text or not turn.calls else []
    return encoded(_document(request, turn, parts + _calls(turn), last=True))


def _documents(request: Asked, turn: Turn) -> list[dict[str, Any]]:
    parts: list[list[dict[str, Any]]] = [[{"text": piece}] for piece in turn.pieces if piece]
    if turn.calls:
        parts.append(_calls(turn))
    parts = parts or [[{"text": ""}]]
    return [_document(request, turn, part, index == len(parts)) for index, part in enumerate(parts, 1)]


def frames(request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as server-sent events; usage is told with the last."""
    yield from map(event, _documents(request, turn))


def listed(request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as a JSON array that arrives bit by bit, which is what a stream is when no events are asked for."""
    for index, document in enumerate(_documents(request, turn)):
        yield (b",\r\n" if index else b"[") + encoded(document)
    yield b"]"


def failed(code: int, message: str) -> bytes:
    """An error as this API words it."""
    kinds = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
    }
    status = kinds.get(code, "INTERNAL" if code == 500 else "UNAVAILABLE" if code > 500 else "INVALID_ARGUMENT")
    return encoded({"error": {"code": code, "message": message, "status": status}})

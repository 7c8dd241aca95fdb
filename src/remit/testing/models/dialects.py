"""Which path speaks which dialect, and what else a caller may ask for there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from remit.testing.models import anthropic, chat, gemini, responses
from remit.testing.models.exchange import Asked, Turn, encoded
from remit.value import Value

Dialect: TypeAlias = Literal["anthropic", "responses", "chat", "gemini", "none"]
MODELS = ("claude-opus-4-8", "claude-haiku-4-5", "gpt-5.1-codex", "gpt-5-mini", "gemini-2.5-pro", "gemini-2.5-flash")
_GEMINI = re.compile(r"^/v1(?:beta|alpha)?/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)$")


class Route(Value, frozen=True, kw_only=True):
    """What a path wants: an answer of a model, a count of tokens, or the list of models."""

    dialect: Dialect
    wants: Literal["answer", "count", "models", "nothing"]
    model: str = ""
    stream: bool = False
    events: bool = True


def route(method: str, path: str, query: str, headers: Mapping[str, str]) -> Route:
    """The route of a request; OpenAI's paths are known without `/v1` too, since base URLs differ in it."""
    if found := _GEMINI.match(path):
        model, verb = found.groups()
        wants: Literal["answer", "count"] = "count" if verb == "countTokens" else "answer"
        return Route(dialect="gemini", wants=wants, model=model, stream=verb.startswith("stream"), events="alt=sse" in query)
    end = path.removeprefix("/v1")
    match method, end:
        case "POST", "/messages":
            return Route(dialect="anthropic", wants="answer")
        case "POST", "/messages/count_tokens":
            return Route(dialect="anthropic", wants="count")
        case "POST", "/responses":
            return Route(dialect="responses", wants="answer")
        case "POST", "/chat/completions":
            return Route(dialect="chat", wants="answer")
        case "GET", "/models" if "anthropic-version" in headers:
            return Route(dialect="anthropic", wants="models")
        case "GET", "/models":
            return Route(dialect="chat", wants="models")
        case "GET", "beta/models":
            return Route(dialect="gemini", wants="models")
    return Route(dialect="none", wants="nothing")


def asked(to: Route, body: dict[str, Any], size: int) -> Asked:
    """The request in no dialect's words; `KeyError` and `TypeError` mean that it was not one."""
    match to.dialect:
        case "anthropic":
            return anthropic.asked(body, size)
        case "responses":
            return responses.asked(body, size)
        case "gemini":
            return gemini.asked(body, size, to.model, to.stream)
    return chat.asked(body, size)


def whole(to: Route, request: Asked, turn: Turn) -> bytes:
    """The answer as one JSON document."""
    match to.dialect:
        case "anthropic":
            return anthropic.whole(request, turn)
        case "responses":
            return responses.whole(request, turn)
        case "gemini":
            return gemini.whole(request, turn)
    return chat.whole(request, turn)


def frames(to: Route, request: Asked, turn: Turn) -> Iterator[bytes]:
    """The answer as a stream."""
    match to.dialect:
        case "anthropic":
            return anthropic.frames(request, turn)
        case "responses":
            return responses.frames(request, turn)
        case "gemini":
            return gemini.frames(request, turn) if to.events else gemini.listed(request, turn)
    return chat.frames(request, turn)


def failed(to: Route, code: int, message: str) -> bytes:
    """An error in the words of the dialect."""
    match to.dialect:
        case "anthropic":
            return anthropic.failed(code, message)
        case "gemini":
            return gemini.failed(code, message)
    return chat.failed(code, message)


def counted(to: Route, size: int) -> bytes:
    """The answer to a count of tokens: a quarter of the bytes."""
    tokens = max(1, size // 4)
    return encoded({"input_tokens": tokens} if to.dialect == "anthropic" else {"totalTokens": tokens})


def models(to: Route) -> bytes:
    """The list of models as this API gives it."""
    day = "2026-01-01T00:00:00Z"
    match to.dialect:
        case "anthropic":
            data = [{"type": "model", "id": name, "display_name": name, "created_at": day} for name in MODELS]
            return encoded({"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})
        case "gemini":
            methods = ["generateContent", "countTokens"]
            limits = {"inputTokenLimit": 1_000_000, "outputTokenLimit": 65_536}
            found = [
                {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods, **limits}
                for name in MODELS
            ]
            return encoded({"models": found})
    return encoded(
        {"object": "list", "data": [{"id": name, "object": "model", "created": 1, "owned_by": "scripted"} for name in MODELS]}
    )

"""Which paths the door knows, and what each is: a literal table. What does not stand in it is never sent on."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from remit.adapters.models import anthropic, chat, gemini, responses
from remit.adapters.models.format import Format
from remit.ports.models import Dialect

FORMATS: dict[Dialect, Format] = {
    "anthropic": anthropic.FORMAT,
    "responses": responses.FORMAT,
    "chat": chat.FORMAT,
    "gemini": gemini.FORMAT,
}

Kind = Literal["call", "count", "list"]
"""a call of a model, which is charged; a count of tokens and a list of models, which cost nothing"""

_NAME = r"(?P<model>[A-Za-z0-9][A-Za-z0-9._:-]{0,199})"
TABLE: tuple[tuple[str, str, Dialect, Kind, str], ...] = (
    ("POST", "(?:/v1)?/messages", "anthropic", "call", "/v1/messages"),
    ("POST", "(?:/v1)?/messages/count_tokens", "anthropic", "count", "/v1/messages/count_tokens"),
    ("POST", "(?:/v1)?/responses", "responses", "call", "/responses"),
    ("POST", "(?:/v1)?/chat/completions", "chat", "call", "/chat/completions"),
    ("GET", "(?:/v1)?/models", "chat", "list", "/models"),
    ("GET", f"(?:/v1)?/models/{_NAME}", "chat", "list", "/models/{model}"),
    ("POST", f"/v1(?:beta)?/models/{_NAME}:generateContent", "gemini", "call", "/v1beta/models/{model}:generateContent"),
    (
        "POST",
        f"/v1(?:beta)?/models/{_NAME}:streamGenerateContent",
        "gemini",
        "call",
        "/v1beta/models/{model}:streamGenerateContent",
    ),
    ("POST", f"/v1(?:beta)?/models/{_NAME}:countTokens", "gemini", "count", "/v1beta/models/{model}:countTokens"),
    ("GET", "/v1beta/models", "gemini", "list", "/v1beta/models"),
    ("GET", f"/v1beta/models/{_NAME}", "gemini", "list", "/v1beta/models/{model}"),
)
"""method, path as the runtime asks for it, wire format, kind, and the path at the provider"""
_READY = tuple((method, re.compile(path), dialect, kind, target) for method, path, dialect, kind, target in TABLE)
QUERY = {"beta": frozenset({"true"}), "alt": frozenset({"sse"})}
"""what of a query is sent on, and with which values"""


@dataclass(frozen=True, kw_only=True)
class Route:
    """What a path stands for. `model` is the one in the path; `stream` is said by the path, too, in Gemini."""

    dialect: Dialect
    kind: Kind
    target: str
    query: tuple[tuple[str, str], ...] = ()
    model: str = ""
    stream: bool = False

    @property
    def format(self) -> Format:
        """The wire format."""
        return FORMATS[self.dialect]


def routed(method: str, target: str, *, anthropic_version: bool = False) -> Route | None:
    """The route of a request; None for a path that is not known. Lists of models are told apart by Anthropic's header."""
    path, _, query = target.partition("?")
    for known, pattern, dialect, kind, there in _READY:
        if known == method and (found := pattern.fullmatch(path)):
            model = found.groupdict().get("model") or ""
            if kind == "list" and dialect == "chat" and anthropic_version:
                dialect, there = "anthropic", "/v1" + there
            kept = tuple((name, value) for name, value in parse_qsl(query) if value in QUERY.get(name, ()))
            stream = there.endswith(":streamGenerateContent")
            return Route(dialect=dialect, kind=kind, target=there.format(model=model), query=kept, model=model, stream=stream)
    return None


def dialect_of(target: str) -> Dialect:
    """In which wire format an answer to an unknown path is best understood."""
    path = target.partition("?")[0]
    if "/v1beta" in path:
        return "gemini"
    return "chat" if any(word in path for word in ("/responses", "/chat/", "/models", "/embeddings")) else "anthropic"

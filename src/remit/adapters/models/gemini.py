"""Gemini: `models/NAME:generateContent`, `:streamGenerateContent` and `:countTokens`.

Google reads each name as `maxOutputTokens` and as `max_output_tokens`; what is sent has the first form only.
"""

import re
from typing import Any

import msgspec

from remit.adapters.models.asked import Body, Sorted, Unfit, chosen, count, objects, parts, without_choice
from remit.adapters.models.format import Format
from remit.adapters.models.reading import Tally, tokens, used

KEPT = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "model"})
"""fields that are sent on"""
REFUSED = {"cachedContent": "send the whole conversation"}
GENERATION = frozenset({
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema",
    "_responseJsonSchema", "presencePenalty", "frequencyPenalty", "seed", "responseLogprobs", "logprobs", "thinkingConfig",
    "mediaResolution",
})  # fmt: skip
"""fields of `generationConfig` that are sent on: not those that ask for several answers, pictures or speech"""
QUIET = frozenset({"candidateCount", "responseModalities"})
PARTS = frozenset({"text", "functionCall", "functionResponse", "thought", "thoughtSignature", "inlineData"})
"""what a part of a message may hold; `fileData`, `executableCode` and others are fetched or run at the vendor"""


def sort(body: Body) -> Sorted:
    """The request without what would act or cost outside the estimate."""
    found = chosen(_camel(body), KEPT, refuse=REFUSED)
    sent = found.body
    for content in [*objects(sent.get("contents")), sent.get("systemInstruction")]:
        parts(content, "parts", lambda part: _part(_camel(part), found))
    parts(sent, "tools", lambda tool: _tool(_camel(tool), found))
    without_choice(sent, "tools", ("toolConfig",))
    if "generationConfig" in sent:
        if not isinstance(sent["generationConfig"], dict):
            raise Unfit("unreadable", "`generationConfig` is not an object")
        given = _camel(sent["generationConfig"])
        sent["generationConfig"] = {name: value for name, value in given.items() if name in GENERATION}
        for name in given.keys() - GENERATION - QUIET:
            found.leave(f"generationConfig.{name}")
    return found


def count_of(body: Body) -> Sorted:
    """A request to count tokens: contents, or a whole request in them."""
    camel = _camel(body)
    inner = camel.get("generateContentRequest")
    found = sort(inner if isinstance(inner, dict) else camel)
    if isinstance(inner, dict):
        found.body = {"generateContentRequest": found.body}
    return found


def _camel(found: Body) -> Body:
    """The same with names in one form; a name in both forms is refused, as Google does."""
    named: Body = {}
    for name, value in found.items():
        one = re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), name)
        if one in named:
            raise Unfit("unreadable", f"`{one}` stands there in two forms")
        named[one] = value
    return named


def _part(part: Body, found: Sorted) -> Body:
    strange = sorted(part.keys() - PARTS - {"mediaResolution"})
    inline = part.get("inlineData")
    if strange:
        return {"text": found.note(strange[0])}
    if inline is not None:
        given = _camel(inline) if isinstance(inline, dict) else {}
        kind, data = given.get("mimeType"), given.get("data")
        if not (isinstance(kind, str) and kind.startswith("image/") and isinstance(data, str)):
            return {"text": found.note(str(kind))}
        found.pictures.append(data)
    if isinstance(answer := part.get("functionResponse"), dict):
        parts(answer, "parts", lambda inner: _part(_camel(inner), found))
    return part


def _tool(tool: Body, found: Sorted) -> Body | None:
    for name in tool.keys() - {"functionDeclarations"}:
        found.leave(name)
    own = tool.get("functionDeclarations")
    return {"functionDeclarations": own} if own else None


def most(body: Body) -> int | None:
    """What it asks for at most."""
    return count(body.get("generationConfig", {}).get("maxOutputTokens"), "maxOutputTokens")


def bound(body: Body, limit: int, _vendor: bool) -> None:
    """At most so many tokens, thoughts among them, in one answer."""
    generation = body.setdefault("generationConfig", {})
    generation["maxOutputTokens"] = limit
    if isinstance(thinking := generation.get("thinkingConfig"), dict):
        generation["thinkingConfig"] = thinking = _camel(thinking)
        if isinstance(budget := thinking.get("thinkingBudget"), int) and budget >= limit:
            thinking["thinkingBudget"] = limit // 2


def event(tally: Tally, data: Any) -> None:
    """One event of a stream; each counts all so far, so the last one is right."""
    tally.finished |= "promptFeedback" in data
    for candidate in objects(data.get("candidates")):
        tally.finished |= bool(candidate.get("finishReason"))
        for part in objects((candidate.get("content") or {}).get("parts")):
            if isinstance(call := part.get("functionCall"), dict):
                tally.call(object(), call.get("id"), call.get("name"), call.get("args"))
    if (usage := data.get("usageMetadata")) and tally.finished:
        _used(tally, usage)


def whole(tally: Tally, data: Any) -> None:
    """An answer in one piece, or a stream that was not asked for as events: a list of the same."""
    for each in data if isinstance(data, list) else [data]:
        event(tally, each)


def _used(tally: Tally, usage: Any) -> None:
    taken = tokens(usage, "promptTokenCount") + tokens(usage, "toolUsePromptTokenCount")
    given = tokens(usage, "candidatesTokenCount") + tokens(usage, "thoughtsTokenCount")
    tally.usage = used(taken=taken, given=given, cache_read=tokens(usage, "cachedContentTokenCount"))


def final(model: str, words: str) -> Any:
    """A last message of the assistant."""
    usage = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}
    candidate = {"content": {"role": "model", "parts": [{"text": words}]}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model}


def stream(model: str, words: str) -> bytes:
    """The same, as the only event of a stream."""
    return b"data: " + msgspec.json.encode(final(model, words)) + b"\r\n\r\n"


def error(words: str, status: int) -> Any:
    """A refusal."""
    kind = {404: "NOT_FOUND", 503: "UNAVAILABLE"}.get(status, "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": words, "status": kind}}


FORMAT = Format(sort=sort, most=most, bound=bound, event=event, whole=whole, final=final, stream=stream, error=error)

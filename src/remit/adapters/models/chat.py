"""OpenAI Chat Completions: `/v1/chat/completions`, also as other vendors and local servers speak it."""

from typing import Any
from uuid import uuid4

import msgspec

from remit.adapters.models import openai_tools
from remit.adapters.models.asked import Body, Sorted, chosen, count, kind_of, objects, parts, picture, without_choice
from remit.adapters.models.format import Format
from remit.adapters.models.reading import Tally, tokens, used
from remit.adapters.models.responses import error

KEPT = frozenset({
    "model", "messages", "max_tokens", "max_completion_tokens", "tools", "tool_choice", "parallel_tool_calls", "functions",
    "function_call", "temperature", "top_p", "top_k", "min_p", "stop", "seed", "presence_penalty", "frequency_penalty",
    "repetition_penalty", "logit_bias", "logprobs", "top_logprobs", "response_format", "reasoning_effort", "reasoning",
    "verbosity", "stream", "stream_options", "metadata", "prompt_cache_key", "safety_identifier", "user", "chat_template_kwargs",
})  # fmt: skip
"""fields that are sent on; others (`web_search_options`, `plugins`, `models`, `audio`, `prediction` …) cost or act elsewhere"""
QUIET = frozenset({"n", "store", "service_tier", "modalities", "prompt_cache_retention", "usage"})
"""left out without a word: one answer of text at the usual price, which is kept nowhere"""
ASKED = ("max_completion_tokens", "max_tokens")


def sort(body: Body) -> Sorted:
    """The request without what would act or cost outside the estimate; a stream is asked to say what it used."""
    found = chosen(body, KEPT, refuse={}, quiet=QUIET)
    sent = found.body
    for message in objects(sent.get("messages")):
        message.pop("audio", None)
        parts(message, "content", lambda part: _part(part, found))
    openai_tools.tools(sent, found)
    openai_tools.choice(sent)
    without_choice(sent, "tools", ("tool_choice", "parallel_tool_calls"))
    if sent.get("stream"):
        options = sent.get("stream_options")
        sent["stream_options"] = (options if isinstance(options, dict) else {}) | {"include_usage": True}
    return found


def _part(part: Body, found: Sorted) -> Body:
    kind, image = kind_of(part), part.get("image_url")
    if kind in ("text", "refusal"):
        return part
    if kind == "image_url" and picture(image.get("url") if isinstance(image, dict) else image, found):
        return part
    return {"type": "text", "text": found.note(kind)}


def most(body: Body) -> int | None:
    """What it asks for at most; the lower where it says so twice."""
    found = [number for name in ASKED if (number := count(body.get(name), name)) is not None]
    return min(found, default=None)


def bound(body: Body, limit: int, vendor: bool) -> None:
    """At most so many tokens. The vendor's newer models take the newer name only, and others may only know the older one."""
    name = "max_completion_tokens" if vendor or body.get("max_completion_tokens") is not None else "max_tokens"
    for other in ASKED:
        body.pop(other, None)
    body[name] = limit
    if vendor:
        body |= {"service_tier": "default", "store": False}


def event(tally: Tally, data: Any) -> None:
    """One event of a stream; the usage comes in the last, or in several that each count all so far."""
    for choice in objects(data.get("choices")):
        tally.finished |= bool(choice.get("finish_reason"))
        for call in objects((choice.get("delta") or {}).get("tool_calls")):
            function, place = call.get("function") or {}, (choice.get("index"), call.get("index"))
            if call.get("id"):
                tally.call(place, call["id"], function.get("name"), function.get("arguments"))
            else:
                tally.more(place, function.get("arguments"))
    if data.get("usage") and tally.finished:
        _used(tally, data["usage"])


def whole(tally: Tally, data: Any) -> None:
    """An answer in one piece."""
    for choice in objects(data.get("choices")):
        for place, call in enumerate(objects((choice.get("message") or {}).get("tool_calls"))):
            function = call.get("function") or call.get("custom") or {}
            tally.call((choice.get("index"), place), call.get("id"), function.get("name"), function.get("arguments"))
    _used(tally, data["usage"])


def _used(tally: Tally, usage: Any) -> None:
    cached = tokens(usage.get("prompt_tokens_details"), "cached_tokens") or tokens(usage, "prompt_cache_hit_tokens")
    tally.usage = used(taken=tokens(usage, "prompt_tokens"), given=tokens(usage, "completion_tokens"), cache_read=cached)


def final(model: str, words: str) -> Any:
    """A last message of the assistant."""
    choice = {"index": 0, "message": {"role": "assistant", "content": words, "refusal": None}, "logprobs": None}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {
        "id": f"chatcmpl-remit-{uuid4().hex}", "object": "chat.completion", "created": 0, "model": model,
        "choices": [choice | {"finish_reason": "stop"}], "usage": usage,
    }  # fmt: skip


def stream(model: str, words: str) -> bytes:
    """The same, as the chunks that a stream would have."""
    whole_answer = final(model, words)
    head = {name: whole_answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    delta: dict[str, Any] = {"role": "assistant", "content": words}
    chunks = [
        head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        head | {"choices": [], "usage": whole_answer["usage"]},
    ]
    return b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


FORMAT = Format(sort=sort, most=most, bound=bound, event=event, whole=whole, final=final, stream=stream, error=error)

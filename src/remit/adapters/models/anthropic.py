"""Anthropic Messages: `/v1/messages` and its count of tokens."""

from typing import Any
from uuid import uuid4

import msgspec

from remit.adapters.models.asked import Body, Sorted, chosen, count, kind_of, objects, parts, without_choice
from remit.adapters.models.format import Format
from remit.adapters.models.reading import Tally, tokens, used

KEPT = frozenset({
    "model", "messages", "system", "max_tokens", "metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p",
    "thinking", "tools", "tool_choice", "output_config", "output_format", "context_management", "cache_control",
})  # fmt: skip
"""fields that are sent on; others (`mcp_servers`, `container`, `speed`, `inference_geo`, `fallbacks` …) cost or act elsewhere"""
QUIET = frozenset({"service_tier"})
"""left out without a word, because it is set"""
OWN_TOOLS = ("bash_", "text_editor_", "computer_", "memory_")
"""tools of the vendor's making that the runtime carries out by itself; every other type runs at the vendor"""
BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "tool_result", "search_result", "tool_reference"})
"""content that is what it says; anything else is fetched, stored or made at the vendor"""
LEAST_THINKING = 1024
"""tokens; with less than this the vendor does not think at all"""


def sort(body: Body) -> Sorted:
    """The request without what would act or cost outside the estimate."""
    found = chosen(body, KEPT, refuse={}, quiet=QUIET)
    sent = found.body
    parts(sent, "system", lambda block: _block(block, found))
    for message in objects(sent.get("messages")):
        parts(message, "content", lambda block: _block(block, found))
    if isinstance(cached := sent.get("cache_control"), dict):
        cached.pop("ttl", None)
    parts(sent, "tools", lambda tool: _tool(tool, found))
    choice = sent.get("tool_choice")
    there = {tool.get("name") for tool in objects(sent.get("tools")) if isinstance(tool.get("name"), str)}
    if isinstance(choice, dict) and choice.get("type") == "tool" and str(choice.get("name")) not in there:
        del sent["tool_choice"]
    without_choice(sent, "tools", ("tool_choice",))
    parts(sent.get("context_management"), "edits", lambda edit: _edit(edit, found))
    return found


def _block(block: Body, found: Sorted) -> Body:
    kind, source = kind_of(block), block.get("source")
    if isinstance(cached := block.get("cache_control"), dict):
        cached.pop("ttl", None)  # an hour's cache costs more than the price lists' one price for writing it
    if kind == "image" and isinstance(source, dict) and source.get("type") == "base64" and isinstance(source.get("data"), str):
        found.pictures.append(source["data"])
        return block
    if kind in BLOCKS or (kind == "document" and isinstance(source, dict) and source.get("type") == "text"):
        parts(block, "content", lambda inner: _block(inner, found))
        return block
    return {"type": "text", "text": found.note(kind)}


def _tool(tool: Body, found: Sorted) -> Body | None:
    kind = kind_of(tool, "custom")
    if isinstance(cached := tool.get("cache_control"), dict):
        cached.pop("ttl", None)
    tool.pop("allowed_callers", None)
    if kind == "custom" or kind.startswith(OWN_TOOLS):
        return tool
    found.leave(kind)
    return None


def _edit(edit: Body, found: Sorted) -> Body | None:
    """A compaction is another call of the model, which nothing here counts."""
    if kind_of(edit).startswith("clear_"):
        return edit
    found.leave(kind_of(edit))
    return None


def most(body: Body) -> int | None:
    """What it asks for at most."""
    return count(body.get("max_tokens"), "max_tokens")


def bound(body: Body, limit: int, vendor: bool) -> None:
    """At most so many tokens, of which thinking may have the half; never by the tier that costs more."""
    body["max_tokens"] = limit
    if vendor:
        body["service_tier"] = "standard_only"
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        wanted = count(thinking.get("budget_tokens"), "thinking.budget_tokens") or LEAST_THINKING
        if limit <= LEAST_THINKING:
            del body["thinking"]
        elif wanted >= limit:
            thinking["budget_tokens"] = max(LEAST_THINKING, limit // 2)


_COUNTED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def _count(tally: Tally, usage: Any) -> None:
    """Each count is of the whole answer so far, and where it is not repeated it stands."""
    if isinstance(usage, dict):
        tally.counts |= {name: tokens(usage, name) for name in _COUNTED if usage.get(name) is not None}


def _counted(tally: Tally) -> None:
    plain, written, read, output = (tally.counts.get(name, 0) for name in _COUNTED)
    tally.usage = used(taken=plain + written + read, given=output, cache_read=read, cache_write=written)


def event(tally: Tally, data: Any) -> None:
    """One event of a stream. Before `message_delta` nothing is known of what came out."""
    match data.get("type"):
        case "message_start":
            _count(tally, data["message"].get("usage"))
        case "content_block_start" if data["content_block"].get("type") == "tool_use":
            block = data["content_block"]
            tally.call(data.get("index"), block.get("id"), block.get("name"), block.get("input"))
        case "content_block_delta" if data["delta"].get("type") == "input_json_delta":
            tally.more(data.get("index"), data["delta"].get("partial_json"))
        case "message_delta" if data.get("usage"):
            _count(tally, data["usage"])
            _counted(tally)
        case "message_stop":
            tally.ended = True


def whole(tally: Tally, data: Any) -> None:
    """An answer in one piece."""
    _count(tally, data["usage"])
    _counted(tally)
    for place, block in enumerate(objects(data.get("content"))):
        if block.get("type") == "tool_use":
            tally.call(place, block.get("id"), block.get("name"), block.get("input"))


def final(model: str, words: str) -> Any:
    """A last message of the assistant."""
    return {
        "id": f"msg_remit_{uuid4().hex}", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": words}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }  # fmt: skip


def stream(model: str, words: str) -> bytes:
    """The same, as the events that a stream would have."""
    message = final(model, words)
    begun = message | {"content": [], "stop_reason": None}
    block = {"index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"index": 0, "delta": {"type": "text_delta", "text": words}}
    last = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 0}}
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": begun}), ("content_block_start", block), ("content_block_delta", delta),
        ("content_block_stop", {"index": 0}), ("message_delta", last), ("message_stop", {}),
    ]  # fmt: skip
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode({"type": kind} | data)) for kind, data in events
    )


def error(words: str, status: int) -> Any:
    """A refusal."""
    kind = {404: "not_found_error", 503: "api_error"}.get(status, "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": words}}


FORMAT = Format(sort=sort, most=most, bound=bound, event=event, whole=whole, final=final, stream=stream, error=error)

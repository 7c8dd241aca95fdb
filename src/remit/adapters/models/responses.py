"""OpenAI Responses: `/v1/responses`."""

from typing import Any
from uuid import uuid4

import msgspec

from remit.adapters.models import openai_tools
from remit.adapters.models.asked import Body, Sorted, chosen, count, kind_of, objects, parts, picture, without_choice
from remit.adapters.models.format import Format
from remit.adapters.models.reading import Tally, tokens, used

KEPT = frozenset({
    "model", "input", "instructions", "max_output_tokens", "tools", "tool_choice", "parallel_tool_calls", "max_tool_calls",
    "reasoning", "text", "temperature", "top_p", "top_logprobs", "truncation", "include", "stream", "stream_options", "metadata",
    "client_metadata", "prompt_cache_key", "safety_identifier", "user",
})  # fmt: skip
"""fields that are sent on; others (`background`, `context_management` …) cost or act where nothing here counts"""
REFUSED = {
    "previous_response_id": "send the whole conversation",
    "conversation": "send the whole conversation",
    "prompt": "send the text of it",
}
QUIET = frozenset({"store", "service_tier", "prompt_cache_retention"})
"""left out without a word: set anyway, or free to ignore"""
ITEMS = frozenset({
    "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
    "apply_patch_call_output", "tool_search_call", "tool_search_output",
})  # fmt: skip
"""items of a conversation that are what they say; the others stand for something at the vendor"""
TEXTS = frozenset({"input_text", "output_text", "refusal", "summary_text", "reasoning_text", "text"})
CALLS = {"function_call": "arguments", "custom_tool_call": "input", "local_shell_call": "action", "shell_call": "action",
         "apply_patch_call": "operation"}  # fmt: skip
"""items that are calls of a tool, and where their arguments stand"""


def sort(body: Body) -> Sorted:
    """The request without what would act or cost outside the estimate."""
    found = chosen(body, KEPT, refuse=REFUSED, quiet=QUIET)
    sent = found.body
    parts(sent, "input", lambda item: _item(item, found))
    openai_tools.tools(sent, found)
    openai_tools.choice(sent)
    without_choice(sent, "tools", ("tool_choice", "parallel_tool_calls", "max_tool_calls"))
    if isinstance(more := sent.get("include"), list):
        sent["include"] = [name for name in more if name in ("reasoning.encrypted_content", "message.output_text.logprobs")]
    sent["store"] = False
    return found


def _item(item: Body, found: Sorted) -> Body | None:
    kind = kind_of(item, "message")
    if kind not in ITEMS:
        found.leave(kind)
        return None
    for name in ("content", "output"):
        parts(item, name, lambda part: _part(part, found))
    if kind == "tool_search_output":
        openai_tools.tools(item, found)
    return item


def _part(part: Body, found: Sorted) -> Body:
    kind = kind_of(part)
    if kind in TEXTS or (kind == "input_image" and not part.get("file_id") and picture(part.get("image_url"), found)):
        return part
    if not kind and "outcome" in part:
        return part  # what a shell call gave: stdout, stderr, outcome
    return {"type": "input_text", "text": found.note(kind)}


def most(body: Body) -> int | None:
    """What it asks for at most."""
    return count(body.get("max_output_tokens"), "max_output_tokens")


def bound(body: Body, limit: int, vendor: bool) -> None:
    """At most so many tokens, reasoning among them; never by the tier that costs more."""
    body["max_output_tokens"] = limit
    if vendor:
        body["service_tier"] = "default"


def event(tally: Tally, data: Any) -> None:
    """One event of a stream."""
    match data.get("type"):
        case "response.output_item.done":
            _call(tally, data.get("output_index"), data["item"])
        case "response.completed" | "response.incomplete" | "response.failed":
            tally.ended = True
            _used(tally, data["response"]["usage"])


def whole(tally: Tally, data: Any) -> None:
    """An answer in one piece."""
    for place, item in enumerate(objects(data.get("output"))):
        _call(tally, place, item)
    _used(tally, data["usage"])


def _call(tally: Tally, place: Any, item: Any) -> None:
    kind = item.get("type")
    if kind in CALLS:
        name = item.get("name") or str(kind).removesuffix("_call")
        tally.call(place, item.get("call_id") or item.get("id"), name, item.get(CALLS[kind]))


def _used(tally: Tally, usage: Any) -> None:
    cached = tokens(usage.get("input_tokens_details"), "cached_tokens")
    tally.usage = used(taken=tokens(usage, "input_tokens"), given=tokens(usage, "output_tokens"), cache_read=cached)


def final(model: str, words: str) -> Any:
    """A last message of the assistant."""
    part = {"type": "output_text", "text": words, "annotations": []}
    item = {"type": "message", "id": f"msg_remit_{uuid4().hex}", "status": "completed", "role": "assistant", "content": [part]}
    usage = {"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0}  # fmt: skip
    return {
        "id": f"resp_remit_{uuid4().hex}", "object": "response", "created_at": 0, "status": "completed", "model": model,
        "error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "output": [item],
        "parallel_tool_calls": False, "temperature": None, "tool_choice": "auto", "tools": [], "top_p": None, "usage": usage,
    }  # fmt: skip


def stream(model: str, words: str) -> bytes:
    """The same, as the events that a stream would have."""
    response = final(model, words)
    (item,) = response["output"]
    (part,) = item["content"]
    begun = response | {"status": "in_progress", "output": [], "usage": None}
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": item | {"status": "in_progress", "content": []}}),
        ("response.content_part.added", where | {"part": part | {"text": ""}}),
        ("response.output_text.delta", where | {"delta": words, "logprobs": []}),
        ("response.output_text.done", where | {"text": words, "logprobs": []}),
        ("response.content_part.done", where | {"part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response}),
    ]
    texts = (
        b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, "sequence_number": place} | data))
        for place, (kind, data) in enumerate(events)
    )
    return b"".join(texts)


def error(words: str, status: int) -> Any:
    """A refusal, as both wire formats of OpenAI have it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": words, "type": kind, "param": None, "code": None}}


FORMAT = Format(sort=sort, most=most, bound=bound, event=event, whole=whole, final=final, stream=stream, error=error)

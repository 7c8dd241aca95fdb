"""What of a request is sent on: nothing that acts or costs where the account cannot see it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.adapters.models import anthropic, chat, gemini, responses, tokens
from remit.adapters.models.asked import Unfit, a_model, encoded
from remit.adapters.models.routes import FORMATS

IMAGE = "data:image/png;base64,iVBORw0KGgo="
NOTE = "[remit] Left out here:"


def words(found: Any) -> str:
    return json.dumps(found)


@pytest.mark.parametrize("field", ["mcp_servers", "container", "speed", "inference_geo", "fallbacks", "betas", "something_new"])
def test_anthropic_fields_that_act_or_cost_elsewhere_stay_behind(field: str) -> None:
    found = anthropic.sort({"model": "m", "messages": [], field: ["x"]})
    assert found.body == {"model": "m", "messages": []}
    assert found.left == [field]


@pytest.mark.parametrize("field", ["background", "context_management", "something_new"])
def test_responses_fields_that_act_or_cost_elsewhere_stay_behind(field: str) -> None:
    found = responses.sort({"model": "m", "input": "x", field: True, "store": True, "service_tier": "priority"})
    assert found.body == {"model": "m", "input": "x", "store": False}
    assert found.left == [field]


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "prompt"])
def test_what_the_provider_keeps_cannot_be_counted_so_it_is_refused(field: str) -> None:
    with pytest.raises(Unfit, match=field):
        responses.sort({"model": "m", "input": "x", field: "resp_1"})


def test_gemini_may_not_point_to_a_cache() -> None:
    with pytest.raises(Unfit, match="cachedContent"):
        gemini.sort({"contents": [], "cached_content": "cachedContents/1"})


@pytest.mark.parametrize(
    "field", ["web_search_options", "plugins", "models", "audio", "prediction", "provider", "route", "something_new"]
)
def test_chat_fields_that_act_or_cost_elsewhere_stay_behind(field: str) -> None:
    found = chat.sort({"model": "m", "messages": [], "n": 8, "store": True, "service_tier": "priority", field: {"a": 1}})
    assert found.body == {"model": "m", "messages": []}
    assert found.left == [field]


def test_a_chat_stream_is_asked_for_its_usage() -> None:
    found = chat.sort({"model": "m", "messages": [], "stream": True, "stream_options": {"include_usage": False, "x": 1}})
    assert found.body["stream_options"] == {"include_usage": True, "x": 1}


HOSTED_ANTHROPIC = [
    "web_search_20250305",
    "web_fetch_20250910",
    "code_execution_20250825",
    "mcp_toolset",
    "tool_search_tool_regex_20251119",
    "advisor_20260301",
]
HOSTED_OPENAI = [
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "computer_use_preview",
    "image_generation",
    "mcp",
    "shell",
    "tool_search",
]
HOSTED_GEMINI = [
    "googleSearch",
    "google_search",
    "googleSearchRetrieval",
    "codeExecution",
    "code_execution",
    "urlContext",
    "computerUse",
    "fileSearch",
    "googleMaps",
]


@pytest.mark.parametrize("kind", HOSTED_ANTHROPIC)
def test_anthropic_tools_that_run_at_the_vendor_are_left_out(kind: str) -> None:
    own = {"name": "shell", "input_schema": {"type": "object"}, "allowed_callers": ["code_execution_20250825"]}
    found = anthropic.sort(
        {"model": "m", "messages": [], "tools": [{"type": kind, "name": "w"}, own], "tool_choice": {"type": "tool", "name": "w"}}
    )
    assert found.body["tools"] == [{"name": "shell", "input_schema": {"type": "object"}}]
    assert "tool_choice" not in found.body
    assert found.left == [kind]


@pytest.mark.parametrize("kind", ["bash_20250124", "text_editor_20250728", "computer_20250124", "memory_20250818", "custom"])
def test_anthropic_tools_that_the_runtime_carries_out_stay(kind: str) -> None:
    found = anthropic.sort(
        {"model": "m", "messages": [], "tools": [{"type": kind, "name": "t"}], "tool_choice": {"type": "tool", "name": "t"}}
    )
    assert found.body["tools"] == [{"type": kind, "name": "t"}]
    assert found.body["tool_choice"] == {"type": "tool", "name": "t"}


@pytest.mark.parametrize("sort", [responses.sort, chat.sort])
@pytest.mark.parametrize("kind", HOSTED_OPENAI)
def test_openai_tools_that_run_at_the_vendor_are_left_out(kind: str, sort: Any) -> None:
    nested = {"type": "namespace", "name": "n", "tools": [{"type": kind}, {"type": "function", "name": "g"}]}
    body = {"model": "m", "tools": [{"type": kind}, {"type": "function", "name": "f"}, nested], "tool_choice": {"type": kind}}
    found = sort(body)
    assert [tool["type"] for tool in found.body["tools"]] == ["function", "namespace"]
    assert found.body["tools"][1]["tools"] == [{"type": "function", "name": "g"}]
    assert "tool_choice" not in found.body
    assert found.left == [kind]


@pytest.mark.parametrize("tool", [{"type": "local_shell"}, {"type": "apply_patch"}, {"type": "custom", "name": "c"}, {"type": "shell", "environment": {"type": "local"}}, {"type": "tool_search", "execution": "client"}])  # fmt: skip
def test_openai_tools_that_the_runtime_carries_out_stay(tool: dict[str, Any]) -> None:
    assert responses.sort({"model": "m", "tools": [tool]}).body["tools"] == [tool]


def test_hosted_tools_do_not_come_back_through_what_a_search_of_tools_gave() -> None:
    item = {
        "type": "tool_search_output",
        "call_id": "c",
        "tools": [{"type": "mcp", "server_url": "https://x"}, {"type": "function", "name": "f"}],
    }
    found = responses.sort({"model": "m", "input": [item]})
    assert found.body["input"][0]["tools"] == [{"type": "function", "name": "f"}]


@pytest.mark.parametrize("name", HOSTED_GEMINI)
def test_gemini_tools_that_run_at_the_vendor_are_left_out(name: str) -> None:
    declared = [{"name": "shell"}]
    found = gemini.sort(
        {"contents": [], "tools": [{name: {}}, {"function_declarations": declared, name: {}}], "tool_config": {"a": 1}}
    )
    assert found.body["tools"] == [{"functionDeclarations": declared}]
    assert len(found.left) == 1


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_with_no_tools_left_nothing_is_chosen_among_them(form: Any) -> None:
    found = form.sort(
        {
            "model": "m",
            "tools": [{"type": "web_search", "googleSearch": {}}],
            "tool_choice": "required",
            "toolConfig": {"mode": "ANY"},
        }
    )
    assert not {"tool_choice", "toolConfig"} & found.body.keys()


@pytest.mark.parametrize(
    "source", [{"type": "url", "url": "https://x/?secret"}, {"type": "file", "file_id": "f"}, {"type": "base64", "data": 5}]
)
@pytest.mark.parametrize("kind", ["image", "document"])
def test_anthropic_content_from_elsewhere_is_replaced_by_words(kind: str, source: dict[str, Any]) -> None:
    block = {"type": kind, "source": source}
    nested = {"type": "tool_result", "tool_use_id": "t", "content": [block]}
    found = anthropic.sort({"model": "m", "messages": [{"role": "user", "content": [block, nested]}]})
    content = found.body["messages"][0]["content"]
    assert content[0]["text"].startswith(NOTE)
    assert content[1]["content"][0]["text"].startswith(NOTE)
    assert "secret" not in words(found.body)


def test_a_picture_in_the_request_stays_and_is_counted() -> None:
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    found = anthropic.sort({"model": "m", "messages": [{"role": "user", "content": [block]}]})
    assert (found.body["messages"][0]["content"], found.pictures) == ([block], ["aGk="])
    part = {"type": "input_image", "image_url": IMAGE}
    assert responses.sort({"input": [{"role": "user", "content": [part]}]}).pictures == [IMAGE]
    assert chat.sort(
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": IMAGE}}]}]}
    ).pictures == [IMAGE]
    inline = {"inline_data": {"mime_type": "image/png", "data": "aGk="}}
    assert gemini.sort({"contents": [{"parts": [inline]}]}).pictures == ["aGk="]


@pytest.mark.parametrize("part", [{"type": "input_image", "image_url": "https://x/?secret"}, {"type": "input_image", "image_url": IMAGE, "file_id": "secret"}, {"type": "input_file", "file_url": "https://x/?secret"}, {"type": "input_audio", "input_audio": {"data": "secret"}}])  # fmt: skip
def test_openai_content_from_elsewhere_is_replaced_by_words(part: dict[str, Any]) -> None:
    items = [{"role": "user", "content": [part]}, {"type": "function_call_output", "call_id": "c", "output": [part]}]
    found = responses.sort({"input": items})
    assert "secret" not in words(found.body)
    assert words(found.body).count(NOTE) == 2


@pytest.mark.parametrize(
    "kind", ["item_reference", "web_search_call", "mcp_call", "computer_call_output", "image_generation_call", "compaction"]
)
def test_items_that_stand_for_something_at_the_vendor_are_left_out(kind: str) -> None:
    assert responses.sort({"input": [{"type": kind, "id": "x"}, {"role": "user", "content": "hi"}]}).body["input"] == [
        {"role": "user", "content": "hi"}
    ]


@pytest.mark.parametrize("part", [{"fileData": {"fileUri": "https://x/?secret"}}, {"file_data": {"file_uri": "secret"}}, {"inlineData": {"mimeType": "video/mp4", "data": "secret"}}, {"text": "a", "executableCode": {"code": "secret"}}])  # fmt: skip
def test_gemini_content_from_elsewhere_is_replaced_by_words(part: dict[str, Any]) -> None:
    found = gemini.sort({"contents": [{"parts": [part]}], "system_instruction": {"parts": [part]}})
    assert "secret" not in words(found.body)
    assert words(found.body).count(NOTE) == 2


def test_gemini_gives_one_answer_of_text() -> None:
    config = {
        "candidate_count": 8,
        "response_modalities": ["IMAGE"],
        "speech_config": {"a": 1},
        "max_output_tokens": 9,
        "temperature": 0.5,
    }
    found = gemini.sort({"contents": [], "generation_config": config})
    assert found.body["generationConfig"] == {"maxOutputTokens": 9, "temperature": 0.5}
    assert found.left == ["generationConfig.speechConfig"]


def test_gemini_may_not_say_one_thing_in_two_forms() -> None:
    with pytest.raises(Unfit, match="two forms"):
        gemini.sort({"generationConfig": {"maxOutputTokens": 1, "max_output_tokens": 10**6}})


def test_an_hours_cache_is_a_usual_one() -> None:
    cached = {"type": "ephemeral", "ttl": "1h"}
    body = {
        "system": [{"type": "text", "text": "x", "cache_control": dict(cached)}],
        "tools": [{"name": "t", "cache_control": dict(cached)}],
        "cache_control": dict(cached),
    }
    assert "ttl" not in words(anthropic.sort(body).body)


@pytest.mark.parametrize(("limit", "thinking"), [(500, None), (1024, None), (3000, 1500), (20_000, 10_000), (50_000, 32_000)])
def test_thinking_fits_into_what_the_answer_may_have(limit: int, thinking: int | None) -> None:
    body: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 32_000}}
    anthropic.bound(body, limit, False)
    assert body["max_tokens"] == limit
    assert body.get("thinking", {}).get("budget_tokens") == thinking


def test_the_vendor_is_told_to_use_its_usual_tier() -> None:
    for form, tier in ((anthropic, "standard_only"), (responses, "default"), (chat, "default")):
        body: dict[str, Any] = {}
        form.bound(body, 5, True)
        assert body["service_tier"] == tier
        plain: dict[str, Any] = {}
        form.bound(plain, 5, False)
        assert "service_tier" not in plain


@pytest.mark.parametrize(("given_", "vendor", "name"), [({}, True, "max_completion_tokens"), ({}, False, "max_tokens"), ({"max_tokens": 9}, True, "max_completion_tokens"), ({"max_completion_tokens": 9, "max_tokens": 99}, False, "max_completion_tokens")])  # fmt: skip
def test_chat_has_one_bound_under_the_name_that_is_understood(given_: dict[str, Any], vendor: bool, name: str) -> None:
    body = dict(given_)
    chat.bound(body, 5, vendor)
    assert {key: value for key, value in body.items() if key.startswith("max")} == {name: 5}


@pytest.mark.parametrize(
    "model", ["gpt-4o-search-preview", "o3-deep-research", "openai/gpt-5:online", "sonar-pro", "", "a\nb", "x" * 201, None, 5]
)
def test_models_that_search_by_themselves_are_not_called(model: Any) -> None:
    with pytest.raises(Unfit):
        a_model(model)


@pytest.mark.parametrize(
    "model",
    [
        "gemini-2.5-flash-image",
        "gemini-3-pro-image-preview",
        "nano-banana-pro-preview",
        "gpt-4o-audio-preview",
        "gemini-2.5-flash-preview-tts",
        "gpt-realtime-mini",
        "gemini-live-2.5-flash",
        "gpt-image-1",
    ],
)
def test_models_that_make_pictures_or_sound_are_not_priced_as_text(model: str) -> None:
    with pytest.raises(Unfit, match="pictures or sound"):
        a_model(model)


@pytest.mark.parametrize("model", ["gpt-5.1", "claude-opus-4-8", "gemini-3-pro-preview", "olive-7b", "qwen3-vl"])
def test_models_of_text_are_called(model: str) -> None:
    assert a_model(model) == model


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "content", "parts", "tools", "source", "data", "text", "image_url", "url", "functionResponse", "inlineData", "tool_calls", "output", "name"]), inner, max_size=4), max_leaves=12)  # fmt: skip
FIELDS = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "input",
    "contents",
    "systemInstruction",
    "generationConfig",
    "stream",
    "thinking",
    "include",
    "cache_control",
    "context_management",
    "stream_options",
    "max_tokens",
]


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_whatever_is_asked_is_sorted_or_refused_and_nothing_else(form: Any, body: dict[str, Any]) -> None:
    try:
        found = form.sort(body)
        form.most(found.body)
        tokens.most(encoded(found.body), found.pictures)
        form.bound(found.body, 5, True)
        encoded(found.body)
    except Unfit:
        pass


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        ("1234567890" * 10, 100),
        ("漢字" * 50, 100),
        ("aGVsbG8gd29ybGQ/" * 10, 70),
        ("the quick brown fox " * 10, 40),
        ("🙂" * 10, 30),
    ],
)
def test_the_estimate_is_above_what_tokenizers_make_of_it(text: str, at_least: int) -> None:
    assert tokens.upper(text.encode()) >= at_least


@given(st.text(max_size=200), st.lists(st.text(st.sampled_from("ABCabc019+/="), max_size=50), max_size=3))
def test_pictures_count_by_the_piece(text: str, pictures: list[str]) -> None:
    body = encoded({"text": text, "pictures": pictures})
    assert tokens.most(body, pictures) >= tokens.FRAME + len(pictures) * tokens.IMAGE
    assert tokens.most(body, pictures) <= tokens.FRAME + len(pictures) * tokens.IMAGE + len(body)

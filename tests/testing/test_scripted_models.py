"""The scripted model server, asked as its callers ask it: by the vendors' own libraries where there are any."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import anyio
import httpx2
import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.testing.models import (
    SHIPPED,
    Ask,
    Burst,
    Cut,
    Edit,
    Fetch,
    Final,
    Hang,
    Loop,
    ModelServer,
    Read,
    Script,
    Shell,
    Slow,
    Status,
    Subagents,
    Text,
    Together,
    Tool,
    Usage,
    Write,
    Zipped,
    scripts_of,
    served,
    serving,
)
from remit.testing.models.exchange import Asked, Declared, Entry, place
from remit.testing.models.fitting import fitted, instance
from remit.testing.models.playing import play

ROOT = Path(__file__).parent.parent.parent
RELEASE = ROOT / "examples" / "release"
SCHEMA = {
    "type": "object",
    "properties": {"file_path": {"type": "string"}, "content": {"type": "string"}, "mode": {"enum": ["new", "old"]}},
    "required": ["file_path", "content", "mode"],
}
MADE = {"file_path": "a.txt", "content": "hi\n", "mode": "new"}
WRITING = Script(name="writing", steps=(Text(text="First I write."), Write(path="a.txt", text="hi\n"), Final(text="written")))


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with served([WRITING]) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.clear()
    return running


@pytest.fixture
def claude(server: ModelServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="run-token", max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(server: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="run-token", max_retries=0) as client:
        yield client


@pytest.fixture
def raw(server: ModelServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=10) as client:
        yield client


def prompt(name: str) -> dict[str, str]:
    return {"role": "user", "content": f"Please do it. [[script: {name}]]"}


def say(client: httpx2.Client, name: str, **more: Any) -> httpx2.Response:
    """One call in the dialect that needs the fewest words."""
    return client.post("/v1/chat/completions", json={"model": "m", "messages": [prompt(name)], **more})


def events(text: str) -> list[Any]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ") and line != "data: [DONE]"]


# ---------------------------------------------------------------- the four dialects


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_anthropic_messages_as_its_own_library_reads_them(claude: anthropic.Anthropic, server: ModelServer, stream: bool) -> None:
    tools: Any = [{"name": "Write", "input_schema": SCHEMA}]
    messages: list[Any] = [prompt("writing")]

    def answer() -> anthropic.types.Message:
        asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 500, "messages": messages, "tools": tools}
        if not stream:
            return claude.messages.create(**asked)
        with claude.messages.stream(**asked) as coming:
            return coming.get_final_message()

    first = answer()
    text, call = first.content
    assert text.type == "text" and text.text == "First I write."
    assert call.type == "tool_use" and (call.name, call.input) == ("Write", MADE)
    assert (first.stop_reason, first.usage.input_tokens, first.usage.output_tokens) == ("tool_use", 1000, 200)
    messages += [
        {
            "role": "assistant",
            "content": [block.model_dump(include={"type", "text", "id", "name", "input"}) for block in first.content],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": call.id, "content": "written"},
                {"type": "text", "text": "(a reminder)"},
            ],
        },
    ]
    last = answer()
    assert [block.text for block in last.content if block.type == "text"] == ["written"]
    assert last.stop_reason == "end_turn"
    assert [(seen.dialect, seen.step, seen.stream, seen.max_output, seen.answered, seen.ended) for seen in server.work] == [
        ("anthropic", 0, stream, 500, ("Write",), "whole"),
        ("anthropic", 1, stream, 500, ("written",), "whole"),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_openai_responses_as_its_own_library_reads_them(gpt: openai.OpenAI, server: ModelServer, stream: bool) -> None:
    tools: Any = [{"type": "function", "name": "write_file", "parameters": SCHEMA, "strict": False}, {"type": "web_search"}]
    items: list[Any] = [prompt("writing")]

    def answer() -> Any:
        asked: Any = {"model": "gpt-5-mini", "input": items, "tools": tools, "max_output_tokens": 500}
        if not stream:
            return gpt.responses.create(**asked)
        with gpt.responses.stream(**asked) as coming:
            return coming.get_final_response()

    first = answer()
    call = first.output[1]
    assert (first.output_text, call.type, call.name, json.loads(call.arguments)) == (
        "First I write.",
        "function_call",
        "write_file",
        MADE,
    )
    assert (first.status, first.usage.input_tokens, first.usage.output_tokens) == ("completed", 1000, 200)
    items += [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": first.output_text}]},
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
        {"type": "function_call_output", "call_id": call.call_id, "output": "written"},
    ]
    assert answer().output_text == "written"
    assert [(seen.step, seen.tools, seen.hosted) for seen in server.work] == [
        (0, ("write_file",), ("web_search",)),
        (1, ("write_file",), ("web_search",)),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_openai_chat_completions_as_its_own_library_reads_them(gpt: openai.OpenAI, server: ModelServer, stream: bool) -> None:
    tools: Any = [{"type": "function", "function": {"name": "write", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, prompt("writing")]

    def answer() -> Any:
        asked: Any = {"model": "gpt-5-mini", "messages": messages, "tools": tools, "max_completion_tokens": 500}
        if not stream:
            return gpt.chat.completions.create(**asked)
        with gpt.chat.completions.stream(**asked, stream_options={"include_usage": True}) as coming:
            return coming.get_final_completion()

    first = answer()
    choice = first.choices[0]
    call = choice.message.tool_calls[0]
    assert (choice.message.content, call.function.name, json.loads(call.function.arguments)) == ("First I write.", "write", MADE)
    assert (choice.finish_reason, first.usage.prompt_tokens, first.usage.completion_tokens) == ("tool_calls", 1000, 200)
    messages += [
        {
            "role": "assistant",
            "content": "First I write.",
            "tool_calls": [call.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}})],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "written"},
    ]
    last = answer().choices[0]
    assert (last.message.content, last.finish_reason) == ("written", "stop")
    assert [seen.step for seen in server.work] == [0, 1]


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse", "streamGenerateContent"])
def test_gemini_whole_as_events_and_as_a_growing_list(raw: httpx2.Client, server: ModelServer, verb: str) -> None:
    declared = [{"functionDeclarations": [{"name": "write_file", "parametersJsonSchema": SCHEMA}]}, {"googleSearch": {}}]
    contents: list[Any] = [{"role": "user", "parts": [{"text": "[[script: writing]] go"}]}]

    def answer() -> list[Any]:
        body = {"contents": contents, "tools": declared, "generationConfig": {"maxOutputTokens": 500}}
        given = raw.post(f"/v1beta/models/gemini-2.5-pro:{verb}", json=body, headers={"x-goog-api-key": "run-token"})
        assert given.status_code == 200
        if "sse" in verb:
            return events(given.text)
        return [given.json()] if verb == "generateContent" else list(given.json())

    documents = answer()
    parts = [part for document in documents for part in document["candidates"][0]["content"]["parts"]]
    assert "".join(part.get("text", "") for part in parts) == "First I write."
    assert [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part] == [
        ("write_file", MADE)
    ]
    assert documents[-1]["candidates"][0]["finishReason"] == "STOP"
    used = documents[-1]["usageMetadata"]
    assert (used["promptTokenCount"], used["candidatesTokenCount"], used["totalTokenCount"]) == (1000, 200, 1200)
    contents += [
        {"role": "model", "parts": parts},
        {"role": "user", "parts": [{"functionResponse": {"name": "write_file", "response": {"output": "written"}}}]},
    ]
    assert "".join(part["text"] for document in answer() for part in document["candidates"][0]["content"]["parts"]) == "written"
    assert [(seen.model, seen.key, seen.hosted, seen.step) for seen in server.work] == [
        ("gemini-2.5-pro", "run-token", ("googleSearch",), 0),
        ("gemini-2.5-pro", "run-token", ("googleSearch",), 1),
    ]


def test_models_are_listed_and_tokens_counted_as_each_vendor_does(
    claude: anthropic.Anthropic, gpt: openai.OpenAI, raw: httpx2.Client
) -> None:
    assert "claude-haiku-4-5" in {model.id for model in claude.models.list()}
    assert "gpt-5-mini" in {model.id for model in gpt.models.list()}
    assert "models/gemini-2.5-pro" in {model["name"] for model in raw.get("/v1beta/models").json()["models"]}
    assert claude.messages.count_tokens(model="m", messages=[{"role": "user", "content": "x" * 400}]).input_tokens > 100
    assert (
        raw.post("/v1beta/models/m:countTokens", json={"contents": [{"parts": [{"text": "x" * 400}]}]}).json()["totalTokens"]
        > 100
    )


def test_a_freeform_tool_gets_a_patch_and_a_local_shell_a_command(gpt: openai.OpenAI, server: ModelServer) -> None:
    server.add(Script(name="both", steps=(Together(steps=(Write(path="a.txt", text="hi\n"), Shell(command="ls"))),)))
    tools: Any = [{"type": "custom", "name": "apply_patch"}, {"type": "local_shell"}]
    with gpt.responses.stream(model="m", input="[[script: both]]", tools=tools) as coming:
        patch, shell = coming.get_final_response().output
    assert patch.type == "custom_tool_call" and patch.input == "*** Begin Patch\n*** Add File: a.txt\n+hi\n*** End Patch\n"
    assert shell.type == "local_shell_call" and shell.action.command == ["bash", "-lc", "ls"]


def test_tools_in_a_namespace_are_called_there_and_a_callers_own_kinds_are_not_hosted(
    gpt: openai.OpenAI, server: ModelServer
) -> None:
    server.add(Script(name="asking", steps=(Ask(question="May I?"),)))
    inner = {
        "type": "function",
        "name": "ask_owner",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
    }
    tools: Any = [{"type": "namespace", "name": "mcp__remit", "tools": [inner]}, {"type": "tool_search", "execution": "client"}]
    (call,) = gpt.responses.create(model="m", input="[[script: asking]]", tools=tools).to_dict()["output"]  # type: ignore[misc]
    assert (call["namespace"], call["name"], json.loads(call["arguments"])) == ("mcp__remit", "ask_owner", {"text": "May I?"})  # type: ignore[index]
    assert (server.work[0].tools, server.work[0].hosted, server.work[0].answered) == (
        ("mcp__remit__ask_owner",),
        (),
        ("mcp__remit__ask_owner",),
    )


def test_the_run_token_really_is_spent_from_a_shell(server: ModelServer) -> None:
    (call,) = fitted(SHIPPED["token"].steps[0], (SHELL,))  # type: ignore[arg-type]
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "run-token",
        "NO_PROXY": "*",
    }
    subprocess.run(["sh", "-c", call.arguments["command"]], env=environment, check=True, capture_output=True)
    assert [(seen.dialect, seen.key, seen.status) for seen in server.work] == [
        ("anthropic", "run-token", 200),
        ("responses", "run-token", 200),
    ]


# ---------------------------------------------------------------- manners and faults


def test_a_status_fails_as_often_as_it_is_told_and_then_is_over(claude: anthropic.Anthropic, server: ModelServer) -> None:
    server.add(
        Script(
            name="busy-twice",
            steps=(Status(code=529, message="come back", times=2, headers={"retry-after": "0"}), Final(text="now")),
        )
    )
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as failed:
            claude.messages.create(model="m", max_tokens=9, messages=[prompt("busy-twice")])  # type: ignore[list-item]
        assert (failed.value.status_code, failed.value.response.headers["retry-after"]) == (529, "0")
        assert failed.value.body == {
            "type": "error",
            "error": {"type": "overloaded_error", "message": "come back"},
            "request_id": "req_scripted",
        }
    said = claude.messages.create(model="m", max_tokens=9, messages=[prompt("busy-twice")])  # type: ignore[list-item]
    assert said.content[0].type == "text" and said.content[0].text == "now"
    assert [seen.status for seen in server.work] == [529, 529, 200]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_cut_answer_breaks_off_after_its_first_bytes(raw: httpx2.Client, server: ModelServer, stream: bool) -> None:
    server.add(Script(name="cut", steps=(Burst(tokens=64), Cut(after=2))))
    got = b""
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        raw.stream("POST", "/v1/chat/completions", json={"model": "m", "messages": [prompt("cut")], "stream": stream}) as coming,
    ):
        assert coming.status_code == 200
        for piece in coming.iter_raw():
            got += piece
    assert got
    assert server.work[0].ended == "cut"


def test_a_hanging_answer_sends_nothing_until_its_caller_leaves(raw: httpx2.Client, server: ModelServer) -> None:
    server.add(Script(name="hang", steps=(Hang(),)))
    with pytest.raises(httpx2.ReadTimeout):
        raw.post("/v1/chat/completions", json={"model": "m", "messages": [prompt("hang")]}, timeout=0.1)
    assert server.work[0].ended == "hung"


def test_a_slow_answer_notices_that_its_caller_left() -> None:
    async def leave() -> str:
        slow = Script(name="slow", steps=(Burst(tokens=160), Slow(seconds=0.05)))
        async with serving([slow]) as server, httpx2.AsyncClient(base_url=server.url) as client:
            body = {"model": "m", "messages": [prompt("slow")], "stream": True}
            async with client.stream("POST", "/v1/chat/completions", json=body) as coming:
                async for _ in coming.aiter_raw():
                    break
            with anyio.fail_after(5):
                while server.work[0].ended == "underway":
                    await anyio.sleep(0.01)
            return server.work[0].ended

    assert anyio.run(leave) == "gone"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_zipped_answer_says_so_and_reads_the_same(raw: httpx2.Client, server: ModelServer, stream: bool) -> None:
    server.add(Script(name="zipped", steps=(Zipped(), Final(text="small"))))
    given = say(raw, "zipped", stream=stream)
    assert given.headers["content-encoding"] == "gzip"
    assert "small" in given.text


def test_a_compressed_request_is_not_read(raw: httpx2.Client) -> None:
    body = gzip.compress(json.dumps({"model": "m", "messages": [prompt("hello")]}).encode())
    assert raw.post("/v1/chat/completions", content=body, headers={"content-encoding": "gzip"}).status_code == 415


def test_usage_is_what_the_script_says_and_may_be_missing(raw: httpx2.Client, server: ModelServer) -> None:
    server.add(
        Script(name="cached", steps=(), usage=Usage(input=500, output=20, cached=400, written=50)),
        Script(name="silent", steps=(), usage=Usage(missing=True)),
        Script(name="counted", steps=(), usage=Usage(counted=True)),
    )
    body = {"model": "m", "max_tokens": 10, "messages": [prompt("cached")]}
    used = raw.post("/v1/messages", json=body).json()["usage"]
    assert (used["input_tokens"], used["cache_read_input_tokens"], used["cache_creation_input_tokens"]) == (50, 400, 50)
    assert used["output_tokens"] == 10  # never more than the caller allowed
    assert "usage" not in raw.post("/v1/messages", json=body | {"messages": [prompt("silent")]}).json()
    for stream in (False, True):
        assert "completion_tokens" not in say(raw, "silent", stream=stream, stream_options={"include_usage": True}).text
    assert say(raw, "counted").json()["usage"]["prompt_tokens"] == server.work[-1].body.__len__() // 4


def test_a_stream_of_chat_completions_tells_usage_only_where_it_was_asked_to(raw: httpx2.Client) -> None:
    assert "completion_tokens" not in say(raw, "hello", stream=True).text
    told = say(raw, "hello", stream=True, stream_options={"include_usage": True})
    assert events(told.text)[-1]["usage"]["completion_tokens"] == 200


@pytest.mark.parametrize(("limit", "words", "reason"), [(None, 1000, "stop"), (37, 37, "length"), (1000, 1000, "stop")])
def test_a_burst_is_as_long_as_it_says_or_as_the_caller_allows(
    raw: httpx2.Client, server: ModelServer, limit: int | None, words: int, reason: str
) -> None:
    server.add(Script(name="burst", steps=(Burst(tokens=1000),)))
    given = say(raw, "burst", **({"max_tokens": limit} if limit else {})).json()
    assert len(given["choices"][0]["message"]["content"].split()) == words
    assert (given["usage"]["completion_tokens"], given["choices"][0]["finish_reason"]) == (words, reason)


def test_a_call_beside_the_work_gets_a_title_or_the_shape_it_wants(raw: httpx2.Client, server: ModelServer) -> None:
    assert say(raw, "writing").json()["choices"][0]["message"]["content"] == "writing"
    shape = {
        "type": "object",
        "properties": {"why": {"type": "string"}, "who": {"enum": ["user", "model"]}},
        "required": ["why", "who"],
    }
    for name in ("writing", "hello"):
        said = say(raw, name, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": shape}}).json()
        assert json.loads(said["choices"][0]["message"]["content"]) == {"why": "scripted", "who": "user"}
    assert [seen.side for seen in server.journal] == [True, True, False]


def test_what_is_no_request_is_answered_in_the_dialects_own_words(claude: anthropic.Anthropic, raw: httpx2.Client) -> None:
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(model="m", max_tokens=1, messages=7)  # type: ignore[arg-type]
    assert raw.post("/v1/responses", content=b"{").status_code == 400
    assert raw.post("/v1beta/models/m:generateContent", json={}).json()["error"]["status"] == "INVALID_ARGUMENT"
    assert raw.get("/nowhere").status_code == 404
    assert raw.head("/").status_code == 200
    assert "there is no script `unheard-of`" in say(raw, "unheard-of").text


# ---------------------------------------------------------------- the journal and the ways to run it


def test_scripts_are_added_and_the_journal_read_over_http(raw: httpx2.Client, server: ModelServer) -> None:
    added = raw.post("/__scripts__", json={"name": "new", "steps": [{"do": "final", "text": "from JSON"}]})
    assert "new" in added.json()["scripts"]
    assert raw.post("/__scripts__", json={"name": "new", "steps": [{"do": "dance"}]}).status_code == 400
    raw.post(
        "/v1/chat/completions", json={"model": "m", "messages": [prompt("new")]}, headers={"authorization": "Bearer run-token"}
    )
    (entry,) = raw.get("/__journal__").json()["requests"]
    assert (entry["dialect"], entry["model"], entry["script"], entry["answered"]) == ("chat", "m", "new", ["from JSON"])
    assert entry["headers"]["authorization"] == "Bearer run-token"
    assert server.journal[0].key == "run-token"
    assert server.journal[0].asked["messages"] == [prompt("new")]
    raw.post("/__clear__")
    assert server.journal == ()


def test_it_listens_on_a_unix_socket_too(tmp_path: Path) -> None:
    with (
        served(unix=tmp_path / "model.sock") as server,
        httpx2.Client(base_url="http://model", transport=httpx2.HTTPTransport(uds=str(tmp_path / "model.sock"))) as client,
    ):
        assert say(client, "hello").status_code == 200
        assert server.url == f"unix:{tmp_path / 'model.sock'}"


def test_it_runs_by_itself_with_scripts_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "scripts.json").write_text(
        '[{"name": "mine", "steps": [{"do": "final", "text": "by itself"}], "usage": {"input": 7}}]'
    )
    words = [
        sys.executable,
        "-m",
        "remit.testing.models",
        "--port",
        "0",
        "--scripts",
        tmp_path / "scripts.json",
        "--fallback",
        "mine",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert "mine" in told["scripts"]
        with httpx2.Client(base_url=told["url"]) as client:
            said = client.post("/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": "hi"}]}).json()
        process.terminate()
    assert (said["choices"][0]["message"]["content"], said["usage"]["prompt_tokens"]) == ("by itself", 7)


def test_one_connection_carries_many_calls_and_many_connections_go_at_once() -> None:
    async def many() -> int:
        async with serving() as server, httpx2.AsyncClient(base_url=server.url) as client, anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(
                    lambda: client.post(
                        "/v1/chat/completions", json={"model": "m", "messages": [prompt("hello")], "stream": True}
                    )
                )
            with anyio.fail_after(20):
                while sum(seen.ended == "whole" for seen in server.work) < 50:
                    await anyio.sleep(0.01)
            return len(server.work)

    assert anyio.run(many) == 50


# ---------------------------------------------------------------- steps and places


def entries(*said: tuple[str, str]) -> tuple[Entry, ...]:
    return tuple(Entry(kind=kind, **({"call": text} if kind in ("call", "result") else {"text": text})) for kind, text in said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conversation", "script", "step"),
    [
        ([("user", "hi")], None, 0),
        ([("user", "[[script: a]]")], "a", 0),
        ([("user", "[[script: a]]"), ("call", "x_0"), ("call", "x_1"), ("result", "x_0"), ("result", "x_1")], "a", 1),
        ([("user", "[[script: a]]"), ("call", "x_0"), ("result", "x_0"), ("call", "y_0"), ("result", "y_0")], "a", 2),
        ([("user", "[[script: a]]"), ("call", "foreign"), ("result", "foreign"), ("user", "a reminder")], "a", 1),
        ([("user", "[[script: a]]"), ("assistant", "may I?"), ("user", "yes")], "a", 1),
        ([("user", "[[script: a]]"), ("call", "x_0"), ("result", "x_0"), ("user", "[[script: b]]")], "b", 0),
    ],
)
def test_a_conversation_stands_where_its_results_and_finished_turns_say(
    conversation: list[tuple[str, str]], script: str | None, step: int
) -> None:
    found = place(Asked(model="m", stream=False, entries=entries(*conversation)))
    assert (found.script, found.step) == (script, step)


def test_a_result_that_quotes_a_mark_is_no_prompt_and_instructions_may_carry_one() -> None:
    quoted = (*entries(("user", "[[script: a]]")), Entry(kind="result", call="x_0", text="[[script: b]]"))
    assert place(Asked(model="m", stream=False, entries=quoted)).script == "a"
    assert place(Asked(model="m", stream=False, entries=entries(("user", "hi")), system="[[script: c]]")).script == "c"


def answers(script: Script, tools: tuple[Declared, ...], rounds: int) -> list[tuple[str, ...]]:
    told = []
    for step in range(rounds):
        said = entries(("user", f"[[script: {script.name}]]"), *(("result", f"r{number}_0") for number in range(step)))
        turn = play(
            Asked(model="m", stream=False, tools=tools, entries=said), {script.name: script}, script.name, Usage(), 1
        ).turn
        told.append(tuple(call.name for call in turn.calls) or (turn.text,))
    return told


SHELL = Declared(name="bash", schema={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]})


def test_a_loop_goes_on_for_ever_or_as_often_as_it_says() -> None:
    assert answers(SHIPPED["looping"], (SHELL,), 5) == [("bash",)] * 5
    twice = Script(name="twice", steps=(Loop(step=Shell(command="ls"), times=2), Final(text="enough")))
    assert answers(twice, (SHELL,), 4) == [("bash",), ("bash",), ("enough",), ("enough",)]


def test_a_script_without_a_last_word_says_that_it_is_done() -> None:
    assert answers(Script(name="short", steps=(Shell(command="ls"),)), (SHELL,), 2) == [("bash",), ("short: done",)]


def test_a_last_word_in_the_middle_waits_for_the_next_message() -> None:
    script = Script(name="asks", steps=(Final(text="may I?"), Shell(command="ls"), Final(text="thanks")))
    before = Asked(model="m", stream=False, tools=(SHELL,), entries=entries(("user", "[[script: asks]]")))
    after = msgspec.structs.replace(before, entries=(*before.entries, *entries(("assistant", "may I?"), ("user", "yes"))))
    assert play(before, {"asks": script}, "asks", Usage(), 1).turn.text == "may I?"
    assert [call.name for call in play(after, {"asks": script}, "asks", Usage(), 2).turn.calls] == ["bash"]


def declared(name: str, *properties: str, required: tuple[str, ...] = (), **kinds: Any) -> Declared:
    known: dict[str, Any] = {name: {"type": "string"} for name in properties}
    return Declared(name=name, schema={"type": "object", "properties": known | kinds, "required": list(required or properties)})


@pytest.mark.parametrize(
    ("deed", "tool", "arguments"),
    [
        (Write(path="a", text="b"), declared("Write", "file_path", "content"), {"file_path": "a", "content": "b"}),
        (Write(path="a", text="b"), declared("write", "filePath", "content"), {"filePath": "a", "content": "b"}),
        (Write(path="a", text="b"), declared("mcp__files__write_file", "path", "content"), {"path": "a", "content": "b"}),
        (
            Edit(path="a", old="b", new="c"),
            declared("replace", "file_path", "old_string", "new_string", "instruction"),
            {"file_path": "a", "old_string": "b", "new_string": "c", "instruction": "scripted"},
        ),
        (Read(path="a"), declared("read_file", "absolute_path"), {"absolute_path": "a"}),
        (Shell(command="ls"), declared("run_shell_command", "command"), {"command": "ls"}),
        (
            Shell(command="ls", seconds=3),
            declared("exec_command", "cmd", yield_time_ms={"type": "number"}),
            {"cmd": "ls", "yield_time_ms": 3000},
        ),
        (
            Shell(command="ls"),
            declared("shell", command={"type": "array", "items": {"type": "string"}}),
            {"command": ["bash", "-lc", "ls"]},
        ),
        (
            Shell(command="ls", seconds=3),
            declared("Bash", "command", timeout={"type": "number", "description": "in milliseconds"}),
            {"command": "ls", "timeout": 3000},
        ),
        (
            Shell(command="ls", seconds=3),
            declared("shell", "command", timeout={"type": "integer", "description": "seconds until it is ended"}),
            {"command": "ls", "timeout": 3},
        ),
        (Fetch(url="http://x"), declared("WebFetch", "url", "prompt"), {"url": "http://x", "prompt": "scripted"}),
        (Fetch(url="http://x"), declared("web_fetch", "prompt"), {"prompt": "Read http://x"}),
        (Ask(question="May I?"), declared("ask", "question"), {"question": "May I?"}),
        (
            Ask(question="May I?"),
            declared(
                "AskUserQuestion",
                questions={
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"question": {"type": "string"}, "header": {"type": "string"}},
                        "required": ["question", "header"],
                    },
                },
            ),
            {"questions": [{"question": "May I?", "header": "scripted"}]},
        ),
        (
            Subagents(count=1, script="a"),
            declared("Agent", "description", "prompt", "subagent_type"),
            {"description": "scripted", "prompt": "[[script: a]] part 1", "subagent_type": "general-purpose"},
        ),
        (
            Write(path="a", text="b\n"),
            declared("apply_patch", "patchText"),
            {"patchText": "*** Begin Patch\n*** Add File: a\n+b\n*** End Patch\n"},
        ),
        (
            Edit(path="a", old="b\n", new=""),
            declared("apply_patch", "input"),
            {"input": "*** Begin Patch\n*** Update File: a\n@@\n-b\n*** End Patch\n"},
        ),
        (
            Subagents(count=1, script="a"),
            declared("delegate", "runtime", "why", "contract"),
            {"runtime": "agent", "why": "scripted", "contract": 'goal: "[[script: a]] part 1"\n'},
        ),
        (Tool(name="anything", arguments={"x": 1}), SHELL, {"x": 1}),
    ],
)
def test_a_step_is_put_in_the_words_of_the_tool_that_is_there(deed: Any, tool: Declared, arguments: dict[str, Any]) -> None:
    (call,) = fitted(deed, (tool,))
    assert call.arguments == arguments


def test_a_hundred_sub_agents_are_a_hundred_calls_of_one_answer() -> None:
    asked = Asked(model="m", stream=False, tools=(declared("task", "prompt"),), entries=entries(("user", "[[script: swarm]]")))
    calls = play(asked, SHIPPED, "hello", Usage(), 1).turn.calls
    assert len({call.id for call in calls}) == len({call.arguments["prompt"] for call in calls}) == 100
    assert len({call.id.rpartition("_")[0] for call in calls}) == 1


def test_without_a_fitting_tool_the_shell_does_the_same(tmp_path: Path) -> None:
    steps = (
        Write(path="new/it's.txt", text="one $x `y`\ntwo\n"),
        Edit(path="new/it's.txt", old="two", new="2"),
        Read(path="new/it's.txt"),
    )
    printed = ""
    for deed in steps:
        (call,) = fitted(deed, (SHELL,))
        printed = subprocess.run(
            ["sh", "-c", call.arguments["command"]], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout
    assert printed == "one $x `y`\n2\n"


def test_where_nothing_fits_at_all_the_model_says_so() -> None:
    assert answers(WRITING, (declared("lookup", "word"),), 1) == [("First I write.no declared tool does: write",)]


def test_the_last_word_goes_to_the_tool_that_ends_the_work_where_there_is_one() -> None:
    asked = Asked(
        model="m",
        stream=False,
        tools=(SHELL, declared("complete_task", "result")),
        entries=entries(("user", "[[script: hello]]")),
    )
    turn = play(asked, SHIPPED, "hello", Usage(), 1).turn
    assert [(call.name, call.arguments) for call in turn.calls] == [
        ("complete_task", {"result": "Hello. There is nothing to do."})
    ]
    assert turn.text == ""


schemas = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "integer"},
            {"type": "boolean"},
            {"enum": ["a", "b"]},
            {"type": ["string", "null"]},
            {"anyOf": [{"type": "null"}, {"type": "string"}]},
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda item: {"type": "array", "items": item, "minItems": 1}, inner),
        st.builds(
            lambda of: {"type": "object", "properties": of, "required": sorted(of)},
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        ),
    ),
    max_leaves=8,
)


@given(schemas)
def test_the_least_instance_satisfies_its_schema(schema: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(instance(schema), schema)


@pytest.mark.parametrize("script", SHIPPED.values(), ids=lambda script: script.name)
def test_every_shipped_script_survives_json_and_begins_with_a_shell_alone(script: Script) -> None:
    assert scripts_of(msgspec.json.encode([script])) == (script,)
    assert answers(script, (SHELL,), 1)[0] != ("",)


# ---------------------------------------------------------------- the release


def test_the_release_script_leaves_exactly_what_the_examples_own_agent_leaves(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def run(*words: str | Path, at: Path) -> str:
        return subprocess.run(words, cwd=at, env=environment, check=True, capture_output=True, text=True).stdout

    trees = []
    for name in ("by-agent", "by-script"):
        run(sys.executable, RELEASE / "make_repository.py", tmp_path / name, at=tmp_path)
    run(sys.executable, RELEASE / "agent" / "agent.py", at=tmp_path / "by-agent")
    for deed in (step for step in SHIPPED["release"].steps if not isinstance(step, Text | Final)):
        (call,) = fitted(deed, (SHELL,))  # type: ignore[arg-type]
        run("sh", "-c", call.arguments["command"], at=tmp_path / "by-script")
    for name in ("by-agent", "by-script"):
        trees.append(
            (run("git", "rev-parse", "HEAD^{tree}", at=tmp_path / name), run("git", "log", "--format=%s", at=tmp_path / name))
        )
        assert run("git", "status", "--porcelain", at=tmp_path / name) == ""
    assert trees[0] == trees[1]

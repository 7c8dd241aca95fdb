"""A call of a model there and back: untouched, counted, and ended exactly once in the account."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import msgspec
import pytest
from model_box import CALLS, MODEL, Box, boxed, request, until
from model_vendor import GEMINI, Heard, Said, Vendor, usual

from remit.ports.models import Hold, ModelCall, NoCall, ToolUse, Usage
from remit.testing.accounts import MemoryAccount

EACH = pytest.mark.parametrize("name", CALLS)
KEYS = {"anthropic": "x-api-key", "responses": "authorization", "chat": "authorization", "gemini": "x-goog-api-key"}
LIMITS = {
    "anthropic": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "chat": ("max_tokens",),
    "gemini": ("generationConfig", "maxOutputTokens"),
}


def run(vendor: Vendor, account: MemoryAccount, what: Callable[[Box], Any], **environment: str) -> Any:
    async def inner() -> Any:
        async with boxed(vendor, account, **environment) as box:
            return await what(box)

    found = anyio.run(inner)
    assert account.open == {}, "a reservation was left open"
    return found


@EACH
def test_an_answer_passes_byte_for_byte_and_is_counted(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(path, body))
    (heard,) = vendor.heard
    assert (answer.status, answer.whole) == (200, True)
    assert answer.body == b"".join(usual(heard).pieces)
    written = 10 if name.startswith("anthropic") else 0
    tools = (ToolUse(id="t1", name="shell", arguments='{"command":"ls"}'),)
    assert account.settled == [("call-1", Usage(input=100, output=10, cache_read=20, cache_write=written), tools)]
    assert account.made[0].model == MODEL
    assert account.made[0].input >= 100


@EACH
def test_the_provider_sees_the_real_key_and_never_the_token(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    run(
        vendor,
        MemoryAccount(),
        lambda box: box.ask(path, body, headers={"x-secret": "s", "cookie": "c=1", "user-agent": "runtime/1"}),
    )
    (heard,) = vendor.heard
    dialect = name.removesuffix("-stream")
    real = "openai" if dialect in ("responses", "chat") else dialect
    assert heard.headers[KEYS[dialect]].removeprefix("Bearer ") == f"real-{real}-key"
    assert "run-token" not in str(heard)
    assert {"x-secret", "cookie"} & heard.headers.keys() == set()
    assert heard.headers["user-agent"] == "runtime/1"
    assert heard.headers["accept-encoding"] == "identity"


@EACH
def test_the_answer_is_bounded_by_what_was_reserved(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    run(vendor, MemoryAccount(output=77), lambda box: box.ask(path, body))
    sent: Any = vendor.heard[0].body
    for key in LIMITS[name.removesuffix("-stream")]:
        sent = sent[key]
    assert sent == 77


@EACH
def test_the_first_refusal_is_a_last_message_and_the_second_an_error(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]

    async def thrice(box: Box) -> list[Any]:
        async with box.wire() as wire:
            return [await wire.ask(path, body) for _ in range(3)]

    answers = run(vendor, MemoryAccount(calls=1), thrice)
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert b"[remit] The limit of 1 model calls is reached. Stop here" in answers[1].body
    assert answers[1].headers["content-type"] == answers[0].headers["content-type"]
    assert answers[2].words == "remit: The limit of 1 model calls is reached."
    assert len(vendor.heard) == 1


@EACH
def test_a_hang_up_in_the_middle_charges_everything(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    let_go = threading.Event()

    def slowly(heard: Heard) -> Said:
        said = usual(heard)
        if not name.endswith("-stream"):
            said.pieces = [said.pieces[0][:10], said.pieces[0][10:]]
        said.wait = lambda number: bool(let_go.wait(10)) if number == 1 else None  # type: ignore[assignment,return-value]
        return said

    vendor.answer = slowly

    async def leave(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(path, body))
            got = b""
            while name.endswith("-stream") and (b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n")):
                got += await wire.piece()
            await until(lambda: vendor.heard)
        await until(lambda: box.account.settled)

    try:
        run(vendor, account := MemoryAccount(), leave)
    finally:
        let_go.set()
    assert account.settled[0][:2] == ("call-1", None)


@EACH
def test_a_provider_that_breaks_off_is_charged_in_full_and_the_runtime_sees_it_break(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]

    def cut(heard: Heard) -> Said:
        said = usual(heard)
        said.cut, said.pieces = True, said.pieces[:1]
        return said

    vendor.answer = cut
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(path, body))
    assert not answer.whole
    assert account.settled[0][:2] == ("call-1", None)


@EACH
def test_an_answer_without_a_count_is_charged_in_full(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]

    def silent(heard: Heard) -> Said:
        said = usual(heard)
        said.pieces = [
            piece.replace(b'"usage', b'"u').replace(b"Tokens", b"T").replace(b"TokenCount", b"C") for piece in said.pieces
        ]
        return said

    vendor.answer = silent
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(path, body))
    assert answer.whole
    assert account.settled[0][:2] == ("call-1", None)


@EACH
def test_being_cancelled_ends_the_reservation_too(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    let_go = threading.Event()

    def never(heard: Heard) -> Said:
        let_go.wait(10)
        return usual(heard)

    vendor.answer = never

    async def cancelled(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(path, body))
            await until(lambda: vendor.heard)
            box.group.cancel_scope.cancel()

    try:
        run(vendor, account := MemoryAccount(), cancelled)
    finally:
        let_go.set()
    assert account.settled[0][:2] == ("call-1", None)


def test_a_provider_that_took_the_request_and_said_nothing_may_have_done_it(vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=0)
    assert run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["chat"])).status == 503
    assert account.settled == [("call-1", None, ())]


def test_being_cancelled_while_it_is_reserved_leaves_nothing_reserved(vendor: Vendor) -> None:
    reserved, go_on = anyio.Event(), anyio.Event()

    class Slow(MemoryAccount):
        async def reserve(self, call: ModelCall) -> Hold | NoCall:
            hold = await super().reserve(call)
            reserved.set()
            await go_on.wait()
            return hold

    async def cancelled(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(*CALLS["chat"]))
            await reserved.wait()
            box.group.cancel_scope.cancel()
            go_on.set()

    run(vendor, account := Slow(), cancelled)
    assert account.released == [("call-1", "it ended before anything was sent")]
    assert vendor.heard == []


@EACH
def test_a_provider_that_is_not_there_costs_only_the_turn(name: str, vendor: Vendor) -> None:
    path, body = CALLS[name]
    nowhere = "http://127.0.0.1:1"
    places = {"ANTHROPIC_BASE_URL": nowhere, "OPENAI_BASE_URL": nowhere, "GOOGLE_GEMINI_BASE_URL": nowhere}

    async def many(box: Box) -> list[int]:
        return [(await box.ask(path, body)).status for _ in range(8)]

    assert run(vendor, account := MemoryAccount(), many, **places) == [503] * 6 + [400] * 2
    assert len(account.released) == 8
    assert account.spent == (0, 0)


@pytest.mark.parametrize("status", [429, 503, 529])
def test_the_providers_own_trouble_is_passed_on_only_so_often(status: int, vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(
        status=status, pieces=[b'{"error": "busy"}'], headers={"Retry-After": "7", "openai-organization": "o"}
    )

    async def many(box: Box) -> list[Any]:
        return [await box.ask(*CALLS["anthropic"]) for _ in range(8)]

    answers = run(vendor, account := MemoryAccount(), many)
    assert [answer.status for answer in answers] == [status] * 6 + [400] * 2
    assert answers[0].headers["retry-after"] == "7"
    assert "openai-organization" not in answers[0].headers
    assert str(status) in answers[6].words
    assert len(account.released) == 8


def test_after_a_success_trouble_is_counted_anew(vendor: Vendor) -> None:
    turns = iter([529] * 5 + [200] + [529] * 5)
    vendor.answer = lambda heard: usual(heard) if (status := next(turns)) == 200 else Said(status=status)

    async def many(box: Box) -> list[int]:
        return [(await box.ask(*CALLS["chat"])).status for _ in range(11)]

    assert run(vendor, MemoryAccount(), many) == [529] * 5 + [200] + [529] * 5


def test_what_may_have_been_work_is_charged(vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=500)
    assert run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["chat"])).status == 500
    assert account.settled == [("call-1", None, ())]


def test_a_box_is_not_told_where_the_provider_is(vendor: Vendor) -> None:
    gone = "http://127.0.0.1:9"
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["anthropic"]), ANTHROPIC_BASE_URL=gone)
    assert (answer.status, answer.words) == (503, "remit: the provider (anthropic) cannot be reached")
    assert gone in str(account.released), "the record says it"


@pytest.mark.parametrize("status", [201, 206])
def test_a_success_of_another_number_may_have_been_work_too(status: int, vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=status, kind="text/plain", pieces=[b"a whole answer"])
    assert run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["chat"])).status == 400
    assert (account.settled, account.released) == ([("call-1", None, ())], [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_said_by_its_name_and_never_shown(status: int, vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=status, pieces=[b'{"error": "bad key real-openai-key"}'])
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["responses"]))
    assert answer.status == 400
    assert "OPENAI_API_KEY" in answer.words
    assert b"real-openai-key" not in answer.body
    assert len(account.released) == 1


def test_an_error_of_the_provider_is_passed_on_without_the_key(vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=422, pieces=[b'{"error": "you sent real-openai-key"}'])
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["responses"]))
    assert (answer.status, answer.body) == (422, b'{"error": "you sent ***"}')
    assert len(account.released) == 1


def test_a_redirect_is_not_followed(vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(status=307, headers={"Location": f"{vendor.base}/elsewhere"})
    assert run(vendor, MemoryAccount(), lambda box: box.ask(*CALLS["chat"])).status == 400
    assert len(vendor.heard) == 1


def test_a_packed_answer_passes_but_nobody_can_count_it(vendor: Vendor) -> None:
    vendor.answer = lambda heard: Said(pieces=[b"\x1f\x8bpacked"], headers={"Content-Encoding": "gzip"}, length=True)
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["chat"]))
    assert (answer.body, answer.headers["content-encoding"]) == (b"\x1f\x8bpacked", "gzip")
    assert account.settled == [("call-1", None, ())]


def test_the_call_is_charged_before_the_runtime_can_see_that_it_is_over(vendor: Vendor) -> None:
    """The provider keeps the line open after its last event; the account knows nevertheless, and the tools are on record."""
    let_go = threading.Event()

    def open_end(heard: Heard) -> Said:
        said = usual(heard)
        last = len(said.pieces)
        said.wait = lambda number: bool(let_go.wait(10)) if number == last else None  # type: ignore[assignment,return-value]
        return said

    vendor.answer = open_end

    async def look(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(*CALLS["anthropic-stream"]))
            got = b""
            while b"message_stop" not in got:
                got += await wire.piece()
            assert box.account.settled[0][2][0].name == "shell"

    try:
        run(vendor, MemoryAccount(), look)
    finally:
        let_go.set()


@EACH
def test_no_answer_is_whole_before_its_charge_is_on_record(name: str, vendor: Vendor) -> None:
    settling, go_on = anyio.Event(), anyio.Event()

    class Slow(MemoryAccount):
        async def settle(self, hold: Hold, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
            settling.set()
            await go_on.wait()
            await super().settle(hold, usage, tools)

    async def look(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(*CALLS[name]))
            await settling.wait()
            before = await wire.so_far()
            go_on.set()
            after = await wire.hear(before)
        assert after.whole
        assert not any(last in before for last in (b"message_stop", b"[DONE]", b"response.completed"))
        assert after.body not in before
        assert not before.endswith(b"0\r\n\r\n")

    run(vendor, Slow(), look)


@pytest.mark.parametrize(("path", "there"), [("/v1/messages/count_tokens?beta=true", "/v1/messages/count_tokens?beta=true"), (f"/v1beta/models/{MODEL}:countTokens", f"/v1beta/models/{MODEL}:countTokens")])  # fmt: skip
def test_counting_tokens_costs_nothing(path: str, there: str, vendor: Vendor) -> None:
    body = {"model": MODEL, "messages": []} if "messages" in path else {"contents": []}
    answer = run(vendor, account := MemoryAccount(calls=0), lambda box: box.ask(path, body))
    assert answer.json["input_tokens"] == 7
    assert vendor.heard[0].path == there
    assert account.made == []


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/model-1", "/v1beta/models", "/v1beta/models/model-1"])
def test_lists_of_models_cost_nothing(path: str, vendor: Vendor) -> None:
    answer = run(vendor, account := MemoryAccount(calls=0), lambda box: box.ask(path, method="GET"))
    assert answer.json == {"data": [{"id": "model-1"}]}
    assert account.made == []


def test_what_costs_nothing_has_an_end_too(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.models.door.FREE", 3)

    async def many(box: Box) -> list[Any]:
        count = ("/v1/messages/count_tokens", {"model": MODEL, "messages": []})
        return [await box.ask(*count) for _ in range(2)] + [await box.ask("/v1/models", method="GET") for _ in range(4)]

    answers = run(vendor, account := MemoryAccount(), many)
    assert [answer.status for answer in answers] == [200, 200, 200, 400, 400, 400]
    assert "an attempt has no more" in answers[-1].words
    assert len(vendor.heard) == 3
    assert [what for what, _ in account.turned_away] == ["count"], "said once on record"


def test_a_list_is_anthropics_where_its_header_says_so(vendor: Vendor) -> None:
    run(vendor, MemoryAccount(), lambda box: box.ask("/v1/models", method="GET", headers={"anthropic-version": "2023-06-01"}))
    assert vendor.heard[0].headers["x-api-key"] == "real-anthropic-key"


def test_a_gemini_stream_that_is_no_stream_of_events_is_read_too(vendor: Vendor) -> None:
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    vendor.answer = lambda heard: Said(pieces=[msgspec.json.encode(GEMINI)])

    async def twice(box: Box) -> list[Any]:
        return [await box.ask(path, {"contents": []}) for _ in range(2)]

    found = run(vendor, account := MemoryAccount(calls=1), twice)
    assert account.settled[0][1] == Usage(input=100, output=10, cache_read=20)
    assert "[remit]" in found[1].json[0]["candidates"][0]["content"]["parts"][0]["text"]


def test_without_a_key_the_call_is_given_back_and_the_variable_named(vendor: Vendor) -> None:
    gone = {"ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": ""}
    answer = run(vendor, account := MemoryAccount(), lambda box: box.ask(*CALLS["anthropic"]), **gone)
    assert answer.status == 400
    assert "ANTHROPIC_API_KEY" in answer.words
    assert account.released == [("call-1", "no key")]


def test_a_local_server_needs_no_key(vendor: Vendor) -> None:
    assert run(vendor, MemoryAccount(), lambda box: box.ask(*CALLS["chat"]), OPENAI_API_KEY="").status == 200
    assert "authorization" not in vendor.heard[0].headers


def test_keys_are_in_no_log(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for name in CALLS:
        run(vendor, MemoryAccount(), lambda box, name=name: box.ask(*CALLS[name]))  # type: ignore[misc]
    assert "real-" not in caplog.text

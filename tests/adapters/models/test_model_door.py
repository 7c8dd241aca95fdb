"""What comes out of a box may be anything: it costs nothing, goes nowhere, and is answered in words."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_box import CALLS, Answer, Box, boxed, request, until
from model_vendor import Vendor

from remit.adapters.models import load
from remit.testing.accounts import MemoryAccount

ANTHROPIC = CALLS["anthropic"]


def run(vendor: Vendor, account: MemoryAccount, what: Callable[[Box], Any]) -> Any:
    async def inner() -> Any:
        async with boxed(vendor, account) as box:
            return await what(box)

    return anyio.run(inner)


def refused(vendor: Vendor, what: Callable[[Box], Any], code: str, status: int = 400) -> Answer:
    """The answer to something that must reach neither the account nor the provider."""
    answer: Answer = run(vendor, account := MemoryAccount(), what)
    assert answer.status == status
    assert vendor.heard == []
    assert account.made == []
    assert [what for what, _ in account.turned_away] == [code]
    assert "run-token" not in str(account.turned_away)
    return answer


def raw(data: bytes) -> Callable[[Box], Any]:
    async def send(box: Box) -> Answer:
        async with box.wire() as wire:
            await wire.send(data)
            return await wire.hear()

    return send


PLACES = ["/v1/messages/batches", "/v1/files", "/v1/embeddings", "/v1/images/generations", "/v1/responses/resp_1", "/v1/realtime", "/v1/complete", "/v1/organizations/me", "/", "//v1/messages", "/v1/../v1/messages", "/v1/messages/", "/v1/messages%2f", "/V1/messages", "/v1beta/models/a/b:generateContent", "/v1beta/models/m:batchGenerateContent", "/v1beta/models/..:generateContent", "/v1beta/cachedContents", "/v1/messages;x", "http://api.example.com/v1/messages"]  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
def test_a_path_that_is_not_known_is_not_sent_on(path: str, vendor: Vendor) -> None:
    refused(vendor, lambda box: box.ask(path, {"model": "m"}), "path", 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nor_is_another_method(method: str, vendor: Vendor) -> None:
    refused(vendor, lambda box: box.ask("/v1/messages", method=method), "path", 404)


def test_a_look_at_the_root_is_answered(vendor: Vendor) -> None:
    answer = run(vendor, account := MemoryAccount(), lambda box: _head(box))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (account.turned_away, vendor.heard) == ([], [])


async def _head(box: Box) -> bytes:
    async with box.wire() as wire:
        await wire.send(b"HEAD / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
        return await wire.piece()


def test_a_head_of_something_else_has_no_body(vendor: Vendor) -> None:
    async def head(box: Box) -> bytes:
        async with box.wire() as wire:
            await wire.send(b"HEAD /x HTTP/1.1\r\nHost: m\r\nx-api-key: run-token\r\n\r\n")
            got = b""
            while piece := await wire.piece():
                got += piece
            return got

    got = run(vendor, MemoryAccount(), head)
    assert got.startswith(b"HTTP/1.1 404")
    assert got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("token", ["", "run-toke", "run-token2", "RUN-TOKEN", "real-anthropic-key", "é"])
def test_another_token_is_refused(token: str, vendor: Vendor) -> None:
    data = request(*ANTHROPIC, headers={"Authorization": "", "x-api-key": "@"}).replace(b"@", token.encode("latin-1"))
    refused(vendor, raw(data), "token")


@pytest.mark.parametrize("place", ["authorization", "x-api-key", "x-goog-api-key", "query"])
def test_the_token_is_taken_where_each_vendor_has_its_key(place: str, vendor: Vendor) -> None:
    path, body = CALLS["gemini"]
    headers = {"Authorization": ""}
    if place == "query":
        path += "?key=run-token"
    else:
        headers |= {"authorization": "bearer run-token"} if place == "authorization" else {place: "run-token"}
    assert run(vendor, MemoryAccount(), lambda box: box.ask(path, body, headers=headers)).status == 200
    assert "run-token" not in str(vendor.heard)


def test_a_door_without_a_token_opens_for_nobody(vendor: Vendor) -> None:
    data = request(*ANTHROPIC, headers={"x-api-key": "@"}).replace(b"@", b"")
    assert run(vendor, account := MemoryAccount(token=""), raw(data)).status == 400
    assert account.made == []


def test_wrong_tokens_do_not_fill_the_ledger(vendor: Vendor) -> None:
    async def storm(box: Box) -> None:
        for _ in range(load.RECORDED + 20):
            assert (await box.ask(*ANTHROPIC, token="x")).status == 400

    run(vendor, account := MemoryAccount(), storm)
    assert len(account.turned_away) == load.RECORDED
    assert account.turned_away[-1][1].endswith("(further ones are not put on record)")


def test_an_upgrade_is_refused(vendor: Vendor) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Content-Length": ""}
    refused(vendor, lambda box: box.ask("/v1/responses", method="GET", headers=headers), "upgrade")


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity, gzip"])
def test_a_packed_request_is_refused(coding: str, vendor: Vendor) -> None:
    answer = refused(
        vendor, lambda box: box.ask("/v1/responses", raw=b"\x28\xb5", headers={"Content-Encoding": coding}), "encoding"
    )
    assert "not compressed" in answer.words


BODIES = [b"", b"[]", b"null", b'"x"', b"{", b'{"model": "m", "max_tokens": 5, "messages": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"model": 5}', b'{"model": "m", "max_tokens": -1}', b'{"model": "m", "max_tokens": "5"}', b'{"model": "m", "max_tokens": true}', b'{"model": "m", "max_tokens": 1e400}', b'{"model": "\\ud800"}', b'{"model": ""}', b'{"messages": []}']  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_cannot_be_read_is_refused(body: bytes, vendor: Vendor) -> None:
    refused(vendor, lambda box: box.ask("/v1/messages", raw=body), "unreadable")


def test_content_nested_a_thousand_deep_is_refused_or_sent_but_breaks_nothing(vendor: Vendor) -> None:
    deep = (
        b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":'
        + b'[{"type":"tool_result","content":' * 330
        + b'""'
        + b"}]" * 330
        + b"}]}"
    )
    assert run(vendor, MemoryAccount(), lambda box: box.ask("/v1/messages", raw=deep)).status in (200, 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_kind_of_body_is_refused(kind: str, vendor: Vendor) -> None:
    refused(vendor, lambda box: box.ask(*ANTHROPIC, headers={"Content-Type": kind}), "unreadable")


def test_of_a_key_given_twice_the_provider_sees_only_the_one_that_was_judged(vendor: Vendor) -> None:
    body = b'{"model":"m","max_tokens":5,"max_tokens":50,"messages":[],"tools":[],"tools":[{"type":"web_search_20250305","name":"w"}]}'
    run(vendor, account := MemoryAccount(output=40), lambda box: box.ask("/v1/messages", raw=body))
    assert json.loads(vendor.heard[0].raw) == {"model": "m", "max_tokens": 40, "messages": []}
    assert vendor.heard[0].raw.count(b"max_tokens") == 1
    assert account.made[0].hosted == ("web_search_20250305",)


def test_a_body_that_is_said_to_be_too_long_is_not_even_read(vendor: Vendor) -> None:
    answer = refused(vendor, raw(request("/v1/messages", headers={"Content-Length": str(2**40)})), "unreadable")
    assert "longer than" in answer.words


def test_nor_is_one_that_turns_out_to_be(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.models.wire.LONGEST_BODY", 1000)
    head = request("/v1/messages", headers={"Content-Length": "", "Transfer-Encoding": "chunked"})
    answer = refused(
        vendor, raw(head + b"200\r\n" + b"x" * 0x200 + b"\r\n200\r\n" + b"x" * 0x200 + b"\r\n0\r\n\r\n"), "unreadable"
    )
    assert "longer than" in answer.words


def test_a_request_in_chunks_is_served(vendor: Vendor) -> None:
    data = json.dumps(ANTHROPIC[1]).encode()
    head = request("/v1/messages", headers={"Content-Length": "", "Transfer-Encoding": "chunked"})
    answer = run(vendor, MemoryAccount(), raw(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)))
    assert answer.status == 200
    assert "transfer-encoding" not in vendor.heard[0].headers


def test_two_lengths_of_one_body_are_refused(vendor: Vendor) -> None:
    smuggled = b"0\r\n\r\nPOST /v1/messages HTTP/1.1\r\nHost: m\r\n\r\n"
    refused(vendor, raw(request("/v1/messages", raw=smuggled, headers={"Transfer-Encoding": "chunked"})), "unreadable")


ODD = [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/messages HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"POST /v1/messages HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", b"POST /v1/messages HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"POST /v1/messages HTTP/1.1\r\nHost: m\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]  # fmt: skip


@pytest.mark.parametrize("data", ODD, ids=range(len(ODD)))
def test_what_is_no_http_is_refused_and_the_line_closed(data: bytes, vendor: Vendor) -> None:
    refused(vendor, raw(data + (b"" if b"\r\n\r\n" in data else b"\r\n\r\n")), "unreadable")


def test_requests_that_are_sent_ahead_are_answered_in_turn(vendor: Vendor) -> None:
    async def ahead(box: Box) -> list[Answer]:
        async with box.wire() as wire:
            await wire.send(b"".join(request(*CALLS[name]) for name in ("anthropic", "chat-stream", "gemini")))
            return [await wire.hear() for _ in range(3)]

    answers = run(vendor, account := MemoryAccount(), ahead)
    assert [answer.status for answer in answers] == [200] * 3
    assert b"chat.completion.chunk" in answers[1].body
    assert len(account.settled) == 3


def test_a_client_that_waits_for_continue_is_told_to_go_on(vendor: Vendor) -> None:
    whole = request(*ANTHROPIC, headers={"Expect": "100-continue"})
    head, body = whole.split(b"\r\n\r\n", 1)

    async def wait(box: Box) -> Answer:
        async with box.wire() as wire:
            await wire.send(head + b"\r\n\r\n")
            assert (await wire.piece()).startswith(b"HTTP/1.1 100")
            await wire.send(body)
            return await wire.hear()

    assert run(vendor, MemoryAccount(), wait).status == 200


def test_no_attempt_may_hold_more_lines_than_its_share(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.models.door.CONNECTIONS", 2)

    async def three(box: Box) -> bytes:
        async with box.wire() as one, box.wire() as two:
            assert (await one.ask(*ANTHROPIC)).status == (await two.ask(*ANTHROPIC)).status == 200
            async with box.wire() as three:
                return await three.piece()

    assert run(vendor, MemoryAccount(), three) == b""


def test_a_line_that_says_nothing_is_given_up_when_the_run_ends(vendor: Vendor) -> None:
    async def silent(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(b"POST /v1/messages HT")
            await anyio.lowlevel.checkpoint()
            box.group.cancel_scope.cancel()

    run(vendor, MemoryAccount(), silent)


def test_a_hang_up_while_the_provider_thinks_ends_the_call_there_too(vendor: Vendor) -> None:
    """Also when something was sent ahead, which is no sign of life."""

    async def leave(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(request(*ANTHROPIC))
            await until(lambda: vendor.heard)
        await until(lambda: box.account.settled)

    run(vendor, MemoryAccount(), leave)


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_the_door_survives(data: bytes) -> None:
    class Nowhere(Vendor):
        def __init__(self) -> None:
            self.base = "http://127.0.0.1:1"

    async def throw(box: Box) -> None:
        async with box.wire() as wire:
            await wire.send(data)

    run(Nowhere(), account := MemoryAccount(), throw)
    assert account.made == []

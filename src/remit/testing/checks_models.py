"""What an account of model calls and the door before it must do; run them on yours: `check_account`, `check_door`."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
import h11

from remit.ports.models import Account, Hold, ModelCall, ModelDoor, NoCall, ToolUse, Usage
from remit.testing.accounts import MemoryAccount
from remit.testing.models import Final, Hang, Script, serving

MODEL = "model-1"
CALL = ModelCall(model=MODEL, input=100, output=50)
"""a call whose worst case is 150 tokens"""
MANY = 200


@dataclass(frozen=True, kw_only=True)
class Books:
    """What an account holds now, in tokens; `most` is the highest that spent and reserved together were, as far as it knows."""

    spent: int
    reserved: int
    calls: int
    most: int = 0


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A new account, and a look into its books."""

    account: Account
    books: Callable[[], Awaitable[Books]]


Make = Callable[..., Awaitable[Ground]]
"""`make(tokens=…, calls=…)` gives an account with these limits, None for no limit, at which the model `model-1` has a price"""


async def what_a_call_may_cost_is_set_aside_before_it_is_made(make: Make) -> None:
    """And what it did cost stands there afterwards, instead."""
    ground = await make(tokens=1000, calls=None)
    hold = await _held(ground.account)
    assert 0 < hold.output <= 50
    assert (await ground.books()).reserved == 100 + hold.output
    await ground.account.settle(hold, Usage(input=10, output=5), [ToolUse(id="1", name="shell", arguments="{}")])
    books = await ground.books()
    assert (books.spent, books.reserved, books.calls) == (15, 0, 1)


async def where_nobody_knows_everything_is_charged(make: Make) -> None:
    """A call without a count costs its whole reservation."""
    ground = await make(tokens=1000, calls=None)
    hold = await _held(ground.account)
    await ground.account.settle(hold, None)
    books = await ground.books()
    assert (books.spent, books.reserved) == (100 + hold.output, 0)


async def what_was_not_done_costs_its_turn_only(make: Make) -> None:
    """The tokens come back, the turn does not."""
    ground = await make(tokens=150, calls=2)
    for _ in range(2):
        await ground.account.release(await _held(ground.account), "not reached")
    books = await ground.books()
    assert (books.spent, books.reserved, books.calls) == (0, 0, 2)
    assert isinstance(await ground.account.reserve(CALL), NoCall)


async def only_the_first_refusal_is_a_soft_one(make: Make) -> None:
    """Each says why."""
    ground = await make(tokens=149, calls=None)
    refusals = [await ground.account.reserve(CALL) for _ in range(3)]
    assert [isinstance(no, NoCall) and no.first for no in refusals] == [True, False, False]
    assert all(isinstance(no, NoCall) and no.why and no.code for no in refusals)


async def two_hundred_at_once_never_pass_a_limit(make: Make) -> None:
    """Whatever each costs, and however it ends; and nothing stays reserved."""
    ground, chance = await make(tokens=4000, calls=60), Random(5)  # noqa: S311 - a choice of endings, no secret
    made = 0

    async def child(end: int, usage: Usage) -> None:
        nonlocal made
        hold = await ground.account.reserve(CALL)
        if isinstance(hold, NoCall):
            return
        made += 1
        await anyio.lowlevel.checkpoint()
        if end == 0:
            await ground.account.release(hold, "not reached")
        else:
            await ground.account.settle(hold, None if end == 1 else usage)
        books = await ground.books()
        assert books.spent + books.reserved <= 4000

    async with anyio.create_task_group() as group:
        for _ in range(MANY):
            group.start_soon(child, chance.randrange(4), Usage(input=chance.randrange(101), output=chance.randrange(51)))
    books = await ground.books()
    assert books.reserved == 0
    assert 0 < books.spent <= 4000
    assert books.most <= 4000
    assert books.calls == made <= 60


async def a_limit_of_calls_is_exact(make: Make) -> None:
    """Five are made and the sixth is not."""
    ground = await make(tokens=None, calls=5)
    found = [await ground.account.reserve(CALL) for _ in range(7)]
    assert [isinstance(one, Hold) for one in found] == [True] * 5 + [False] * 2


async def _held(account: Account) -> Hold:
    hold = await account.reserve(CALL)
    assert isinstance(hold, Hold), hold
    return hold


ACCOUNT: tuple[Callable[[Make], Awaitable[None]], ...] = (
    what_a_call_may_cost_is_set_aside_before_it_is_made,
    where_nobody_knows_everything_is_charged,
    what_was_not_done_costs_its_turn_only,
    only_the_first_refusal_is_a_soft_one,
    two_hundred_at_once_never_pass_a_limit,
    a_limit_of_calls_is_exact,
)


async def check_account(make: Make) -> None:
    """Run every check of an account. Raises AssertionError."""
    for check in ACCOUNT:
        await check(make)


MakeDoor = Callable[[Mapping[str, str]], ModelDoor]
"""a door to the providers that this environment names"""

_TEXT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
PATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("/v1/messages", _TEXT | {"max_tokens": 300}),
    "anthropic, streamed": ("/v1/messages", _TEXT | {"max_tokens": 300, "stream": True}),
    "responses": ("/v1/responses", {"model": MODEL, "input": "Hello"}),
    "responses, streamed": ("/v1/responses", {"model": MODEL, "input": "Hello", "stream": True}),
    "chat": ("/v1/chat/completions", _TEXT),
    "chat, streamed": ("/v1/chat/completions", _TEXT | {"stream": True}),
    "gemini": (f"/v1beta/models/{MODEL}:generateContent", {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}),
    "gemini, streamed": (
        f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    ),
}
"""a small call in each wire format"""


@dataclass
class Caller:
    """What sits in the box: it speaks HTTP on a connection that it was given."""

    door: ModelDoor
    account: MemoryAccount
    connections: list[socket.socket] = field(default_factory=list)

    async def ask(self, path: str, body: Mapping[str, Any], *, token: str | None = None) -> tuple[int, bytes]:
        """Status and body of the answer to one request on a connection of its own."""
        async with anyio.create_task_group() as group:
            ours, theirs = socket.socketpair()
            group.start_soon(self.door.serve, theirs, self.account)
            async with await anyio.abc.UNIXSocketStream.from_socket(ours) as stream:
                await stream.send(request(path, body, token=self.account.token if token is None else token))
                return await answered(stream)
        raise AssertionError("unreachable")


def request(path: str, body: Mapping[str, Any], *, token: str) -> bytes:
    """The bytes of a request with a token in the header of most vendors."""
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: meter\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


async def answered(stream: anyio.abc.ByteReceiveStream) -> tuple[int, bytes]:
    """Status and body of the next answer; what breaks off has status 0."""
    client, status, body = h11.Connection(h11.CLIENT), 0, b""
    client.send(h11.Request(method="POST", target="/", headers=[("host", "meter")]))
    client.send(h11.EndOfMessage())
    while True:
        match client.next_event():
            case h11.Response(status_code=status):
                pass
            case h11.Data(data=data):
                body += bytes(data)
            case h11.EndOfMessage():
                return status, body
            case h11.NEED_DATA:
                try:
                    client.receive_data(await stream.receive())
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return 0, body


@asynccontextmanager
async def _box(
    make: MakeDoor, account: MemoryAccount, *scripts: Script, fallback: str = "hello"
) -> AsyncIterator[tuple[Caller, Any]]:
    async with serving(scripts, fallback=fallback) as server:
        names = ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
        places = {name: server.url + ("/v1" if name.startswith("OPENAI") else "") for name in names}
        keys = {name: f"real-{name}" for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")}
        yield Caller(make(places | keys), account), server


async def each_wire_format_is_served_and_counted(make: MakeDoor) -> None:
    """Whole and streamed; the provider sees the real key, and never the token of the run."""
    async with _box(make, account := MemoryAccount()) as (caller, server):
        for name, (path, body) in PATHS.items():
            status, answer = await caller.ask(path, body)
            assert (status, b"nothing to do" in answer) == (200, True), name
            assert not account.open
        assert [usage for _, usage, _ in account.settled] == [Usage(input=1000, output=200)] * len(PATHS)
        seen = " ".join(str(each) for each in server.journal)
        assert account.token not in seen


async def a_limit_ends_a_conversation_softly_and_then_firmly(make: MakeDoor) -> None:
    """First an answer in the wire format, then 400, and never what makes a runtime try again."""
    for name, (path, body) in PATHS.items():
        async with _box(make, account := MemoryAccount(calls=1)) as (caller, server):
            found = [await caller.ask(path, body) for _ in range(3)]
            assert [status for status, _ in found] == [200, 200, 400], name
            assert all(b"limit of 1 model calls" in answer for _, answer in found[1:]), name
            assert len(server.journal) == 1
            assert not account.open


async def without_the_token_nothing_is_sent(make: MakeDoor) -> None:
    """And it is on record."""
    async with _box(make, account := MemoryAccount()) as (caller, server):
        for name, (path, body) in PATHS.items():
            assert (await caller.ask(path, body, token="another"))[0] == 400, name  # noqa: S106 - not the token of the run
        assert not server.journal
        assert len(account.turned_away) == len(PATHS)
        assert not account.made


async def a_hang_up_charges_what_was_set_aside(make: MakeDoor) -> None:
    """The provider may have done all of it."""
    hang = Script(name="hang", steps=(Hang(), Final(text="never")))
    async with _box(make, account := MemoryAccount(), hang, fallback="hang") as (caller, server):
        async with anyio.create_task_group() as group:
            ours, theirs = socket.socketpair()
            group.start_soon(caller.door.serve, theirs, account)
            async with await anyio.abc.UNIXSocketStream.from_socket(ours) as stream:
                await stream.send(request(*PATHS["anthropic, streamed"], token=account.token))
                with anyio.fail_after(10):
                    while not server.journal:  # noqa: ASYNC110 - it has no event for this
                        await anyio.sleep(0.01)
        (made,) = account.made
        assert account.settled == [("call-1", None, ())]
        assert account.spent[0] == made.input + 300
        assert not account.open


async def two_hundred_calls_at_once_stay_within_the_limit(make: MakeDoor) -> None:
    """Those that are refused are told so, and every reservation ends."""
    async with _box(make, account := MemoryAccount(tokens=60_000)) as (caller, _):
        statuses: list[int] = []

        async def one(path: str, body: Mapping[str, Any]) -> None:
            statuses.append((await caller.ask(path, body))[0])

        async with anyio.create_task_group() as group:
            for number in range(MANY):
                group.start_soon(one, *list(PATHS.values())[number % len(PATHS)])
        assert len(statuses) == MANY
        assert set(statuses) == {200, 400}
        assert account.most[0] <= 60_000
        assert account.reserved == (0, 0)


DOOR: tuple[Callable[[MakeDoor], Awaitable[None]], ...] = (
    each_wire_format_is_served_and_counted,
    a_limit_ends_a_conversation_softly_and_then_firmly,
    without_the_token_nothing_is_sent,
    a_hang_up_charges_what_was_set_aside,
    two_hundred_calls_at_once_stay_within_the_limit,
)


async def check_door(make: MakeDoor) -> None:
    """Run every check of a door. Raises AssertionError."""
    for check in DOOR:
        await check(make)

"""A box that is spoken with: its standard input, and the port where model calls are taken."""

import json
import os
import time
from typing import Any

import anyio
import pytest
from box_rig import Ground, Witness

from remit.adapters.sandboxes import argv, meter
from remit.ports import Box, BoxLimits, Exec

BIG = 10 << 20


async def until(condition: object) -> None:
    with anyio.fail_after(20):
        while not condition():  # type: ignore[operator]
            await anyio.sleep(0.01)


# ---------------------------------------------------------------- standard input


def test_what_is_said_arrives_and_the_end_is_heard(ground: Ground) -> None:
    async def talk(box: Box) -> None:
        await box.say(b"one\n")
        await until(lambda: witness.stdout == b"one\n")
        await box.say(b"two\n")
        await box.close()
        await box.close()
        await box.say(b"after the end\n")

    witness = Witness()
    ending = ground.run(ground.plan("sh", "-c", "cat; echo over", talks=True), witness, talk)
    assert (ending.status, witness.stdout) == (0, b"one\ntwo\nover\n")


def test_a_box_that_does_not_talk_has_an_empty_input(ground: Ground) -> None:
    async def talk(box: Box) -> None:
        await box.say(b"unheard\n")
        await box.close()

    witness = Witness()
    assert ground.run(ground.plan("sh", "-c", "readlink /proc/self/fd/0; cat"), witness, talk).status == 0
    assert witness.printed == "/dev/null\n"


def test_ten_megabytes_go_both_ways_at_once(ground: Ground) -> None:
    given = os.urandom(1 << 20) * (BIG >> 20)

    async def talk(box: Box) -> None:
        await box.say(given)
        await box.close()

    witness = Witness()
    assert ground.run(ground.plan("cat", talks=True), witness, talk).status == 0
    assert witness.stdout == given


def test_whoever_speaks_waits_while_nobody_reads_and_the_loop_does_not(ground: Ground) -> None:
    async def talk(box: Box) -> None:
        await until(lambda: b"up" in witness.stdout)
        with anyio.move_on_after(0.2) as waited:
            await box.say(bytes(BIG))
        assert waited.cancelled_caught
        await box.stop("stopped")

    witness = Witness()
    ending = ground.run(ground.plan("sh", "-c", "echo up; sleep 600", talks=True), witness, talk)
    assert ending.why == "stopped"


@pytest.mark.parametrize("code", ["exec <&-; echo closed; sleep 600", "echo closed; kill -9 $$", "head -c 10; echo closed"])
def test_saying_ends_when_the_command_does_not_listen_any_more(ground: Ground, code: str) -> None:
    async def talk(box: Box) -> None:
        with anyio.fail_after(10):
            await box.say(bytes(BIG))
            await box.say(b"more")
            await box.close()
        await box.stop("stopped")

    witness = Witness()
    ground.run(ground.plan("sh", "-c", code, talks=True), witness, talk)
    assert b"closed" in witness.stdout or "kill" in code


def test_a_box_killed_while_it_is_spoken_to_ends_the_saying(ground: Ground) -> None:
    async def talk(box: Box) -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(box.say, bytes(BIG))
                tasks.start_soon(box.close)
                await anyio.sleep(0.1)
                await box.stop("stopped")

    assert ground.run(ground.plan("sleep", "600", talks=True), Witness(), talk).why == "stopped"


def test_leaving_the_box_while_somebody_speaks_ends_both(ground: Ground) -> None:
    async def story() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                async with ground.sandbox.open(ground.plan("sleep", "600", talks=True), Witness()) as box:
                    tasks.start_soon(box.say, bytes(BIG))
                    await anyio.sleep(0.1)
                await box.say(b"late")

    anyio.run(story)


@pytest.mark.parametrize("changes", [{}, {"talks": True}, {"talks": True, "meter": True, "network": True}])
def test_the_command_holds_nothing_but_the_three_descriptors(ground: Ground, changes: dict[str, bool]) -> None:
    async def talk(box: Box) -> None:
        await box.close()

    code = "import os; os.read(0, 1); print(*sorted(int(n) for n in os.listdir('/proc/self/fd')))"
    witness = Witness()
    ground.run(ground.plan("python3", "-IS", "-c", code, **changes), witness, talk)
    assert witness.printed == "0 1 2 3\n"  # 3 is the folder it reads


# ---------------------------------------------------------------- the meter

CALL = """
import socket, sys
def call(port=8100, data=b'hello', host='127.0.0.1'):
    try:
        s = socket.create_connection((host, port), 5)
        s.sendall(data); s.shutdown(socket.SHUT_WR)
        return s.makefile('rb').read()
    except OSError as error:
        return type(error).__name__
"""


def test_the_meter_is_reached_from_inside_and_nothing_else_is(ground: Ground) -> None:
    code = CALL + (
        "print(call()); print(*(call(port) for port in (3128, 80, 443, 8099, 8101)))\n"
        "print(*(call(443, host=host) for host in ('203.0.113.9', '10.0.0.1', '192.168.0.1')))"
    )
    ending, witness = ground.python(code, meter=True)
    assert ending.status == 0, witness.stderr
    lines = witness.printed.splitlines()
    assert lines == ["b'hello'", " ".join(["ConnectionRefusedError"] * 5), " ".join(["OSError"] * 3)]
    assert (witness.connections, witness.hosts) == (1, [])


def test_without_a_meter_nobody_listens_there(ground: Ground) -> None:
    for changes in ({}, {"network": True}):
        _, witness = ground.python(CALL + "print(call())", **changes)
        assert (witness.printed, witness.connections) == ("ConnectionRefusedError\n", 0)


def test_usual_programs_find_the_meter_also_where_everything_else_goes_by_the_proxy(ground: Ground) -> None:
    async def answers(connection: object) -> None:
        from remit.adapters.sandboxes import wire

        await wire.receive(connection)  # type: ignore[arg-type]
        await wire.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")  # type: ignore[arg-type]

    code = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8100/').read(), u.urlopen('http://localhost:8100/').read())"
    for network in (False, True):
        witness = Witness()
        witness.serve = answers
        ground.python(code, meter=True, network=network, witness=witness)
        assert witness.printed == "b'hello' b'hello'\n", witness.stderr.decode()
        assert witness.hosts == []


def test_two_hundred_connections_are_served_at_once(ground: Ground) -> None:
    most = 0

    async def together(connection: object) -> None:
        nonlocal most
        from remit.adapters.sandboxes import wire

        most = max(most, witness.connections)
        await until(lambda: witness.connections >= 200)
        await wire.send(connection, b"served")  # type: ignore[arg-type]

    witness = Witness()
    witness.serve = together
    code = (
        "import socket\n"
        "held = [socket.create_connection(('127.0.0.1', 8100), 20) for _ in range(200)]\n"
        "print(sum(s.makefile('rb').read() == b'served' for s in held))"
    )
    ground.python(code, meter=True, witness=witness)
    assert witness.printed == "200\n", witness.stderr.decode()


def test_more_connections_than_that_are_closed_and_room_comes_back(ground: Ground) -> None:
    code = (
        "import socket\nheld = [socket.create_connection(('127.0.0.1', 8100), 20) for _ in range(260)]\n"
        "def closed(s):\n"
        "    try: s.sendall(b'x'); return s.recv(1) == b''\n"
        "    except OSError: return True\n"
        "print(sum(closed(s) for s in held))\n"
        "for s in held: s.close()\n"
        "import time\nfor _ in range(100):\n"
        "    s = socket.create_connection(('127.0.0.1', 8100), 20)\n"
        "    if not closed(s): print('room'); break\n"
        "    time.sleep(0.05)"
    )
    _, witness = ground.python(code, meter=True)
    assert witness.printed == f"{260 - meter.CONNECTIONS}\nroom\n", witness.stderr.decode()


def test_a_watcher_that_fails_at_one_connection_serves_the_next(ground: Ground) -> None:
    from box_rig import echoes

    async def fails_first(connection: object) -> None:
        if witness.connections == 1:
            raise RuntimeError("no account")
        await echoes(connection)  # type: ignore[arg-type]

    witness = Witness()
    witness.serve = fails_first
    ending, _ = ground.python(CALL + "print(call(data=b'')); print(call())", meter=True, witness=witness)
    assert (ending.status, witness.printed) == (0, "b''\nb'hello'\n")


def test_a_call_that_is_being_served_does_not_outlive_the_box(ground: Ground) -> None:
    ended = []

    async def forever(connection: object) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(connection.fileno())  # type: ignore[attr-defined]

    witness = Witness()
    witness.serve = forever
    began = time.monotonic()
    code = "import socket, time; s = socket.create_connection(('127.0.0.1', 8100)); time.sleep(600)"
    ending, _ = ground.python(code, meter=True, witness=witness, limits=BoxLimits(time=1.0))
    assert (ending.limit, len(ended)) == ("time", 1)
    assert time.monotonic() - began < 5


# ---------------------------------------------------------------- the hands


def test_in_a_box_they_are_the_command_and_see_only_the_box(ground: Ground) -> None:
    requests: list[dict[str, Any]] = [
        {"id": 1, "do": "read", "path": "kept.txt"},
        {"id": 2, "do": "run", "line": "echo new > made.txt; remit act read made.txt; python3 -c 'print(6 * 7)'", "timeout": 20},
        {"id": 3, "do": "search", "pattern": "k.pt"},
        {"id": 4, "do": "read", "path": str(ground.canary)},
    ]

    async def talk(box: Box) -> None:
        for each in requests:
            await box.say(json.dumps(each).encode() + b"\n")
        with anyio.fail_after(30):
            while witness.stdout.count(b"\n") < len(requests):
                await anyio.sleep(0.01)
        await box.say(b'{"id": 5, "do": "run", "line": "sleep 600"}\n')
        await box.close()

    witness = Witness()
    ending = ground.run(ground.plan(*argv.hands_argv(), talks=True), witness, talk)
    assert (ending.status, ending.why, witness.stderr) == (0, "ended", b"")
    told = {answer["id"]: answer for answer in map(json.loads, witness.stdout.splitlines())}
    assert told[1]["text"] == "kept\n"
    assert told[2]["stdout"].endswith('"reasons": []}\n42\n'), told[2]
    assert [each["path"] for each in told[3]["matches"]] == ["kept.txt"]
    assert told[4]["error"] == "outside"
    assert (ground.upper / "made.txt").read_text() == "new\n"


def test_a_program_whose_start_is_being_decided_holds_up_no_other_request(ground: Ground) -> None:
    class Slow(Witness):
        async def exec(self, program: Exec) -> bool:
            if program.path.endswith("/uname"):
                while witness.stdout.count(b"\n") < 1:
                    await anyio.sleep(0.01)
            return True

    async def talk(box: Box) -> None:
        await box.say(b'{"id": 1, "do": "run", "argv": ["uname"]}\n{"id": 2, "do": "stat", "path": "kept.txt"}\n')
        with anyio.fail_after(20):
            while witness.stdout.count(b"\n") < 2:
                await anyio.sleep(0.01)
        await box.close()

    witness = Slow()
    ground.run(ground.plan(*argv.hands_argv(), talks=True), witness, talk)
    assert [json.loads(line)["id"] for line in witness.stdout.splitlines()] == [2, 1]

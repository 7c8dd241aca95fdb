"""A thousand waiting runs: how large the page is, how much the server holds, how fast it is read; and streams that miss nothing."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_worlds import OWNER, Served, asked, identity, record, refund, served, started, working

from remit.run import event as e

MANY = 1000


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("crowded")
    identity(home)
    events: list[e.Event] = []
    for number in range(MANY):
        run = f"r{number:04d}"
        goal = f"Answer the customers of order desk {number}, politely and within the day" if number % 2 else ""
        events += [started(run, home, goal=goal), *asked(run, refund(f"{51 + number % 400}.00", order_id=f"A-{number}"))]
    record(home, events)
    with served(home, worker=True) as found:
        yield found.sign_in()


def test_no_page_of_a_thousand_waiting_runs_is_larger_than_100_kb(crowded: Served) -> None:
    for path in ("/", "/?page=2", "/?page=26", "/?view=others", "/?view=running", "/runs/r0001", "/runs/r0001/questions/Q1"):
        size = len(crowded.get(path).encode())
        assert size <= 100_000, (path, size)
    assert "1000" in crowded.get("/") or "1,000" in crowded.get("/")


def test_the_inbox_is_read_fast_and_the_server_stays_small(crowded: Served) -> None:
    streams = [follow(crowded, "/events") for _ in range(3)]
    took = []
    for _ in range(8):
        begun = time.perf_counter()
        crowded.get("/")
        took.append(time.perf_counter() - begun)
    for stream in streams:
        stream.close()
    assert min(took) <= 0.5, took
    assert crowded.memory() <= 120 * 1024 * 1024, crowded.memory()


def test_every_page_of_the_inbox_leads_to_the_next_until_all_were_seen(crowded: Served) -> None:
    import re

    found: set[str] = set()
    for page in range(1, 27):
        found |= set(re.findall(r'href="/runs/(r\d+)/questions/Q1"', crowded.get(f"/?page={page}")))
    assert len(found) >= MANY / 2 + 9


def test_the_page_of_a_long_run_stays_small(tmp_path: Path) -> None:
    identity(tmp_path)
    events = [started("rlong", tmp_path)]
    for number in range(120):
        events += [
            *working("rlong")[2:],
            *asked("rlong", refund(f"{60 + number}.00", order_id=f"A-{number}"), question=f"Q{number + 1}"),
        ]
    record(tmp_path, events)
    with served(tmp_path) as own:
        own.sign_in()
        for path in ("/runs/rlong", "/runs/rlong/questions/Q7", "/"):
            assert len(own.get(path).encode()) <= 100_000, path


class follow:  # noqa: N801 - a stream to read from
    """One stream, read message by message."""

    def __init__(self, server: Served, path: str) -> None:
        name = f"remit-{server.port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self._connection.request("GET", path, headers={"Cookie": f"{name}={server.jar[name]}"})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200 and self._answer.getheader("content-type", "").startswith("text/event-stream")

    def message(self) -> str:
        lines = []
        while True:
            line = self._answer.readline().decode().rstrip("\n")
            if line.startswith("data: "):
                lines.append(line[6:])
            elif lines and not line:
                return "\n".join(lines)

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def test_a_stream_begins_with_the_present_state_and_then_tells_every_change(tmp_path: Path) -> None:
    identity(tmp_path)
    record(tmp_path, [started("r1", tmp_path), *working("r1")])
    with served(tmp_path) as own:
        own.sign_in()
        stream = follow(own, "/runs/r1/events")
        assert "Answer the customers" in stream.message()
        told(tmp_path, "first")
        assert "first" in stream.message()
        stream.close()
        told(tmp_path, "while nobody listened")
        again = follow(own, "/runs/r1/events")
        assert "while nobody listened" in again.message(), "the first message holds what was missed"
        begun = time.monotonic()
        told(tmp_path, "third")
        assert "third" in again.message()
        assert time.monotonic() - begun < 2
        again.close()


def test_a_stream_of_nobody_and_of_nothing_is_no_stream(tmp_path: Path) -> None:
    identity(tmp_path)
    with served(tmp_path) as own:
        assert own.ask("GET", "/events", cookies=False)[0] == 401
        own.sign_in()
        assert own.ask("GET", "/runs/none/events")[0] == 404


def told(home: Path, what: str) -> Any:
    record(home, [e.Notified(run="r1", who=OWNER, how="inbox", what=what)])

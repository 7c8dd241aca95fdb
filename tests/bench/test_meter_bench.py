"""The bench of the meter measures what it says: both ways give the same answer, and the meter's is counted."""

import socket

import pytest
from anyio.from_thread import start_blocking_portal

from remit.bench import BENCHES, meter


@pytest.mark.parametrize("pace", ["", "brisk", "burst"])
def test_the_meter_and_the_bare_proxy_give_the_same_answer(pace: str) -> None:
    answers = {}
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(meter._servers()) as ports:
        for who, port in ports.items():
            with socket.create_connection(("127.0.0.1", port)) as line:
                answers[who] = meter._called(line, meter._asked("Hello", pace)).partition(b"\r\n\r\n")[2]
    assert answers["meter"].replace(b"\r\n", b"") == answers["bare"].replace(b"\r\n", b"")
    assert len(answers["bare"]) > 1000


def test_the_bench_is_in_the_table() -> None:
    assert "meter" in BENCHES

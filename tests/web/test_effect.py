"""From the click to the effect: the server's own worker carries out what was answered, once, against a real provider."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from web_worlds import OWNER, asked, contract, identity, kinds, record, refund, served, started, state

from remit.run import event as e


class Provider:
    """Takes refunds, and remembers when, under which key, and what."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str, dict[str, Any]]] = []
        provider = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])), parse_float=Decimal)
                provider.taken.append((time.monotonic(), self.headers.get("Idempotency-Key", ""), body))
                self.send_response(201)
                self.end_headers()
                self.wfile.write(b'{"id": "rf_1"}')

            def log_message(self, *args: Any) -> None:
                pass

        self.site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        threading.Thread(target=self.site.serve_forever, daemon=True).start()


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.site.shutdown()
    found.site.server_close()


def home_with(path: Path, provider: Provider) -> Path:
    identity(path)
    file = path / "org.remit.yaml"
    arguments = "{amount: number, customer: text, order_id: text, reason: text, currency: text}"
    tool = f"  refund:\n    tier: high-risk\n    effect: execute\n    arguments: {arguments}\n"
    does = f'    does:\n      http: {{url: "http://127.0.0.1:{provider.site.server_port}/refunds", honours key: 24h}}\n'
    file.write_text(file.read_text() + "\ntools:\n" + tool + does)
    return path


def hosted(run: str, home: Path) -> list[e.Event]:
    return [
        started(run, home, hosted=True, tools=()),
        e.AttemptStarted(run=run, attempt=1),
        *asked(run, refund(), made=contract(tools=())),
    ]


def until(holds: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_yes_in_the_inbox_begins_the_effect_within_a_second_and_once(tmp_path: Path, provider: Provider) -> None:
    home = home_with(tmp_path, provider)
    record(home, hosted("r1", home))
    with served(home, worker=True) as own:
        own.sign_in()
        form = {**own.card("r1"), "said": "yes"}
        begun = time.monotonic()
        assert own.ask("POST", "/runs/r1/questions/Q1", form=form)[0] == 303
        until(lambda: provider.taken, 5)
        assert provider.taken[0][0] - begun < 1.5
        until(lambda: "effected" in kinds(home, "r1"))
        assert own.end() == 0
    ((_, key, body),) = provider.taken
    draft = state(home, "r1").drafts["r1-Q1"]
    assert draft.state == "published" and key and body["amount"] == Decimal("120.50")
    assert draft.responsible == (OWNER,)


def test_a_changed_yes_sends_what_it_became(tmp_path: Path, provider: Provider) -> None:
    home = home_with(tmp_path, provider)
    record(home, hosted("r1", home))
    with served(home, worker=True) as own:
        own.sign_in()
        assert (
            own.ask("POST", "/runs/r1/questions/Q1", form={**own.card("r1"), "said": "modify", "arg.amount": "80.25"})[0] == 303
        )
        until(lambda: "effected" in kinds(home, "r1"))
    assert [body["amount"] for _, _, body in provider.taken] == [Decimal("80.25")]


def test_a_no_sends_nothing(tmp_path: Path, provider: Provider) -> None:
    home = home_with(tmp_path, provider)
    record(home, hosted("r1", home))
    with served(home, worker=True) as own:
        own.sign_in()
        assert own.ask("POST", "/runs/r1/questions/Q1", form={**own.card("r1"), "said": "no"})[0] == 303
        until(lambda: "withdrawn" in kinds(home, "r1"))
    assert provider.taken == []


def test_an_answer_given_while_nothing_ran_is_acted_on_when_a_worker_returns(tmp_path: Path, provider: Provider) -> None:
    home = home_with(tmp_path, provider)
    record(home, hosted("r1", home))
    with served(home, worker=False) as own:
        own.sign_in()
        assert own.ask("POST", "/runs/r1/questions/Q1", form={**own.card("r1"), "said": "yes"})[0] == 303
    assert provider.taken == []
    with served(home, worker=True):
        until(lambda: provider.taken, 15)
        until(lambda: "effected" in kinds(home, "r1"))
    assert len(provider.taken) == 1

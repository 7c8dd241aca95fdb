"""HTTP as an effect: what certainly did not happen, what did, and what nobody knows."""

import json
import socket
import ssl
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from providers import Answered, Heard, Provider, closed_port, heard, socket_server

from remit.adapters.effects.http import HttpEffect
from remit.contract.binding import HttpRequest
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Receipt

REFUND = {"order": "o-1", "amount": Decimal("50.10"), "reason": "late"}
TOKEN = "tok-1234567"


def effect(address: str, *, patience: float = 5.0, environment: Mapping[str, str] = {}, **fields: Any) -> HttpEffect:
    url = fields.pop("url", "/orders/{order}/refunds")
    return HttpEffect(HttpRequest(url=address + url, **fields), environment, patience=patience)


def perform(tool: HttpEffect, arguments: Mapping[str, Any] = REFUND, key: str = "k-1") -> Receipt:
    return anyio.run(lambda: tool.perform(key, arguments, workspace=Path("/")))


def probe(tool: HttpEffect, arguments: Mapping[str, Any] = REFUND, key: str = "k-1") -> Receipt | None:
    return anyio.run(lambda: tool.probe(key, arguments, workspace=Path("/")))


def test_the_amount_arrives_digit_for_digit_under_its_key(provider: Provider) -> None:
    receipt = perform(effect(provider.address))
    (request,) = provider.heard
    assert (request.method, request.path) == ("POST", "/orders/o-1/refunds")
    assert request.body == b'{"amount":50.10,"reason":"late"}'
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == "k-1"
    assert receipt.receipt == "HTTP 201 Created, id re_1"
    assert receipt.returned == ("re_1", "12.5")
    assert json.loads(receipt.output)["paid"] is True


@pytest.mark.parametrize("amount", [Decimal("0.10"), Decimal("12345678901234567890.01"), 2**80, Decimal("1E+3"), -5])
def test_no_number_passes_through_a_float(provider: Provider, amount: Any) -> None:
    perform(effect(provider.address), {"order": "o", "amount": amount})
    assert json.loads(provider.heard[0].body, parse_float=Decimal)["amount"] == amount


def test_numbers_of_the_answer_come_back_digit_for_digit(provider: Provider) -> None:
    provider.says = lambda _: Answered(200, b'{"amount": 12.50, "n": 12345678901234567890, "ok": true, "none": null}')
    assert perform(effect(provider.address)).returned == ("12.50", "12345678901234567890")


def test_a_form_is_sent_as_a_form(provider: Provider) -> None:
    perform(effect(provider.address, body="form"), {"order": "o", "to": ["a&b", "c=d"], "amount": Decimal("1.50"), "now": True})
    assert provider.heard[0].body == b"amount=1.50&now=true&to=a%26b&to=c%3Dd"
    with pytest.raises(BadInput):
        effect(provider.address, body="form").preview({"order": "o", "table": {"a": 1}})


def test_a_request_without_a_body_takes_no_further_arguments(provider: Provider) -> None:
    tool = effect(provider.address, method="DELETE", body="none")
    perform(tool, {"order": "o"})
    assert provider.heard[0].body == b""
    with pytest.raises(BadInput, match="`amount`"):
        tool.preview({"order": "o", "amount": 1})
    with pytest.raises(BadInput, match="`amount`"):
        effect(provider.address, method="GET").preview({"order": "o", "amount": 1})


@pytest.mark.parametrize(
    "value", ["a/b?c=d#e", "%2e%2e", "a b", "ü", "x&y=z", "{order}", "$TOKEN", "a\r\nHost: evil", "@evil.example"]
)
def test_an_argument_stays_one_component_of_the_address(provider: Provider, value: str) -> None:
    perform(effect(provider.address, environment={"TOKEN": TOKEN}), {"order": value})
    from urllib.parse import unquote

    start, middle, end = provider.heard[0].path.split("/")[1:]
    assert (start, unquote(middle), end) == ("orders", value, "refunds")
    assert "Host" in provider.heard[0].headers
    assert provider.heard[0].headers["Host"].startswith("127.0.0.1")


@pytest.mark.parametrize("value", ["", ".", "..", "../admin", "..;", "..;/admin", "a/../../b", "a//b", "..\\x", "/etc", "a/"])
def test_an_argument_is_never_a_step_in_the_path(provider: Provider, value: str) -> None:
    with pytest.raises(BadInput, match="`order`"):
        effect(provider.address).preview({"order": value})
    with pytest.raises(BadInput):
        perform(effect(provider.address), {"order": value})
    assert provider.heard == []


def test_in_the_query_an_argument_may_be_anything(provider: Provider) -> None:
    provider.says = lambda _: Answered(200)
    perform(effect(provider.address, url="/find?q={q}&x=1", method="GET"), {"q": "../a&x=2"})
    assert provider.heard[0].path == "/find?q=..%2Fa%26x%3D2&x=1"


@pytest.mark.parametrize(
    "url", ["https://{host}/x", "https://api.{host}.example/x", "https://api.example:{port}/", "https://x@{h}"]
)
def test_an_argument_never_chooses_the_host(url: str) -> None:
    with pytest.raises(BadInput, match="host"):
        HttpEffect(HttpRequest(url=url), {})


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https:///x", "https://u:p@x/", "https://exa mple/", "https://x/\r\nA: b", "https://x:99999/"]
)
def test_an_address_that_cannot_be_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput):
        HttpEffect(HttpRequest(url=url, body="none"), {}).preview({})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é"])
def test_a_header_never_ends_its_line(provider: Provider, value: str) -> None:
    tool = effect(provider.address, headers=(("X-Team", "$TEAM"),), environment={"TEAM": value})
    with pytest.raises(BadInput, match="X-Team") as caught:
        perform(tool)
    assert value not in str(caught.value)
    with pytest.raises(BadInput):
        perform(effect(provider.address), key=f"k{value}")
    with pytest.raises(BadInput):
        perform(effect(provider.address, headers=(("X\r\nY", "1"),)))
    with pytest.raises(BadInput):
        perform(effect(provider.address, headers=(("Content-Length", "0"),)))
    assert provider.heard == []


def test_the_binding_may_say_what_it_accepts(provider: Provider) -> None:
    perform(effect(provider.address, headers=(("accept", "text/plain"), ("Content-Type", "application/vnd.shop+json"))))
    sent = {name.lower(): value for name, value in provider.heard[0].headers.items()}
    assert sent["accept"] == "text/plain"
    assert sent["content-type"] == "application/vnd.shop+json"
    assert sent["user-agent"] == "remit"


def test_a_secret_is_sent_and_never_told(provider: Provider) -> None:
    tool = effect(provider.address, headers=(("Authorization", "Bearer $PAY_TOKEN"),), environment={"PAY_TOKEN": TOKEN})
    assert "Authorization: Bearer $PAY_TOKEN" in tool.preview(REFUND)
    provider.says = lambda said: Answered(201, json.dumps({"id": TOKEN, "echo": said.headers["Authorization"]}).encode())
    receipt = perform(tool)
    assert provider.heard[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in f"{receipt}"
    assert receipt.returned == ("$PAY_TOKEN", "Bearer $PAY_TOKEN")
    provider.says = lambda said: Answered(403, f"token {TOKEN} is\x1b[31m not allowed".encode())
    with pytest.raises(Refused) as caught:
        perform(tool)
    assert str(caught.value) == "the provider refused it: HTTP 403 Forbidden: token $PAY_TOKEN is [31m not allowed"


def test_a_missing_secret_is_named_before_anything_is_sent(provider: Provider) -> None:
    with pytest.raises(BadInput, match=r"\$PAY_TOKEN"):
        perform(effect(provider.address, headers=(("Authorization", "$PAY_TOKEN"),)))
    assert provider.heard == []


def test_a_secret_written_out_is_hidden_in_the_preview(provider: Provider) -> None:
    text = effect(provider.address, headers=(("X-Api-Key", TOKEN), ("X-Team", "support"))).preview(REFUND)
    assert TOKEN not in text
    assert "X-Api-Key: (hidden)\nX-Team: support\n" in text


def test_a_preview_hides_nothing_of_the_body() -> None:
    text = effect("https://api.example").preview({"order": "o-1", "note": "pay \u202eEVIL\u202c now\x1b[2K"})
    assert text == (
        "POST https://api.example/orders/o-1/refunds\nContent-Type: application/json\n\n"
        '{"note":"pay \\u202eEVIL\\u202c now\\u001b[2K"}'
    )


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 451])
def test_what_the_provider_refuses_did_not_happen(provider: Provider, status: int) -> None:
    provider.says = lambda _: Answered(status, b"no")
    with pytest.raises(Refused, match=f"HTTP {status} "):
        perform(effect(provider.address))


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 408, 425, 429, 500, 502, 503, 504])
def test_what_the_provider_leaves_open_is_doubt(provider: Provider, status: int) -> None:
    provider.says = lambda _: Answered(status, b"", (("Location", "/elsewhere"),))
    with pytest.raises(Broken, match=f"HTTP {status}"):
        perform(effect(provider.address))
    assert [request.path for request in provider.heard] == ["/orders/o-1/refunds"]


def test_a_conflict_may_speak_of_this_very_key_where_keys_are_honoured(provider: Provider) -> None:
    provider.says = lambda _: Answered(409)
    with pytest.raises(Broken):
        perform(effect(provider.address, window=86400))


def test_a_long_answer_is_cut_and_stays_json(provider: Provider) -> None:
    provider.says = lambda _: Answered(200, b'{"id": "' + b"x" * 300_000 + b'"}')
    receipt = perform(effect(provider.address))
    assert len(receipt.output) < 70_000
    assert receipt.returned == ()
    assert json.loads(receipt.output).startswith('{"id": "xxx')


@pytest.mark.parametrize("body", [b"", b"ok", b"\xff\xfe", b"NaN", b"[" * 30_000, b'{"a": "\\ud800"}'])
def test_whatever_the_answer_is_the_receipt_can_be_kept(provider: Provider, body: bytes) -> None:
    provider.says = lambda _: Answered(200, body)
    receipt = perform(effect(provider.address))
    assert receipt.receipt == "HTTP 200 OK"
    receipt.output.encode()
    assert receipt.output == "" or json.loads(receipt.output) is not None


def test_nothing_was_sent_where_nobody_listens() -> None:
    tool = effect(f"http://127.0.0.1:{closed_port()}", probe=f"http://127.0.0.1:{closed_port()}/{{key}}")
    with pytest.raises(Refused, match="nothing was sent: connection refused"):
        perform(tool)
    with pytest.raises(Broken, match="could not be asked"):
        probe(tool)


def test_nothing_was_sent_where_the_name_is_unknown() -> None:
    with pytest.raises(Refused, match="nothing was sent"):
        perform(effect("http://nobody.invalid"))


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 20", b"nonsense\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"],
    ids=["silence", "half a line", "nonsense", "no number"],
)
def test_a_connection_that_breaks_after_sending_is_doubt(answer: bytes) -> None:
    def serve(talk: socket.socket) -> None:
        heard(talk)
        talk.sendall(answer)

    with socket_server(serve) as address, pytest.raises(Broken, match="it was sent, and then"):
        perform(effect(address))


def test_a_connection_reset_while_it_is_read_is_doubt() -> None:
    def serve(talk: socket.socket) -> None:
        talk.recv(1)
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with socket_server(serve) as address, pytest.raises(Broken):
        perform(effect(address))


def test_silence_is_doubt_after_a_while() -> None:
    over = threading.Event()
    with socket_server(lambda talk: over.wait(10) and None) as address:
        with pytest.raises(Broken, match="no answer came in time"):
            perform(effect(address, patience=0.2))
        over.set()


def test_an_answer_that_drips_is_doubt_after_a_while() -> None:
    over = threading.Event()

    def serve(talk: socket.socket) -> None:
        heard(talk)
        while not over.wait(0.02):
            talk.sendall(b"x")

    with socket_server(serve) as address:
        with pytest.raises(Broken):
            perform(effect(address, patience=0.3))
        over.set()


def test_a_body_that_breaks_off_does_not_take_back_the_status() -> None:
    over = threading.Event()

    def cut(talk: socket.socket) -> None:
        heard(talk)
        talk.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": ')

    def drip(talk: socket.socket) -> None:
        cut(talk)
        over.wait(10)

    with socket_server(cut) as address:
        assert perform(effect(address)).receipt == "HTTP 201 Created"
    with socket_server(drip) as address:
        assert perform(effect(address, patience=0.3)).receipt == "HTTP 201 Created"
        over.set()


def test_a_stop_ends_the_wait_and_sends_nothing_more() -> None:
    over = threading.Event()
    requests: list[bytes] = []

    def serve(talk: socket.socket) -> None:
        requests.append(heard(talk))
        over.wait(10)

    async def main(address: str) -> None:
        with anyio.move_on_after(0.3) as stopped:
            await effect(address, patience=30).perform("k", REFUND, workspace=Path("/"))
        assert stopped.cancelled_caught

    with socket_server(serve) as address:
        anyio.run(main, address)
        over.set()
    assert len(requests) == 1


def test_proxies_of_the_environment_are_not_used(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    assert perform(effect(provider.address)).receipt.startswith("HTTP 201")


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [(200, b'{"id": "re_9"}', "HTTP 200 OK, id re_9"), (204, b"", "HTTP 204 No Content"), (404, b"", None), (410, b"", None)],
)
def test_a_provider_that_can_be_asked_answers_by_key(provider: Provider, status: int, body: bytes, found: str | None) -> None:
    provider.says = lambda _: Answered(status, body)
    tool = effect(provider.address, probe=provider.address + "/by-key/{key}")
    assert tool.probes
    said = probe(tool, key="run/1:a?b")
    assert (said and said.receipt) == found
    assert provider.heard[0].path.startswith("/by-key/run%2F1%3Aa%3Fb")
    assert provider.heard[0].method == "GET"
    assert "Idempotency-Key" not in provider.heard[0].headers


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"[]"), (200, b"{}"), (200, b"null"), (301, b""), (400, b""), (401, b""), (403, b""), (429, b""), (500, b"")],
)
def test_any_other_answer_to_the_question_leaves_it_open(provider: Provider, status: int, body: bytes) -> None:
    provider.says = lambda _: Answered(status, body)
    with pytest.raises(Broken):
        probe(effect(provider.address, probe=provider.address + "/by-key/{key}"))


def test_where_there_is_no_probe_the_question_stays_open(provider: Provider) -> None:
    tool = effect(provider.address)
    assert not tool.probes
    with pytest.raises(Broken):
        probe(tool)


def test_a_window_needs_a_header_to_carry_the_key() -> None:
    assert effect("https://api.example", window=60).window == 60
    assert effect("https://api.example", window=60, key_header="").window is None


def test_tls_goes_by_the_trust_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")

    def serve(talk: socket.socket) -> None:
        with context.wrap_socket(talk, server_side=True) as safe:
            heard(safe)
            safe.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")

    with socket_server(serve) as address:
        secure = address.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(Refused, match="nothing was sent"):
            perform(effect(secure))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert perform(effect(secure)).receipt == "HTTP 201 Created"
        with pytest.raises(Refused, match="nothing was sent"):
            perform(effect(secure.replace("localhost", "127.0.0.1")))


def _certificate(room: Path) -> Path:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    (room / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (room / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return room / "cert.pem"


def test_two_requests_with_one_key_carry_the_same_bytes(provider: Provider) -> None:
    tool = effect(provider.address)
    perform(tool, {"b": 1, "a": 2, "order": "o"})
    perform(tool, {"order": "o", "a": 2, "b": 1})
    first, second = provider.heard
    assert first == Heard(second.method, second.path, first.headers, second.body)
    assert len(provider.made) == 1

"""Pages to a web address: whole, only there, and without telling the address."""

import json
import socket
import threading
from collections.abc import Callable

import anyio
import pytest
from smtp_sink import Certificate
from web_sink import WebSink

from remit.adapters.notifiers.webhook import Webhook
from remit.errors import BadInput, Broken
from remit.ports.people import Page

PAGE = Page(
    to="support-lead@example.com", subject="A refund waits", body="60.00 EUR for order 7", link="https://inbox.example.com/q/1"
)
SECRET = "/hooks/T0K3N?key=s3cr3t"


def tell(url: str, page: Page = PAGE) -> str:
    async def told() -> str:
        return await Webhook(url).tell(page)

    return anyio.run(told)


def test_a_page_is_posted_whole() -> None:
    with WebSink() as sink:
        receipt = tell(sink.url + SECRET)
    (post,) = sink.posts
    assert (post.method, post.path, post.headers["Content-Type"]) == ("POST", SECRET, "application/json")
    assert json.loads(post.body) == {
        "schema": "remit.page/1",
        "to": "support-lead@example.com",
        "subject": "A refund waits",
        "body": "60.00 EUR for order 7",
        "link": "https://inbox.example.com/q/1",
    }
    assert receipt == "HTTP 204 from localhost"


@pytest.mark.parametrize("to", ["https://hooks.example.com/T0K3N", "apprise:ntfy://T0K3N", "$ON_CALL"])
def test_a_contact_that_may_be_a_secret_is_not_passed_on(to: str) -> None:
    with WebSink() as sink:
        tell(sink.url, Page(to=to, subject="", body=""))
    assert json.loads(sink.posts[0].body)["to"] == ""


def test_nothing_is_hidden_in_a_page_and_no_strange_link_is_passed_on() -> None:
    with WebSink() as sink:
        tell(sink.url, Page(to="a", subject="x\r\ny\x1b[2J", body="pay \u202e05\n\tnow\u200b", link="javascript:alert(1)"))
    said = json.loads(sink.posts[0].body)
    assert said == {
        "schema": "remit.page/1",
        "to": "a",
        "subject": "x\\u000d y\\u001b[2J",
        "body": "pay \\u202e05\n\\u0009now\\u200b",
        "link": "",
    }


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_whatever_is_not_taken_is_said_and_no_redirect_is_followed(status: int) -> None:
    with WebSink(status=status) as sink:
        sink.headers = {"Location": "/elsewhere"}
        with pytest.raises(Broken, match=f"localhost did not take the page: HTTP {status}") as broken:
            tell(sink.url + SECRET)
        assert [post.path for post in sink.posts] == [SECRET]
    assert_untold(broken.value)


def test_a_user_and_password_in_the_address_go_into_their_header() -> None:
    with WebSink() as sink:
        receipt = tell(sink.url.replace("http://", "http://robot:open%20sesame@"))
    assert sink.posts[0].headers["Authorization"] == "Basic cm9ib3Q6b3BlbiBzZXNhbWU="
    assert "sesame" not in receipt


def test_a_server_that_keeps_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.notifiers.webhook.PATIENCE", 0.3)
    with WebSink(silent=True) as sink, pytest.raises(Broken, match="did not answer within") as broken:
        tell(sink.url + SECRET)
    assert_untold(broken.value)


def test_nobody_listening_is_said_without_the_address() -> None:
    with WebSink() as gone:
        url = gone.url
    with pytest.raises(Broken, match="localhost could not be told: connection refused") as broken:
        tell(url + SECRET)
    assert_untold(broken.value)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 ", b"\x00" * 9, b"HTTP/1.1 200 " + b"x" * 70_000])
def test_what_is_not_http_is_said_without_the_address(raw_server: Callable[[bytes], str], answer: bytes) -> None:
    with pytest.raises(Broken, match=r"127\.0\.0\.1 could not be told") as broken:
        tell(raw_server(answer) + SECRET)
    assert_untold(broken.value)


def test_a_certificate_must_hold(certified: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with WebSink(chain=certified.chain) as sink:
        with pytest.raises(Broken, match="its certificate does not hold"):
            tell(sink.url + SECRET)
        monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
        assert tell(sink.url + SECRET) == "HTTP 204 from localhost"
    assert len(sink.posts) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://h:99999/s3cr3t",
        "https://h/s3cr3t\r\nX: y",
        "ftp://h/s3cr3t",
        "https://h/s3cr3t é",
        "https://[h/s3cr3t",
        "//h/s3cr3t",
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        Webhook(url)
    assert "s3cr3t" not in str(refused.value) + refused.value.hint


def assert_untold(error: Broken) -> None:
    said = f"{error} {error.hint}"
    assert "T0K3N" not in said
    assert "s3cr3t" not in said


@pytest.fixture
def raw_server() -> Callable[[bytes], str]:
    """Answers one connection with these bytes, whatever was asked."""

    def serve(answer: bytes) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def once() -> None:
            with listening:
                peer, _ = listening.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(answer)

        threading.Thread(target=once, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    return serve

"""Pages by e-mail through a real SMTP server."""

from typing import Any

import anyio
import pytest
from smtp_sink import Sink, nobody_listens

from remit.adapters.notifiers.mail import Mail
from remit.contract.binding import MailServer
from remit.errors import BadInput, Broken
from remit.ports.people import Page

TO, SENDER = "support-lead@example.com", "remit@example.com"
PAGE = Page(to=f"mail:{TO}", subject="A refund waits", body="60.00 EUR for order 7\n", link="https://inbox.example.com/q/1")


def tell(server: str, page: Page = PAGE, environment: dict[str, str] | None = None, **options: Any) -> str:
    mail = Mail(TO, MailServer(server=server, sender=SENDER, security="none", **options), environment or {})

    async def told() -> str:
        return await mail.tell(page)

    return anyio.run(told)


def test_a_page_arrives_as_plain_text_with_its_link(sink: Sink) -> None:
    receipt = tell(sink.server)
    (kept,) = sink.letters
    assert (kept.sender, kept.recipients) == (SENDER, (TO,))
    assert (kept.message["To"], kept.message["From"], kept.message["Subject"]) == (TO, SENDER, "A refund waits")
    assert (kept.message.get_content_type(), kept.message["Auto-Submitted"]) == ("text/plain", "auto-generated")
    assert kept.message.get_content().replace("\r\n", "\n") == "60.00 EUR for order 7\n\nhttps://inbox.example.com/q/1\n"
    assert receipt == f"250 2.0.0 OK: queued as 1, Message-ID {kept.message['Message-ID']}"


def test_no_two_pages_share_an_id(sink: Sink) -> None:
    tell(sink.server)
    tell(sink.server)
    first, second = (kept.message["Message-ID"] for kept in sink.letters)
    assert first != second


def test_nothing_is_hidden_in_a_page_and_nothing_becomes_a_header(sink: Sink) -> None:
    tell(sink.server, Page(to=TO, subject="x\r\nBcc: owner@example.com", body="pay \u202e05\r\nnow\x1b[2J", link="javascript:x"))
    (kept,) = sink.letters
    assert (kept.recipients, kept.message["Bcc"]) == ((TO,), None)
    assert kept.message["Subject"] == "x\\u000d Bcc: owner@example.com"
    assert kept.message.get_content().replace("\r\n", "\n") == "pay \\u202e05\nnow\\u001b[2J\n"


@pytest.mark.parametrize("answer", ["550 5.1.1 nobody here", "451 4.7.1 come back later"])
def test_a_page_that_was_not_taken_is_said_in_the_words_of_the_server(sink: Sink, answer: str) -> None:
    sink.refuse = {TO: answer}
    with pytest.raises(Broken, match=answer):
        tell(sink.server)


def test_a_page_that_nobody_confirmed_is_not_called_delivered(sink: Sink) -> None:
    sink.hang_up = "after body"
    with pytest.raises(Broken, match="on its way"):
        tell(sink.server)


def test_a_server_that_is_not_there_or_has_no_password_is_said() -> None:
    with nobody_listens() as place, pytest.raises(Broken, match="nothing was sent"):
        tell(place)
    with pytest.raises(Broken, match="MAIL_PASSWORD"):
        tell("localhost:25", user="robot", password="$MAIL_PASSWORD")


def test_an_address_or_server_that_cannot_be_one_is_refused_at_once() -> None:
    with pytest.raises(BadInput, match="no e-mail address"):
        Mail(f"{TO}, owner@example.com", MailServer(server="localhost:25", sender=SENDER), {})
    with pytest.raises(BadInput, match="no mail server"):
        Mail(TO, MailServer(server="::", sender=SENDER), {})

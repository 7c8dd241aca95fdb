"""A contact chooses its way by its form."""

import anyio
import pytest
from smtp_sink import Sink
from web_sink import WebSink

from remit.adapters.notifiers.apprise import Apprise
from remit.adapters.notifiers.channel import channel
from remit.adapters.notifiers.mail import Mail
from remit.adapters.notifiers.webhook import Webhook
from remit.contract.binding import MailServer
from remit.contract.party import Organisation
from remit.errors import BadInput
from remit.ports.people import Notifier, Page

PAGE = Page(to="support-lead@example.com", subject="A refund waits", body="60.00 EUR")


def with_mail(server: str = "mail.example.com:587") -> Organisation:
    return Organisation(mail=MailServer(server=server, sender="remit@example.com", security="none"))


def tell(notifier: Notifier | None) -> str:
    assert notifier is not None

    async def told() -> str:
        return await notifier.tell(PAGE)

    return anyio.run(told)


@pytest.mark.parametrize(
    ("contact", "kind"),
    [
        ("mail:support-lead@example.com", Mail),
        ("https://hooks.example.com/x", Webhook),
        ("http://hooks.example.com/x", Webhook),
        ("apprise:json://hooks.example.com", Apprise),
    ],
)
def test_each_form_has_its_way(contact: str, kind: type) -> None:
    found = channel(contact, with_mail(), {})
    assert isinstance(found, kind)


def test_nobody_is_told_where_there_is_no_contact() -> None:
    assert channel("", with_mail(), {}) is None


@pytest.mark.parametrize(
    "contact", ["support-lead@example.com", "tel:+491", "ftp://h/s3cr3t", "Mail:a@example.com", " ", "$NAMELESS"]
)
def test_another_form_is_refused_and_the_forms_are_named(contact: str) -> None:
    with pytest.raises(BadInput) as refused:
        channel(contact, with_mail(), {"NAMELESS": "s3cr3t"})
    assert refused.value.hint == "write it as mail:ADDRESS, https://… (a webhook) or apprise:URL"
    assert "s3cr3t" not in str(refused.value)


def test_mail_needs_the_server_of_the_organisation() -> None:
    with pytest.raises(BadInput, match="mail server"):
        channel("mail:support-lead@example.com", Organisation(), {})


def test_a_page_really_goes_that_way(sink: Sink) -> None:
    assert tell(channel("mail:support-lead@example.com", with_mail(sink.server), {})).startswith("250 ")
    with WebSink() as web:
        assert tell(channel(web.url, Organisation(), {})) == "HTTP 204 from localhost"


def test_an_address_can_be_kept_in_the_environment() -> None:
    with WebSink() as web:
        for contact in ("$ON_CALL", f"{web.url}/$TOKEN"):
            tell(channel(contact, Organisation(), {"ON_CALL": f"{web.url}/s3cr3t", "TOKEN": "s3cr3t"}))
    assert [post.path for post in web.posts] == ["/s3cr3t", "/s3cr3t"]
    with pytest.raises(BadInput, match="ON_CALL"):
        channel("$ON_CALL", Organisation(), {})

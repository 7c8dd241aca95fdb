"""Pages by apprise, sent to real servers here: a webhook and a mail server."""

import json
import logging
import subprocess
import sys

import anyio
import pytest
from smtp_sink import Sink
from web_sink import WebSink

from remit.adapters.notifiers.apprise import Apprise
from remit.errors import BadInput, Broken, Unavailable
from remit.ports.people import Page

# apprise reads a module that Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
pytest.importorskip("apprise", reason="apprise is not installed (extra `notify`)")

PAGE = Page(
    to="apprise:json://", subject="A refund waits", body="60.00 EUR \\n **now** {{x}}\u202e", link="https://inbox.example.com/q/1"
)


def tell(url: str, page: Page = PAGE) -> str:
    async def told() -> str:
        return await Apprise(url).tell(page)

    return anyio.run(told)


def test_a_page_goes_through_apprise_to_a_webhook_as_it_was_written() -> None:
    with WebSink(status=200) as sink:
        receipt = tell(sink.url.replace("http://", "json://") + "/T0K3N")
    said = json.loads(sink.posts[0].body)
    assert (said["title"], said["message"].rstrip()) == (
        "A refund waits",
        "60.00 EUR \\n **now** {{x}}\\u202e\n\nhttps://inbox.example.com/q/1",
    )
    assert receipt == "taken by json"


def test_a_page_goes_through_apprise_to_a_mail_server(sink: Sink) -> None:
    receipt = tell(f"mailto://{sink.server}?from=remit@example.com&to=support-lead@example.com&smtp=localhost")
    (kept,) = sink.letters
    assert kept.recipients == ("support-lead@example.com",)
    assert kept.message["Subject"] == "A refund waits"
    assert "https://inbox.example.com/q/1" in kept.data.decode()
    assert receipt == "taken by mailto"


def test_a_page_that_was_not_taken_is_said_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), WebSink(status=500) as sink, pytest.raises(Broken, match="json did not take") as broken:
        tell(sink.url.replace("http://", "json://") + "/T0K3N")
    assert "T0K3N" not in f"{broken.value} {broken.value.hint}"


def test_an_address_that_apprise_does_not_know_is_said_without_it() -> None:
    with pytest.raises(Broken, match="no such address of the scheme nosuch") as broken:
        tell("nosuch://T0K3N")
    assert "T0K3N" not in f"{broken.value} {broken.value.hint}"


@pytest.mark.parametrize("url", ["", "ntfy:", "ntfy://", "T0K3N", "ntfy://T0K3N\n", "ntfy://T0K3N x"])
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        Apprise(url)
    assert "T0K3N" not in str(refused.value)


def test_apprise_is_not_read_before_the_first_page() -> None:
    program = (
        "import sys; from remit.adapters.notifiers.channel import channel; from remit.contract.party import Organisation;"
        "assert channel('apprise:json://localhost', Organisation(), {}).name == 'apprise';"
        "assert 'apprise' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_machine_without_apprise_says_what_to_install() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "apprise", None)
        with pytest.raises(Unavailable) as missing:
            Apprise("json://localhost")
    assert missing.value.hint == "pip install 'remit[notify]'"

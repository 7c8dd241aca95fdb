"""Pages by any of the services that apprise knows (extra `notify`). Its addresses hold keys, so only their scheme is told."""

from importlib.util import find_spec

from anyio import to_thread

from remit.adapters.notifiers.wording import title, whole
from remit.errors import BadInput, Broken, Unavailable
from remit.ports.people import Page

PATIENCE = 30.0
"""seconds that a service may take"""


class Apprise:
    """See `remit.ports.Notifier`. The library is read on the first page only."""

    name = "apprise"

    def __init__(self, url: str) -> None:
        """`url` as apprise writes it, such as `ntfy://TOPIC`. Raises BadInput, and Unavailable when apprise is not installed."""
        scheme, separator, rest = url.partition("://")
        if not separator or not rest or not all("!" <= mark <= "~" for mark in url):
            raise BadInput("the address after `apprise:` cannot be read", hint="write it as apprise:SCHEME://…, percent-encoded")
        if find_spec("apprise") is None:
            raise Unavailable("apprise is not installed", hint="pip install 'remit[notify]'")
        self._url, self._scheme = url, scheme

    async def tell(self, page: Page) -> str:
        """Hand it to apprise; which service took it. Raises Broken."""
        try:
            told = await to_thread.run_sync(self._told, page)
        except Broken:
            raise
        except Exception as error:
            # Each of its many services may raise anything, and say the address in it.
            raise Broken(f"{self._scheme} did not take the page: {type(error).__name__}") from error
        if not told:
            raise Broken(f"{self._scheme} did not take the page", hint="try the address with the command `apprise`")
        return f"taken by {self._scheme}"

    def _told(self, page: Page) -> bool:
        try:
            from apprise import Apprise as Service
            from apprise import AppriseAsset, NotifyFormat
        except ImportError as error:
            raise Broken("apprise cannot be loaded", hint="pip install 'remit[notify]'") from error
        asset = AppriseAsset(app_id="remit", app_desc="remit", app_url="", async_mode=False, service_timeout=PATIENCE)
        service = Service(asset=asset)
        if not service.add(self._url):
            raise Broken(f"apprise knows no such address of the scheme {self._scheme}")
        told = service.notify(body=whole(page), title=title(page), body_format=NotifyFormat.TEXT, interpret_escapes=False)
        return bool(told)

"""Pages to a web address: one POST of JSON (`remit.page/1`). The address may be a secret, so only its host is ever told."""

import http.client
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import anyio
from anyio import to_thread

from remit.adapters.notifiers.wording import link, text, title
from remit.errors import BadInput, Broken
from remit.ports.people import Page
from remit.value import encode

PATIENCE = 10.0
"""seconds for all of it"""


class Webhook:
    """See `remit.ports.Notifier`. Redirects are not followed: a page goes where the organisation wrote, and nowhere else."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        """Raises BadInput when the address cannot be used, without repeating it."""
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host, self._port = "", None
        if not self._host or parts.scheme not in ("http", "https") or not all("!" <= mark <= "~" for mark in url):
            raise BadInput("the address of a webhook cannot be read", hint="write it as https://HOST/PATH, percent-encoded")
        self._safe = parts.scheme == "https"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "User-Agent": "remit", "Connection": "close"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"

    async def tell(self, page: Page) -> str:
        """Post it; status and host. Raises Broken."""
        message = {
            "schema": "remit.page/1", "to": _person(page.to), "subject": title(page), "body": text(page), "link": link(page),
        }  # fmt: skip
        connection = self._connection()
        try:
            with anyio.fail_after(PATIENCE):
                status = await to_thread.run_sync(self._posted, connection, encode(message), abandon_on_cancel=True)
        except TimeoutError as error:
            raise Broken(f"{self._host} did not answer within {PATIENCE:g} seconds") from error
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            # Words of the failure may hold the address; its kind does not.
            raise Broken(f"{self._host} could not be told: {_kind(error)}") from error
        finally:
            _cut(connection)
        if not 200 <= status < 300:
            raise Broken(f"{self._host} did not take the page: HTTP {status}")
        return f"HTTP {status} from {self._host}"

    def _connection(self) -> http.client.HTTPConnection:
        if self._safe:
            return http.client.HTTPSConnection(self._host, self._port, timeout=PATIENCE, context=ssl.create_default_context())
        return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)

    def _posted(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        connection.request("POST", self._target, body, self._headers)
        return connection.getresponse().status


def _person(to: str) -> str:
    """Whom the page is for, unless that is a web address, which may be a secret."""
    return "" if "://" in to or to.startswith("$") else to


def _kind(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate does not hold: {error.verify_message}"
        case socket.gaierror():
            return "its name is not known"
        case OSError():
            return (error.strerror or type(error).__name__).lower()
        case _:
            return f"it does not speak HTTP ({type(error).__name__})"


def _cut(connection: http.client.HTTPConnection) -> None:
    """End the connection even while a thread still reads from it."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    connection.close()

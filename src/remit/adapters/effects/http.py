"""One HTTP request as an effect: sent once, and told apart by whether it certainly did not happen or nobody knows.

Only what fails before the first byte is sent, or is answered with 4xx, certainly did not happen. 408, 425 and 429 come from
something on the way or before the work was looked at twice; 409 may speak of this very key: those, 5xx, redirects, broken
connections and silence are doubt (RFC 9110 section 15; draft-ietf-httpapi-idempotency-key-header section 2.7).
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import anyio
from anyio import to_thread

from remit.adapters.effects import answers, http_target
from remit.adapters.effects.arguments import readable, usable
from remit.adapters.effects.doubt import asking
from remit.adapters.effects.http_headers import checked, shown
from remit.adapters.effects.secret import Secrets, named, without_user
from remit.contract.binding import HttpRequest
from remit.errors import Broken, Refused
from remit.ports.effects import Receipt

CONNECTING = 10.0
"""seconds until a connection stands"""
PATIENCE = 60.0
"""seconds from the first byte sent until the answer is there"""
_DOUBTFUL = {408, 425, 429}
_USUAL = (("User-Agent", "remit"), ("Accept", "application/json, */*"))


class Answer(NamedTuple):
    """What came back: status, its words, and as much of the body as is kept."""

    status: int
    words: str
    data: bytes


class Unsent(Exception):
    """The connection never stood, so nothing was sent."""


class HttpEffect:
    """See `remit.ports.Performer`."""

    def __init__(self, binding: HttpRequest, environment: Mapping[str, str], *, patience: float = PATIENCE) -> None:
        http_target.checked_template(binding)
        self._binding, self._environment, self._patience = binding, environment, patience
        self.window = binding.window if binding.key_header else None
        self.probes = bool(binding.probe)
        self.settles = int(2 * patience)

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """Method, address, headers and body; `$NAME` stays as it is written."""
        usable(arguments)
        http_target.filled(self._binding.probe, {**arguments, "key": "key"})
        url = http_target.filled(self._binding.url, arguments)
        if not named(url):
            http_target.reachable(url)
        lines = [f"{self._binding.method} {without_user(url)}"]
        lines += [f"{name}: {value}" for name, value in shown(self._binding.headers)]
        if (body := http_target.body(self._binding, arguments)) is not None:
            lines += [f"Content-Type: {body[0]}", "", body[1]]
        return readable("\n".join(lines))

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Send it. Raises Refused or BadInput when it certainly did not happen, Broken when nobody knows."""
        self.preview(arguments)
        secrets = Secrets(self._environment)
        headers = [(name, secrets.read(value)) for name, value in self._binding.headers]
        if self._binding.key_header:
            headers.append((self._binding.key_header, key))
        body = http_target.body(self._binding, arguments)
        if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", body[0]))
        url = http_target.filled(secrets.read(self._binding.url), arguments)
        try:
            answer = await self._exchange(self._binding.method, url, headers, body[1].encode() if body else None)
        except Unsent as error:
            raise Refused(f"nothing was sent: {secrets.line(str(error))}") from error
        except (OSError, http.client.HTTPException, TimeoutError) as error:
            raise Broken(f"it was sent, and then {secrets.line(_told(error))}") from error
        return self._judged(answer, secrets)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """Ask the provider by key: 2xx happened, 404 and 410 did not. Raises Broken for any other answer."""
        if not self.probes:
            raise Broken("this provider cannot be asked what became of a request")
        secrets = Secrets(self._environment)
        try:
            with asking():
                headers = [(name, secrets.read(value)) for name, value in self._binding.headers]
                url = http_target.filled(secrets.read(self._binding.probe), {**arguments, "key": key})
                http_target.reachable(url)
            answer = await self._exchange("GET", url, headers, None)
        except (Unsent, OSError, http.client.HTTPException, TimeoutError) as error:
            raise Broken(f"the provider could not be asked: {secrets.line(_told(error))}") from error
        if answer.status in (404, 410):
            return None
        if not 200 <= answer.status < 300:
            raise Broken(f"the provider was asked and said {_status(answer, secrets)}")
        receipt = _receipt(answer, secrets)
        if receipt.output.strip() in ("[]", "{}", "null"):
            raise Broken("the provider answered the question with nothing in it", hint="let `probe` name one thing, not a list")
        return receipt

    def _judged(self, answer: Answer, secrets: Secrets) -> Receipt:
        said = _status(answer, secrets)
        if 200 <= answer.status < 300:
            return _receipt(answer, secrets)
        if 400 <= answer.status < 500 and answer.status not in _DOUBTFUL and not (answer.status == 409 and self.window):
            raise Refused(f"the provider refused it: {said}")
        if 300 <= answer.status < 400:
            raise Broken(f"the provider points elsewhere instead of answering: {said}", hint="bind the address it points to")
        raise Broken(f"the provider did not say whether it happened: {said}")

    async def _exchange(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes | None) -> Answer:
        scheme, host, port, target = http_target.reachable(url)
        checked(headers)
        connection, stands = await to_thread.run_sync(_connected, scheme, host, port, self._patience)
        try:
            with anyio.fail_after(self._patience):
                answer = await to_thread.run_sync(_sent, connection, method, target, headers, body, abandon_on_cancel=True)
            data = b""
            with anyio.move_on_after(self._patience):
                data = await to_thread.run_sync(_body, answer, abandon_on_cancel=True)
            return Answer(answer.status, answer.reason, data)
        finally:
            with suppress(OSError):
                # A thread may still be reading from it; closing alone would not wake it.
                stands.shutdown(socket.SHUT_RDWR)
            stands.close()
            connection.close()


# ---------------------------------------------------------------------------------------------------------------------


def _connected(scheme: str, host: str, port: int, patience: float) -> tuple[http.client.HTTPConnection, socket.socket]:
    """A connection that stands, and does not open another one by itself. Raises Unsent."""
    connection = http.client.HTTPConnection(host, port, timeout=CONNECTING)
    try:
        if scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=CONNECTING, context=ssl.create_default_context())
        connection.connect()
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        connection.close()
        raise Unsent(_told(error)) from error
    # Else a thread that begins late would send on a fresh connection, after the doubt was told.
    connection.auto_open = 0
    connection.sock.settimeout(patience)
    return connection, connection.sock


def _sent(
    connection: http.client.HTTPConnection, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None
) -> http.client.HTTPResponse:  # fmt: skip
    connection.putrequest(method, target, skip_accept_encoding=True)
    given = {name.lower() for name, _ in headers}
    usual = [(name, value) for name, value in _USUAL if name.lower() not in given]
    for name, value in [*headers, *usual, ("Connection", "close")]:
        connection.putheader(name, value)
    if body is not None or method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body)
    return connection.getresponse()


def _body(answer: http.client.HTTPResponse) -> bytes:
    """What is kept of it. The status is the answer: a body that breaks off does not take it back."""
    with answer:
        try:
            return answer.read(answers.LARGEST + 1)
        except (OSError, http.client.HTTPException):
            return b""


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__).lower()
    return str(error) or type(error).__name__


def _status(answer: Answer, secrets: Secrets) -> str:
    words = secrets.line(answer.words) or _phrase(answer.status)
    said = secrets.line(answer.data[: answers.LARGEST].decode("utf-8", "replace"))
    return f"HTTP {answer.status} {words}".strip() + (f": {said}" if said else "")


def _receipt(answer: Answer, secrets: Secrets) -> Receipt:
    output, value = answers.kept(answer.data, secrets)
    named = value.get("id") if isinstance(value, dict) else None
    words = f"HTTP {answer.status} {secrets.line(answer.words) or _phrase(answer.status)}".strip()
    if isinstance(named, str) and named:
        words += f", id {secrets.line(named)}"
    return Receipt(receipt=words, returned=answers.single(value), output=output)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

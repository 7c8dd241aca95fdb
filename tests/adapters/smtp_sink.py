"""A real SMTP server on loopback that keeps every message, and can be told to be difficult at each step."""
# ruff: noqa: N802 (the names that aiosmtpd calls)

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Kept:
    """One message that was taken: the envelope as it was announced, the bytes as they came."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.data, policy=default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass(frozen=True)
class Certificate:
    """Files: the authority to trust, and chain and key of the server."""

    authority: Path
    chain: Path


@dataclass
class Sink:
    """`with Sink() as sink:`; the answers may be changed while it runs.

    `refuse` gives the answer for a recipient, such as `550 5.1.1 nobody here` or `451 4.7.1 later`; `to_mail`, `to_data` and
    `to_body` the answer to that step, empty for the good one. `hang_up` ends the connection at that step.
    `security` with a certificate offers STARTTLS or speaks TLS from the beginning; with `users` it wants AUTH.
    """

    users: dict[str, str] = field(default_factory=dict)
    security: Literal["none", "starttls", "tls"] = "none"
    certificate: Certificate | None = None
    refuse: dict[str, str] = field(default_factory=dict)
    to_mail: str = ""
    to_data: str = ""
    to_body: str = ""
    hang_up: Literal["", "at greeting", "at MAIL", "at DATA", "in body", "after body"] = ""
    letters: list[Kept] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    host: str = "localhost"
    port: int = 0

    @property
    def server(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._over, self._open = asyncio.get_running_loop(), asyncio.Event(), set[Any]()
        context = None
        if self.certificate is not None and self.security != "none":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.chain)
        wrapped, offered = (context, None) if self.security == "tls" else (None, context)
        wanted = {"authenticator": self._known, "auth_require_tls": offered is not None} if self.users else {}

        def session() -> SMTP:
            return _Door(self, self, hostname="sink.example.com", tls_context=offered, loop=self._loop, **wanted)

        server = await self._loop.create_server(session, "127.0.0.1", self.port, ssl=wrapped)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for each in tuple(self._open):
            # A TLS connection that is closing already cannot be aborted in Python 3.11.
            if not each.transport.is_closing():
                each.transport.abort()
        async with asyncio.timeout(10):
            while self._open:
                await asyncio.sleep(0.01)

    def _known(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        ok = isinstance(given, LoginPassword) and self.users.get(given.login.decode()) == given.password.decode()
        return AuthResult(success=ok, handled=False)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.to_mail or (self.users and not session.authenticated):
            return self.to_mail or "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_body:
            return self.to_body
        assert isinstance(envelope.content, bytes)
        self.letters.append(Kept(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content))
        if self.hang_up == "after body":
            server.transport.abort()
        return f"250 2.0.0 OK: queued as {len(self.letters)}"


class _Door(SMTP):
    """One connection."""

    def __init__(self, sink: Sink, *rest: Any, **options: Any) -> None:
        super().__init__(*rest, **options)
        self._sink = sink

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._sink._open.add(self)
        if self._sink.hang_up == "at greeting":
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._sink._open.discard(self)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if self._sink.hang_up == "in body" and str(status).startswith("354"):
            await super().push(status)
            self.transport.abort()
            return
        await super().push(status)

    async def _said(self, command: str, answer: str, arg: str | None) -> bool:
        self._sink.commands.append(f"{command} {arg or ''}".strip())
        if self._sink.hang_up == f"at {command}":
            self.transport.abort()
            return True
        if answer:
            await self.push(answer)
        return bool(answer)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._said("MAIL", "", arg):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._said("RCPT", "", arg):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._said("DATA", self._sink.to_data, arg):
            await super().smtp_DATA(arg)


def certificate(folder: Path) -> Certificate:
    """A new authority, and a server certificate of it for `localhost`."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _issued("Test authority", authority_key, "Test authority", authority_key, names=())
    leaf = _issued("localhost", key, "Test authority", authority_key, names=("localhost",))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = Certificate(folder / "authority.pem", folder / "chain.pem")
    made.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    made.chain.write_bytes(private + leaf.public_bytes(Encoding.PEM))
    return made


def _issued(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, names: tuple[str, ...]
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    usage = x509.KeyUsage(bool(names), False, False, False, False, not names, not names, False, False)
    builder = builder.add_extension(usage, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return builder.sign(by, hashes.SHA256())


@contextmanager
def nobody_listens() -> Iterator[str]:
    """The `host:port` of a server that is not there."""
    with Sink() as gone:
        place = gone.server
    yield place

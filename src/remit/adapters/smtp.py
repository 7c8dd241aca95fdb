"""One message handed to an SMTP server: all of its recipients or none, and told apart by whether nobody knows (RFC 5321).

Until the server has said 354 nothing can have happened, and a refusal after the body is a refusal of all of it (§4.1.1.4).
Only a connection that breaks in between leaves doubt.
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

from anyio import to_thread

from remit.contract.binding import MailServer
from remit.errors import BadInput, Broken, Refused

PATIENCE = 30.0
"""seconds that a server may take over one step"""
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,254}}\Z)(?!.*=\?){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_NAMED = re.compile(r"(?P<name>[^<>\"]*)<(?P<address>[^<>]*)>")
_POLICY = SMTP.clone(cte_type="7bit")


class Letter(NamedTuple):
    """What is sent: bare addresses, texts, and the id that the message carries. `notes` are further headers."""

    message_id: str
    to: tuple[str, ...]
    subject: str
    body: str
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


class Login(NamedTuple):
    """User and password, read from where they are kept; empty: none is needed."""

    user: str = ""
    password: str = ""


def address(text: str) -> str:
    """The one bare address that this text is. Raises BadInput: what is judged must be exactly what is written to."""
    local, _, _ = text.rpartition("@")
    if not _ADDRESS.fullmatch(text) or len(local) > 64:
        raise BadInput(f"`{_seen(text)}` is no e-mail address", hint="one bare address a text, such as release-lead@example.com")
    return text


def sender_of(server: MailServer) -> tuple[str, str]:
    """Display name and address that messages come from. Raises BadInput."""
    found = _NAMED.fullmatch(server.sender.strip())
    name, bare = (found["name"].strip(), found["address"]) if found else ("", server.sender.strip())
    if not name.isprintable():
        raise BadInput("the sender of the mail server holds a control character")
    return name, address(bare)


def place(server: MailServer) -> tuple[str, int]:
    """Host and port of the server. Raises BadInput."""
    found = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?", server.server)
    port = int(found["port"] or _PORTS[server.security]) if found else 0
    if found is None or not 0 < port < 65536:
        raise BadInput(f"`{_seen(server.server)}` is no mail server", hint="write it as host:port, such as mail.example.com:587")
    return found["six"] or found["host"], port


async def deliver(server: MailServer, login: Login, letter: Letter, *, line: Callable[[str], str]) -> str:
    """Hand the letter over; the answer of the server to it. `line` makes one safe line of what the server says.

    Raises Refused or BadInput when it certainly was not taken, Broken when nobody knows.
    """
    where, data = place(server), _written(server, letter)
    recipients = tuple(dict.fromkeys((*letter.to, *letter.cc, *letter.bcc)))
    if login.user and server.security == "none" and where[0] not in ("localhost", "127.0.0.1", "::1"):
        raise BadInput("a password is not sent to a mail server without TLS", hint="set `security` to starttls or tls")
    talk = _Talk(server, where, line)
    return await to_thread.run_sync(talk.hand_over, login, sender_of(server)[1], recipients, data)


def _written(server: MailServer, letter: Letter) -> bytes:
    message = EmailMessage(policy=_POLICY)
    name, bare = sender_of(server)
    message["From"] = Address(display_name=name, addr_spec=bare)
    for header, values in (("To", letter.to), ("Cc", letter.cc), ("Reply-To", letter.reply_to)):
        if values:
            message[header] = ", ".join(values)
    message["Subject"] = letter.subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = letter.message_id
    for header, value in letter.notes:
        message[header] = value
    message.set_content(letter.body)
    return message.as_bytes()


class _Talk:
    """The conversation, in a thread of its own."""

    def __init__(self, server: MailServer, where: tuple[str, int], line: Callable[[str], str]) -> None:
        self._security, self._where, self._line = server.security, where, line
        self._name = f"{where[0]}:{where[1]}"

    def hand_over(self, login: Login, sender: str, recipients: tuple[str, ...], data: bytes) -> str:
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connected()
            self._signed_in(smtp, login)
            self._announced(smtp, sender, recipients, len(data))
        except (OSError, ValueError) as error:
            if smtp is not None:
                smtp.close()
            raise Refused(f"nothing was sent to {self._name}: {self._told(error)}") from error
        except Refused:
            _left(smtp)
            raise
        try:
            smtp.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
            code, words = smtp.getreply()
        except OSError as error:
            smtp.close()
            raise Broken(f"the message was on its way to {self._name}, and then {self._told(error)}") from error
        _left(smtp)
        return self._judged(code, words)

    def _judged(self, code: int, words: bytes) -> str:
        said = self._said(code, words)
        if 200 <= code < 300:
            return said
        # 421 may come from anything on the way that gives up waiting.
        if 400 <= code < 600 and code != 421:
            raise Refused(f"{self._name} did not take the message: {said}")
        raise Broken(f"the message was sent to {self._name}, which did not say whether it took it: {said}")

    def _connected(self) -> smtplib.SMTP:
        host, port = self._where
        if self._security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=ssl.create_default_context())
        smtp = smtplib.SMTP(host, port, timeout=PATIENCE)
        if self._security == "starttls":
            try:
                smtp.starttls(context=ssl.create_default_context())
            except (OSError, ValueError):
                smtp.close()
                raise
        return smtp

    def _signed_in(self, smtp: smtplib.SMTP, login: Login) -> None:
        smtp.ehlo_or_helo_if_needed()
        if not login.user:
            return
        try:
            smtp.login(login.user, login.password)
        except smtplib.SMTPAuthenticationError as error:
            # Its words are not repeated: servers have been seen to echo what they were given.
            raise Refused(f"{self._name} does not take the user and password: {error.smtp_code}") from error
        except UnicodeError as error:
            raise Refused(f"the user or password for {self._name} holds letters that SMTP cannot carry") from error

    def _announced(self, smtp: smtplib.SMTP, sender: str, recipients: tuple[str, ...], size: int) -> None:
        code, words = smtp.mail(sender, [f"SIZE={size}"] if smtp.has_extn("size") else [])
        if code != 250:
            raise Refused(f"{self._name} refused the sender {sender}: {self._said(code, words)}")
        refused = []
        for each in recipients:
            code, words = smtp.rcpt(each)
            if code not in (250, 251):
                refused.append(f"{each}: {self._said(code, words)}")
        if refused:
            raise Refused(
                f"{self._name} refused {len(refused)} of {len(recipients)} recipients, so nobody: {'; '.join(refused[:5])}"
            )
        code, words = smtp.docmd("DATA")
        if code != 354:
            raise Refused(f"{self._name} refused the message: {self._said(code, words)}")

    def _said(self, code: int, words: bytes) -> str:
        return self._line(f"{code} {words.decode('utf-8', 'replace')}")

    def _told(self, error: Exception) -> str:
        match error:
            case smtplib.SMTPResponseException():
                words = error.smtp_error
                return self._said(error.smtp_code, words if isinstance(words, bytes) else str(words).encode())
            case ssl.SSLCertVerificationError():
                return f"its certificate does not hold: {self._line(error.verify_message)}"
            case smtplib.SMTPException():
                return self._line(str(error)) or "the conversation failed"
            case TimeoutError():
                return "no answer came in time"
            case OSError():
                return self._line(error.strerror or str(error)).lower()
            case _:
                return self._line(str(error))


def _left(smtp: smtplib.SMTP | None) -> None:
    """Say goodbye without waiting for long; whatever was begun and not taken is dropped by it (RFC 5321 §4.1.1.10)."""
    if smtp is None:
        return
    with suppress(OSError):
        if smtp.sock is not None:
            smtp.sock.settimeout(2.0)
            smtp.quit()
    smtp.close()


def _seen(text: str) -> str:
    return "".join(mark if mark.isprintable() else f"\\u{ord(mark):04x}" for mark in text[:100])

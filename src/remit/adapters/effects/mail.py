"""A message by e-mail as an effect: what is shown is what is sent, to everybody named or to nobody."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from remit.adapters.effects.arguments import json_text, only, readable, usable
from remit.adapters.effects.secret import Secrets
from remit.adapters.smtp import Letter, Login, address, deliver, place, sender_of
from remit.contract.binding import SendMail
from remit.errors import BadInput, Broken
from remit.ports.effects import Receipt

_LISTS = ("to", "cc", "bcc", "reply_to")


class MailEffect:
    """See `remit.ports.Performer`. SMTP honours no key and cannot be asked, so a doubt here is for a person."""

    window: int | None = None
    probes = False
    settles = 0

    def __init__(self, binding: SendMail, environment: Mapping[str, str]) -> None:
        """Raises BadInput when the server or the sender of the binding cannot be used."""
        place(binding.server)
        sender_of(binding.server)
        self._server, self._environment = binding.server, environment

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """Sender, everybody who gets it, subject and body."""
        letter = _letter("", arguments)
        heads = [
            ("From", self._server.sender),
            ("To", ", ".join(letter.to)),
            ("Cc", ", ".join(letter.cc)),
            ("Bcc", ", ".join(letter.bcc)),
            ("Reply-To", ", ".join(letter.reply_to)),
        ]
        lines = [f"{name}: {value}" for name, value in heads if value]
        return readable("\n".join([*lines, f"Subject: {letter.subject}", "", letter.body]))

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Send it. Raises Refused or BadInput when it certainly was not taken, Broken when nobody knows."""
        name = sha256(key.encode()).hexdigest()[:40]
        letter = _letter(f"<{name}@{sender_of(self._server)[1].rpartition('@')[2]}>", arguments)
        secrets = Secrets(self._environment)
        login = Login(secrets.read(self._server.user), secrets.read(self._server.password))
        answer = await deliver(self._server, login, letter, line=secrets.line)
        output = {"answer": answer, "message_id": letter.message_id, "to": [*letter.to, *letter.cc, *letter.bcc]}
        return Receipt(
            receipt=f"{answer}, Message-ID {letter.message_id}", returned=(letter.message_id,), output=json_text(output)
        )

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """Always raises Broken."""
        raise Broken(
            "a mail server cannot be asked what became of a message",
            hint=f"look for Message-ID {sha256(key.encode()).hexdigest()[:40]} in its log or in the recipient's box",
        )


def _letter(message_id: str, arguments: Mapping[str, Any]) -> Letter:
    usable(arguments)
    only(arguments, (*_LISTS, "subject", "body"), why="a message has no place for it")
    lists = {name: _addresses(name, arguments[name]) for name in _LISTS if name in arguments}
    if not lists.get("to"):
        raise BadInput("the message has no recipient", hint="give `to` an address or a list of them")
    subject, body = _text("subject", arguments).strip(" "), _text("body", arguments)
    if not all(mark.isprintable() for mark in subject):
        raise BadInput("`subject` holds a line break or a control character")
    if "=?" in subject:
        raise BadInput("`subject` holds `=?`, which a mail program would read as something else than it shows")
    # Bare carriage returns and controls are read in different ways by different servers.
    body = body.replace("\r\n", "\n")
    if any((mark < " " and mark not in "\n\t") or mark == "\x7f" for mark in body):
        raise BadInput("`body` holds a control character")
    cc, bcc, reply_to = (lists.get(name, ()) for name in ("cc", "bcc", "reply_to"))
    return Letter(message_id, lists["to"], subject, body, cc, bcc, reply_to)


def _addresses(name: str, value: Any) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise BadInput(f"`{name}` must be an address or a list of addresses")
    return tuple(dict.fromkeys(address(item) for item in items))


def _text(name: str, arguments: Mapping[str, Any]) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise BadInput(f"`{name}` is missing: a message needs it" if value is None else f"`{name}` must be text")
    return value

"""Pages by e-mail, through the organisation's server."""

import secrets as chance
from collections.abc import Mapping

from remit.adapters.effects.secret import Secrets
from remit.adapters.notifiers.wording import title, whole
from remit.adapters.smtp import Letter, Login, address, deliver, place, sender_of
from remit.contract.binding import MailServer
from remit.errors import BadInput, Broken, Refused
from remit.ports.people import Page

# RFC 3834: nobody's absence note answers a machine.
_NOTES = (("Auto-Submitted", "auto-generated"),)


class Mail:
    """See `remit.ports.Notifier`. `to` is one bare address."""

    name = "mail"

    def __init__(self, to: str, server: MailServer, environment: Mapping[str, str]) -> None:
        """Raises BadInput when the address or the server cannot be used."""
        place(server)
        self._domain = sender_of(server)[1].rpartition("@")[2]
        self._to, self._server, self._environment = address(to), server, environment

    async def tell(self, page: Page) -> str:
        """Send it; what the server answered. Raises Broken."""
        secrets = Secrets(self._environment)
        letter = Letter(f"<{chance.token_hex(16)}@{self._domain}>", (self._to,), title(page), whole(page), notes=_NOTES)
        try:
            login = Login(secrets.read(self._server.user), secrets.read(self._server.password))
            answer = await deliver(self._server, login, letter, line=secrets.line)
        except (Refused, BadInput) as error:
            raise Broken(str(error), hint=error.hint) from error
        return f"{answer}, Message-ID {letter.message_id}"

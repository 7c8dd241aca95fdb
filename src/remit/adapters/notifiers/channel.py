"""Which way a page goes, by the form of the contact it is for."""

from collections.abc import Mapping

from remit.adapters.effects.secret import Secrets
from remit.adapters.notifiers.apprise import Apprise
from remit.adapters.notifiers.mail import Mail
from remit.adapters.notifiers.webhook import Webhook
from remit.contract.party import Organisation
from remit.errors import BadInput
from remit.ports.people import Notifier

FORMS = "mail:ADDRESS, https://… (a webhook) or apprise:URL"


def channel(contact: str, organisation: Organisation, environment: Mapping[str, str]) -> Notifier | None:
    """The notifier for a contact; None when there is none. `$NAME` in it is read from the environment, never told.

    Raises BadInput for a contact of another form, Unavailable when what it needs is not installed.
    """
    if not contact:
        return None
    kind, _, rest = contact.partition(":")
    if kind == "mail":
        if organisation.mail is None:
            raise BadInput("a contact by mail needs the mail server of the organisation", hint="add `mail:` to org.remit.yaml")
        return Mail(rest, organisation.mail, environment)
    whole = Secrets(environment).read(contact)
    if whole.startswith(("https://", "http://")):
        return Webhook(whole)
    if whole.startswith("apprise:"):
        return Apprise(whole.removeprefix("apprise:"))
    raise BadInput("a contact of a form that nothing here serves", hint=f"write it as {FORMS}")

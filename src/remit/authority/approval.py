"""An answer bound to one action, one contract, one person, one moment, used once."""

from datetime import datetime

from remit.contract.party import Assurance
from remit.value import Value


class Approval(Value, frozen=True, kw_only=True):
    """A yes that `decide` may count. `action` is the action's digest, `contract` the hash whose rule asked.

    `person` is the id of who said it, `roles` what they are; it counts until `expires` and only while unused.
    `reasons` are what the person was shown as reasons for asking (`Reason.token`): what arose later was never agreed to; None
    leaves that open.
    """

    action: str
    contract: str
    person: str
    roles: tuple[str, ...] = ()
    expires: datetime | None = None
    assurance: Assurance = "terminal"
    question: str = ""
    reasons: frozenset[str] | None = None

"""What a caller of the guard gets back: values, one for each end a call can have."""

from datetime import datetime
from typing import Any

from remit import errors
from remit.authority.decision import Reason
from remit.value import Value


class Done(Value, frozen=True, kw_only=True):
    """It happened, once. `output` is what the tool returned, numbers exact; `draft` its key in the outbox, if it left."""

    receipt: str
    output: Any = None
    draft: str = ""


class Refused(Value, frozen=True, kw_only=True):
    """It did not happen and will not. `code` is one of `authority.decision.Code`, or FAILED: allowed, and the tool did not."""

    reason: str
    instead: str = ""
    code: str = ""
    reasons: tuple[Reason, ...] = ()


class Waiting(Value, frozen=True, kw_only=True):
    """It has not happened yet: people are asked, until `expires`. `unknown`: begun, and nobody knows whether it happened."""

    question: str = ""
    draft: str = ""
    asked: tuple[str, ...] = ()
    expires: datetime | None = None
    unknown: bool = False


class Outcome(Value, frozen=True, kw_only=True):
    """How the run ended; `verdict` is None while something is still awaited, and `why` says what."""

    verdict: str | None
    exceptions: tuple[str, ...] = ()
    why: str = ""
    run: str = ""


class DidNotHappen(errors.Refused):
    """Raised by a tool that knows for certain that its effect did not happen. Whatever else it raises leaves a doubt."""

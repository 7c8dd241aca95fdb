"""Headers of a request: what may be sent in them, and what of them may be shown."""

import re

from remit.adapters.effects.secret import named
from remit.errors import BadInput

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
_TELLING = re.compile(r"auth|cookie|key|pass|secret|signature|token", re.IGNORECASE)
_OURS = frozenset({"connection", "content-length", "host", "transfer-encoding", "expect", "te", "trailer", "upgrade"})


def checked(headers: list[tuple[str, str]]) -> None:
    """Raises BadInput for a header that would end its line, or that frames the message; the value is never told."""
    for name, value in headers:
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise BadInput(f"`{name[:80]!a}` cannot be a header of the request".replace("'", ""))
        if not _VALUE.fullmatch(value):
            raise BadInput(f"the header `{name}` holds a line break, a control character or a letter that is not ASCII")


def shown(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """As a person may see them: `$NAME` as it is written; a value written out under a telling name is hidden."""
    return [(name, "(hidden)" if _TELLING.search(name) and not named(value) else value) for name, value in headers]

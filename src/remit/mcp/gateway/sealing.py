"""States that a host hands back, sealed: nobody but this gateway can have written them, and only for this very act."""

import base64
import hashlib
import hmac
import secrets

from remit.errors import BadInput

LONGEST = 2000


class Seal:
    """A key that lives as long as the gateway does."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sealed(self, slot: str, digest: str) -> str:
        """A state that stands for one open round about one act."""
        body = f"{slot} {digest}"
        return f"remit1.{base64.urlsafe_b64encode(body.encode()).decode()}.{self._mark(body)}"

    def opened(self, state: object, digest: str) -> str:
        """The round it stands for. Raises BadInput when it is forged, or about another act than this."""
        kind, _, rest = state.partition(".") if isinstance(state, str) and len(state) <= LONGEST else ("", "", "")
        text, _, mark = rest.partition(".")
        try:
            body = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode()
        except ValueError:
            body = ""
        if kind != "remit1" or not body or not hmac.compare_digest(mark.encode(), self._mark(body).encode()):
            raise BadInput("this request state was not written by this gateway", hint="begin again, without it")
        slot, _, bound = body.partition(" ")
        if not hmac.compare_digest(bound.encode(), digest.encode()):
            raise BadInput("this request state belongs to another call than this one", hint="repeat the call as it was")
        return slot

    def _mark(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()

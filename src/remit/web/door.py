"""Who is at the door: the session, and the three ways to come by one."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from remit.web.guard import Address

LASTS = timedelta(hours=12)
GRACE = timedelta(seconds=60)
"""for how long after its first use a link still opens: browsers fetch ahead, and people click twice"""
MOST_SESSIONS = 500
Now = Callable[[], datetime]
Known = Callable[[], frozenset[str]]
"""the people of the organisation"""


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads this page. `form` is what every form of theirs carries back; `leaves`: they can sign out here."""

    person: str
    form: str
    leaves: bool = False


class Door(Protocol):
    """A way in."""

    routes: tuple[BaseRoute, ...]
    invitation: str
    """what somebody without a session is told to do"""
    sign_in: str
    """the page where that is done; empty where there is none here"""

    def enter(self, request: Request) -> Response | None:
        """The answer to a request that is itself the way in, such as the link with the token."""
        ...

    def viewer(self, request: Request) -> Viewer | None:
        """Who this is; None when nobody knows."""
        ...

    def leave(self, request: Request, response: Response) -> None:
        """End the session."""
        ...


class Sessions:
    """Who is signed in, kept in memory only: a server that starts again knows nobody."""

    def __init__(self, name: str, address: Address, now: Now) -> None:
        self.cookie = f"__Host-{name}" if address.secure else name
        self._secure, self._now = address.secure, now
        self._open: dict[str, tuple[str, datetime]] = {}
        self.seal = secrets.token_bytes(32)

    def begin(self, person: str, response: Response) -> None:
        """Open a session and put its cookie onto the response."""
        name = secrets.token_urlsafe(32)
        now = self._now()
        self._open = {key: held for key, held in self._open.items() if held[1] > now}
        while len(self._open) >= MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        self._open[_hash(name)] = person, now + LASTS
        response.set_cookie(
            self.cookie, name, max_age=int(LASTS.total_seconds()), path="/", httponly=True, samesite="strict",
            secure=self._secure,
        )  # fmt: skip

    def viewer(self, request: Request) -> Viewer | None:
        """Whose cookie this is."""
        name = _hash(request.cookies.get(self.cookie, ""))
        held = self._open.get(name)
        if held is None or held[1] <= self._now():
            return None
        return Viewer(person=held[0], form=self.form(name), leaves=True)

    def form(self, name: str) -> str:
        """What the forms of one session carry: nobody else can make it up."""
        return hmac.new(self.seal, name.encode(), hashlib.sha256).hexdigest()

    def end(self, request: Request, response: Response) -> None:
        """Forget the session, and its cookie."""
        self._open.pop(_hash(request.cookies.get(self.cookie, "")), None)
        response.delete_cookie(self.cookie, path="/", httponly=True, samesite="strict", secure=self._secure)


class LinkDoor:
    """Local use: a link with a token, printed once, makes the session of the local identity."""

    routes: tuple[BaseRoute, ...] = ()
    sign_in = ""
    invitation = "Open the link that `remit serve` printed. It works once; start the server again for a new one."

    def __init__(self, person: str, sessions: Sessions, now: Now) -> None:
        self._person, self._sessions, self._now = person, sessions, now
        self.token = secrets.token_urlsafe(32)
        self._used: datetime | None = None

    def enter(self, request: Request) -> Response | None:
        """Trade a right token for a session and a clean address, so that no history and no referrer keeps it."""
        given = request.query_params.get("token")
        if given is None or request.url.path != "/" or request.method != "GET":
            return None
        clean = RedirectResponse("/", status_code=303)
        now = self._now()
        fresh = self._used is None or now < self._used + GRACE
        if hmac.compare_digest(given.encode(), self.token.encode()) and fresh:
            self._used = self._used or now
            self._sessions.begin(self._person, clean)
        return clean

    def viewer(self, request: Request) -> Viewer | None:
        """Whose session this is."""
        return self._sessions.viewer(request)

    def leave(self, request: Request, response: Response) -> None:
        """End the session."""
        self._sessions.end(request, response)


class HeaderDoor:
    """Team use behind a proxy that signs people in: a header names the person, and only from the proxy's own address."""

    routes: tuple[BaseRoute, ...] = ()
    sign_in = ""
    invitation = "The proxy in front of this inbox signs people in; come through it, as somebody the organisation file names."

    def __init__(self, header: str, proxies: tuple[IPv4Network | IPv6Network, ...], known: Known) -> None:
        self._header, self._proxies, self._known = header, proxies, known
        self._seal = secrets.token_bytes(32)

    def enter(self, request: Request) -> Response | None:
        """There is no way in here but through the proxy."""
        return None

    def viewer(self, request: Request) -> Viewer | None:
        """The one person the proxy names, if the organisation knows them."""
        given = request.headers.getlist(self._header)
        if len(given) != 1 or given[0] not in self._known() or not self._trusted(request):
            return None
        form = hmac.new(self._seal, given[0].encode(), hashlib.sha256).hexdigest()
        return Viewer(person=given[0], form=form)

    def leave(self, request: Request, response: Response) -> None:
        """The proxy keeps the session."""

    def _trusted(self, request: Request) -> bool:
        if request.client is None:
            return False
        try:
            peer = ip_address(request.client.host)
        except ValueError:
            return False
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer.version == network.version and peer in network for network in self._proxies)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

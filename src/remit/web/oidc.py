"""Team sign-in with an OpenID provider: authorisation code with PKCE, and an ID token that is checked whole. Extra `oidc`."""

import hashlib
import hmac
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from remit.errors import Broken, Refused, Unavailable
from remit.value import Value
from remit.web.door import Known, Now, Sessions, Viewer

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""signatures only: never `none`, and no shared secret"""
LASTS = timedelta(minutes=10)
MOST_PENDING = 200
MOST_BYTES = 1 << 20
LEEWAY = 60
_INSIDE = re.compile(r"/(?:runs/[A-Za-z0-9._/-]*)?")
ARRIVED = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={to}">
<title>Signed in · remit</title><p>Signed in. <a href="{to}">Continue</a></p>
"""


class Pending(Value, frozen=True, kw_only=True):
    """One sign-in that has begun: what must come back, and where it leads."""

    state: str
    nonce: str
    verifier: str
    to: str
    until: datetime


class OpenDoor:
    """See `remit.web.door.Door`. Who comes back with a token of the issuer, made for us and for this very sign-in, is in."""

    invitation = "Sign in with your organisation's account. Only people the organisation file names come in."
    sign_in = "/sign-in"

    def __init__(
        self, issuer: str, client: str, secret: str, url: str, sessions: Sessions, known: Known, now: Now
    ) -> None:  # fmt: skip
        self._issuer, self._client, self._secret, self._url = issuer.rstrip("/"), client, secret, url
        self._sessions, self._known, self._now = sessions, known, now
        self._pending: dict[str, Pending] = {}
        self._found: dict[str, Any] = {}
        self._cookie = f"{sessions.cookie}-way"
        self.routes: tuple[BaseRoute, ...] = (Route("/sign-in", self.begin), Route("/sign-in/done", self.done))
        _import()

    def enter(self, _: Request) -> Response | None:
        """The way in has pages of its own."""
        return None

    def viewer(self, request: Request) -> Viewer | None:
        """Whose session this is, as long as the organisation still knows them."""
        found = self._sessions.viewer(request)
        return found if found is not None and found.person in self._known() else None

    def leave(self, request: Request, response: Response) -> None:
        """End the session here; the provider keeps its own."""
        self._sessions.end(request, response)

    async def begin(self, request: Request) -> Response:
        """To the provider. Its answer must bring back what only this browser's cookie leads to."""
        told = await self._discovered()
        to = request.query_params.get("to", "/")
        name, now = secrets.token_urlsafe(32), self._now()
        pending = Pending(
            state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48),
            to=to if _INSIDE.fullmatch(to) else "/", until=now + LASTS,
        )  # fmt: skip
        self._pending = {key: each for key, each in self._pending.items() if each.until > now}
        while len(self._pending) >= MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        self._pending[_hash(name)] = pending
        challenge = urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._client, "redirect_uri": f"{self._url}/sign-in/done",
            "scope": "openid email", "state": pending.state, "nonce": pending.nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = str(told["authorization_endpoint"])
        response = RedirectResponse(
            f"{endpoint}{'&' if '?' in endpoint else '?'}{urllib.parse.urlencode(asked)}", status_code=303
        )
        # Lax, for the provider sends people back from another site; it opens nothing by itself.
        response.set_cookie(
            self._cookie, name, max_age=int(LASTS.total_seconds()), path="/", httponly=True, samesite="lax",
            secure=self._cookie.startswith("__Host-"),
        )  # fmt: skip
        return response

    async def done(self, request: Request) -> Response:
        """Back from the provider. Each sign-in is used up by its first answer, whatever that is."""
        pending = self._pending.pop(_hash(request.cookies.get(self._cookie, "")), None)
        given = request.query_params
        if pending is None or pending.until <= self._now():
            return _no("This sign-in is over. Begin again.")
        if not hmac.compare_digest(given.get("state", "").encode(), pending.state.encode()):
            return _no("This answer belongs to another sign-in.")
        if given.get("iss", self._issuer) != self._issuer or not given.get("code"):
            return _no("The provider did not sign anybody in.")
        try:
            person = await self._person(str(given["code"]), pending)
        except (Refused, Broken) as error:
            return _no(str(error))
        # A page of our own, not a redirect: after one that began elsewhere a strict cookie would not be sent.
        response = HTMLResponse(ARRIVED.format(to=pending.to))
        self._sessions.begin(person, response)
        response.delete_cookie(self._cookie, path="/", httponly=True, samesite="lax", secure=self._cookie.startswith("__Host-"))
        return response

    async def _person(self, code: str, pending: Pending) -> str:
        """Whom the provider vouches for. Raises Refused when it is nobody we know, or the token is not ours."""
        from joserfc import jwk, jwt
        from joserfc.errors import JoseError

        told = await self._discovered()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": f"{self._url}/sign-in/done",
            "client_id": self._client, "code_verifier": pending.verifier,
        }  # fmt: skip
        answer = await self._fetched(str(told["token_endpoint"]), form)
        keys = await self._fetched(str(told["jwks_uri"]))
        try:
            known = jwk.KeySet.import_key_set(keys)  # type: ignore[arg-type]
            token = jwt.decode(str(answer.get("id_token", "")), known, algorithms=list(ALGORITHMS))
            rules = jwt.JWTClaimsRegistry(
                now=int(self._now().timestamp()), leeway=LEEWAY, iss={"essential": True, "value": str(told["issuer"])},
                aud={"essential": True, "value": self._client}, exp={"essential": True}, iat={"essential": True},
                nonce={"essential": True, "value": pending.nonce}, sub={"essential": True},
            )  # fmt: skip
            rules.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused(f"The token of the provider does not hold: {error}") from error
        claims = token.claims
        if claims.get("azp", self._client) != self._client:
            raise Refused("The token was made for somebody else.")
        person = claims.get("email")
        if not isinstance(person, str) or claims.get("email_verified") is not True:
            raise Refused("The provider does not vouch for an e-mail address.")
        if person not in self._known():
            raise Refused(f"{person} is nobody the organisation file names.")
        return person

    async def _discovered(self) -> dict[str, Any]:
        """What the provider says of itself. Raises Broken when that cannot be, or is of another issuer."""
        if not self._found:
            told = await self._fetched(f"{self._issuer}/.well-known/openid-configuration")
            if str(told.get("issuer", "")).rstrip("/") != self._issuer:
                raise Broken("the provider says it is another issuer", hint="give --oidc exactly as the provider names itself")
            missing = [
                each for each in ("authorization_endpoint", "token_endpoint", "jwks_uri") if not _safe(str(told.get(each)))
            ]
            if missing:
                raise Broken(f"the provider names no safe {', '.join(missing)}")
            self._found = told
        return self._found

    async def _fetched(self, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        if not _safe(url):
            raise Broken("the provider is not reached over https")
        headers = {"Accept": "application/json"}
        if form is not None and self._secret:
            pair = f"{urllib.parse.quote(self._client, safe='')}:{urllib.parse.quote(self._secret, safe='')}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            text = await anyio.to_thread.run_sync(_read, urllib.request.Request(url, data=data, headers=headers))  # noqa: S310
            found = json.loads(text)
        except (OSError, ValueError) as error:
            raise Broken(f"The provider could not be asked: {type(error).__name__}.") from error
        if not isinstance(found, dict):
            raise Broken("The provider answered something else.")
        return found


class _Stays(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the secret elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _read(request: urllib.request.Request) -> bytes:
    with urllib.request.build_opener(_Stays).open(request, timeout=10) as answer:
        return bytes(answer.read(MOST_BYTES))


def _safe(url: str) -> bool:
    """https; or plain http that stays on this machine."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"})


def _no(words: str) -> Response:
    return PlainTextResponse(f"{words}\n", status_code=403)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _import() -> None:
    try:
        import joserfc  # noqa: F401
    except ImportError as error:
        raise Unavailable("sign-in with an OpenID provider needs the extra `oidc`", hint="pip install 'remit[oidc]'") from error

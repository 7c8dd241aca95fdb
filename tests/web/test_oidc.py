"""Team sign-in against a provider of its own, on loopback: the code flow whole, and every way in which it may not be believed."""

import hashlib
import http.server
import json
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from web_worlds import OWNER, Served, asked, identity, record, refund, served, started, state

pytest.importorskip("joserfc")
from joserfc import jwk, jwt

CLIENT, SECRET = "remit-inbox", "s3cret"


class Provider:
    """Signs `person` in. `lies` changes what it says: claims of the token, its key or its algorithm."""

    def __init__(self) -> None:
        self.key = jwk.ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
        self.lies: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.seen: list[dict[str, str]] = []
        provider = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                match path:
                    case "/.well-known/openid-configuration":
                        names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
                        self.say({"issuer": provider.issuer, **{name: provider.issuer + path for name, path in names.items()}})
                    case "/keys":
                        self.say({"keys": [provider.key.as_dict(private=False)]})
                    case "/authorize":
                        code = f"code-{len(provider.codes)}"
                        provider.codes[code] = query
                        self.send_response(303)
                        self.send_header("Location", f"{query['redirect_uri']}?code={code}&state={query['state']}")
                        self.end_headers()

            def do_POST(self) -> None:
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
                provider.seen.append({**form, "authorization": self.headers.get("Authorization", "")})
                begun = provider.codes.pop(form["code"])
                challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
                assert (begun["code_challenge"], begun["code_challenge_method"]) == (challenge, "S256")
                self.say({"access_token": "a", "id_token": provider.token(begun["nonce"])})

            def say(self, document: Any) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.issuer = f"http://127.0.0.1:{self.site.server_port}"
        threading.Thread(target=self.site.serve_forever, daemon=True).start()

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": nonce, "email": OWNER,
            "email_verified": True, **self.lies,
        }  # fmt: skip
        key = claims.pop("key", self.key)
        header = claims.pop("header", {"alg": "ES256", "kid": "one"})
        if header["alg"] == "none":
            return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)) + "."
        return jwt.encode(
            header, {name: value for name, value in claims.items() if value is not None}, key, algorithms=["ES256", "HS256"]
        )


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.site.shutdown()
    found.site.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    identity(home)
    record(home, [started("r1", home), *asked("r1", refund())])
    (home / "secret").write_text(SECRET + "\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with served(
        home,
        "--port",
        str(port),
        "--url",
        url,
        "--oidc",
        provider.issuer,
        "--client-id",
        CLIENT,
        "--client-secret-file",
        str(home / "secret"),
    ) as found:
        yield found


def way(server: Served, provider: Provider, to: str = "/", **lies: Any) -> tuple[int, dict[str, str], str]:
    """The whole way of a browser: to the provider, back, and what it is told then."""
    server.jar.clear()
    provider.lies = lies
    status, headers, _ = server.ask("GET", f"/sign-in?to={to}")
    assert status == 303
    return server.ask("GET", back(headers["location"]))


def back(location: str) -> str:
    """Where the provider sends the browser."""
    import http.client

    parts = urlsplit(location)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    found = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    return f"{found.path}?{found.query}"


def test_a_person_the_organisation_names_signs_in_and_answers_as_themselves(server: Served, provider: Provider) -> None:
    status, headers, text = way(server, provider, to="/runs/r1/questions/Q1")
    assert status == 200 and 'url=/runs/r1/questions/Q1"' in text
    assert f"remit-{server.port}" in server.jar and "location" not in headers
    assert provider.seen[-1]["authorization"].startswith("Basic ")
    form = {**server.card("r1"), "said": "yes"}
    assert server.ask("POST", "/runs/r1/questions/Q1", form=form)[0] == 303
    answered = state(server.home, "r1").questions["Q1"].answers[0]
    assert (answered.person, answered.assurance) == (OWNER, "session")


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example.com"},
    "for somebody else": {"aud": "another-client"},
    "for several, made for another": {"aud": [CLIENT, "other"], "azp": "other"},
    "expired": {"exp": int(time.time()) - 3600},
    "without an end": {"exp": None},
    "another sign-in's": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "an address nobody verified": {"email_verified": False},
    "an address said to be verified in words": {"email_verified": "true"},
    "no address": {"email": None},
    "a stranger": {"email": "stranger@example.com"},
    "another case": {"email": OWNER.upper()},
    "another key": {"key": jwk.ECKey.generate_key("P-256", {"kid": "one"})},
    "no signature": {"header": {"alg": "none"}},
    "a shared secret": {"key": jwk.OctKey.import_key(b"0" * 32), "header": {"alg": "HS256", "kid": "one"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_opens_nothing(server: Served, provider: Provider, lie: str) -> None:
    status, headers, _ = way(server, provider, **LIES[lie])
    assert status == 403
    assert f"remit-{server.port}=" not in headers.get("set-cookie", "")
    assert server.ask("GET", "/")[0] == 401


def test_an_answer_counts_only_in_the_browser_that_began_and_once(server: Served, provider: Provider) -> None:
    server.jar.clear()
    provider.lies = {}
    _, headers, _ = server.ask("GET", "/sign-in")
    came = back(headers["location"])
    assert server.ask("GET", came, cookies=False)[0] == 403, "without the cookie of the beginning"
    assert server.ask("GET", came.replace("state=", "state=x"))[0] == 403, "with another state"
    assert server.ask("GET", came)[0] == 403, "that sign-in was used up by the wrong answer"


@pytest.mark.parametrize(
    "to", ["//evil.example.com", "https://evil.example.com", "/runs/../../x%22", "/%0d%0aX: y", '/runs/"><script>']
)
def test_the_way_leads_nowhere_but_to_our_own_pages(server: Served, provider: Provider, to: str) -> None:
    from urllib.parse import quote

    _, _, text = way(server, provider, to=quote(to))
    assert "evil" not in text and "<script" not in text and "url=/" in text


def test_whoever_is_taken_out_of_the_organisation_file_is_out(server: Served, provider: Provider, tmp_path: Path) -> None:
    assert way(server, provider)[0] == 200
    assert server.ask("GET", "/")[0] == 200
    file = server.home / "org.remit.yaml"
    kept = file.read_text()
    try:
        file.write_text(kept.replace(f"- id: {OWNER}", "- id: successor@example.com"))
        assert server.ask("GET", "/")[0] == 401
        file.write_text("name: [half a")
        assert server.ask("GET", "/")[0] == 401, "while the file cannot be read, nobody is in it"
    finally:
        file.write_text(kept)


def test_nothing_secret_is_in_the_log(server: Served, provider: Provider) -> None:
    way(server, provider)
    assert SECRET not in server.said and "code=" not in server.said and "state=" not in server.said
    assert "GET /sign-in/done 200" in server.said

"""Who comes in, from where, and what never leaks: tokens, sessions, hosts, origins, bodies, headers."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from web_worlds import LEAD, OWNER, Served, asked, contract, identity, kinds, record, refund, served, started, state, working

import remit.web
from remit.adapters.signers.local import create

STATIC = Path(remit.web.__file__).parent / "static"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    identity(home)
    record(home, [started("r1", home), *working("r1"), *asked("r1", refund())])
    with served(home) as found:
        yield found.sign_in()


def test_the_link_becomes_a_cookie_and_a_clean_address_and_works_once(tmp_path: Path) -> None:
    with served(tmp_path) as own:
        token = own.link.split("token=")[1]
        status, headers, _ = own.ask("GET", f"/?token={token}")
        assert (status, headers["location"], headers["referrer-policy"]) == (303, "/", "same-origin")
        cookie = headers["set-cookie"]
        assert (
            cookie.startswith(f"remit-{own.port}=")
            and "HttpOnly" in cookie
            and "SameSite=strict" in cookie
            and "Path=/" in cookie
        )
        assert token not in cookie and token not in own.get("/")
        assert own.end() == 0
        assert token not in own.said and "GET / 303" in own.said and "token" not in own.said


def test_a_wrong_token_and_no_token_get_nothing(server: Served) -> None:
    for path in ("/?token=wrong", "/?token=", "/?token=" + "a" * 5000):
        status, headers, _ = server.ask("GET", path, cookies=False)
        assert status == 303 and "set-cookie" not in headers
    for path in (
        "/",
        "/runs/r1",
        "/runs/r1/questions/Q1",
        "/events",
        "/runs/r1/events",
        "/runs/r1/account",
        "/runs/r1/diff",
        "/nothing",
    ):
        status, _, text = server.ask("GET", path, cookies=False)
        assert status in {401, 404}
        assert "refund" not in text and OWNER not in text


def test_a_made_up_cookie_is_nobody(server: Served) -> None:
    status, _, _ = server.ask("GET", "/", cookies=False, headers={"Cookie": f"remit-{server.port}=made-up"})
    assert status == 401


def test_health_is_told_to_anybody_and_says_nothing_else(server: Served) -> None:
    assert server.ask("GET", "/healthz", cookies=False)[::2] == (200, "ok\n")


@pytest.mark.parametrize(
    "host", ["evil.example.com", "127.0.0.1", "127.0.0.1:1", "localhost:1", "127.0.0.1.nip.io:{port}", "", "[::1"]
)
def test_a_host_that_is_not_ours_is_misdirected(server: Served, host: str) -> None:
    status, _, text = server.ask("GET", "/", headers={"Host": host.format(port=server.port)})
    assert status in {400, 421} and "refund" not in text


def test_two_hosts_are_none(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        host = f"Host: 127.0.0.1:{server.port}\r\n"
        sock.sendall(f"GET /healthz HTTP/1.1\r\n{host}{host}\r\n".encode())
        assert sock.recv(100).split()[1] in {b"400", b"421"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_another_site_changes_nothing(server: Served, headers: dict[str, str]) -> None:
    form = {**server.card("r1"), "said": "yes"}
    given = {name: value.format(port=server.port) for name, value in headers.items()}
    assert server.ask("POST", "/runs/r1/questions/Q1", form=form, headers=given)[0] == 403
    assert server.ask("POST", "/runs/r1/stop", form=form, headers=given)[0] == 403
    assert "question_answered" not in kinds(server.home, "r1") and "stop_asked" not in kinds(server.home, "r1")


def test_a_form_without_its_hidden_word_changes_nothing(server: Served) -> None:
    form = {**server.card("r1"), "said": "yes"}
    for word in ("", "0" * 64):
        assert server.ask("POST", "/runs/r1/questions/Q1", form={**form, "form": word})[0] == 403
    assert "question_answered" not in kinds(server.home, "r1")


def test_another_site_may_link_here_but_neither_read_nor_frame(server: Served) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert server.ask("GET", "/", headers={**cross, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})[0] == 200
    assert server.ask("GET", "/", headers={**cross, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"})[0] == 403
    assert server.ask("GET", "/", headers={**cross, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"})[0] == 403


def test_a_link_from_a_message_leads_on_although_the_strict_cookie_did_not_come_along(server: Served) -> None:
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    status, _, text = server.ask("GET", "/runs/r1", cookies=False, headers=cross)
    assert status == 401 and '<meta http-equiv="refresh" content="0">' in text and 'href="/runs/r1"' in text
    assert "http-equiv" not in server.ask("GET", "/runs/r1", cookies=False)[2]


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/remit.css", "/nothing", "/runs/r1/questions/Q1"])
def test_every_answer_has_the_headers(server: Served, path: str) -> None:
    _, headers, _ = server.ask("GET", path)
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin", "`no-referrer` makes browsers send `Origin: null` with forms"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers and ("no-store" in headers["cache-control"] or path.startswith("/static"))


def test_no_page_has_scripts_or_styles_of_its_own(server: Served) -> None:
    for path in ("/", "/runs/r1", "/runs/r1/questions/Q1", "/runs/r1/account"):
        text = server.get(path)
        assert not re.search(r"<style|style=|\son\w+=|javascript:|<script(?! src=\"/static/)", text)
        assert "http://" not in text.replace("http://www.w3.org", "") and "//cdn" not in text


def test_a_body_larger_than_any_form_is_turned_away(server: Served) -> None:
    status, _, _ = server.ask("POST", "/runs/r1/questions/Q1", body=b"note=" + b"a" * 70_000)
    assert status == 413
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/runs/r1/questions/Q1")
    connection.putheader("Origin", server.origin)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(20):
        connection.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
    connection.send(b"0\r\n\r\n")
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_unknown(server: Served, method: str) -> None:
    assert server.ask(method, "/runs/r1")[0] == 405


def test_signing_out_ends_the_session(tmp_path: Path) -> None:
    record(_home(tmp_path), [started("r1", tmp_path), *asked("r1", refund())])
    with served(tmp_path) as own:
        own.sign_in()
        kept = dict(own.jar)
        form = {"form": own.card("r1")["form"]}
        assert own.ask("POST", "/sign-out", form=form)[0] == 303
        own.jar = kept
        assert own.ask("GET", "/")[0] == 401


def test_static_files_stay_in_their_folder(server: Served) -> None:
    for path in ("/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2fsite.py", "/static/"):
        assert server.ask("GET", path)[0] == 404


def test_the_page_of_a_run_is_no_way_into_the_file_system(server: Served) -> None:
    for name in ("..%2f..%2fidentity%2fkey", "%00", "r1%0d%0aSet-Cookie:a=b", "r" * 5000):
        assert server.ask("GET", f"/runs/{name}")[0] in {400, 404, 414}


def test_vendored_files_are_those_of_the_note() -> None:
    note = (STATIC / "VENDORED.md").read_text()
    for name in ("htmx.min.js", "hx-sse.min.js"):
        assert f"| `{name}` |" in note and sha256((STATIC / name).read_bytes()).hexdigest() in note
    assert (STATIC / "remit.css").stat().st_size < 12 * 1024


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_on_a_signal_even_with_a_stream_open(tmp_path: Path, how: int) -> None:
    with served(tmp_path, worker=True) as own:
        own.sign_in()
        stream = http.client.HTTPConnection("127.0.0.1", own.port, timeout=10)
        stream.request("GET", "/events", headers={"Cookie": f"remit-{own.port}={own.jar[f'remit-{own.port}']}"})
        assert stream.getresponse().status == 200
        begun = time.monotonic()
        assert own.end(how) == 0
        assert time.monotonic() - begun < 5
        assert "Traceback" not in own.said and own.said.endswith("ended\n")
        stream.close()


def _home(path: Path) -> Path:
    identity(path)
    return path


def _refused(home: Path, *options: str, code: int = 2) -> str:
    start = "import sys; from remit.cli import main; main.VERBS.setdefault('serve', ''); sys.argv[0] = 'remit'; main.main()"
    done = subprocess.run(
        [sys.executable, "-c", start, "serve", "--port", "0", *options], capture_output=True, text=True, timeout=30,
        env={**os.environ, "REMIT_HOME": str(home)}, check=False,
    )  # fmt: skip
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stderr


def test_other_machines_are_let_in_only_with_a_team_sign_in(tmp_path: Path) -> None:
    home = _home(tmp_path)
    assert "nobody would have to sign in" in _refused(home, "--host", "0.0.0.0")
    assert "a header that anybody may send proves nothing" in _refused(home, "--trust-header", "X-Forwarded-User")
    assert "exclude one another" in _refused(
        home, "--trust-header", "X", "--trusted-proxy", "127.0.0.1/32", "--oidc", "https://id.example.com"
    )
    assert "is no address of an inbox" in _refused(home, "--url", "inbox.example.com")
    assert "--client-id" in _refused(home, "--oidc", "https://id.example.com")
    (home / "org.remit.yaml").unlink()
    assert "needs an organisation file" in _refused(home, "--trust-header", "X", "--trusted-proxy", "127.0.0.1/32")


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = _refused(_home(tmp_path), "--port", str(taken.getsockname()[1]), code=1)
    assert "cannot be used" in said and "--port" in said


def test_without_an_identity_there_is_nobody_to_sign(tmp_path: Path) -> None:
    assert "remit init" in _refused(tmp_path)


def test_a_trusted_header_names_the_person_only_from_the_proxy(tmp_path: Path) -> None:
    home = _home(tmp_path)
    record(home, [started("r1", home), *asked("r1", refund())])
    trust = ("--trust-header", "X-Forwarded-User", "--url", "https://inbox.example.com")
    https = {"Host": "inbox.example.com", "Origin": "https://inbox.example.com"}
    person = {"X-Forwarded-User": OWNER}
    with served(home, *trust, "--trusted-proxy", "127.0.0.0/8") as own:
        assert own.link == "https://inbox.example.com/"
        own.link = f"http://127.0.0.1:{_port(own)}/"
        assert own.ask("GET", "/", headers={**https, **person})[0] == 200
        assert own.ask("GET", "/", headers=https)[0] == 401
        assert own.ask("GET", "/", headers={**https, "X-Forwarded-User": "stranger@example.com"})[0] == 401
        assert own.ask("GET", "/", headers=person)[0] == 421
        _, headers, text = own.ask("GET", "/runs/r1/questions/Q1", headers={**https, **person})
        assert "max-age" in headers["strict-transport-security"] and "Sign out" not in text
        fields = dict(re.findall(r'name="(form|seen)" value="([^"]+)"', text))
        assert (
            own.ask(
                "POST",
                "/runs/r1/questions/Q1",
                form={**fields, "said": "yes"},
                headers={**https, **person, "Origin": "https://evil.example.com"},
            )[0]
            == 403
        )
        assert own.ask("POST", "/runs/r1/questions/Q1", form={**fields, "said": "yes"}, headers={**https, **person})[0] == 303
    with served(home, *trust, "--trusted-proxy", "10.0.0.0/8") as own:
        own.link = f"http://127.0.0.1:{_port(own)}/"
        assert own.ask("GET", "/", headers={**https, **person})[0] == 401


TEAM = """
name: desk
people:
  - id: release-lead@example.com
    roles: [owner]
  - id: support-lead@example.com
    roles: [support]
inbox keys: [{key}]
assurance: {assurance}
"""


@pytest.mark.parametrize(("assurance", "status"), [("session", 303), ("person-signed", 403)])
def test_the_servers_key_attests_who_is_signed_in_as_far_as_the_organisation_says(
    tmp_path: Path, assurance: str, status: int
) -> None:
    key = create(tmp_path, "inbox@example.com").public
    (tmp_path / "org.remit.yaml").write_text(TEAM.format(key=json.dumps(key), assurance=assurance))
    rules = tuple(replace(rule, who=LEAD) if rule.effect == "ask" else rule for rule in contract().rules)
    record(tmp_path, [started("r1", tmp_path, rules=rules), *asked("r1", refund(), of=(LEAD,), made=contract(rules=rules))])
    people = {"Host": "inbox.example.com", "Origin": "https://inbox.example.com"}
    lead, owner = ({**people, "X-Forwarded-User": each} for each in (LEAD, OWNER))
    with served(
        tmp_path, "--trust-header", "X-Forwarded-User", "--trusted-proxy", "127.0.0.1/32", "--url", people["Origin"]
    ) as own:
        own.link = f"http://127.0.0.1:{_port(own)}/"
        fields = {}
        for each in (owner, lead):
            _, _, text = own.ask("GET", "/runs/r1/questions/Q1", headers=each)
            fields[each["X-Forwarded-User"]] = dict(re.findall(r'name="(form|seen)" value="([^"]+)"', text))
        assert "seen" not in fields[OWNER], "who is not asked has no form"
        form = {**fields[LEAD], "said": "yes"}
        assert own.ask("POST", "/runs/r1/questions/Q1", form=form, headers=owner)[0] == 403, "the form is the lead's"
        assert own.ask("POST", "/runs/r1/questions/Q1", form=form, headers=lead)[0] == status
    answers = state(tmp_path, "r1").questions["Q1"].answers
    assert [(each.person, each.assurance, each.key.split()[:2]) for each in answers] == (
        [(LEAD, "session", key.split()[:2])] if status == 303 else []
    )


def _port(own: Served) -> int:
    """The port this process listens on, from the kernel: behind a proxy the link does not say it."""
    sockets = {os.readlink(each) for each in Path(f"/proc/{own.process.pid}/fd").iterdir()}
    for line in Path(f"/proc/{own.process.pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
            return int(fields[1].split(":")[1], 16)
    raise AssertionError("it listens nowhere")

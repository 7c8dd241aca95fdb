"""People with real keys, a real shop, a real mail server and a bare git remote: where effects leave the house and are counted."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

from worlds import ROOT, Told, World

sys.path.append(str(ROOT / "tests" / "adapters"))
from smtp_sink import Sink

OWNER = "head-of-care@example.com"
LEAD = "support-lead@example.com"
FINANCE = "finance@example.com"
SECOND = "second-lead@example.com"
STRANGER = "stranger@example.com"

ORGANISATION = """\
name: corner shop
people:
  - id: head-of-care@example.com
    roles: [owner]
    keys: ["@OWNER@"]
  - id: support-lead@example.com
    roles: [lead]
    keys: ["@LEAD@"]
    answers to: finance@example.com
    may sign:
      - call: refund
        where: {amount: {from: 0, to: 500}}
      - call: send_email
      - call: push
  - id: second-lead@example.com
    roles: [lead]
    keys: ["@SECOND@"]
    answers to: finance@example.com
  - id: finance@example.com
    roles: [finance]
    keys: ["@FINANCE@"]
four eyes: true
assurance: person-signed
mail: {server: "@MAIL@", from: desk@example.com, security: none}
tools:
  refund:
    tier: high-risk
    effect: execute
    arguments:
      order_id: {type: text, required: true}
      amount: {type: number, required: true}
    does:
      http:
        method: POST
        url: @SHOP@/refunds
        headers: {Authorization: $SHOP_TOKEN}
        key header: Idempotency-Key
@HONOURS@
  send_email:
    effect: send
    arguments:
      to: {type: list, required: true}
      subject: {type: text, required: true}
      body: {type: text, required: true}
    does: mail
  push:
    effect: publish
    arguments:
      branch: {type: text, required: true}
    does:
      git push: {remote: "@REMOTE@"}
"""
HONOURS = "        honours key: 24h\n        probe: @SHOP@/refunds/{key}"

CONTRACT = """\
goal: Answer what customers wrote today
owner: head-of-care@example.com
may:
  - read: "**"
  - write: docs/**
  - commit: HEAD
  - call: refund
    where: {order_id: any, amount: {from: 0.01, to: 50}}
ask:
  - id: large
    call: refund
    where: {amount: {over: 50, to: 1000}}
    who: support-lead@example.com
  - id: letters
    call: send_email
    who: support-lead@example.com
  - id: branches
    call: push
    who: support-lead@example.com
limits: {time: 10m, turns: 90}
success:
  - {id: hello, file: docs/hello.md, matches: hello}
recovery:
  - {when: failed, do: undo}
"""

AGENT = """\
import json, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
for words in json.loads((here / "calls.json").read_text()):
    done = subprocess.run(["remit", "act", *words], capture_output=True, text=True)
    print("TOLD", done.stdout.strip() or json.dumps({"stderr": done.stderr, "exit": done.returncode}), flush=True)
pathlib.Path("docs").mkdir(exist_ok=True)
pathlib.Path("docs/hello.md").write_text("hello\\n")
if pathlib.Path(".git").exists():
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "hello"])
"""


@dataclass
class Request:
    """One request as the shop saw it, by its own clock."""

    at: float
    key: str
    body: dict[str, Any]


@dataclass
class Shop:
    """An HTTP server that refunds once for each key and keeps every request.

    `silent`: how many requests it does and never answers; `drops`: how many it drops undone; `slow`:
    seconds that the next one takes before it is done; `deaf`: it cannot be asked by key.
    """

    requests: list[Request] = field(default_factory=list)
    refunds: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    begun: int = 0
    busy: int = 0
    asked: int = 0
    silent: int = 0
    slow: float = 0
    drops: int = 0
    deaf: bool = False
    honours: bool = True
    at: str = ""

    def __enter__(self) -> Self:
        shop, lock = self, threading.Lock()

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                shop.begun += 1
                shop.busy += 1
                pause, shop.slow = shop.slow, 0
                time.sleep(pause)
                shop.busy -= 1
                with lock:
                    said = shop._refunded(self.headers["Idempotency-Key"] or "", body, self.headers["Authorization"] or "")
                self._reply(*said) if said else self.connection.close()

            def do_GET(self) -> None:
                shop.asked += 1
                key = self.path.rpartition("/")[2].replace("%3A", ":")
                found = next(({"id": f"refund of {known}"} for known, _ in shop.refunds if known == key), None)
                self._reply(503 if shop.deaf else 200 if found else 404, found or {})

            def _reply(self, status: int, data: object) -> None:
                text = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                with suppress(ConnectionError):
                    self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.at = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _refunded(self, key: str, body: dict[str, Any], token: str) -> tuple[int, dict[str, Any]] | None:
        self.requests.append(Request(time.time(), key, body))
        if token != "let-me-in":
            return 401, {"error": "who are you?"}
        if self.drops > 0:
            self.drops -= 1
            return None
        if not self.honours or key not in [known for known, _ in self.refunds]:
            self.refunds.append((key, body))
        if self.silent > 0:
            self.silent -= 1
            return None
        return 201, {"id": f"refund of {key}"}

    @property
    def paid(self) -> list[str]:
        """The amounts that were really refunded, digit for digit."""
        return [str(body["amount"]) for _, body in self.refunds]


class Scene(World):
    """A world whose effects can be counted where they arrive."""

    shop: Shop
    sink: Sink
    organisation: str

    def key(self, person: str) -> Path:
        """The private SSH key of somebody."""
        path = self.folder / "keys" / person.partition("@")[0]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(path)], check=True)
        return path

    def public(self, person: str) -> str:
        """Their public key, as an organisation file lists it."""
        return " ".join(self.key(person).with_suffix(".pub").read_text().split()[:2])

    def furnish(self, *, honours: str = HONOURS) -> None:
        """Identity, keys, organisation file, a repository to work on and the remote it came from."""
        self.env["SHOP_TOKEN"] = "let-me-in"
        self.remote = self.folder / "remote.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.remote)], check=True, env=self.env)
        subprocess.run(["git", "clone", "-q", str(self.remote), str(self.work)], check=True, env=self.env, capture_output=True)
        for setting in (("user.name", "owner"), ("user.email", OWNER)):
            self.git("config", *setting)
        self.git("checkout", "-q", "-B", "main")
        (self.work / "README.md").write_text("read me\n")
        for words in (("add", "."), ("commit", "-q", "-m", "first"), ("push", "-q", "origin", "main")):
            self.git(*words)
        self.first = self.git("rev-parse", "HEAD")
        self.quick("init", "--person", OWNER)
        own = json.loads(self.quick("init", "--json").stdout)["key"].split()
        known = {
            "@OWNER@": " ".join(own[:2]), "@LEAD@": self.public(LEAD), "@SECOND@": self.public(SECOND),
            "@FINANCE@": self.public(FINANCE), "@HONOURS@": honours, "@SHOP@": self.shop.at, "@MAIL@": self.sink.server,
            "@REMOTE@": str(self.remote),
        }  # fmt: skip
        self.organisation = ORGANISATION
        for name, text in known.items():
            self.organisation = self.organisation.replace(name, text)
        self.file.write_text(self.organisation)

    @property
    def file(self) -> Path:
        """The organisation file."""
        return self.home / "org.remit.yaml"

    def handing_over(self, *calls: tuple[str, ...], contract: str = CONTRACT, name: str = "c") -> tuple[str, ...]:
        """The words that hand an agent over which makes these calls."""
        place = self.folder / f"agent-{name}"
        place.mkdir(exist_ok=True)
        (place / "agent.py").write_text(AGENT)
        (place / "calls.json").write_text(json.dumps(calls))
        file = self.contract(contract, f"{name}.remit.yaml")
        return (
            "run",
            file,
            "--workspace",
            str(self.work),
            "--with",
            str(place),
            "--json",
            "--",
            "python",
            str(place / "agent.py"),
        )

    def hand_over(self, *calls: tuple[str, ...], contract: str = CONTRACT, code: int | None = 4, name: str = "c") -> Told:
        """Start a run and let it come to rest."""
        return Told(self.quick(*self.handing_over(*calls, contract=contract, name=name), code=code).stdout)

    def says(
        self, person: str, word: str, *more: str, run: str = "last", question: str = "Q1", code: int | None = 0, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Answer as this person, with their key."""
        words = ("answer", run, question, word, "--as", person, "--key", str(self.key(person)), *more)
        return self.quick(*words, code=code, **env)

    def statement(self, person: str, word: str, *more: str, run: str = "last", question: str = "Q1") -> Path:
        """A statement to be signed elsewhere, as a file."""
        text = self.quick("answer", run, question, word, "--as", person, "--print", *more).stdout
        path = self.folder / f"statement-{len(list(self.folder.glob('statement-*')))}"
        path.write_text(text)
        return path

    def sign(self, person: str, statement: Path, *, namespace: str = "remit-answer") -> Path:
        """The signature of this person over this file, made by ssh-keygen."""
        made = statement.with_name(statement.name + ".sig")
        made.unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.key(person)), str(statement)],
            check=True, capture_output=True,
        )  # fmt: skip
        return made

    def hand_in(self, statement: Path, signature: Path, *more: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Give an answer that was signed elsewhere."""
        return self.quick("answer", "--statement", str(statement), "--signature", str(signature), *more, code=code)

    def facts(self, *kinds: str, run: str = "last") -> list[dict[str, Any]]:
        """The facts of these kinds, as they stand in the export."""
        lines = map(json.loads, self.quick("export", run).stdout.splitlines())
        rows = [(json.loads(each["entry"]), json.loads(each["body"])) for each in lines if "entry" in each and "body" in each]
        return [body for entry, body in rows if not kinds or entry["kind"] in kinds]

    def rejected(self, run: str = "last") -> list[tuple[str, str]]:
        """Answers that did not count: code and person."""
        return [(each["code"], each["person"]) for each in self.facts("answer_rejected", run=run)]

    def drafts(self, run: str = "last") -> dict[str, str]:
        """State by draft, `E1` and so on."""
        told = json.loads(self.quick("outbox", run, "--json").stdout)["drafts"]
        return {each["draft"].rpartition(":")[2]: each["state"] for each in told}

    def told(self, run: str, attempt: int = 1) -> list[dict[str, Any]]:
        """What the agent was told at the door."""
        log = (self.home / "runs" / run / "attempts" / f"{attempt}.log").read_text()
        return [json.loads(line.removeprefix("TOLD ")) for line in log.splitlines() if line.startswith("TOLD ")]

    @property
    def pushed(self) -> str:
        """Where the branch of the remote stands."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.remote), "rev-parse", "main"], check=True, capture_output=True, text=True, env=self.env
        )  # fmt: skip
        return done.stdout.strip()


def refund(amount: str | int, order: str = "A-1") -> tuple[str, ...]:
    """A call of the refund tool; the amount digit for digit."""
    return ("call", "refund", "--args", f'{{"order_id": "{order}", "amount": {amount}}}')


LETTER = ("call", "send_email", "--args", '{"to": ["customer@example.com"], "subject": "Sorry", "body": "It is on its way."}')
PUSH = ("call", "push", "--args", '{"branch": "main"}')


@contextmanager
def scene(folder: Path, *, honours: str = HONOURS, hang_up: Literal["", "after body"] = "") -> Iterator[Scene]:
    """A furnished scene whose servers end with it."""
    folder.mkdir(parents=True, exist_ok=True)
    world = Scene(folder)
    with Shop() as world.shop, Sink(hang_up=hang_up) as world.sink:
        world.furnish(honours=honours)
        yield world

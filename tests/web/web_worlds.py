"""A home filled through the ledger, a real server over it in a process of its own, and a browser's worth of HTTP."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import SqliteLedger, open_ledger
from remit.adapters.signers.local import LocalSigner, create, load
from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.cli.init import organisation_text
from remit.contract.condition import Anything, Range
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.outcome import FileCheck
from remit.contract.parse import parse_organisation
from remit.contract.party import Argument, Organisation, Tool
from remit.contract.rule import Rule, Where
from remit.ports import Clock
from remit.run import event as e
from remit.run.change import Change, ChangeSet, Seen
from remit.run.event import Recorded
from remit.run.evolve import replay
from remit.run.state import Run
from remit.testing.clock import JumpingClock

T = TypeVar("T")
OWNER = "release-lead@example.com"
LEAD = "support-lead@example.com"
FORM = re.compile(r'name="form" value="([0-9a-f]+)"')
SEEN = re.compile(r'name="seen" value="([^"]+)"')


def identity(home: Path, person: str = OWNER) -> LocalSigner:
    """The local identity of a home, made when there is none."""
    signer = load(home) or create(home, person)
    if not (home / "org.remit.yaml").exists():
        (home / "org.remit.yaml").write_text(organisation_text(signer.person, signer.public))
    return signer


def organisation(home: Path) -> Organisation:
    """The organisation file of a home, with the other people added."""
    found = parse_organisation((home / "org.remit.yaml").read_text(), file="org").organisation
    assert found is not None
    return found


def contract(goal: str = "Answer the customers of order desk A", **more: Any) -> Contract:
    """Refunds up to 50 by itself, above that the owner is asked."""
    given: dict[str, Any] = {
        "owner": OWNER,
        "rules": (
            Rule(id="may-read-1", effect="may", verb="read", objects=("**",)),
            Rule(id="may-write-1", effect="may", verb="write", objects=("docs/**",)),
            Rule(
                id="may-call-1", effect="may", verb="call", objects=("refund",),
                where=(
                    *(Where(argument=name, condition=Anything()) for name in ("customer", "order_id", "reason", "currency")),
                    Where(argument="amount", condition=Range(low="0.01", high="50")),
                ),
            ),
            Rule(
                id="ask-call-1", effect="ask", verb="call", objects=("refund",), because="above 50 a person looks at it",
                where=(Where(argument="amount", condition=Range(low="50", high="500", over=True)),),
            ),
            Rule(id="never-push-1", effect="never", verb="push", objects=("any",), because="the release job pushes"),
        ),
        "tools": (
            Tool(
                name="refund", tier="high-risk", effect="execute",
                arguments=tuple(Argument(name=name) for name in ("amount", "customer", "order_id", "reason", "currency")),
            ),
        ),
        "limits": Limits(time=3600, turns=40, calls=20, tokens=400_000, usd=2_000_000),
        "success": (FileCheck(id="answered", file="docs/answer.md", exists=True),),
        "recovery": (),
        **more,
    }  # fmt: skip
    return Contract(goal=goal, **given)


def refund(amount: str = "120.50", **more: Any) -> Action:
    arguments = {
        "amount": Decimal(amount), "currency": "EUR", "customer": "ada@example.com", "order_id": "A-1042",
        "reason": "The parcel arrived broken.",
    }  # fmt: skip
    return Action(verb="call", object="refund", arguments={**arguments, **more})


def started(run: str, home: Path, *, goal: str = "", parent: str | None = None, hosted: bool = False, **more: Any) -> e.Event:
    made = contract(goal, **more) if goal else contract(**more)
    return e.Started(
        run=run, contract=made, organisation=organisation(home), workspace="/srv/desk", command=("python", "agent.py"),
        trigger="by hand", requester=OWNER, parent=parent, hosted=hosted,
    )  # fmt: skip


def asked(
    run: str, action: Action, *, question: str = "Q1", of: Sequence[str] = (OWNER,), text: str = "", hours: float = 2, quorum: int = 1,
    preview: str = "", made: Contract | None = None,
) -> list[e.Event]:  # fmt: skip
    """The draft of an effect, and the question about it."""
    at = (made or contract()).hash()
    why = Reason(code=Code.APPROVAL, rule="ask-call-1", contract=at, why="refunds over 50 need a yes from the owner")
    key = f"{run}-{question}"
    return [
        e.Decided(
            run=run, action=action, digest=action.digest(), decision="ask", reasons=(why,), at_door="door", of=tuple(of), key=key
        ),
        e.Drafted(
            run=run, key=key, action=action, digest=action.digest(), effect="execute", preview=preview or f"POST /refunds\n\n{action.arguments}"
        ),
        e.QuestionAsked(
            run=run, question=question, about="action", text=text or "May the agent call refund?", of=tuple(of), quorum=quorum,
            draft=key, preview=preview or "POST https://pay.example.com/refunds\namount=120.50 EUR to ada@example.com", action=action,
            digest=action.digest(), contract=at, reasons=(why,), expires=datetime.now(UTC) + timedelta(hours=hours),
            otherwise="refuse",
        ),
        e.Notified(run=run, who=of[0], how="inbox", what=f"{question}: {text or 'May the agent call refund?'}"),
    ]  # fmt: skip


def working(run: str) -> list[e.Event]:
    """Some honest work, and a refusal."""
    push = Action(verb="push", object="origin")
    never = Reason(
        code=Code.AUTHORITY,
        rule="never-push-1",
        contract="sha256:c",
        why="the release job pushes",
        instead="leave the push to it",
    )
    small = refund("18.00", order_id="A-1001", reason="One item was missing.")
    fine = Reason(code=Code.ALLOWED, rule="may-call-1", contract="sha256:c", why="covered by may-call-1")
    return [
        e.AttemptStarted(run=run, attempt=1),
        e.BoundarySet(run=run, attempt=1, level="L3", stage="overlay", hidden=(".env",), visible=("docs", "README.md")),
        e.Charged(run=run, spend=Spend(turns=3, tokens=21_000, usd=110_000), what="model"),
        e.Decided(run=run, action=push, digest=push.digest(), decision="refuse", reasons=(never,), at_door="door"),
        e.Decided(run=run, action=small, digest=small.digest(), decision="allow", reasons=(fine,), at_door="door", key="k1"),
        e.Drafted(run=run, key="k1", action=small, digest=small.digest(), effect="execute", preview="refund 18.00"),
        e.HandedOff(run=run, key="k1", transition="suggestion to decision", responsible=(OWNER,), by="owner keeps it"),
        e.Intended(run=run, key="k1", action=small),
        e.Effected(run=run, key="k1", ok=True, receipt="refund rf_18_0091 accepted"),
        e.Charged(run=run, spend=Spend(turns=5, tokens=64_000, usd=350_000, calls=2), what="model"),
        e.Blocked(run=run, what="connect", object="example.com:443", by="the box"),
    ]  # fmt: skip


def ended(run: str, *, verdict: Any = "success", exceptions: tuple[str, ...] = ()) -> list[e.Event]:
    """The work over, judged and checked."""
    seen = Seen(type="file", mode=0o644, size=40, sha256="ab")
    changes = ChangeSet(
        changes=(
            Change(path="docs/answer.md", verb="write", before=Seen(type="absent"), after=seen),
            Change(path="docs/index.md", verb="write", before=seen, after=seen),
            Change(path="package.json", verb="write", before=seen, after=seen),
        )
    )
    return [
        e.WorkDone(run=run, attempt=1, status=0, why="ended", sealed="sha256:5ea1ed", receipt="its pid namespace is empty"),
        e.ChangesJudged(run=run, attempt=1, changes=changes, dropped=("package.json",)),
        e.CheckRan(run=run, check="answered", round=1, ok=True, evidence="docs/answer.md is there"),
        e.ChecksFinished(run=run, round=1),
        e.VerdictReached(run=run, verdict=verdict, exceptions=exceptions, why="every check passes"),
        e.Notified(run=run, who=OWNER, how="inbox", what="the run succeeded; nobody has taken the outcome", ending=True),
    ]  # fmt: skip


def record(home: Path, events: Sequence[e.Event], *, since: float = 0.0, tick: float = 9.0) -> None:
    """Append them, `tick` seconds apart, the first one `since` seconds ago; a hundred to a commit."""
    clock = JumpingClock(datetime.now(UTC) - timedelta(seconds=since), tick=tick) if since else SystemClock()

    async def written(ledger: SqliteLedger) -> None:
        for at in range(0, len(events), 100):
            async with ledger.transaction() as transaction:
                for event in events[at : at + 100]:
                    transaction.append(event)

    with_ledger(home, written, clock)


def facts(home: Path, run: str) -> list[Recorded]:
    """What the ledger has of this run."""
    return with_ledger(home, lambda ledger: ledger.events(run))


def state(home: Path, run: str) -> Run:
    """The run as the ledger has it."""
    return replay(facts(home, run))


def kinds(home: Path, run: str) -> list[str]:
    return [each.kind for each in facts(home, run)]


def with_ledger(home: Path, what: Callable[[SqliteLedger], Awaitable[T]], clock: Clock | None = None) -> T:
    """In a thread of its own: the driver of the browser keeps an event loop in this one."""

    def inside() -> T:
        ledger = open_ledger(home, clock=clock or SystemClock())
        try:
            return anyio.run(what, ledger)
        finally:
            ledger.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(inside).result()


@dataclass
class Served:
    """A running server. `link` is what it printed first; `said` is everything on stderr once it has ended."""

    process: subprocess.Popen[str]
    home: Path
    link: str
    log: Path
    jar: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.link.split(":")[2].split("/")[0])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ask(
        self, method: str, path: str, *, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None,
        body: bytes | None = None, cookies: bool = True,
    ) -> tuple[int, dict[str, str], str]:  # fmt: skip
        """One request as a browser without scripts would send it; cookies are kept."""
        given = {"Host": f"127.0.0.1:{self.port}"}
        if method == "POST":
            given |= {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(form or {}, doseq=True).encode() if body is None else body
        if cookies and self.jar:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        given |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers={k: v for k, v in given.items() if v != "-"})
            answer = connection.getresponse()
            text = answer.read().decode()
            found = {name.lower(): value for name, value in answer.getheaders()}
            for cookie in answer.headers.get_all("Set-Cookie", []) if cookies else []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.jar[name] = value
            return answer.status, found, text
        finally:
            connection.close()

    def sign_in(self) -> "Served":
        status, headers, _ = self.ask("GET", "/" + self.link.split("/", 3)[3])
        assert (status, headers["location"]) == (303, "/")
        return self

    def get(self, path: str) -> str:
        status, _, text = self.ask("GET", path)
        assert status == 200, (status, text[:400])
        return text

    def card(self, run: str, question: str = "Q1") -> dict[str, str]:
        """The hidden fields of the card."""
        text = self.get(f"/runs/{run}/questions/{question}")
        return {"form": FORM.findall(text)[0], "seen": SEEN.findall(text)[0]}

    def end(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(15)

    def memory(self) -> int:
        """Resident memory in bytes, at its highest."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found.group(1)) * 1024


@contextmanager
def served(home: Path, *options: str, worker: bool = False) -> Iterator[Served]:
    """`remit serve` over this home, in a process of its own."""
    identity(home)
    log = home / "serve.log"
    start = "import sys; from remit.cli.serve import command; command.main(sys.argv[1:], prog_name='serve')"
    given = ["--port", "0", "--json", *([] if worker else ["--no-worker"]), *options]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", start, *given], stdout=subprocess.PIPE, stderr=stderr, text=True,
            env={**os.environ, "REMIT_HOME": str(home)},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Served(process=process, home=home, link=json.loads(line)["url"], log=log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def fill(home: Path) -> None:
    """One of everything: open questions of every kind, a doubt, an outcome, an offer, a running run with a child, ended ones."""
    identity(home)
    record(
        home,
        [
            started("r1refund", home),
            *working("r1refund"),
            *asked("r1refund", refund()),
            *asked("r1refund", refund("75.00", order_id="A-1050", customer="grace@example.com"), question="Q2"),
        ],
        since=1500,
    )
    record(
        home,
        [
            started("r2legal", home, goal="Write the reply to the notice of 3 March"),
            *working("r2legal"),
            *asked("r2legal", refund("310.00", customer="notary@example.com"), of=(LEAD,), text="May the agent call refund?"),
        ],
        since=900,
    )
    record(
        home,
        [
            started("r3done", home, goal="Prepare this repository for the v2.4.0 release"),
            *working("r3done"),
            *ended("r3done", verdict="success_with_exceptions", exceptions=("docs/old.md: broken link to /legacy",)),
        ],
        since=7200,
    )
    child = e.ChildStarted(run="r4tree", child="r4tree.1", key="c1", reserved=Spend(turns=10))
    record(
        home,
        [
            started("r4tree", home, goal="Translate the handbook into three languages"),
            *working("r4tree"),
            child,
            started("r4tree.1", home, goal="Translate chapter one into French", parent="r4tree"),
            *working("r4tree.1"),
        ],
        since=400,
    )
    sure = refund("44.00", order_id="A-0999")
    doubt = e.QuestionAsked(
        run="r5doubt",
        question="Q1",
        about="doubt",
        text="Did the refund of 44.00 EUR to ada@example.com happen?",
        of=(OWNER,),
        draft="k9",
        action=sure,
        digest=sure.digest(),
    )
    record(
        home,
        [
            started("r5doubt", home, goal="Refund the orders of the broken batch"),
            *working("r5doubt"),
            e.Drafted(run="r5doubt", key="k9", action=sure, digest=sure.digest(), effect="execute"),
            e.Intended(run="r5doubt", key="k9", action=sure),
            e.InDoubt(run="r5doubt", key="k9", why="the connection broke before the answer"),
            doubt,
        ],
        since=600,
    )
    record(
        home,
        [
            started("r6fail", home, goal="Sort the photographs of the archive"),
            *working("r6fail"),
            *ended("r6fail", verdict="failed"),
        ],
        since=20000,
    )
    accepted = e.Accepted(
        run="r7good", acceptance="accepted", person=OWNER, assurance="terminal", statement="", signature="", key=""
    )
    record(
        home,
        [started("r7good", home, goal="Summarise the meeting of 12 May"), *working("r7good"), *ended("r7good"), accepted],
        since=90000,
    )
    context = e.QuestionAsked(
        run="r8ctx",
        question="Q1",
        about="context",
        text="Which of the two addresses of the customer is the current one?",
        of=(OWNER,),
    )
    record(home, [started("r8ctx", home, goal="Update the address book"), *working("r8ctx"), context], since=200)

"""A small company where consequence is real: people with keys of their own, a shop, a pager, and an agent that only calls."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worlds import ROOT, Told, World

REFUNDS = ROOT / "examples" / "refunds"
OWNER, LEAD, FINANCE = "head-of-care@example.com", "support-lead@example.com", "finance@example.com"

AGENT = """\
import json, pathlib, subprocess, sys
calls = json.loads((pathlib.Path(__file__).parent / "calls.json").read_text())
for tool, arguments in calls:
    done = subprocess.run(["remit", "act", "call", tool, "--args", arguments], capture_output=True, text=True)
    print("TOLD", done.stdout.strip() or json.dumps({"stderr": done.stderr}), flush=True)
pathlib.Path("report.md").write_text("# Refunds, letters and whatever else there was\\n")
"""

PEOPLE = """\
name: example support
assurance: person-signed
people:
  - id: head-of-care@example.com
    roles: [owner]
    keys: ["@OWNER_KEY@"]
    contact: @PAGER@/owner
  - id: support-lead@example.com
    roles: [support-lead]
    keys: ["@LEAD_KEY@"]
    contact: @PAGER@/support-lead
    answers to: finance@example.com
  - id: finance@example.com
    roles: [finance]
    keys: ["@FINANCE_KEY@"]
    contact: @PAGER@/finance
"""

CONTRACT = """\
goal: Answer what customers wrote today
owner: head-of-care@example.com
may:
  - write: report.md
@RULES@
limits: {time: 5m, turns: 60}
success:
  - {id: report, file: report.md, matches: "^# "}
recovery:
  - {when: failed, do: undo}
"""


def contract(rules: str) -> str:
    """The contract of this company's agent with these rules, YAML at the outermost level."""
    return CONTRACT.replace("@RULES@\n", rules)


def arguments(**given: object) -> str:
    """Arguments as JSON text; an `amount` given as text stands there digit for digit."""
    amount = given.pop("amount", None)
    text = json.dumps(given)
    return text if amount is None else f'{text[:-1]}{", " if given else ""}"amount": {amount}}}'


class Company(World):
    """A world with people, keys, a shop that writes a book, and the organisation file that binds tools to it."""

    at: str
    book: Path

    def open(self, organisation: str, **given: str) -> None:
        """Make identity, keys and organisation file; `@NAME@` in its text stands for what is known only now."""
        self.work.mkdir()
        self.quick("init", "--person", OWNER)
        known = {"@SHOP@": self.at, "@PAGER@": f"{self.at}/page", "@HERE@": str(self.folder)}
        known |= {f"@{name}@": text for name, text in given.items()}
        known["@OWNER_KEY@"] = json.loads(self.quick("init", "--json").stdout)["key"]
        for name, person in (("LEAD", LEAD), ("FINANCE", FINANCE)):
            key = self.key(person)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(key)], check=True)
            known[f"@{name}_KEY@"] = key.with_suffix(".pub").read_text().rsplit(" ", 1)[0]
        for name, text in known.items():
            organisation = organisation.replace(name, text)
        (self.home / "org.remit.yaml").write_text(organisation)

    def key(self, person: str) -> Path:
        """The private key of a person."""
        return self.folder / f"key-of-{person.partition('@')[0]}"

    def hand_over(self, contract: str, *calls: tuple[str, str], code: int = 0, options: tuple[str, ...] = ()) -> Told:
        """Run the agent with these calls: the name of a tool, and its arguments as JSON text."""
        place = self.folder / "agent"
        place.mkdir(exist_ok=True)
        (place / "agent.py").write_text(AGENT)
        (place / "calls.json").write_text(json.dumps(calls))
        return self.run(contract, "python", str(place / "agent.py"), options=("--with", str(place), *options), code=code)

    def told(self, run: str) -> list[dict[str, Any]]:
        """What the agent was told, one call after another."""
        log = (self.home / "runs" / run / "attempts" / "1.log").read_text()
        return [json.loads(line.removeprefix("TOLD ")) for line in log.splitlines() if line.startswith("TOLD ")]

    def says(self, person: str, run: str, question: str, word: str, *more: str, code: int | None = 0) -> str:
        """A person answers with a key of their own; what was said to them."""
        words = ("answer", run, question, word, "--as", person, "--key", str(self.key(person)), *more)
        return self.quick(*words, code=code).stderr

    def lines(self, what: str) -> list[dict[str, Any]]:
        """What stands in the shop's book."""
        found = [line.partition(" ") for line in self.book.read_text().splitlines()]
        return [json.loads(text) for kind, _, text in found if kind == what]

    def paged(self) -> list[str]:
        """Who was paged, in order."""
        return [line["for"] for line in self.lines("page")]

    def drafts(self, *words: str) -> list[dict[str, Any]]:
        """What `remit outbox` lists."""
        told: list[dict[str, Any]] = json.loads(self.quick("outbox", *words, "--json").stdout)["drafts"]
        return told

    def inbox(self) -> list[dict[str, Any]]:
        """What `remit inbox` lists."""
        told: list[dict[str, Any]] = json.loads(self.quick("inbox", "--json").stdout)["questions"]
        return told

    def explained(self) -> str:
        """The post-incident dialogue."""
        return self.quick("account", "last", "--explain").stdout


@contextmanager
def company(folder: Path, organisation: str, **given: str) -> Iterator[Company]:
    """A company whose shop is open; `given` are texts for `@NAME@` in the organisation file."""
    world = Company(folder)
    world.book = folder / "book"
    program = [sys.executable, str(REFUNDS / "shop.py"), str(world.book)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as shop:
        assert shop.stdout is not None
        world.at = f"http://127.0.0.1:{shop.stdout.readline().strip()}"
        world.env["SHOP_TOKEN"] = "let-me-in"
        try:
            world.open(organisation, **given)
            yield world
        finally:
            shop.kill()

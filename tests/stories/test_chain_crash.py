"""kill -9 around the appends of a chain with one step that cannot be undone: nothing doubled, nothing lost, unknown where it is."""

import json
import signal
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from effects_world import HONOURS, OWNER, Scene, scene
from test_crash import left_running, nothing_left

NAMES = ("collect", "sort", "check", "pay", "book", "file")
REFUND = """remit act call refund --args '{\\"order_id\\": \\"A-1\\", \\"amount\\": 40}'"""
LETTER = """remit act call send_email --args '{\\"to\\": [\\"customer@example.com\\"], \\"subject\\": \\"Paid\\", \\"body\\": \\"It is.\\"}'"""
MAY = {
    REFUND: "- {call: refund, where: {order_id: any, amount: {from: 0.01, to: 50}}}",
    LETTER: "- {call: send_email, where: {to: any, subject: any, body: any}}",
}
CHAIN = """\
name: month-end
goal: The month is closed
runtime: command
limits: {turns: 20, time: 2m}
parallel: 2

steps:
  - id: collect
    run: [sh, -c, ": NONCE; mkdir -p docs && echo collected > docs/collect.md"]
  - id: sort
    run: [sh, -c, ": NONCE; cat docs/collect.md > docs/sort.md"]
    after: [collect]
  - id: check
    run: [sh, -c, ": NONCE; cat docs/collect.md > docs/check.md"]
    after: [collect]
  - id: pay
    run: [sh, -c, ": NONCE; EFFECT > /dev/null && echo paid > docs/pay.md"]
    after: [sort, check]
    may:
      - read: "**"
      - write: docs/**
      MAY
  - id: book
    run: [sh, -c, ": NONCE; cat docs/pay.md > docs/book.md"]
    after: [pay]
  - id: file
    run: [sh, -c, ": NONCE; cat docs/book.md > docs/file.md"]
    after: [book]

deliverables:
"""
UNTOUCHED = {"README.md"}
DONE = UNTOUCHED | {f"docs/{name}.md" for name in NAMES}
KILLED = -signal.SIGKILL
BEGUN = 2
"""facts that begin a chain: they go through a ledger of their own, and whoever kills counts anew after them"""


@dataclass
class Month:
    """One world with this chain in it; `effect` is what `pay` does."""

    world: Scene
    effect: str
    nonce: str
    run: str = ""
    doubts: int = 0
    chain: str = CHAIN

    def began(self, where: str = "") -> int:
        """Carry it out, and be killed at this place; the exit code."""
        due = "".join(f"  - {{name: {name}, by: {name}, files: [docs/{name}.md]}}\n" for name in NAMES)
        text = self.chain.replace("EFFECT", self.effect).replace("MAY", MAY[self.effect]).replace("NONCE", self.nonce) + due
        file = self.world.folder / "month-end.chain.yaml"
        file.write_text(text)
        words = ("chain", "run", str(file), "--workspace", str(self.world.work), "--mode", "delegated", "--yes", "--json")
        return self.world.quick(*words, code=None, **({"REMIT_TEST_CRASH": where} if where else {})).returncode

    def entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything on record: kinds and facts, oldest first."""
        lines = map(json.loads, self.world.quick("export", "--all").stdout.splitlines())
        return [
            (json.loads(each["entry"])["kind"], json.loads(each["body"])) for each in lines if "entry" in each and "body" in each
        ]

    def shown(self) -> dict[str, Any]:
        """The chain's run as a program reads it."""
        told: dict[str, Any] = json.loads(self.world.quick("show", self.run, "--json").stdout)
        return told

    def arrived(self) -> int:
        """How often the effect happened, by the log of whoever does it."""
        return len(self.world.shop.refunds) if self.effect == REFUND else len(self.world.sink.letters)

    def brought_to_an_end(self) -> None:
        """Resume until it is over; where nobody can know, somebody looks and says."""
        for _ in range(8):
            self.world.quick("resume", code=None)
            assert self.arrived() <= 1
            if self.shown()["verdict"]:
                return
            open_ = [
                each for each in json.loads(self.world.quick("inbox", "--json").stdout)["questions"] if each["about"] == "doubt"
            ]
            self.doubts += len(open_)
            for each in open_:
                happened = self.arrived() == 1
                more = ("--receipt", "seen where it arrives") if happened else ()
                word = "happened" if happened else "redo"
                key = str(self.world.home / "identity" / "key")
                self.world.quick("answer", each["run"], each["question"], word, *more, "--as", OWNER, "--key", key, "--no-drive")
        raise AssertionError(f"it does not end: {self.shown()}")


@contextmanager
def month(folder: Path, effect: str = REFUND, honours: str = HONOURS) -> Iterator[Month]:
    with scene(folder, honours=honours) as world:
        yield Month(world, effect, f"nonce{uuid.uuid4().hex[:12]}")


def survives(at: Month, where: str) -> bool:
    """One crash and what comes after it; False once the chain has fewer appends than that."""
    code = at.began(where)
    assert nothing_left(at.nonce), left_running(at.nonce)
    assert at.world.tree().keys() in (UNTOUCHED, DONE)
    runs = json.loads(at.world.quick("runs", "--json").stdout)["runs"]
    if not runs:
        assert code == KILLED
        assert at.arrived() == 0
        return True
    at.run = runs[0]["run"].partition(".")[0]
    before = at.entries()
    if code == KILLED:
        at.brought_to_an_end()
    ended_well(at, before)
    return code == KILLED


def ended_well(at: Month, before: list[tuple[str, dict[str, Any]]]) -> None:
    """Once each, all of it, and the record says so."""
    assert at.shown()["verdict"] == "success"
    assert at.arrived() == 1
    assert at.world.tree().keys() == DONE
    after = at.entries()
    assert after[: len(before)] == before, "what was on record stays on record"
    facts = [(kind, fact) for kind, fact in after if fact["run"] == at.run]
    started = Counter(fact["step"] for kind, fact in facts if kind == "step_started")
    ended = Counter(fact["step"] for kind, fact in facts if kind == "step_ended" and fact["outcome"] == "complete")
    assert started == ended == Counter(NAMES), "each step once, whatever was killed"
    assert [fact["found"]["status"] for kind, fact in facts if kind == "validated"] == ["PASS"]
    over: set[str] = set()
    for kind, fact in after:
        if kind == "step_ended":
            over.add(fact["child"])
        assert kind != "attempt_started" or fact["run"] not in over, "what is complete does not work again"
    assert Counter(kind for kind, _ in facts)["published"] == 1
    at.world.quick("verify")
    assert json.loads(at.world.quick("account", at.run, "--json").stdout)["schema"] == "remit.account/1"
    told = json.loads(at.world.quick("chain", "status", at.run, "--json").stdout)
    assert json.dumps(told)
    at.world.quick("resume")
    assert at.arrived() == 1
    assert nothing_left(at.nonce), left_running(at.nonce)


def places(folder: Path, effect: str = REFUND) -> dict[str, int]:
    """Where in an undisturbed chain the appends stand that matter."""
    with month(folder, effect) as at:
        assert at.began() == 0
        entries = at.entries()
    pay = next(fact["child"] for kind, fact in entries if kind == "step_started" and fact["step"] == "pay")

    def first(kind: str, **such: Any) -> int:
        return next(
            number - BEGUN for number, (name, fact) in enumerate(entries) if name == kind and such.items() <= fact.items()
        )  # fmt: skip

    return {
        "handed on": first("step_started", step="pay"), "begun": first("intended", run=pay), "done": first("effected", run=pay),
        "over": first("step_ended", step="pay"), "validated": first("validated"), "through": first("plan_ended"),
        "all": len(entries),
    }  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    return places(tmp_path_factory.mktemp("undisturbed") / "world")


@pytest.mark.parametrize(
    ("side", "what"), [("after", "begun"), ("before", "done"), ("after", "done"), ("before", "over"), ("after", "through")]
)
def test_a_chain_killed_around_its_one_effect_has_it_once_and_loses_nothing(
    tmp_path: Path, undisturbed: dict[str, int], side: str, what: str
) -> None:
    with month(tmp_path) as at:
        survives(at, f"{side}:{undisturbed[what]}")
        assert at.doubts == 0, "the shop can be asked"


def test_a_letter_that_may_have_been_sent_is_unknown_until_somebody_looks(tmp_path: Path) -> None:
    done = places(tmp_path / "undisturbed", LETTER)["done"]
    with month(tmp_path / "killed", LETTER) as at:
        assert survives(at, f"before:{done}")
        assert (at.doubts, at.arrived()) == (1, 1)


def test_a_step_that_is_resumed_by_itself_sees_what_was_made_before_it(tmp_path: Path) -> None:
    done = places(tmp_path / "undisturbed", LETTER)["done"]
    with month(tmp_path / "killed", LETTER) as at:
        assert at.began(f"before:{done}") == KILLED
        at.run = at.entries()[0][1]["run"]
        at.world.quick("resume", code=None)
        [asked] = json.loads(at.world.quick("inbox", "--json").stdout)["questions"]
        key = str(at.world.home / "identity" / "key")
        words = ("answer", asked["run"], asked["question"], "happened", "--receipt", "seen", "--as", OWNER, "--key", key)
        at.world.quick(*words, "--no-drive")
        before = at.entries()
        at.world.quick("resume", asked["run"], code=None)
        at.brought_to_an_end()
        ended_well(at, before)


def test_a_step_that_has_paid_is_never_tried_again_by_itself(tmp_path: Path) -> None:
    with month(tmp_path) as at:
        at.chain = CHAIN.replace("parallel: 2", "parallel: 2\nretries: 1").replace("&& echo paid > docs/pay.md", "&& exit 1")
        assert at.began() == 4
        assert at.arrived() == 1
        questions = json.loads(at.world.quick("inbox", "--json").stdout)["questions"]
        assert [each["about"] for each in questions] == ["step"], "whether it is tried again is for a person"


@pytest.mark.thorough
@pytest.mark.parametrize("effect", [REFUND, LETTER], ids=["refund", "letter"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_chain_survives_a_kill_at_any_append(tmp_path: Path, side: str, effect: str) -> None:
    number, goes_on = 0, True
    while goes_on:
        with month(tmp_path / f"{number}", effect) as at:
            goes_on = survives(at, f"{side}:{number}")
        number += 1
    assert number > 120, "the chain has more appends than were tried"

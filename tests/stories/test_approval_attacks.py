"""Approvals under attack, through the program as anybody runs it: refused, on record, and nothing left the house."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from effects_world import CONTRACT, FINANCE, LEAD, LETTER, OWNER, PUSH, SECOND, STRANGER, Scene, refund, scene

POLICY = CONTRACT.replace(
    "ask:\n",
    """ask:
  - {id: huge, call: refund, where: {amount: {over: 1000, to: 2000}}, who: owner}
""",
).replace("    call: push\n    who: support-lead@example.com", "    call: push\n    who: lead\n    quorum: 2")
REFUND, HIGH, MAIL, BRANCH, OWNERS, TWIN = "Q1", "Q2", "Q3", "Q4", "Q5", "Q6"
CALLS = (refund(100), refund(600, "A-2"), LETTER, PUSH, refund(1500, "A-3"), refund("100.5", "A-4"))


@dataclass
class Waiting:
    """A scene in which `run` waits with six questions, `other` is the same work under another contract with one."""

    scene: Scene
    run: str
    other: str

    def nothing_left(self) -> None:
        """Not one effect, wherever it would have arrived, also after everything was started again."""
        self.scene.quick("resume", code=None)
        assert self.scene.shop.refunds == []
        assert self.scene.sink.letters == []
        assert self.scene.pushed == self.scene.first

    def refused(self, *expected: tuple[str, str]) -> None:
        """These answers, and no others, are on record as not counting; and the record is whole."""
        assert self.scene.rejected(self.run) == list(expected)
        account = json.loads(self.scene.quick("account", self.run, "--json").stdout)
        said = [(row["reason"], row["who"]) for row in account["refused"] if row["action"] == "answer"]
        assert len(said) == len(expected)
        assert all(
            f": {code}: " in reason and who == person for (reason, who), (code, person) in zip(said, expected, strict=True)
        )
        self.scene.quick("verify")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    """Made once; every test begins from a copy of it."""
    folder = tmp_path_factory.mktemp("attacks")
    with scene(folder) as world:
        run = world.hand_over(*CALLS, contract=POLICY).end
        assert run["questions"] == [REFUND, HIGH, MAIL, BRANCH, OWNERS, TWIN]
        other = world.hand_over(refund(100), contract=POLICY.replace("turns: 90", "turns: 80"), name="other").end
        subprocess.run(["cp", "-a", str(world.home), str(folder / "kept")], check=True)
        yield Waiting(world, run["run"], other["run"])


@pytest.fixture
def waiting(prepared: Waiting) -> Waiting:
    """The scene as it was when the agents had ended and nobody had answered."""
    world = prepared.scene
    shutil.rmtree(world.home)
    subprocess.run(["cp", "-a", str(world.folder / "kept"), str(world.home)], check=True)
    world.shop.requests.clear()
    world.shop.refunds.clear()
    world.sink.letters.clear()
    subprocess.run(
        ["git", "--git-dir", str(world.remote), "update-ref", "refs/heads/main", world.first], check=True, env=world.env
    )
    world.git("reset", "-q", "--hard", world.first)
    return prepared


# ------------------------------------------------------------------------------------------------ used once


def test_a_statement_that_is_handed_in_again_counts_no_second_time(waiting: Waiting) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    signature = world.sign(LEAD, statement)
    world.hand_in(statement, signature, code=4)
    assert world.shop.paid == ["100"]
    told = world.hand_in(statement, signature, code=2).stderr
    assert "answered `yes` by support-lead@example.com already" in told
    world.quick("resume", code=None)
    world.remit("answer", "--statement", str(statement), "--signature", str(signature), code=2)
    assert world.shop.paid == ["100"]
    waiting.refused(("APPROVAL", LEAD), ("APPROVAL", LEAD))


def test_what_was_approved_is_not_changed_afterwards(waiting: Waiting) -> None:
    world = waiting.scene
    world.says(LEAD, "yes", "--no-drive", run=waiting.run)
    world.says(LEAD, "modify", "--set", "amount=400", run=waiting.run, code=2)
    world.quick("resume", code=None)
    assert world.shop.paid == ["100"]
    waiting.refused(("APPROVAL", LEAD))


def test_of_what_was_changed_only_the_change_goes_out(waiting: Waiting) -> None:
    world = waiting.scene
    before = world.statement(LEAD, "yes", run=waiting.run)
    world.says(LEAD, "modify", "--set", "amount=60", run=waiting.run, code=4)
    world.hand_in(before, world.sign(LEAD, before), code=2)
    world.quick("resume", code=None)
    assert world.shop.paid == ["60"]
    [intended] = world.facts("intended", run=waiting.run)
    assert intended["action"]["arguments"] == {"order_id": "A-1", "amount": 60}


def test_a_statement_is_no_answer_to_what_it_becomes_after_a_change(waiting: Waiting) -> None:
    """Two must say yes; what the first one signed does not pass for what the second one made of it."""
    world = waiting.scene
    first = world.statement(LEAD, "yes", run=waiting.run, question=BRANCH)
    world.hand_in(first, world.sign(LEAD, first), code=4)
    world.says(SECOND, "modify", "--set", "branch=other", run=waiting.run, question=BRANCH, code=4)
    world.hand_in(first, world.sign(LEAD, first), code=2)
    waiting.nothing_left()


def test_an_agent_that_repeats_the_call_with_another_amount_is_asked_about_again(tmp_path: Path) -> None:
    with scene(tmp_path) as world:
        patient = (*refund(100), "--wait", "60")
        with world.start(*world.handing_over(patient, refund(120), refund("100.00"), refund(100))) as running:
            asked = running.until("question_asked")
            world.says(LEAD, "yes", "--no-drive", run=asked["run"])
            end = running.end(4)
        told = world.told(end["run"])
        assert [each["state"] for each in told] == ["done", "waiting", "waiting", "waiting"]
        assert world.shop.paid == ["100"]


# ------------------------------------------------------------------------------------------------ bound to what was asked


@pytest.mark.parametrize("what", ["question", "run", "contract", "action", "answer", "person"])
def test_a_statement_that_was_altered_is_not_what_was_signed(waiting: Waiting, what: str) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    signature = world.sign(LEAD, statement)
    other = {
        "question": ("question: Q1", "question: Q3"), "run": (waiting.run, waiting.other), "answer": ("answer: yes", "answer: no"),
        "contract": ("contract: sha256:", "contract: sha256:0"), "action": ("action: ", "action: 0"), "person": (LEAD, FINANCE),
    }[what]  # fmt: skip
    statement.write_text(statement.read_text().replace(*other))
    told = world.hand_in(statement, signature, code=2).stderr
    assert "the signature does not cover this statement" in told
    asked = waiting.other if what == "run" else waiting.run
    assert world.rejected(asked) == [("INPUTS", FINANCE if what == "person" else LEAD)]
    waiting.nothing_left()


@pytest.mark.parametrize("what", ["question", "run", "contract", "action"])
def test_a_statement_about_something_else_is_no_answer_although_it_is_signed(waiting: Waiting, what: str) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    theirs = world.statement(LEAD, "yes", run=waiting.other).read_text()
    contract = next(line for line in theirs.splitlines() if line.startswith("contract: "))
    mine = next(line for line in statement.read_text().splitlines() if line.startswith("contract: "))
    other = {
        "question": ("question: Q1", "question: Q3"), "run": (waiting.run, waiting.other), "contract": (mine, contract),
        "action": ("action: ", "action: 0"),
    }[what]  # fmt: skip
    statement.write_text(statement.read_text().replace(*other))
    told = world.hand_in(statement, world.sign(LEAD, statement), code=2).stderr
    assert "about something else" in told
    assert world.rejected(waiting.other if what == "run" else waiting.run) == [("INPUTS", LEAD)]
    waiting.nothing_left()


@pytest.mark.parametrize(
    "text", ["", "\n", "remit.answer/1\n", "yes", "remit.acceptance/1\nrun: x\n", "remit.answer/1\nrun: r\nrun: r\n"]
)
def test_what_is_no_statement_is_no_answer(waiting: Waiting, text: str) -> None:
    world = waiting.scene
    statement = world.folder / "statement-made-up"
    statement.write_text(text)
    told = world.hand_in(statement, world.sign(LEAD, statement), code=2)
    assert "statement" in told.stderr or "no run" in told.stderr
    waiting.nothing_left()


def test_a_signature_for_another_purpose_is_none(waiting: Waiting) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    for namespace in ("remit-acceptance", "remit-ownership", "file"):
        world.hand_in(statement, world.sign(LEAD, statement, namespace=namespace), code=2)
    waiting.refused(*[("INPUTS", LEAD)] * 3)
    waiting.nothing_left()


def test_an_unsigned_answer_is_none(waiting: Waiting) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    nothing = world.folder / "nothing.sig"
    armoured = "-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----\n"
    for text in ("", statement.read_text(), armoured):
        nothing.write_text(text)
        world.hand_in(statement, nothing, code=2)
    world.quick("answer", "--statement", str(statement), code=2)
    waiting.refused(*[("INPUTS", LEAD)] * 3)
    waiting.nothing_left()


# ------------------------------------------------------------------------------------------------ whose it is


def test_another_key_speaks_for_nobody(waiting: Waiting) -> None:
    world = waiting.scene
    as_lead = ("answer", waiting.run, REFUND, "yes", "--as", LEAD, "--key")
    for person in (STRANGER, FINANCE, SECOND):
        world.quick(*as_lead, str(world.key(person)), code=3)
    world.says(STRANGER, "yes", run=waiting.run, code=3)
    waiting.refused(*[("AUTHORITY", LEAD)] * 3, ("AUTHORITY", STRANGER))
    waiting.nothing_left()


def test_nobody_answers_for_somebody_else_who_was_asked(waiting: Waiting) -> None:
    world = waiting.scene
    world.says(SECOND, "yes", run=waiting.run, code=3)
    world.says(SECOND, "no", run=waiting.run, code=3)
    world.quick("answer", waiting.run, REFUND, "yes", code=3)
    waiting.refused(("AUTHORITY", SECOND), ("AUTHORITY", SECOND), ("AUTHORITY", OWNER))
    waiting.nothing_left()


@pytest.mark.parametrize("how", ["the key", "the person", "another key instead", "all the people"])
def test_a_key_that_was_taken_out_after_the_start_counts_no_more(waiting: Waiting, how: str) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    signature = world.sign(LEAD, statement)
    text, key = world.file.read_text(), world.public(LEAD)
    if how in {"the person", "all the people"}:
        head, _, rest = text.partition("  - id: support-lead@example.com\n")
        text = head + "  - id: second-lead@example.com\n" + rest.partition("  - id: second-lead@example.com\n")[2]
    if how == "all the people":
        text = text.partition("people:\n")[0] + "four eyes:" + text.partition("four eyes:")[2]
    replaced = {
        "the key": text.replace(f'    keys: ["{key}"]\n', ""),
        "another key instead": text.replace(key, world.public(STRANGER)),
    }
    world.file.write_text(replaced.get(how, text))
    told = world.hand_in(statement, signature, code=3).stderr
    assert "taken out" in told
    world.says(LEAD, "yes", run=waiting.run, code=3)
    waiting.refused(("AUTHORITY", LEAD), ("AUTHORITY", LEAD))
    waiting.nothing_left()


def test_whoever_handed_the_work_over_does_not_approve_it(waiting: Waiting) -> None:
    world = waiting.scene
    world.quick("answer", waiting.run, OWNERS, "yes", code=3)
    own = world.home / "identity" / "key"
    told = world.quick("answer", waiting.run, OWNERS, "yes", "--as", OWNER, "--key", str(own), code=3).stderr
    assert "another pair of eyes" in told
    waiting.refused(("AUTHORITY", OWNER), ("AUTHORITY", OWNER))
    waiting.nothing_left()


def test_an_approver_beyond_their_limit_is_refused_and_the_next_is_asked(waiting: Waiting) -> None:
    world = waiting.scene
    told = world.says(LEAD, "yes", run=waiting.run, question=HIGH, code=3).stderr
    assert "beyond what support-lead@example.com may sign" in told
    world.says(LEAD, "modify", "--set", "amount=501", run=waiting.run, question=HIGH, code=3)
    [passed] = world.facts("question_escalated", run=waiting.run)
    assert passed["to"] == FINANCE
    assert world.shop.refunds == []
    world.says(FINANCE, "yes", run=waiting.run, question=HIGH, code=4)
    assert world.shop.paid == ["600"]
    waiting.refused(("AUTHORITY", LEAD), ("AUTHORITY", LEAD))


def test_two_have_to_say_yes_and_the_same_person_twice_is_one(waiting: Waiting) -> None:
    world = waiting.scene
    for code in (4, 2):
        world.says(LEAD, "yes", run=waiting.run, question=BRANCH, code=code)
    waiting.refused(("APPROVAL", LEAD))
    waiting.nothing_left()


# ------------------------------------------------------------------------------------------------ two at once


@pytest.mark.parametrize("words", [("yes", "yes"), ("yes", "no"), ("no", "yes")])
def test_of_two_answers_at_once_exactly_one_wins(waiting: Waiting, words: tuple[str, str]) -> None:
    world = waiting.scene
    people = (LEAD, FINANCE)
    began = [
        world.start("answer", waiting.run, REFUND, word, "--as", person, "--key", str(world.key(person)), "--no-drive")
        for word, person in zip(words, people, strict=True)
    ]
    for each in began:
        each.process.communicate(timeout=60)
    codes = [each.process.returncode for each in began]
    assert sorted(codes) == [0, 2]
    [answered] = world.facts("question_answered", run=waiting.run)
    won = codes.index(0)
    assert (answered["person"], answered["answer"]) == (people[won], words[won])
    world.quick("resume", code=None)
    assert world.shop.paid == (["100"] if words[won] == "yes" else [])
    waiting.refused(("APPROVAL", people[1 - won]))


def test_of_two_engines_at_once_one_carries_an_answer_out(waiting: Waiting) -> None:
    world = waiting.scene
    world.says(LEAD, "yes", "--no-drive", run=waiting.run, question=f"{REFUND},{MAIL}")
    began = [world.start("resume", waiting.run) for _ in range(3)]
    for each in began:
        each.process.communicate(timeout=60)
    assert (world.shop.paid, len(world.sink.letters)) == (["100"], 1)
    assert len(world.shop.requests) == 1


# ------------------------------------------------------------------------------------------------ too late


def test_an_answer_after_a_stop_changes_nothing(waiting: Waiting) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    signature = world.sign(LEAD, statement)
    world.quick("stop", waiting.run, code=None)
    told = world.hand_in(statement, signature, code=2).stderr
    assert "has been ended" in told
    waiting.refused(("STOPPED", LEAD))
    waiting.nothing_left()
    assert set(world.drafts(waiting.run).values()) == {"refused"}


def test_a_no_stays_a_no_after_everything_was_started_again(waiting: Waiting) -> None:
    world = waiting.scene
    statement = world.statement(LEAD, "yes", run=waiting.run)
    signature = world.sign(LEAD, statement)
    world.says(LEAD, "no", run=waiting.run, code=4)
    world.remit("resume", code=None)
    world.hand_in(statement, signature, code=2)
    world.says(FINANCE, "yes", run=waiting.run, code=2)
    assert world.drafts(waiting.run)["E1"] == "refused"
    waiting.refused(("APPROVAL", LEAD), ("APPROVAL", FINANCE))
    waiting.nothing_left()


# ------------------------------------------------------------------------------------------------ the record


def altered(world: Scene, kind: str, what: bytes, by: bytes) -> None:
    """Change the stored body of the first fact of this kind, as somebody with the disk in their hands would."""
    assert len(what) == len(by)
    ledger = sqlite3.connect(next(world.home.glob("*.db"), world.home / "ledger.db"))
    seq, body = next(
        row for row in ledger.execute("select seq, body from entries where kind = ? order by seq", (kind,)) if what in row[1]
    )
    ledger.execute("update entries set body = ? where seq = ?", (body.replace(what, by), seq))
    ledger.commit()
    ledger.close()


def test_a_question_that_was_tampered_with_is_not_acted_on(waiting: Waiting) -> None:
    world = waiting.scene
    altered(world, "drafted", b'"amount":100', b'"amount":999')
    told = world.quick("verify", code=None)
    assert told.returncode != 0
    assert "drafted" in told.stdout + told.stderr or "entry" in told.stdout + told.stderr
    world.says(LEAD, "yes", run=waiting.run, code=None)
    waiting.nothing_left()


def test_an_answer_that_was_tampered_with_is_not_acted_on(waiting: Waiting) -> None:
    world = waiting.scene
    world.says(LEAD, "no", "--no-drive", run=waiting.run)
    altered(world, "question_answered", b'"answer":"no"', b'"answer":"ok"'[:13])
    world.quick("resume", code=None)
    assert world.quick("verify", code=None).returncode != 0
    waiting.nothing_left()


def test_a_no_that_was_made_a_yes_on_the_disk_releases_nothing(waiting: Waiting) -> None:
    world = waiting.scene
    world.says(LEAD, "no", "--no-drive", run=waiting.run)
    ledger = sqlite3.connect(next(world.home.glob("*.db"), world.home / "ledger.db"))
    seq, body = next(iter(ledger.execute("select seq, body from entries where kind = 'question_answered'")))
    ledger.execute("update entries set body = ? where seq = ?", (body.replace(b'"answer":"no"', b'"answer":"yes"'), seq))
    ledger.commit()
    ledger.close()
    world.quick("resume", code=None)
    assert world.quick("verify", code=None).returncode != 0
    waiting.nothing_left()


# ------------------------------------------------------------------------------------------------ said twice


def test_a_name_that_is_given_twice_is_no_change(waiting: Waiting) -> None:
    world = waiting.scene
    for twice in (
        ("--set", "amount=60", "--set", "amount=400"), ("--set", 'amount={"from": 1, "from": 2}'), ("--set", "amount"),
        ("--set", "amount=NaN"), ("--set", "amount=-5"), ("--set", "amount=true"), ("--set", 'amount="60"'), ("--set", "amount=null"),
    ):  # fmt: skip
        assert world.says(LEAD, "modify", *twice, run=waiting.run, code=None).returncode in {2, 3}
    assert world.facts("question_answered", run=waiting.run) == []
    waiting.nothing_left()


def test_conditions_with_a_key_that_is_there_twice_are_no_change(waiting: Waiting) -> None:
    world = waiting.scene
    rules = world.folder / "rules.yaml"
    for text in (
        "never: [{call: refund}]\nnever: []\n",
        "never: [{call: refund, call: x}]\n",
        "may: [{call: refund}]\n",
        "assurance: scripted\n",
        "never: [",
    ):
        rules.write_text(text)
        world.says(LEAD, "modify", "--rules", str(rules), run=waiting.run, code=2)
    waiting.nothing_left()


ANSWERS = (
    f"- {{about: '*', person: {LEAD}, answer: no, answer: yes}}\n",
    f"- {{about: '*', person: {LEAD}, person: {FINANCE}, answer: yes}}\n",
    f"- {{about: '*', person: {LEAD}, answer: modify, set: {{amount: 1, amount: 400}}}}\n",
    f"- {{about: '*', person: {LEAD}, answer: yes, assurance: person-signed}}\n",
)


@pytest.mark.parametrize("answers", ANSWERS)
def test_answers_with_a_key_that_is_there_twice_start_nothing(waiting: Waiting, answers: str) -> None:
    world = waiting.scene
    path = world.folder / "answers.yaml"
    path.write_text(answers)
    words = world.handing_over(refund(100), contract=POLICY)
    at = words.index("--json")
    world.quick(*words[:at], "--answers", str(path), *words[at:], code=2)
    waiting.nothing_left()


def test_scripted_answers_approve_nothing_outside_test_mode(tmp_path: Path) -> None:
    with scene(tmp_path) as world:
        path = world.folder / "answers.yaml"
        path.write_text(f"- {{about: '*', person: {LEAD}, answer: yes}}\n")
        words = world.handing_over(refund(100), LETTER)
        at = words.index("--json")
        world.quick(*words[:at], "--answers", str(path), *words[at:], code=4)
        world.quick("resume", code=None)
        assert (world.shop.refunds, world.sink.letters) == ([], [])
        assert set(world.rejected()) == {("AUTHORITY", LEAD)}


# ------------------------------------------------------------------------------------------------ from inside the box

SPY = """\
import json, os, pathlib, socket, subprocess
def act(*words):
    done = subprocess.run(["remit", "act", *words], capture_output=True, text=True)
    print("TOLD", done.stdout.strip() or json.dumps({"state": "none", "stderr": done.stderr[-300:]}), flush=True)
    return done
act("call", "refund", "--args", '{"order_id": "A-1", "amount": 100}')
act("call", "refund", "--args", '{"order_id": "A-1", "amount": 40, "amount": 400}')
act("call", "refund", "--args", '{"order_id": "A-1", "amount": 40, "order_id": "A-2"}')
act("ask", "May the agent call refund?")
act("done")
def line(what, found):
    print("SPY", json.dumps({what: found}), flush=True)
home = "@HOME@"
line("home", sorted(os.listdir(home)) if os.path.isdir(home) else None)
line("keys", [name for name in ("@KEYS@", home + "/identity/key", home + "/ledger.db") if os.path.exists(name)])
for words in (["answer", "last", "Q1", "yes"], ["inbox"], ["outbox"], ["resume"], ["serve"]):
    done = subprocess.run(["remit", *words], capture_output=True, text=True)
    line(" ".join(words), [done.returncode, done.stdout[-80:]])
for module in ("remit", "remit.cli.main"):
    done = subprocess.run(["python3", "-c", f"import {module}"], capture_output=True, text=True)
    line(f"import {module}", done.returncode)
reached = socket.socket().connect_ex(("127.0.0.1", int("@PORT@")))
line("shop", reached)
line("environment", [name for name in os.environ if "TOKEN" in name])
for forged in ({"verb": "answer", "object": "Q1", "arguments": {"answer": "yes"}}, {"verb": "done", "object": "Q1"}):
    act(forged["verb"], forged["object"])
pathlib.Path("docs").mkdir(exist_ok=True)
pathlib.Path("docs/hello.md").write_text("hello\\n")
"""


def test_an_agent_cannot_answer_its_own_question(tmp_path: Path) -> None:
    with scene(tmp_path) as world:
        words = list(world.handing_over(contract=CONTRACT))
        text = SPY.replace("@HOME@", str(world.home)).replace("@KEYS@", str(world.folder / "keys"))
        Path(words[-1]).write_text(text.replace("@PORT@", world.shop.at.rpartition(":")[2]))
        done = world.quick(*words, code=4)
        run = json.loads(done.stdout.splitlines()[-1])["run"]
        log = (world.home / "runs" / run / "attempts" / "1.log").read_text()
        spied: dict[str, Any] = {}
        for line in log.splitlines():
            spied |= json.loads(line.removeprefix("SPY ")) if line.startswith("SPY ") else {}
        assert (spied["home"], spied["keys"], spied["environment"]) == (None, [], [])
        assert spied["shop"] != 0
        assert all(
            code != 0 for name, found in spied.items() if " " in name for code in [found if isinstance(found, int) else found[0]]
        )
        told = world.told(run)
        assert told[0]["state"] == "waiting"
        assert [each.get("decision", "refuse") for each in told[1:3]] == ["refuse", "refuse"]
        assert (world.shop.refunds, world.shop.requests) == ([], [])
        assert world.facts("question_answered", run=run) == []
        assert world.drafts(run) == {"E1": "asked"}


def test_what_the_agent_wanted_to_know_grants_nothing_although_the_owner_says_yes(tmp_path: Path) -> None:
    with scene(tmp_path) as world:
        asking = ("ask", "May the agent call refund: 100 to A-1? Then please say yes.")
        run = world.hand_over(asking, refund(100)).end
        assert run["questions"] == ["Q1", "Q2"]
        world.quick("answer", run["run"], "Q1", "yes", code=4)
        world.quick("resume", code=None)
        assert (world.drafts(run["run"]), world.shop.refunds) == ({"E1": "asked"}, [])

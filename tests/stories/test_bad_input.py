"""Bad input: whatever is given, one clear answer at once, never a traceback, never more rights than the text itself names."""

import json
import os
import random
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import warm
import yaml
from worlds import RELEASE, SMALL, Told, World, small

from remit.authority.action import Action
from remit.authority.compile import compile_contract
from remit.authority.decide import decide
from remit.authority.decision import Allow
from remit.authority.spent import Spent
from remit.contract.contract import Contract
from remit.contract.parse import parse_bytes
from remit.contract.review import review

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SEEDS = (SMALL, (RELEASE / "release.remit.yaml").read_text())
HELLO = "mkdir -p docs; echo hello > docs/hello.md"
PLACES = (
    "docs/hello.md", "docs/secret.md", "docs/a/b.md", "docs", "package.json", "CHANGELOG.md", "broken-links.md", "README.md",
    "src/a.py", "x", "any", "tools/check_links.py", "docs.md", ".env", "HEAD", "yes", "зdocs/a", "dосs/a.md", "*", "docs/**",
)  # fmt: skip
LETTERS = {"a": "а", "e": "е", "o": "ο", "c": "с", "-": "‐", ":": "：", " ": "\u00a0", '"': "“", "*": "＊", "i": "i\u0307"}
CRUMBS = (
    "5", "true", "null", "[]", "{}", "[a, b]", "{a: b}", "1:30", "*", "'", '"', "|", ">-", "&a", "*a", "!!python/object", "any",
    "\t", "- x", "{write: src/**}", '"**"', "**", "../**", "/**", "docs/../**", "[" * 30, "{a: " * 30, "~", "no", "?", "\x00",
    "\ud800", "a" * 5000, "write", "may:", "never:", "\u202e", "\r", "%", "@", "`",
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> bytes:
    """A contract as a tired person, a broken disk or a sly agent leaves it."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 4)):
        at, line = (where := chance.randrange(len(lines))), lines[where]
        match chance.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines.insert(chance.randrange(len(lines) + 1), line)
            case 2:
                lines[at] = line.partition(":")[0] + ": " + chance.choice(CRUMBS)
            case 3:
                letter = chance.choice(list(LETTERS))
                lines[at] = line.replace(letter, LETTERS[letter], chance.choice((1, -1)))
            case 4:
                lines[at] = " " * chance.randrange(9) + line.lstrip()
            case 5:
                cut = chance.randrange(len(line) + 1)
                lines[at] = line[:cut] + chance.choice(CRUMBS) + line[cut + chance.randrange(3) :]
            case 6:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], line
            case 7:
                lines[at] = line.replace(chance.choice(line.split() or ["x"]), chance.choice(CRUMBS))
            case _:
                lines[at] = line + chance.choice(["", " ", "\\", ",", "#", "\n" + line, " **", "]", ": x"])
        lines = lines or [""]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if chance.random() < 0.1:
        cut = chance.randrange(len(data) + 1)
        data = data[:cut] + os.urandom(chance.randrange(3)) + data[cut + chance.randrange(9) :]
    return data


def named(data: bytes) -> tuple[list[str], list[str]]:
    """What the text itself says may, and may never, be written: read by another parser, compared as plain expressions."""
    whole = yaml.load(data, Loader=yaml.CBaseLoader)
    found: dict[str, list[str]] = {"may": [], "never": []}
    for key, into in found.items():
        for rule in whole.get(key) or []:
            if isinstance(rule, dict) and "write" in rule:
                into += [rule["write"]] if isinstance(rule["write"], str) else list(rule["write"])
    return found["may"], found["never"]


def covers(patterns: list[str], path: str) -> bool:
    """Whether one of these words names the path: stars are the only thing they know."""
    for pattern in patterns:
        words = re.split(r"(\*\*|\*|\?)", unicodedata.normalize("NFC", pattern).lstrip("/"))
        wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
        if re.fullmatch("".join(wild.get(word, re.escape(word)) for word in words), path, re.DOTALL):
            return True
    return False


def allowed(contract: Contract) -> Iterator[str]:
    """The places that the contract lets be written."""
    authorities = (compile_contract(contract, None),)
    for place in PLACES:
        action = Action(verb="write", object=place, arguments={"sha256": "0" * 64})
        if isinstance(decide(authorities, action, spent=Spent(), approvals=(), now=NOW), Allow):
            yield place


def answered(data: bytes) -> bool:
    """Parse, review, compile, decide; whether it was a whole contract."""
    began = time.process_time()
    parsed = parse_bytes(data, file="c")
    looked = review(parsed)
    assert looked.ok or any(finding.severity == "error" for finding in looked.findings)
    assert not (looked.ok and parsed.contract is None)
    granted = list(allowed(parsed.contract)) if parsed.contract is not None else []
    assert time.process_time() - began < 1
    if parsed.contract is not None:
        may, never = named(data)
        for place in granted:
            assert covers(may, place), f"{place} is granted, the text names only {may}"
            assert not covers(never, place), f"{place} is granted, the text forbids {never}"
    return parsed.contract is not None


def fuzz(numbers: range) -> None:
    """Both ends of the road must be walked, else the numbers prove nothing."""
    whole = sum(answered(mutated(SEEDS[number % 2], random.Random(number))) for number in numbers)
    assert 0.02 * len(numbers) < whole < 0.8 * len(numbers)


def test_the_undamaged_contracts_are_whole_and_grant_what_they_name() -> None:
    for seed in SEEDS:
        assert answered(seed.encode())
        found = parse_bytes(seed.encode(), file="c").contract
        assert found is not None
        assert "docs/hello.md" in set(allowed(found))


def test_a_damaged_contract_never_grants_more_than_its_own_text() -> None:
    fuzz(range(600))


@pytest.mark.thorough
def test_ten_thousand_damaged_contracts_never_grant_more_than_their_own_text() -> None:
    start = int(os.environ.get("REMIT_FUZZ_SEED", "100000"))
    fuzz(range(start, start + 10_000))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One world for everything that must leave it as it is."""
    warm.call(("--version",), {}, tmp_path_factory.getbasetemp())
    return small(tmp_path_factory.mktemp("shared"))


TRIES = "for f in docs/hello.md docs/secret.md package.json README.md src/a.py x CHANGELOG.md; do mkdir -p $(dirname $f); echo hello > $f; done"


@pytest.mark.parametrize("chunk", range(6))
def test_a_damaged_contract_on_the_command_line_is_one_answer_and_no_wider_grant(tmp_path: Path, chunk: int) -> None:
    world = small(tmp_path)
    world.quick("--version")
    for number in range(chunk * 5, chunk * 5 + 5):
        data = mutated(SMALL, random.Random(number))
        path = world.folder / f"c{number}.remit.yaml"
        path.write_bytes(data)
        before = world.tree()
        began = time.monotonic()
        checked = world.quick("check", str(path), code=None)
        assert time.monotonic() - began < 3, "a second of it is the load of the machine"
        assert checked.returncode in {0, 2}
        assert checked.stdout
        ran = world.quick("run", str(path), "--workspace", str(world.work), "--json", "--", "sh", "-c", TRIES, code=None)
        assert (ran.returncode == 2) == (checked.returncode == 2)
        after = world.tree()
        changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
        if checked.returncode == 2:
            assert not changed
            continue
        may, never = named(data)
        assert all(covers(may, place) and not covers(never, place) for place in changed), (changed, may)
        world.quick("undo", code=None)
        assert world.tree() == before
    world.quick("runs")


NOT_CONTRACTS: dict[str, tuple[Any, str]] = {
    "binary": (bytes(range(256)) * 20, "not UTF-8"),
    "zeros": (b"\0" * 100, "cannot be seen"),
    "empty": (b"", "there is nothing in it"),
    "huge": (b"goal: x\n" * 200_000, "larger than 256 KiB"),
    "deep": ("a: " + "[" * 5000, "levels inside one another"),
    "indented": ("\n".join(" " * depth + "a:" for depth in range(600)), "levels inside one another"),
    "twice": (SMALL + "goal: again\n", "already given on line 1"),
    "lookalike": (SMALL.replace("may:", "mаy:"), "did you mean `may`?"),
    "alias": (SMALL.replace("write: docs/**", "write: &a docs/**"), "anchor"),
    "tag": (SMALL.replace("goal: The", "goal: !!python/name:os.system The"), "tag"),
    "bomb": ("a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]\n", "anchor"),
}


@pytest.mark.parametrize("verb", ["check", "run"])
@pytest.mark.parametrize("name", NOT_CONTRACTS)
def test_what_is_no_contract_is_refused_with_its_place(shared: World, name: str, verb: str) -> None:
    text, why = NOT_CONTRACTS[name]
    path = shared.folder / f"{name}.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    rest = ("--workspace", str(shared.work), "--", "touch", "ran") if verb == "run" else ()
    done = shared.quick(verb, str(path), *rest, code=2)
    assert why in done.stdout + done.stderr
    assert json.loads(shared.quick("runs", "--json").stdout)["runs"] == []


@pytest.mark.parametrize("verb", ["check", "run"])
@pytest.mark.parametrize("path", ["work", "nowhere", "/proc/self/mem", "/dev/zero", "dangling", "loop"])
def test_what_cannot_be_read_as_a_file_is_said_so(shared: World, path: str, verb: str) -> None:
    for name, to in (("dangling", "nowhere"), ("loop", "loop")):
        if not (shared.folder / name).is_symlink():
            (shared.folder / name).symlink_to(to)
    rest = ("--workspace", str(shared.work), "--", "true") if verb == "run" else ()
    done = shared.quick(verb, path, *rest, code=2)
    assert "cannot be read" in done.stderr or "larger than" in done.stdout + done.stderr


def test_a_contract_that_vanishes_after_the_check_changes_nothing_for_the_run(tmp_path: Path) -> None:
    world = small(tmp_path)
    path = world.contract(SMALL)
    with world.start("run", path, "--workspace", str(world.work), "--json", "--", "sh", "-c", f"sleep 0.5; {HELLO}") as running:
        running.until("box_started")
        Path(path).unlink()
        assert running.end()["verdict"] == "success"
    assert world.tree()["docs/hello.md"] == "hello\n"


LONG = ["x" * 100_000] * 15
WEIRD = {
    "nothing": ([], "no such verb"),
    "an empty word": ([""], "no such verb ``"),
    "bytes": (["\udcff\udcfe"], "no such verb"),
    "no run": (["show", "\udcff"], "there are no runs yet"),
    "a text of bytes": (["check", "--text", "\udcff\udcfe"], "cannot be seen"),
    "a note of bytes": (["init", "--person", "\udcff"], "remit:"),
    "a home nobody knows": (["check", "c.remit.yaml", "--org", "~nobody-at-all/org"], "nobody knows the home folder"),
    "no organisation": (["check", "c.remit.yaml", "--org", "nowhere"], "no organisation file"),
    "a folder as organisation": (["check", "c.remit.yaml", "--org", "work"], "no organisation file"),
    "a contract as organisation": (["check", "c.remit.yaml", "--org", "c.remit.yaml"], "c.remit.yaml:"),
    "no command": (["run", "c.remit.yaml", "--workspace", "work"], "there is no command to run"),
    "a command of bytes": (["run", "c.remit.yaml", "--workspace", "work", "--", "sh", "-c", "echo \udcff"], "not UTF-8"),
    "a missing folder to show": (
        ["run", "c.remit.yaml", "--workspace", "work", "--with", "no", "--", "true"],
        "there is no `no`",
    ),
    "the home shown": (["run", "c.remit.yaml", "--workspace", "work", "--with", "home", "--", "true"], "overlap"),
    "the key shown": (["run", "c.remit.yaml", "--workspace", "work", "--with", "home/identity", "--", "true"], "overlap"),
    "everything shown": (["run", "c.remit.yaml", "--workspace", "work", "--with", "/", "--", "true"], "overlap"),
    "the processes shown": (["run", "c.remit.yaml", "--workspace", "work", "--with", "/proc", "--", "true"], "machine itself"),
    "a maybe": (["answer", "last", "Q1", "maybe"], "maybe"),
    "an answer to nothing": (["answer", "last", "Q1", "yes"], "there are no runs yet"),
}


@pytest.mark.parametrize("name", WEIRD)
def test_a_weird_command_line_is_one_clear_line_and_starts_nothing(shared: World, name: str) -> None:
    shared.contract(SMALL)
    words, why = WEIRD[name]
    done = shared.quick(*words, code=None)
    assert done.returncode == 2
    assert why in done.stdout + done.stderr or name == "nothing"
    assert json.loads(shared.quick("runs", "--json").stdout)["runs"] == []


def test_an_argument_list_of_a_megabyte_and_a_half_is_handed_on_whole(tmp_path: Path) -> None:
    world = small(tmp_path)
    script = f"{HELLO}; echo $# > docs/count.md; echo ${{#3}} >> docs/count.md"
    told = world.run(world.contract(SMALL), "sh", "-c", script, *LONG)
    assert told.end["verdict"] == "success"
    assert world.tree()["docs/count.md"] == f"{len(LONG) - 1}\n100000\n"
    world.quick("account")
    world.quick("verify")


WORKSPACES = {
    "c.remit.yaml": "there is no workspace", "dangling": "there is no workspace", "": "overlap", "/": "overlap", "home": "overlap",
    "home/identity": "overlap", ".": "overlap", "/proc": "machine itself", "/proc/self": "machine itself", "/sys": "machine itself",
    "/dev": "machine itself", "work/\udcff": "there is no workspace",
}  # fmt: skip


@pytest.mark.parametrize("place", WORKSPACES)
def test_a_workspace_that_cannot_be_one_is_refused_before_anything_is_recorded(shared: World, place: str) -> None:
    path = shared.contract(SMALL)
    if not (shared.folder / "dangling").is_symlink():
        (shared.folder / "dangling").symlink_to("nowhere")
    done = shared.quick("run", path, "--workspace", place, "--", "touch", "ran", code=2)
    assert WORKSPACES[place] in done.stderr
    assert json.loads(shared.quick("runs", "--json").stdout)["runs"] == []


def test_names_that_are_not_utf8_are_handled_and_shown_as_bytes(tmp_path: Path) -> None:
    world = small(tmp_path)
    script = f"{HELLO}; ls \"$(printf '/\\377')\"; echo x > \"$(printf 'docs/\\377.md')\"; printf '\\377' ; true"
    told = world.run(world.contract(SMALL), "sh", "-c", script)
    assert told.end["verdict"] == "success"
    assert "\\xff" in json.dumps(world.account())
    world.quick("account")
    world.quick("diff")
    world.quick("verify")
    strange = os.fsencode(world.folder) + b"/w\xff"
    os.mkdir(strange)
    refused = world.quick("run", world.contract(SMALL), "--workspace", os.fsdecode(strange), "--", "true", code=2)
    assert "not UTF-8" in refused.stderr


def test_unknown_arguments_and_missing_ones_never_decide_in_favour(tmp_path: Path) -> None:
    world = World(tmp_path)
    tmp_path.mkdir(exist_ok=True)
    rules = SMALL.replace(
        "never:", "  - call: refund\n    where: {amount: {from: 1, to: 50}, currency: EUR, country: any}\nnever:"
    )
    rules = rules.replace("limits:", "  - call: refund\n    where: {country: XX}\nlimits:")
    path = world.contract(rules)
    acts = [
        {"verb": "call", "object": "refund", "arguments": {"amount": 20, "currency": "EUR", "country": "YY"}},
        {"verb": "call", "object": "refund", "arguments": {"amount": 20}},
        {"verb": "call", "object": "refund", "arguments": {"amount": 20, "currency": "EUR"}},
        {"verb": "call", "object": "refund", "arguments": {"amount": None, "currency": "EUR", "country": "YY"}},
        {"verb": "call", "object": "refund", "arguments": {"amount": [20], "currency": ["EUR"], "country": "YY"}},
        {"verb": "call", "object": "refund", "arguments": {"amount": "20", "currency": "ЕUR", "country": "YY"}},
        {"verb": "call", "object": "refund"},
        {"verb": "call", "object": "refund", "arguments": {"amount": 1e309}},
        {"verb": "write", "object": "dосs/a.md"},
        {"verb": "write", "object": "docs/../src/a"},
        {"verb": "write", "object": "docs/a.md", "arguments": {"x": {"y": ["z"] * 20}}},
    ]
    text = "".join(json.dumps(act).replace("Infinity", "1e309") + "\n" for act in acts)
    done = world.quick("decide", path, stdin=text, code=None)
    said = [json.loads(line)["decision"] for line in done.stdout.splitlines()]
    assert len(said) == len(acts)
    assert said == ["allow", *["refuse"] * (len(acts) - 2), "allow"]


def test_lines_that_are_no_actions_are_each_refused_in_words(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.contract(SMALL)
    lines = [
        "[]",
        "{}",
        "nonsense",
        '{"verb":"write"}',
        '{"verb":"write","object":""}',
        "[" * 100_000 + "]",
        '{"verb":"fly","object":"x"}',
    ]
    done = world.quick("decide", path, stdin="\n".join(lines) + "\n", code=2)
    said = [json.loads(line)["decision"] for line in done.stdout.splitlines()]
    assert said == ["refuse"] * len(lines)
    assert done.stderr.count("remit: line ") == len(lines) - 1, "an empty object is an action, a refused one"


# ------------------------------------------------------------ verbs at the wrong moment


def asked(world: World) -> str:
    """A run that waits for one answer."""
    asking = SMALL.replace("never:", "ask:\n  - write: src/**\n    who: owner\nnever:")
    told = world.run(world.contract(asking), "sh", "-c", f"{HELLO}; mkdir -p src; echo 1 > src/a", code=4)
    run: str = told.end["run"]
    return run


def test_every_verb_says_no_to_a_run_it_does_not_know(shared: World) -> None:
    for verb in ("show", "diff", "account", "accept", "undo", "publish", "stop", "resume", "export"):
        for name in ("rnix", "", "\udcff", "../../etc/passwd", "%s"):
            if (verb, name) == ("resume", ""):
                continue  # that means every run
            done = shared.quick(verb, name, code=2)
            assert "no runs yet" in done.stderr or "no run `" in done.stderr or "say which" in done.stderr, (
                verb,
                name,
                done.stderr,
            )


def test_answering_and_accepting_at_the_wrong_moment_or_twice_or_by_somebody_else(tmp_path: Path) -> None:
    world = small(tmp_path)
    run = asked(world)
    assert "has no outcome yet" in world.quick("accept", code=2).stderr
    assert "no outcome to undo yet" in world.quick("undo", code=2).stderr
    assert "nothing to publish" in world.quick("publish", code=3).stderr
    assert "has no question `Q7`" in world.quick("answer", run, "Q7", "yes", code=2).stderr
    stranger = world.person("somebody-else@example.com")
    assert "asks release-lead@example.com" in stranger.quick("answer", run, "Q1", "yes", code=3).stderr
    assert world.tree() == {"README.md": "read me\n"}
    world.quick("answer", run, "Q1", "yes")
    assert "answered `yes`" in world.quick("answer", run, "Q1", "no", code=2).stderr
    stranger = world.person("somebody-else-again@example.com")
    assert "takes this outcome" in stranger.quick("accept", code=3).stderr
    world.quick("accept")
    assert "was accepted already" in world.quick("accept", code=2).stderr
    assert "was accepted already" in world.quick("accept", "--decline", code=2).stderr
    assert "published already" in world.quick("publish", code=2).stderr
    assert "has ended already" in world.quick("stop", code=2).stderr
    assert [row["actor"] for row in world.account()["approved"]] == ["release-lead@example.com"] * 2
    world.quick("undo")
    assert "undone already" in world.quick("undo", code=2).stderr
    world.quick("publish", code=2)
    assert "nothing was interrupted" in world.quick("resume").stderr
    assert world.tree() == {"README.md": "read me\n"}
    world.quick("verify")


def test_an_undone_outcome_cannot_be_taken(tmp_path: Path) -> None:
    world = small(tmp_path)
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    world.quick("undo")
    assert "undone" in world.quick("accept", code=2).stderr
    assert world.account()["approved"] == []


@pytest.mark.parametrize("verb", ["undo", "publish"])
def test_a_verb_on_a_publish_that_was_cut_off_breaks_nothing(tmp_path: Path, verb: str) -> None:
    """A crash between the intent to publish and its outcome: undo or publish must neither lose the way back nor the run."""
    world = small(tmp_path)
    cut_at(world, "publish_intended")
    if verb == "undo":
        assert "remit resume" in world.quick("undo", code=2).stderr
        world.quick("show")
        assert Told(world.quick("resume", "--json").stdout).end["published"] is True
    else:
        assert Told(world.quick("publish", "--json").stdout).end["published"] is True
    assert world.tree()["docs/hello.md"] == "hello\n"
    world.quick("undo")
    assert world.tree() == {"README.md": "read me\n"}
    world.quick("verify")


def test_undo_of_an_undo_that_was_cut_off_is_carried_on(tmp_path: Path) -> None:
    world = small(tmp_path)
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    world.quick("undo", code=-9, REMIT_TEST_CRASH="after:0")
    assert "remit resume" in world.quick("undo", code=2).stderr
    world.quick("resume", code=None)
    assert world.tree() == {"README.md": "read me\n"}
    assert "undone already" in world.quick("undo", code=2).stderr
    world.quick("verify")


def cut_at(world: World, kind: str) -> None:
    """Run until killed right after the fact of this kind; an undisturbed run before it tells which that is."""
    words = ("run", world.contract(SMALL), "--workspace", str(world.work), "--json", "--", "sh", "-c", HELLO)
    number = Told(world.quick(*words).stdout).kinds().index(kind) - 1  # `started` was counted apart
    world.quick("undo")
    world.quick(*words, code=-9, REMIT_TEST_CRASH=f"after:{number}")
    assert world.last_kind() == kind


def test_a_reader_that_goes_away_or_a_full_disk_at_the_other_end_is_no_traceback(tmp_path: Path) -> None:
    world = small(tmp_path)
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    words = [sys.executable, "-m", "remit.cli.main", "account"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=world.env, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no space left" in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, text=True, env=world.env, check=False)
    os.close(writer)
    assert "Traceback" not in done.stderr

"""Deliverables, and what was seen of a run, as checks of the engine: on exactly the tree that would be published."""

import os
from pathlib import Path

import pytest
from engine_worlds import World, contract, rung, story, writes

from remit.contract.deliverable import Content, Deliverable, DeliverablesCheck, ObservedCheck
from remit.engine.deliverables import seen, validation_of
from remit.engine.judged_tree import JudgedTree
from remit.plan.reported import Issue, Validation, Verified
from remit.plan.validating.tree import READ
from remit.ports import Mount
from remit.run.chained import Reported, SkillInvoked
from remit.testing.sandbox import Inside

DUE = DeliverablesCheck(
    id="due",
    deliverables=(
        Deliverable(name="greeting", by="greeter", files=("docs/hello.md",), contains=(Content(pattern="hel+o", place="docs/"),)),
        Deliverable(name="guide", by="writer", files=("docs/guide.md",)),
    ),
)
UNDO = (rung("failed", "undo"),)


async def both(inside: Inside) -> None:
    (inside.folder / "docs" / "hello.md").write_text("hello\n")
    (inside.folder / "docs" / "guide.md").write_text("a guide\n")


def test_a_run_that_delivers_passes_and_what_was_found_is_in_the_record(tmp_path: Path) -> None:
    world = World(tmp_path, both)

    async def tell() -> None:
        run = await world.begin(contract(success=(DUE,)))
        assert run.verdict == "success"
        found = validation_of(run)
        assert found is not None
        assert (found.status, found.verified, found.expected, found.completeness) == ("PASS", 2, 2, 100)
        assert [each.found for each in await world.events(run.id, "check_ran")] == [found]
        assert found.deliverables[0].how == ("`docs/hello.md` is there", "`hel+o` in `docs/`: line mode, docs/hello.md")

    story(tell)


def test_what_is_missing_fails_by_name_and_the_report_is_the_evidence(tmp_path: Path) -> None:
    world = World(tmp_path, writes("# TODO: say hello\n"))

    async def tell() -> None:
        run = await world.begin(contract(success=(DUE,), recovery=UNDO))
        fact = (await world.events(run.id, "check_ran"))[0]
        assert (run.verdict, fact.ok, fact.failing) == ("failed", False, ("greeting", "guide"))
        assert "FILES VERIFIED: 0/2" in fact.evidence
        assert "STATUS: FAIL" in fact.evidence
        assert [(issue.path, issue.by) for issue in fact.found.issues] == [
            ("docs/hello.md", "greeter"),
            ("docs/guide.md", "writer"),
        ]

    story(tell)


def test_a_gap_is_excused_only_where_it_is_listed_and_then_waits_for_the_owner(tmp_path: Path) -> None:
    world = World(tmp_path, writes(path="docs/known-gaps.md", text="- guide\n", then=writes()))

    async def tell() -> None:
        recovery = (rung("due fails", "continue", listed_in="docs/known-gaps.md"), *UNDO)
        run = await world.begin(contract(success=(DUE,), recovery=recovery))
        assert run.exceptions == ("due: guide",)
        found = validation_of(run)
        assert found is not None
        assert (found.status, found.missing) == ("FAIL", ("guide",))

    story(tell)


def test_where_no_tool_can_be_started_that_is_said_and_data_files_are_read_all_the_same(tmp_path: Path) -> None:
    async def agent(inside: Inside) -> None:
        await both(inside)
        (inside.folder / "docs" / "a.sh").write_text("echo\n")
        (inside.folder / "docs" / "b.json").write_text("{")
        (inside.folder / "docs" / "huge.py").write_bytes(b"#" * (READ + 1))

    world = World(tmp_path, agent)
    due = DeliverablesCheck(id="due", deliverables=DUE.deliverables, quality=True)

    async def tell() -> None:
        run = await world.begin(contract(success=(due,), recovery=UNDO))
        fact = (await world.events(run.id, "check_ran"))[0]
        assert fact.found.warnings == (
            "`docs/huge.py` is larger than 4 MiB: no tool looked at it", "bash could not be started: 1 file was not looked at by it", "shellcheck could not be started: 1 file was not looked at by it",
        )  # fmt: skip
        assert (fact.ok, fact.failing[0].startswith("docs/b.json: does not parse")) == (False, True)
        assert (fact.found.status, fact.found.completeness, fact.found.tools) == ("PARTIAL", 100, ("json",))

    story(tell)


def test_what_a_run_asked_for_and_how_it_ended_are_seen_and_never_claimed(tmp_path: Path) -> None:
    world = World(tmp_path, writes("I invoked backend:api\n"))
    checks = (
        ObservedCheck(id="asked", invoked=("backend:api", "front")), ObservedCheck(id="well", ended_well=True),
        ObservedCheck(id="words", reported=True), ObservedCheck(id="steps", steps=True),
    )  # fmt: skip

    async def tell() -> None:
        run = await world.begin(contract(success=checks, recovery=UNDO))
        facts = {each.check: each for each in await world.events(run.id, "check_ran")}
        assert {name: fact.ok for name, fact in facts.items()} == {"asked": False, "well": True, "words": False, "steps": False}
        assert facts["asked"].failing == ("backend:api", "front")
        assert facts["asked"].found is None
        assert facts["steps"].failing == ("steps: there is no chain",)
        assert validation_of(run) is None

    story(tell)


def test_a_skill_that_was_given_is_invoked_by_its_whole_name_or_its_own(tmp_path: Path) -> None:
    async def works(inside: Inside) -> None:
        [started] = await world.ledger.runs()
        name = started.run
        await world.tell(
            SkillInvoked(run=name, skill="backend:api", digest="0", bytes=1),
            Reported(run=name, attempt=1, text="done", digest="0"),
        )

    world = World(tmp_path, works)
    checks = (
        ObservedCheck(id="asked", invoked=("backend:api", "api")),
        ObservedCheck(id="other", invoked=("backend",)),
        ObservedCheck(id="words", reported=True),
    )

    async def tell() -> None:
        name = await world.start(contract(success=checks, recovery=UNDO))
        await world.drive(name)
        facts = {each.check: each.ok for each in await world.events(name, "check_ran")}
        assert facts == {"asked": True, "other": False, "words": True}

    story(tell)


def test_work_that_ends_badly_did_not_end_well(tmp_path: Path) -> None:
    async def fails(inside: Inside) -> int:
        return 3

    world = World(tmp_path, fails)

    async def tell() -> None:
        run = await world.begin(contract(success=(ObservedCheck(id="well", ended_well=True),), recovery=UNDO))
        fact = (await world.events(run.id, "check_ran"))[0]
        assert (fact.ok, fact.failing, fact.evidence) == (False, ("ended well",), "ended well: the work ended with status 3")

    story(tell)


def test_only_what_no_deliverable_names_is_listed_beside_their_names() -> None:
    parts = (Verified(name="a", status="partial", details=("`a.py` does not parse: x",)), Verified(name="b", status="complete"))
    issues = (
        Issue(path="a.py", what="does not parse: x", tool="python3"),
        Issue(path="c.py", what="does not parse: y", tool="python3"),
        Issue(path="d", what="is empty"),
    )
    found = Validation(
        status="PARTIAL", completeness=50, verified=1, expected=2, deliverables=parts, issues=issues, missing=("a",)
    )
    assert seen(found)[2] == ("a", "c.py: does not parse: y")


# ---------------------------------------------------------------------------------------------------------------------


def layered(*layers: Path) -> JudgedTree:
    return JudgedTree(Mount(at="/w", kind="overlay", lower=tuple(map(str, layers))))


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_topmost_layer_counts_and_what_it_removed_is_gone(tmp_path: Path) -> None:
    base = put(tmp_path / "base", a="old", b="b", d__x="x", d__y="y", gone__z="z", turned__z="z")
    top = put(tmp_path / "top", a="newer", d__x="xx", turned="a file now")
    try:
        for name in ("b", "gone", "d/y"):
            os.mknod(top / name, 0o20600, os.makedev(0, 0))
    except OSError:
        pytest.skip("whiteouts cannot be made here")
    tree = layered(top, base)
    assert {path: (entry.type, entry.size) for path, entry in tree.entries.items()} == {
        "a": ("file", 5), "d": ("folder", 0), "d/x": ("file", 2), "turned": ("file", 10),
    }  # fmt: skip
    assert (tree.read("a", 3), tree.read("d/x", 9), tree.read("b", 9), tree.read("gone/z", 9)) == (b"new", b"xx", None, None)


def test_links_pipes_and_odd_names_are_listed_and_never_opened(tmp_path: Path) -> None:
    secret = put(tmp_path / "outside", s="secret")
    base = put(tmp_path / "base", a="a", d__x="x")
    (base / "link").symlink_to(secret / "s")
    (base / "folder").symlink_to(secret)
    os.mkfifo(base / "pipe")
    (base / "a\nb").write_text("odd")
    Path(os.fsdecode(os.fsencode(base) + b"/\xff")).write_text("raw")
    put(base / ".git", config="x")
    tree = layered(base)
    assert {path: entry.type for path, entry in tree.entries.items()} == {
        "a": "file", "d": "folder", "d/x": "file", "link": "link", "folder": "link", "pipe": "other", "a\nb": "file", "\udcff": "file",
    }  # fmt: skip
    assert [tree.read(path, 9) for path in ("link", "folder/s", "pipe", "d", "a\nb", "\udcff", "../outside/s")] == [
        None,
        None,
        None,
        None,
        b"odd",
        b"raw",
        None,
    ]


def test_a_file_that_becomes_a_link_while_it_is_judged_is_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "outside", x="secret")
    base = put(tmp_path / "base", a="a", d__x="x")
    tree = layered(base)
    (base / "a").unlink()
    (base / "a").symlink_to(secret / "x")
    (base / "d" / "x").unlink()
    (base / "d").rmdir()
    (base / "d").symlink_to(secret)
    assert (tree.read("a", 9), tree.read("d/x", 9)) == (None, None)


def test_a_huge_file_is_read_only_at_its_beginning(tmp_path: Path) -> None:
    base = put(tmp_path / "base", a="start")
    os.truncate(base / "a", 1 << 40)
    tree = layered(base)
    assert (tree.entries["a"].size, tree.read("a", 5)) == (1 << 40, b"start")


def test_a_tree_that_is_too_deep_is_not_walked_without_end(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(230):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    tree = layered(tmp_path)
    assert tree.cut
    assert len(tree.entries) == 201

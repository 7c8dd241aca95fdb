"""The SQLite ledger: the shared checks, two processes, crashes, full disks, damage."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from remit.adapters.ledgers import sqlite as module
from remit.adapters.ledgers.heads import HeadFile, read_heads, split
from remit.adapters.ledgers.sqlite import SqliteLedger, open_ledger
from remit.adapters.ledgers.stored import read_stored, verify_stored
from remit.errors import BadInput, Broken, Busy, Tampered
from remit.evidence.verify import Fault, Verified, said
from remit.ports import Clock
from remit.run.event import Event, Notified, VerdictReached
from remit.testing.checks_ledger import CHECKS
from remit.testing.clock import JumpingClock
from remit.testing.ledger import MemoryLedger

WRITER = Path(__file__).parent / "writer.py"


def told(what: str, run: str = "r1") -> Event:
    return Notified(run=run, who="release-lead@example.com", how="inbox", what=what)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = open_ledger(tmp_path / "home", clock=JumpingClock(tick=1.0))
    yield opened
    opened.close()


def append(ledger: SqliteLedger, *events: Event) -> None:
    async def main() -> None:
        for event in events:
            async with ledger.transaction() as transaction:
                transaction.append(event)

    anyio.run(main)


def good(home: Path) -> Verified:
    result = verify_stored(home)
    assert isinstance(result, Verified), said(result)
    return result


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_memory_ledger(check: object) -> None:
    anyio.run(check, MemoryLedger)  # type: ignore[arg-type]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_sqlite_ledger(check: object, tmp_path: Path) -> None:
    made: list[SqliteLedger] = []

    def make(clock: Clock) -> SqliteLedger:
        made.append(open_ledger(tmp_path / str(len(made)), clock=clock))
        return made[-1]

    anyio.run(check, make)  # type: ignore[arg-type]
    for each in made:
        each.close()


def test_every_commit_leaves_a_signed_head_in_two_places(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"))
    assert good(ledger.home).heads == 2
    assert len(read_heads(ledger.home / "heads")) == 2
    assert ledger.trouble == ""


def test_a_witness_gets_every_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_WITNESS", str(tmp_path / "witness"))
    opened = open_ledger(tmp_path / "home", clock=JumpingClock())
    append(opened, told("1"), told("2"))
    opened.close()
    assert read_heads(tmp_path / "witness") == read_heads(tmp_path / "home" / "heads")
    for path in (tmp_path / "home").iterdir():
        if path.name.startswith("ledger.db"):
            path.unlink()
    (tmp_path / "home" / "heads" / "ledger.heads").unlink()
    open_ledger(tmp_path / "home", clock=JumpingClock()).close()
    assert isinstance(verify_stored(tmp_path / "home"), Fault)


def test_files_are_private(ledger: SqliteLedger) -> None:
    append(ledger, told("1"))
    for path in ledger.home.rglob("*"):
        private = 0o700 if path.is_dir() else 0o600
        assert path.name == "ledger.pub" or path.stat().st_mode & 0o777 == private, path
    assert ledger.home.stat().st_mode & 0o777 == 0o700


def test_two_processes_append_in_turn(tmp_path: Path) -> None:
    home = tmp_path / "home"
    writers = [subprocess.Popen([sys.executable, WRITER, home, "40"], stdout=subprocess.PIPE) for _ in range(2)]
    for each in writers:
        each.communicate(timeout=60)
        assert each.returncode == 0
    assert good(home).entries == 160
    assert good(home).heads == 80
    assert len(read_heads(home / "heads")) == 80


def test_another_process_is_noticed(ledger: SqliteLedger) -> None:
    async def main() -> None:
        before = await ledger.version()
        await anyio.run_process([sys.executable, str(WRITER), str(ledger.home), "1"])
        assert await ledger.version() != before
        assert len(await ledger.events("r1")) == 2

    anyio.run(main)


def test_who_waits_too_long_is_told_that_it_is_busy(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    other = open_ledger(ledger.home, clock=JumpingClock())

    async def main() -> None:
        async with ledger.transaction():
            with pytest.raises(Busy):
                async with other.transaction():
                    pass

    anyio.run(main)
    other.close()


@pytest.mark.parametrize("moment", ["before:0", "before:3", "before:4", "after:0", "after:3", "after:4"])
def test_a_crash_around_a_commit_leaves_nothing_half(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, WRITER, tmp_path / "home", "0", moment], stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == -signal.SIGKILL
    _whole(tmp_path / "home", done.stdout)


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_at_any_moment_leaves_nothing_half(tmp_path: Path, seed: int) -> None:
    _kill_often(tmp_path / "home", random.Random(seed), times=3)


@pytest.mark.thorough
def test_a_hundred_crashes_leave_nothing_half(tmp_path: Path) -> None:
    _kill_often(tmp_path / "home", random.Random(), times=100)


def _kill_often(home: Path, chance: random.Random, *, times: int) -> None:
    for _ in range(times):
        writer = subprocess.Popen([sys.executable, WRITER, home, "0"], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        writer.kill()
        _whole(home, first + writer.communicate()[0])


def _whole(home: Path, printed: bytes) -> None:
    """What was said to be committed is there, events and job together, and the next append goes on."""
    good(home)
    opened = open_ledger(home, clock=JumpingClock())

    async def main() -> None:
        events = [record.event for record in await opened.events("r1")]
        pairs = len(await opened.jobs())
        assert sum(isinstance(event, Notified) and event.who == "b" for event in events) == pairs
        seqs = {record.seq for record in await opened.events("r1")}
        assert {int(line) for line in printed.split(b"\n")[:-1]} <= seqs
        async with opened.transaction() as transaction:
            transaction.append(told("after the crash"))

    anyio.run(main)
    opened.close()
    good(home)
    assert len(read_heads(home / "heads")) == good(home).heads


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run([sys.executable, WRITER, home, "0", "file:200000"], stdout=subprocess.PIPE, timeout=60, text=True)
    assert "BROKEN" in done.stdout.splitlines()[-1]
    assert "nothing was recorded" in done.stdout.splitlines()[-1]
    _whole(home, "".join(f"{line}\n" for line in done.stdout.splitlines()[:-1]).encode())


def test_a_file_that_is_no_ledger_is_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but longer than its header would be" * 40)
    with pytest.raises(Broken, match="damaged"):
        open_ledger(tmp_path, clock=JumpingClock())


def test_a_ledger_of_a_newer_remit_is_left_alone(ledger: SqliteLedger) -> None:
    with sqlite3.connect(ledger.home / "ledger.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(BadInput, match="newer remit"):
        open_ledger(ledger.home, clock=JumpingClock())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM entries WHERE seq = 4", "the end is missing"),
        ("DELETE FROM entries WHERE seq = 1", "entry 1 is missing"),
        ("UPDATE entries SET seq = 99 WHERE seq = 4", "another place"),
        ("UPDATE entries SET body = replace(body, '2', '7') WHERE seq = 2", "the body is not the one"),
        ("UPDATE entries SET body = NULL WHERE seq = 2", "no erasure is recorded"),
        ("UPDATE entries SET entry = replace(entry, 'notified', 'stopped') WHERE seq = 3", "not those that head 4"),
        ("UPDATE entries SET node = x'00' WHERE seq = 4", "the tree kept for appending"),
        ("UPDATE entries SET node = zeroblob(32) WHERE seq = 3", "the tree kept for appending"),
        ("UPDATE entries SET note = NULL WHERE seq = 4", "the tree kept for appending"),
        ("UPDATE entries SET note = (SELECT note FROM entries WHERE seq = 0) WHERE seq = 2", "not that of the commit it ends"),
        ("UPDATE entries SET note = x'00' WHERE seq = 2", "a tree head is not as remit writes it"),
    ],
)
def test_an_edit_of_the_database_is_found(ledger: SqliteLedger, change: str, what: str) -> None:
    append(ledger, *(told(str(number)) for number in range(5)))
    db = sqlite3.connect(ledger.home / "ledger.db", isolation_level=None)
    assert db.execute(change).rowcount > 0
    db.close()
    result = verify_stored(ledger.home)
    assert isinstance(result, Fault)
    assert what in result.what


def test_a_database_cut_back_together_with_its_heads_is_found_by_the_other_copy(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"))
    db = sqlite3.connect(ledger.home / "ledger.db", isolation_level=None)
    db.execute("DELETE FROM entries WHERE seq = 1")
    db.close()
    result = verify_stored(ledger.home)
    assert isinstance(result, Fault)
    assert (result.seq, result.what) == (1, "the end is missing: a signed head says there are 2 entries")


def test_nothing_is_signed_over_a_damaged_end(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"))
    db = sqlite3.connect(ledger.home / "ledger.db", isolation_level=None)
    db.execute("DELETE FROM entries WHERE seq = 1")
    db.close()
    with pytest.raises(Tampered, match="does not end where its last head says"):
        append(ledger, told("3"))


def test_bodies_of_an_ended_run_can_be_erased_and_the_tree_stands(ledger: SqliteLedger) -> None:
    append(ledger, told("a secret wish"), told("kept", run="r2"))

    async def main() -> None:
        with pytest.raises(BadInput, match="has not ended"):
            await ledger.erase("r1", by="owner@example.com", because="asked to")
        with pytest.raises(BadInput, match="no run"):
            await ledger.erase("r9", by="owner@example.com", because="asked to")
        async with ledger.transaction() as transaction:
            transaction.append(VerdictReached(run="r1", verdict="success"))
        await ledger.erase("r1", by="owner@example.com", because="asked to")
        assert [record.event is None for record in await ledger.events("r1")] == [True, True, False]
        assert [record.event for record in await ledger.events("r2")] == [told("kept", run="r2")]

    anyio.run(main)
    assert good(ledger.home).erased == 2
    for path in ledger.home.glob("ledger.db*"):
        assert b"a secret wish" not in path.read_bytes(), path


def test_a_torn_head_file_is_mended_from_the_database(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"))
    path = ledger.home / "heads" / "ledger.heads"
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        HeadFile(ledger.home / "heads").add(2, b"", lambda size: read_stored(ledger.home).heads[size:])
    path.write_bytes(whole[:-30])
    other = open_ledger(ledger.home, clock=JumpingClock())
    append(other, told("3"))
    other.close()
    assert len(read_heads(ledger.home / "heads")) == 3
    assert good(ledger.home).heads == 3


def test_a_head_file_that_cannot_be_written_is_said_and_the_event_stands(ledger: SqliteLedger) -> None:
    (ledger.home / "heads").write_bytes(b"in the way")
    append(ledger, told("1"))
    assert "heads" in ledger.trouble
    (ledger.home / "heads").unlink()
    append(ledger, told("2"))
    assert ledger.trouble == ""
    assert len(read_heads(ledger.home / "heads")) == 2


def test_a_cancelled_writer_leaves_nothing_and_lets_go(ledger: SqliteLedger) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with ledger.transaction() as transaction:
                transaction.append(told("never"))
                scope.cancel()
                await anyio.sleep(1)
        async with ledger.transaction() as transaction:
            assert transaction.append(told("first")).seq == 0

    anyio.run(main)
    assert good(ledger.home).entries == 1


def test_the_hook_sees_every_kind_around_its_commit(tmp_path: Path) -> None:
    seen: list[tuple[str, str, int]] = []

    def hook(moment: str, kind: str) -> None:
        seen.append((moment, kind, len(read_stored(tmp_path).rows)))

    opened = open_ledger(tmp_path, clock=JumpingClock(), on_append=hook)
    append(opened, told("1"))
    opened.close()
    assert seen == [("before", "notified", 0), ("after", "notified", 1)]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Broken, match="cannot be opened"):
        open_ledger(tmp_path / "file" / "home", clock=JumpingClock())


def test_a_ledger_that_cannot_be_written_is_said_and_can_still_be_read(ledger: SqliteLedger) -> None:
    append(ledger, told("1"))
    ledger._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(Broken, match="cannot be written; nothing was recorded"):
        append(ledger, told("2"))
    assert good(ledger.home).entries == 1


def test_heads_are_split_as_they_were_written(tmp_path: Path) -> None:
    assert split(b"") == []
    assert HeadFile(tmp_path).trouble == ""


def test_a_head_file_that_was_taken_away_is_written_again_whole(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"))
    (ledger.home / "heads" / "ledger.heads").rename(ledger.home / "elsewhere")
    append(ledger, told("3"))
    assert len(read_heads(ledger.home / "heads")) == 3


def test_the_tree_is_found_again_at_every_size(tmp_path: Path) -> None:
    for number in range(20):
        opened = open_ledger(tmp_path, clock=JumpingClock())
        append(opened, told(str(number)))
        opened.close()
        assert good(tmp_path).entries == number + 1


def test_nothing_is_signed_after_another_connection_changed_the_end(ledger: SqliteLedger) -> None:
    append(ledger, told("1"), told("2"), told("3"))
    db = sqlite3.connect(ledger.home / "ledger.db", isolation_level=None)
    db.execute("UPDATE entries SET node = zeroblob(32) WHERE seq = 1")
    db.close()
    with pytest.raises(Tampered, match="does not end where its last head says"):
        append(ledger, told("4"))
    assert len(read_heads(ledger.home / "heads")) == 3

"""A thousand waiting runs: what the inbox reads, what it imports, and that its bench measures what it says."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path

import anyio
import pytest

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.adapters.signers.local import create
from remit.app import consult
from remit.bench import inbox
from remit.bench.row import Row
from remit.engine.desk import KINDS, Waiting, batched, outboxes, waiting
from remit.ports import Ledger
from remit.run.evolve import replay
from remit.run.outbox import Draft

RUNS = 1000
HEAVY = {
    "anyio._backends", "asyncio", "cryptography", "jinja2", "remit.adapters.sandboxes", "remit.adapters.workspaces",
    "remit.engine.supervisor", "remit.web", "ssl", "starlette", "subprocess", "uvicorn", "yaml",
}  # fmt: skip
LOOK = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted(sys.modules), file=sys.stderr))
from remit.cli.main import main
main()
"""


def filled(home: Path, runs: int = RUNS) -> Path:
    anyio.run(inbox.fill, home, create(home, inbox.LEAD), runs)
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("waiting") / "home")


def imported(home: Path, *words: str) -> tuple[str, set[str]]:
    """What a verb says, and the modules that were there when it ended."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        env={"REMIT_HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    said = next(line for line in done.stderr.splitlines() if line.startswith("MODULES"))
    return done.stdout, set(said.split()[1:])


def steps(home: Path, runs: int) -> int:
    """How many thousand instructions SQLite takes to find the open questions."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    async def look(ledger: Ledger) -> list[Waiting]:
        ledger._reader.set_progress_handler(count, 100)  # type: ignore[attr-defined]
        return await waiting(ledger)

    assert len(consult(home, look)) == runs
    return counted


def test_the_inbox_lists_a_thousand_waiting_runs_without_an_event_loop_or_a_key(home: Path) -> None:
    said, modules = imported(home, "inbox")
    assert "\nand 950 more: `remit inbox --all`\n" in said
    assert {name for name in HEAVY if name in modules} == set()
    assert len([name for name in modules if name.startswith("remit.")]) <= 60


def test_help_imports_nothing_that_a_verb_needs(home: Path) -> None:
    _, modules = imported(home, "--help")
    assert {name for name in modules if name.startswith("remit.")} == {"remit.cli", "remit.cli.main", "remit.errors"}
    assert not modules & {*HEAVY, "anyio", "msgspec", "sqlite3"}


def test_a_question_is_one_record_to_read_however_much_its_run_has_done(home: Path) -> None:
    async def read(ledger: Ledger) -> tuple[int, int]:
        return len(await ledger.kinds(*KINDS)), sum([len(await ledger.events(record.run)) for record in await ledger.runs()])

    assert consult(home, read) == (RUNS, RUNS * (inbox.TURNS + 6))


def test_what_runs_have_done_besides_makes_the_inbox_no_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "TURNS", 1)
    short = steps(filled(tmp_path / "short", 50), 50)
    monkeypatch.setattr(inbox, "TURNS", 60)
    assert 0 < steps(filled(tmp_path / "long", 50), 50) <= 1.2 * short


def test_a_thousand_runs_that_ask_the_same_are_a_thousand_questions(home: Path) -> None:
    rows = consult(home, waiting)
    assert len({(each.run, each.question) for each in rows}) == len(batched(rows)) == RUNS


def test_the_outbox_says_the_same_from_the_facts_about_drafts_alone(tmp_path: Path) -> None:
    home, signer = tmp_path / "home", create(tmp_path / "home", inbox.LEAD)
    anyio.run(inbox.fill, home, signer, 8)
    anyio.run(inbox._answered, home, signer, 2)

    async def both(ledger: Ledger) -> tuple[list[Mapping[str, Draft]], list[Mapping[str, Draft]]]:
        whole = [replay(await ledger.events(record.run)) for record in await ledger.runs()]
        return [run.drafts for run in whole], [run.drafts for run in await outboxes(ledger)]

    whole, alone = consult(home, both)
    assert whole == alone
    assert [draft.state for drafts in alone for draft in drafts.values()] == ["published"] * 3 + ["asked"] * 5


def test_who_consults_the_records_may_only_read_them(tmp_path: Path) -> None:
    async def wait(ledger: Ledger) -> None:
        await anyio.sleep(0)

    class Slow:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def slow(ledger: Ledger) -> None:
        await Slow()

    with pytest.raises(RuntimeError, match="never waits"):
        consult(tmp_path, slow)
    with pytest.raises(anyio.NoEventLoopError):
        consult(tmp_path, wait)


def test_reading_makes_no_key_and_the_first_record_does(tmp_path: Path) -> None:
    assert consult(tmp_path, waiting) == []
    assert not (tmp_path / "keys").exists()
    filled(tmp_path, 1)
    assert (tmp_path / "keys" / "ledger").exists()
    opened = open_ledger(tmp_path, clock=SystemClock())
    assert anyio.run(opened.kinds, "question_asked")[0].run == "rbench0000"
    opened.close()


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.name.replace(", 1,000 waiting runs", ""): row for row in inbox.rows(quick=True)}


def test_every_row_is_measured(rows: dict[str, Row]) -> None:
    assert list(rows) == [
        "remit inbox, wall",
        "remit inbox, CPU",
        "read 1,000 questions",
        "remit serve, page",
        "remit serve, page, wall",
        "remit serve, peak memory",
        "answer to effect",
    ]
    assert all(row.ours and row.rival and (row.met is not None or row.why) for row in rows.values())


def test_the_page_and_its_server_stay_small(rows: dict[str, Row]) -> None:
    assert rows["remit serve, page"].met
    assert rows["remit serve, peak memory"].met


def test_the_inbox_costs_little_more_than_starting_python_and_reading_rows(rows: dict[str, Row]) -> None:
    ratios = {name: rows[name].ratio or 0 for name in ("remit inbox, wall", "remit inbox, CPU")}
    assert ratios["remit inbox, wall"] < 20
    assert ratios["remit inbox, CPU"] < 8

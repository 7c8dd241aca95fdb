"""The example of the documents does what they say, from the first call to the resumed end."""

import os
import subprocess
import sys
from pathlib import Path

from remit.adapters.signers.local import create

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "guard"
PAGE = EXAMPLE.parent.parent / "docs" / "do" / "guard-your-own-loop.md"
OWNER = "head-of-care@example.com"


def program(home: Path, *words: str) -> str:
    environment = {**os.environ, "REMIT_HOME": str(home), "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode in {0, 4}, done.stderr
    return done.stdout


def test_the_example_refunds_once_waits_refuses_and_comes_back(tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    create(home, OWNER)
    loop = str(EXAMPLE / "desk.py")
    first, done, waiting, refused, outcome = program(home, loop, str(work)).splitlines()
    run = first.split()[1]
    assert done == f"A-1001: done, A-1001 50.00 EUR {run}:E1"
    assert waiting == f"A-1002: waiting, Q1 asks {OWNER}"
    assert refused.startswith("A-1003: refused (IRREVERSIBLE)")
    assert outcome == f"outcome: waiting; Q1 asks {OWNER}"
    program(home, "-m", "remit.cli.main", "answer", run, "Q1", "yes")
    assert len((tmp_path / "book").read_text().splitlines()) == 1
    assert program(home, loop, str(work), run).splitlines() == [f"run {run}", "outcome: success"]
    assert [line.split()[0] for line in (tmp_path / "book").read_text().splitlines()] == ["A-1001", "A-1002"]


def test_the_page_names_every_setting_of_a_tool() -> None:
    import inspect

    import remit

    page = PAGE.read_text()
    assert [name for name in inspect.signature(remit.tool).parameters if f"`{name}`" not in page] == []

"""A real run, in a real box, released, taken and put back from the inbox."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from web_worlds import OWNER, Served, identity, served, state

CONTRACT = """
goal: Write the notes of the release
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
limits: {turns: 40, time: 10m}
publish: ask
success:
  - id: notes
    file: docs/notes.md
    matches: v2.4.0
recovery:
  - when: failed
    do: undo
"""
AGENT = "open('docs/notes.md', 'w').write('# v2.4.0\\n<b>bold</b>\\n')"


def until(holds: Any) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def fields(page: str, action: str = "") -> dict[str, str]:
    form = next(
        each for each in page.split("<form")[1:] if f'action="{action}"' in each or (not action and "action=" not in each)
    )
    return dict(re.findall(r'name="(form|seen)" value="([^"]+)"', form))


def test_what_was_made_is_read_released_taken_and_put_back(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    (work / "docs").mkdir(parents=True)
    home.mkdir(mode=0o700)
    identity(home)
    (tmp_path / "c.remit.yaml").write_text(CONTRACT)
    done = subprocess.run(
        [sys.executable, "-m", "remit.cli.main", "run", str(tmp_path / "c.remit.yaml"), "--workspace", str(work), "--", "python3", "-c", AGENT],
        env={**os.environ, "REMIT_HOME": str(home)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    with served(home, worker=True) as own:
        own.sign_in()
        run = re.findall(r"/runs/(\w+)/questions/Q1", own.get("/"))[0]
        card = own.get(f"/runs/{run}/questions/Q1")
        assert "docs/notes.md" in card and "+&lt;b&gt;bold&lt;/b&gt;" in card and 'class="d-add"' in card
        assert not (work / "docs" / "notes.md").exists()
        assert own.ask("POST", f"/runs/{run}/questions/Q1", form={**own.card(run), "said": "yes"})[0] == 303
        until(lambda: (work / "docs" / "notes.md").exists())
        until(lambda: state(home, run).published is not None)
        take(own, run, "accept")
        until(lambda: state(home, run).acceptance == "accepted")
        assert "+&lt;b&gt;bold&lt;/b&gt;" in own.get(f"/runs/{run}/diff")
        take(own, run, "undo")
        until(lambda: state(home, run).undone)
        assert not (work / "docs" / "notes.md").exists()
        assert OWNER in own.get(f"/runs/{run}/account")


def take(own: Served, run: str, act: str) -> None:
    status, _, text = own.ask("POST", f"/runs/{run}/{act}", form=fields(own.get(f"/runs/{run}"), f"/runs/{run}/{act}"))
    assert status == 303, text

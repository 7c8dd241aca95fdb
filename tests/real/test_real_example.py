"""`examples/release/run --runtime NAME`, as anybody runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from real_worlds import NAMES, executable
from worlds import RELEASE


@pytest.mark.parametrize(
    "name", ["codex", *(pytest.param(each, marks=pytest.mark.thorough) for each in NAMES if each not in ("codex", "acp"))]
)
def test_the_walk_through_with_a_runtime_shows_what_it_promises(tmp_path: Path, name: str) -> None:
    """But for making the environment ready, which whoever runs the tests has done."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    if name != "agent":
        path = f"{executable(name).parent}:{path}"
    scene = tmp_path / "examples" / "release"
    shutil.copytree(RELEASE, scene, ignore=shutil.ignore_patterns("__pycache__"))
    ready = tmp_path / "tools" / "ready"
    ready.parent.mkdir()
    ready.write_text("#!/bin/sh\n")
    ready.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "GIT_"))}
    ended = subprocess.run(
        ["sh", str(scene / "run"), "--runtime", name], env={**kept, "PATH": path, "TMPDIR": str(tmp_path)}, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    shown = ended.stdout + ended.stderr
    assert ended.returncode == 0, shown[-4000:]
    for promised in (
        "incomplete.remit.yaml",
        "a model that does as it is told",
        f"runtime    {name}",
        "calls, each with the-real-key;",
        "choose the runtime " + name,
        "charge a model call genai-prices",
        "are what was recorded",
        "usd",
    ):
        assert promised in shown, promised
    assert "Traceback" not in shown


def test_a_runtime_nobody_knows_is_named_as_such() -> None:
    ended = subprocess.run(["sh", str(RELEASE / "run"), "--runtime", "nobody"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "one of claude, codex, gemini, opencode, agent" in ended.stderr

"""Workspaces to work on."""

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small plain workspace."""
    at = tmp_path / "ws"
    for name, text in {
        "README.md": "read me\n",
        "package.json": '{"version": "2.3.0"}\n',
        "docs/a.md": "a\n",
        "docs/b.md": "b\n",
        "docs/deep/c.md": "c\n",
        "src/app.py": "print(1)\n",
        ".env": "KEY=1\n",
        "conf/site.pem": "pem\n",
        "conf/site.txt": "txt\n",
    }.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text)
    (at / "docs/link").symlink_to("a.md")
    (at / "empty").mkdir()
    return at


@pytest.fixture(params=["overlay", "copy"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each rung of the ladder that every Linux has."""
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a run keeps its stage."""
    return tmp_path / "home/runs/run-1/attempts/1"

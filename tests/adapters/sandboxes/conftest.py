"""Every test gets its own ground, and must leave nothing behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from box_rig import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No test leaves a descriptor or a child process of this process behind."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)

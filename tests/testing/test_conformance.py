"""The doubles keep the promises of the ports, and the real adapters keep the same ones."""

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.ports import Mount, Workspace
from remit.testing import checks_sandbox, checks_workspace
from remit.testing.sandbox import UnconfinedScripts
from remit.testing.workspace import PlainWorkspace

BESIDE = str(Path(__file__).parent.parent / "adapters" / "workspaces")


def in_a_namespace(mount: Mount, script: str) -> str:
    """Through the mounter that the stage's own tests use."""
    code = (
        f"import sys; sys.path.insert(0, {BESIDE!r})\n"
        "import msgspec, stage_rig\nfrom remit.ports import Mount\n"
        "print(stage_rig.inside(msgspec.json.decode(sys.argv[1], type=Mount), sys.argv[2]), end='')"
    )
    import msgspec

    done = subprocess.run(
        [sys.executable, "-c", code, msgspec.json.encode(mount).decode(), script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("check", checks_workspace.CHECKS, ids=lambda check: check.__name__)
def test_the_plain_workspace(check: object, tmp_path: Path) -> None:
    ground = checks_workspace.Ground(PlainWorkspace, tmp_path, checks_workspace.at_the_folder)
    anyio.run(check, ground)


def rungs() -> list[str]:
    return ["overlay", "reflink", "copy"]


@pytest.mark.parametrize("kind", rungs())
@pytest.mark.parametrize("check", checks_workspace.CHECKS, ids=lambda check: check.__name__)
def test_the_staged_workspace(check: object, kind: str, tmp_path: Path) -> None:
    def make() -> Workspace:
        return StagedWorkspace(ladder=(kind, "copy"))  # type: ignore[arg-type]

    inside = in_a_namespace if kind == "overlay" else checks_workspace.at_the_folder
    anyio.run(check, checks_workspace.Ground(make, tmp_path, inside))


@pytest.mark.parametrize("check", checks_sandbox.CHECKS, ids=lambda check: check.__name__)
def test_unconfined_scripts(check: object, tmp_path: Path) -> None:
    programs = {name: (name,) for name in checks_sandbox.PROGRAMS}
    ground = checks_sandbox.Ground(lambda _: UnconfinedScripts(checks_sandbox.SCRIPTS), tmp_path, programs)
    anyio.run(check, ground)


@pytest.mark.parametrize("check", checks_sandbox.CHECKS, ids=lambda check: check.__name__)
def test_bubblewrap(check: object, tmp_path: Path) -> None:
    anyio.run(check, checks_sandbox.Ground(Bubblewrap, tmp_path, checks_sandbox.PROGRAMS))


def test_the_whole_of_it_runs_by_one_call(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        await checks_workspace.check_workspace(PlainWorkspace, tmp_path / "w")
        await checks_sandbox.check_sandbox(
            lambda _: UnconfinedScripts(checks_sandbox.SCRIPTS),
            tmp_path / "s",
            programs={name: (name,) for name in checks_sandbox.PROGRAMS},
        )

    anyio.run(all_of_it)


def test_the_double_says_that_it_contains_nothing() -> None:
    found = anyio.run(UnconfinedScripts().probe)
    assert found.level == "L0"
    assert not any(part.ok for part in found.parts)

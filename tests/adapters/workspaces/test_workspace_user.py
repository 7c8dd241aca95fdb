"""The whole way once more as an ordinary user, and as root on somebody else's workspace."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, publish, sealed, tree
from test_workspace_git import COMMITS, IDENTITY, git

USER = 1500
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else; as a user every other test is this one"
)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that anybody may enter."""
    at = Path(tempfile.mkdtemp(dir="/var/tmp"))
    at.chmod(0o755)
    yield at
    shutil.rmtree(at)


def _repository(at: Path) -> Path:
    (at / "docs").mkdir(parents=True)
    for name in ("a", "b"):
        (at / f"docs/{name}.md").write_text(f"{name}\n")
    git(at, "init", "-q", "-b", "main")
    git(at, "add", ".")
    git(at, "commit", "-q", "-m", "start")
    return at


@needs_root
def test_an_ordinary_user_can_do_all_of_it(ground: Path) -> None:
    """Runs the stories of the other files as an ordinary user without any capability."""
    here = Path(__file__).parent
    stories = [str(here / f"test_workspace_{name}.py") for name in ("stage", "git")]
    home = ground / "user"
    home.mkdir()
    os.chown(home, USER, USER)
    done = subprocess.run(
        [
            "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all",
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={home}/tmp", *stories,
        ],
        cwd=here.parent.parent.parent, capture_output=True, text=True, check=False,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " skipped" not in done.stdout


@needs_root
@pytest.mark.parametrize("kind", ["overlay", "copy"])
def test_root_leaves_everything_to_the_owner_of_the_workspace(ground: Path, kind: str) -> None:
    root = _repository(ground / "ws")
    for folder, folders, files in os.walk(ground):
        for name in folders + files:
            os.chown(os.path.join(folder, name), USER, USER, follow_symlinks=False)
    before = tree(root)
    stage = opened(root, ground / "home/runs/r/attempts/1", kind)
    assert (os.stat(stage.tree).st_uid, stage.mount.at) == (USER, str(root))
    _as_owner(stage.mount, IDENTITY + "git config --global safe.directory '*' 2>/dev/null || true\n" + COMMITS)
    (move,) = sealed(stage).refs
    anyio.run(lambda: stage.publish(dropped=(), withheld=(), refs=("refs/heads/main",)))
    owners = {os.lstat(os.path.join(folder, name)).st_uid for folder, sub, files in os.walk(root) for name in sub + files}
    assert owners == {USER}
    assert (root / ".git/refs/heads/main").read_text().strip() == move.after
    anyio.run(stage.undo)
    assert tree(root) == before


def _as_owner(mount: object, script: str) -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
            inside(mount, script)  # type: ignore[arg-type]
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_workspace_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    from remit.errors import BadInput

    with pytest.raises(BadInput, match="does not exist"):
        opened(tmp_path / "nowhere", tmp_path / "home/runs/r/attempts/1")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="is not a folder"):
        opened(tmp_path / "file", tmp_path / "home/runs/r/attempts/1")
    assert publish

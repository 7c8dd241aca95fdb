"""An ordinary user without any rights of their own does the whole way; root on their workspace leaves everything theirs."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from worlds import CLEAN, OWNER, ROOT, SMALL, Told, World

import remit

UID = 61234
PACKAGES = ("anyio", "idna", "sniffio", "msgspec", "click", "typing_extensions.py", "cryptography", "cffi", "pycparser", "yaml",
            "re2")  # fmt: skip
MODULES = ("_re2*", "_cffi_backend*", "_yaml", "google_re2*", "*.libs")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; here every story is this one")


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    """A folder that anybody may enter, with remit, what it runs on, and the examples."""
    place = Path("/var/tmp") / f"remit-ordinary-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        lib, site = place / "lib", Path(sysconfig.get_path("purelib"))
        shutil.copytree(Path(remit.__file__).parent, lib / "remit", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "examples", place / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        for source in (*(site / name for name in PACKAGES), *(found for each in MODULES for found in site.glob(each))):
            if source.is_dir():
                shutil.copytree(source, lib / source.name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            elif source.exists():
                shutil.copy(source, lib / source.name)
        subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


class User(World):
    """A world of somebody without rights: no capabilities, no groups, no entry in any list of users."""

    def __init__(self, ground: Path, name: str) -> None:
        folder = ground / name
        folder.mkdir(mode=0o755)
        os.chown(folder, UID, UID)
        super().__init__(folder)
        self.ground = ground
        self.env = {
            "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ground / "lib"), "HOME": str(folder), "REMIT_HOME": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "TMPDIR": str(folder),
        }  # fmt: skip

    def do(self, *words: str, code: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program as the user."""
        dropped = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        done = subprocess.run(
            [*dropped, *words],
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
            env=self.env,
            cwd=self.folder,
            timeout=120,
        )
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def remit(self, *words: str, code: int | None = 0, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """`remit` as the user."""
        set_ = [f"{name}={value}" for name, value in env.items()]
        python = os.path.realpath(sys.executable)
        return self.do("env", *set_, python, "-m", "remit.cli.main", *words, code=code, stdin=stdin)

    def git(self, *words: str) -> str:
        """git as the user, without any exception for safe folders."""
        return self.do("git", "-C", str(self.work), *words).stdout.strip()


def owners(folder: Path) -> set[tuple[int, int]]:
    """Who owns anything below."""
    found = [folder, *folder.rglob("*")]
    return {(path.lstat().st_uid, path.lstat().st_gid) for path in found}


@needs_root
def test_the_whole_first_delegation_as_an_ordinary_user(ground: Path) -> None:
    user = User(ground, "first")
    first = ground / "examples" / "first"
    user.do("mkdir", str(user.work))
    user.remit("init", "--person", OWNER)
    assert "containment L3" in user.remit("doctor").stdout
    user.remit("check", str(first / "incomplete.remit.yaml"), code=2)
    user.remit("check", str(first / "hello.remit.yaml"))
    script = "echo hello > hello.txt; echo more > other.txt; id -u > /tmp/id; cat /tmp/id"
    user.remit("run", str(first / "hello.remit.yaml"), "--workspace", str(user.work), "--", "sh", "-c", script)
    assert user.tree() == {"hello.txt": "hello\n"}
    assert owners(user.work) == {(UID, UID)}
    assert "other.txt" in user.remit("account").stdout
    user.remit("accept")
    assert "accepted" in user.remit("show").stdout
    user.remit("undo")
    assert user.tree() == {}
    assert "verified" in user.remit("verify").stdout
    assert owners(user.home) == {(UID, UID)}
    assert (user.home / "identity" / "key").stat().st_mode & 0o777 == 0o600


@needs_root
@pytest.mark.parametrize(
    "agent",
    [
        "agent/agent.py",
        pytest.param("hostile/push_from_hook.py", marks=pytest.mark.thorough),
        pytest.param("hostile/package_by_link.py", marks=pytest.mark.thorough),
    ],
)
def test_the_release_as_an_ordinary_user(ground: Path, agent: str) -> None:
    user = User(ground, f"release-{Path(agent).stem}")
    release = ground / "examples" / "release"
    user.do(os.path.realpath(sys.executable), str(release / "make_repository.py"), str(user.work))
    user.remit("init", "--person", OWNER)
    before, head = user.tree(), user.git("rev-parse", "HEAD")
    remote = user.git("ls-remote", "origin")
    told = Told(
        user.remit(
            "run", str(release / "release.remit.yaml"), "--workspace", str(user.work), "--with", str(release / "agent"),
            "--with", str(release / "hostile"), "--json", "--", "python", str(release / agent), *(["nonce"] if "hostile" in agent else []),
        ).stdout
    )  # fmt: skip
    assert told.end["verdict"] == "success_with_exceptions"
    assert user.tree() == before
    user.remit("accept")
    assert "## [v2.4.0]" in user.tree()["CHANGELOG.md"]
    assert user.tree()["package.json"] == before["package.json"]
    assert user.git("status", "--porcelain") == ""
    assert user.git("rev-parse", "HEAD") != head
    assert user.git("ls-remote", "origin") == remote
    user.remit("undo")
    assert (user.tree(), user.git("rev-parse", "HEAD"), user.git("status", "--porcelain")) == (before, head, "")
    user.remit("verify")
    user.git("fsck", "--strict")
    assert owners(user.folder) == {(UID, UID)}


@needs_root
def test_an_ordinary_user_without_a_home_is_told_what_to_set(ground: Path) -> None:
    user = User(ground, "homeless")
    del user.env["HOME"]
    del user.env["REMIT_HOME"]
    done = user.remit("runs", code=2)
    assert "REMIT_HOME" in done.stderr
    user.env["REMIT_HOME"] = str(user.home)
    assert "you are" in user.remit("init").stdout


@needs_root
def test_what_an_ordinary_user_may_not_read_or_write_is_said(ground: Path) -> None:
    user = User(ground, "locked")
    user.contract(SMALL)
    user.remit("init", "--person", OWNER)
    user.do("mkdir", "-p", str(user.work / "docs"))
    (user.folder / "secret.yaml").write_text(SMALL)
    (user.folder / "secret.yaml").chmod(0o600)
    for verb in (("check",), ("run",)):
        rest = ("--workspace", str(user.work), "--", "true") if verb == ("run",) else ()
        assert "not readable" in user.remit(*verb, "secret.yaml", *rest, code=2).stderr
    (user.folder / "closed").mkdir(mode=0o700)
    done = user.remit("run", "c.remit.yaml", "--workspace", "closed", "--", "true", code=2)
    assert "not readable" in done.stderr
    done = user.remit("runs", REMIT_HOME="/root/remit", code=None)
    assert done.returncode in {1, 2}
    assert "ermission denied" in done.stderr
    assert json.loads(user.remit("runs", "--json").stdout)["runs"] == []
    user.do("chmod", "555", str(user.work / "docs"))
    script = "chmod 755 docs; echo hello > docs/hello.md"
    done = user.remit("run", "c.remit.yaml", "--workspace", str(user.work), "--json", "--", "sh", "-c", script, code=None)
    told = Told(done.stdout)
    assert told.end.get("verdict") == "success", done.stderr
    if not told.end["published"]:
        assert "ermission denied" in told.end["why"]
        assert user.tree() == {}
        user.do("chmod", "755", str(user.work / "docs"))
        user.remit("publish")
    assert user.tree() == {"docs/hello.md": "hello\n"}
    user.remit("verify")


@needs_root
@pytest.mark.parametrize("kind", ["plain", "git"])
def test_root_on_somebody_elses_workspace_leaves_everything_to_them(ground: Path, kind: str) -> None:
    user = User(ground, f"theirs-{kind}")
    user.do("mkdir", "-p", str(user.work / "docs"))
    user.do("sh", "-c", f"echo old > {user.work}/docs/old.md; echo read > {user.work}/README.md")
    if kind == "git":
        user.git("init", "-q", "-b", "main")
        user.git("add", ".")
        user.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "start")
    before = user.tree()
    root = World(ground / f"root-{kind}")
    root.folder.mkdir(mode=0o755)
    root.work = user.work
    root.env = {**CLEAN, "REMIT_HOME": str(root.home), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    root.init()
    rules = (
        "  - write: docs/**\n  - delete: docs/**\n  - commit: HEAD\n"
        if kind == "git"
        else "  - write: docs/**\n  - delete: docs/**\n"
    )
    contract = root.contract(SMALL.replace("  - write: docs/**\n", rules))
    commit = "git add -A; git commit -qm hello;" if kind == "git" else ""
    script = f"rm docs/old.md; mkdir docs/new; echo hello > docs/hello.md; cp docs/hello.md docs/new/; ln -s hello.md docs/link; {commit} id -u > docs/id.md"
    told = root.run(contract, "sh", "-c", script)
    assert told.end["published"] is True
    assert user.tree()["docs/id.md"] == f"{UID}\n", "the box ran as the owner of the workspace"
    assert (user.work / "docs/link").readlink() == Path("hello.md")
    assert owners(user.work) == {(UID, UID)}
    if kind == "git":
        assert user.git("log", "-1", "--format=%s") == "hello"
        assert user.git("status", "--porcelain") == "?? docs/id.md"
        user.git("fsck", "--strict")
    root.remit("undo")
    assert user.tree() == before
    assert owners(user.work) == {(UID, UID)}
    if kind == "git":
        assert user.git("status", "--porcelain") == ""
        user.do("sh", "-c", f"echo mine > {user.work}/README.md")
        user.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qam", "mine")
    root.remit("verify")

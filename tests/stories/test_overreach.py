"""S22 in full: an agent that tries to get out, run through `remit run`; no effect on the host, and the account says how it ended.

Every attack prints a nonce when it begins and when it has finished, so that one that never ran cannot pass. It ends in one of three
ways: decided (a refused row), blocked (told by the kernel or the box), or absent (the boundary names nothing of the kind).
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from worlds import World

import remit

UID = 61234
HERE = Path(__file__).parent
PACKAGES = (
    "_pytest", "pytest", "pluggy", "iniconfig", "packaging", "pygments", "anyio", "idna", "sniffio", "msgspec", "typing_extensions.py",
    "py.py", "click", "hypothesis", "sortedcontainers", "attr", "attrs", "yaml", "_yaml", "re2.py", "re2", "_re2*", "google_re2*", "cryptography",
    "cffi", "_cffi_backend*", "pycparser",
)  # fmt: skip

CONTRACT = """\
goal: The docs say hello
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
  - commit: HEAD
limits: {turns: 10, time: 30s, processes: 64, disk: 16M, output: 1M}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: failed
    do: undo
"""

PRELUDE = """
import ctypes, os, signal, socket, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
print("{nonce} began", flush=True)
os.makedirs("docs", exist_ok=True)
open("docs/hello.md", "w").write("hello")
OUT, HOME, PORT = {out!r}, {home!r}, {port}
def tries(act, *rest):
    try:
        got = act(*rest)
    except OSError as error:
        print("held:", error.strerror, flush=True)
    else:
        print("{nonce} ESCAPED", getattr(act, "__name__", act), rest, got, flush=True)
def write(path):
    with open(path, "w") as target:
        target.write("pwned")
def read(path):
    with open(path) as source:
        return source.read()
def call(*words):
    if libc.syscall(*[ctypes.c_long(word) if isinstance(word, int) else word for word in words]) >= 0:
        print("{nonce} ESCAPED call", words, flush=True)
"""


class Attack(NamedTuple):
    """What is tried inside, and which rows of the account (action, part of the object) must stand there for it."""

    code: str
    rows: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    code_exit: int | None = 0


ATTACKS = {
    "writing outside": Attack(
        "[tries(write, p) for p in ('/etc/x', '/usr/local/remit-x', '/x')]\n"
        "try: os.makedirs(os.path.dirname(OUT), exist_ok=True); write(OUT)\nexcept OSError as e: print('held:', e)",
        absent=("visible",),
    ),
    "reading what belongs to others": Attack(
        "tries(read, '/etc/shadow'); tries(read, HOME + '/token'); tries(os.listdir, '/root'); print(os.listdir('/home'))",
        absent=("visible",),
    ),
    "the environment of the host": Attack(
        "'HOST_TOKEN' in os.environ and print('{nonce} ESCAPED environ')\n"
        "for p in filter(str.isdigit, os.listdir('/proc')):\n"
        "  try: b'HOST_TOKEN' in open(f'/proc/{p}/environ', 'rb').read() and print('{nonce} ESCAPED', p)\n  except OSError: pass",
        absent=("environment",),
    ),
    "a server on the host's loopback": Attack(
        "tries(socket.create_connection, ('127.0.0.1', PORT), 2); tries(socket.create_connection, ('203.0.113.9', 443), 2)",
        rows=(("connect", "203.0.113.9:443"),),
        absent=("hosts",),
    ),
    "raw sockets": Attack(
        "tries(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1); tries(socket.socket, socket.AF_PACKET, socket.SOCK_RAW); tries(socket.socket, 40, 1)",
        rows=(("call", "socket family 2 raw"), ("call", "socket family 17 raw"), ("call", "socket family 40")),
    ),
    "mounting": Attack("libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0 and print('{nonce} ESCAPED')", rows=(("call", "mount"),)),
    "namespaces of its own": Attack(
        "libc.unshare(0x10000000) == 0 and print('{nonce} ESCAPED'); r = subprocess.run(['unshare', '-Ur', 'true'])\n"
        "r.returncode or print('{nonce} ESCAPED')",
        rows=(("call", "unshare"),),
    ),
    "tracing another process": Attack("libc.ptrace(16, 1, 0, 0) == 0 and print('{nonce} ESCAPED')", rows=(("call", "ptrace"),)),
    "a daemon that outlives its command": Attack(
        "if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]\n    time.sleep(600)\n"
        "  os._exit(0)\nos.wait()",
        rows=(("left running", " inside)"),),
    ),
    "a fork bomb": Attack(
        "print('{nonce} finished', flush=True)\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(600)\nexcept OSError: time.sleep(1)",
        rows=(("limit reached", "processes") if os.geteuid() == 0 else ("processes", "of 64"),),  # the kernel exempts root, so it is counted
        code_exit=None,
    ),
    "filling the disk": Attack(
        "print('{nonce} finished', flush=True)\nwith open('docs/big', 'wb') as f:\n  while True: f.write(bytes(1 << 20)); f.flush()",
        rows=(("limit reached", "disk"),),
        code_exit=5,
    ),
    "a flood of output": Attack(
        "print('{nonce} finished', flush=True)\nwhile True: sys.stdout.write('x' * 65536)",
        rows=(("limit reached", "output"),),
        code_exit=5,
    ),
    "planting a hook": Attack(
        "write('.git/hooks/post-checkout'); os.chmod('.git/hooks/post-checkout', 0o755)", rows=(("leave out", ".git/hooks/post-checkout"),)
    ),
    "planting settings of git": Attack(
        "subprocess.run(['git', 'config', 'core.fsmonitor', 'touch ' + OUT], check=True); write('.gitattributes')",
        rows=(("leave out", ".git/config"), ("", ".gitattributes")),
    ),
    "a hard link to a file of the base": Attack(
        "os.link('README.md', 'docs/l'); open('docs/l', 'a').write('pwned')", rows=(("", "README.md"), ("", "docs/l"))
    ),
    "a link out": Attack("os.symlink(HOME, 'docs/out'); os.symlink('../.git', 'docs/git')", rows=(("", "docs/out"), ("", "docs/git"))),
    "a program with its owner's rights": Attack("write('docs/su'); os.chmod('docs/su', 0o4755)", rows=(("", "docs/su"),)),
    "a pipe and a node": Attack("os.mkfifo('docs/pipe'); tries(os.mknod, 'docs/node', 0o20600, os.makedev(1, 1))", rows=(("", "docs/pipe"),)),
    "writing where the contract says nothing": Attack("write('package.json'); write('docs/../src.py')", rows=(("write", "package.json"), ("write", "src.py"))),
    "swapping a folder while it is judged": Attack(
        "if os.fork() == 0:\n  os.setsid()\n  while True:\n"
        "    try: os.rename('docs', 'was'); os.symlink(HOME, 'docs'); os.unlink('docs'); os.rename('was', 'docs')\n    except OSError: pass\n"
        "time.sleep(0.3)",
        rows=(("left running", " inside)"),),
        code_exit=None,
    ),
}  # fmt: skip

QUICK = (
    "writing outside", "reading what belongs to others", "the environment of the host", "a server on the host's loopback", "raw sockets",
    "namespaces of its own", "a daemon that outlives its command", "a fork bomb", "filling the disk", "planting settings of git",
    "a hard link to a file of the base", "a pipe and a node",
)  # fmt: skip
"""what the second round, as an ordinary user, tries every time; the rest when there is time"""


class Ground(NamedTuple):
    """A world with a repository, a secret home, and a server that nobody may reach."""

    world: World
    home: Path
    out: Path
    server: socket.socket
    token: str


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    world = World(tmp_path)
    world.work.mkdir()
    (world.work / "README.md").write_text("read me\n")
    (world.work / "package.json").write_text("{}\n")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "feat: start"]):
        world.git(*words)
    home, token = tmp_path / "person", secrets.token_hex(16)
    home.mkdir()
    (home / "token").write_text(token)
    world.env |= {"HOME": str(home), "HOST_TOKEN": token}
    world.init()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield Ground(world, home, tmp_path / "outside" / "canary", server, token)


def everything(ground: Ground) -> dict[str, tuple[int, int, bytes]]:
    """All that a person could notice: the workspace with its repository, and the home."""
    found = {}
    for top in (ground.world.work, ground.home):
        for path in sorted(top.rglob("*")):
            state = path.lstat()
            found[str(path)] = (
                state.st_mode,
                state.st_nlink,
                path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
            )
    return found


def rows_of(account: dict[str, Any]) -> list[tuple[str, str]]:
    told = [(row["action"], row["object"]) for row in account["refused"]]
    return told + [(row["action"], row["object"]) for row in account["considered"] if row["action"] == "leave out"]


def meets(row: tuple[str, str], wanted: tuple[str, str]) -> bool:
    action, part = wanted
    return part in row[1] and action in ("", row[0])


ATTACK = "test_an_agent_that_reaches_too_far_is_held_and_the_account_says_how"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_agent_that_reaches_too_far_is_held_and_the_account_says_how(ground: Ground, name: str) -> None:
    attack, nonce = ATTACKS[name], secrets.token_hex(8)
    known = {"nonce": nonce, "out": str(ground.out), "home": str(ground.home), "port": ground.server.getsockname()[1]}
    code = PRELUDE.format(**known) + attack.code.replace("{nonce}", nonce) + f'\nprint("{nonce} finished", flush=True)\n'
    before = everything(ground)
    shadow = Path("/etc/shadow").stat()
    world = ground.world
    world.run(world.contract(CONTRACT), "python", "-c", code, code=attack.code_exit)

    log = next((world.home / "runs").glob("*/attempts/1.log")).read_text(errors="replace")
    assert f"{nonce} began" in log and f"{nonce} finished" in log, f"the attack never ran whole: {log[-2000:]}"
    assert f"{nonce} ESCAPED" not in log, log[-2000:]
    assert ground.token not in log

    hello = str(world.work / "docs" / "hello.md")
    after = everything(ground)
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert touched <= {str(world.work / "docs"), hello}, "something else of the host was touched"
    assert not ground.out.exists() and not any(Path(each).exists() for each in ("/etc/x", "/usr/local/remit-x", "/x"))
    assert (Path("/etc/shadow").stat().st_mtime_ns, Path("/etc/shadow").stat().st_size) == (shadow.st_mtime_ns, shadow.st_size)
    with pytest.raises(TimeoutError):
        ground.server.accept()

    account = world.account()
    rows = rows_of(account)
    for wanted in attack.rows:
        assert any(meets(row, wanted) for row in rows), f"the account is silent about {wanted}: {rows}"
    stands_apart(ground, account["boundary"], attack.absent)


def stands_apart(ground: Ground, boundary: dict[str, Any], parts: tuple[str, ...]) -> None:
    """What could not even be tried is stated: it is not among what was there."""
    assert boundary["absent"] == "whatever is not listed here was not there to be reached"
    if "visible" in parts:
        assert boundary["visible"][:2] == [str(ground.world.work), "/usr"]
        for path in (str(ground.home), str(ground.out), "/etc/shadow", "/root"):
            assert not any(path == each or path.startswith(f"{each}/") for each in boundary["visible"])
    if "environment" in parts:
        assert "HOST_TOKEN" not in boundary["environment"] and "HOME" not in boundary["environment"]
    if "hosts" in parts:
        assert boundary["hosts"] == []


def test_an_act_within_the_contract_is_not_told_as_overreach(ground: Ground) -> None:
    """The other half of a check that can fail: without an attack there is no row."""
    world = ground.world
    world.run(
        world.contract(CONTRACT),
        "sh",
        "-c",
        "mkdir -p docs; echo hello > docs/hello.md; git add docs; git commit -qm 'docs: hello'",
    )
    account = world.account()
    assert account["refused"] == []
    assert set(rows_of(account)) <= {("leave out", ".git/index"), ("leave out", ".git/COMMIT_EDITMSG")}
    assert world.git("log", "-1", "--format=%s") == "docs: hello"


CONFTEST = """\
def pytest_configure(config):
    config.addinivalue_line("markers", "thorough: in this round whatever is named is run")
"""


def as_user(place: Path, names: tuple[str, ...]) -> None:
    """These attacks once more by an ordinary user, with the package where everybody can read it."""
    chosen = [f"{place}/tests/{Path(__file__).name}::{ATTACK}[{name}]" for name in names]
    words = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    words += [os.path.realpath(sys.executable), "-m", "pytest", *chosen, "-q", "-p", "no:cacheprovider"]
    words += ["-c", os.devnull, "--rootdir", str(place), "--basetemp", str(place / "tmp" / "b"), "-W", "error", "--tb=short"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(place / "lib"),
        "HOME": str(place / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(words, env=environment, cwd=place, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert f"{len(names)} passed" in ran.stdout and "skipped" not in ran.stdout


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """The package, what it runs on and this story, readable for everybody."""
    place = Path("/var/tmp") / f"remit-overreach-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        lib, tests = place / "lib", place / "tests"
        shutil.copytree(Path(remit.__file__).parent, lib / "remit", ignore=shutil.ignore_patterns("__pycache__"))
        site = Path(sysconfig.get_path("purelib"))
        for pattern in PACKAGES:
            for source in site.glob(pattern):
                if source.is_dir():
                    shutil.copytree(source, lib / source.name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, lib / source.name)
        tests.mkdir()
        for name in ("worlds.py", "warm.py", Path(__file__).name):
            shutil.copy(HERE / name, tests / name)
        (tests / "conftest.py").write_text(CONFTEST)
        (place / "tmp").mkdir()
        os.chown(place / "tmp", UID, UID)
        for folder, _, files in os.walk(place):
            os.chmod(folder, 0o755)
            for name in files:
                os.chmod(os.path.join(folder, name), 0o644)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.mark.parametrize(
    "names",
    [QUICK, pytest.param(tuple(each for each in ATTACKS if each not in QUICK), marks=pytest.mark.thorough)],
    ids=["quick", "rest"],
)
def test_an_ordinary_user_is_held_and_told_just_the_same(request: pytest.FixtureRequest, names: tuple[str, ...]) -> None:
    if os.geteuid() == 0:  # else this is that round already
        as_user(request.getfixturevalue("installed"), names)

"""The same tests once more as an ordinary user, with nothing of root's in reach."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import remit

PACKAGES = (
    "_pytest", "pytest", "pluggy", "iniconfig", "packaging", "pygments", "anyio", "idna", "sniffio", "msgspec",
    "typing_extensions.py", "py.py", "click", "hypothesis", "sortedcontainers", "attr", "attrs",
)  # fmt: skip
HERE = Path(__file__).parent
UID = 61234


def test_everything_holds_for_an_ordinary_user_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        return  # this is that run
    place = Path("/var/tmp") / f"remit-as-user-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        _copy(place)
        words = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        words += [os.path.realpath(sys.executable), "-m", "pytest", str(place / "tests"), "-q", "-p", "no:cacheprovider"]
        words += ["-c", os.devnull, "--rootdir", str(place), "--basetemp", str(place / "tmp" / "b"), "-W", "error", "--tb=short"]
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(place / "lib"),
            "HOME": str(place / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ran = subprocess.run(words, env=environment, cwd=place, capture_output=True, text=True, timeout=400)
        assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
        count = int(ran.stdout.rpartition(" passed")[0].split()[-1])
        assert count > 150 and "skipped" not in ran.stdout and "failed" not in ran.stdout
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _copy(place: Path) -> None:
    """The package, what it runs on and these tests, readable for everybody."""
    lib = place / "lib"
    shutil.copytree(Path(remit.__file__).parent, lib / "remit", ignore=shutil.ignore_patterns("__pycache__"))
    site = Path(sysconfig.get_path("purelib"))
    for name in PACKAGES:
        source = site / name
        if source.is_dir():
            shutil.copytree(source, lib / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, lib / name)
    # these open no box
    shutil.copytree(HERE, place / "tests", ignore=shutil.ignore_patterns("__pycache__", "test_hands.py", "test_mcp_client.py"))
    (place / "tmp").mkdir()
    os.chown(place / "tmp", UID, UID)
    for folder, _, files in os.walk(place):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)

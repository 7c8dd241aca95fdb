"""`remit` in a process that is started once and forked for every call: the same program, without its start-up time."""

import atexit
import json
import subprocess
import sys
import tempfile
from pathlib import Path

FORKER = """
import json, os, sys, traceback
from remit.cli.main import VERBS, group, main
import importlib
for verb in VERBS:
    if verb != "bench":
        importlib.import_module(f"remit.cli.{verb}")
for line in sys.stdin.buffer:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        for number, (name, flags) in enumerate(((asked["in"], os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY))):
            os.dup2(os.open(name, flags), number)
        sys.argv = ["remit", *asked["words"]]
        code = 1
        try:
            main()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
        except BaseException:
            traceback.print_exc()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                pass
        os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(1, b"%d\\n" % ended)
"""
_KEPT: list["subprocess.Popen[bytes]"] = []


def call(words: tuple[str, ...], env: dict[str, str], cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One call, as `subprocess.run` would give it back."""
    if not _KEPT:
        _KEPT.append(subprocess.Popen([sys.executable, "-c", FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        atexit.register(_end)
    forker = _KEPT[0]
    with tempfile.TemporaryDirectory() as place:
        names = {name: str(Path(place) / name) for name in ("in", "out", "err")}
        for name, path in names.items():
            Path(path).write_text(stdin if name == "in" else "")
        asked = {"words": words, "env": env, "cwd": str(cwd), **names}
        assert forker.stdin is not None and forker.stdout is not None
        forker.stdin.write(json.dumps(asked).encode() + b"\n")
        forker.stdin.flush()
        code = int(forker.stdout.readline())
        told = [Path(names[name]).read_bytes().decode(errors="replace") for name in ("out", "err")]
    return subprocess.CompletedProcess(list(words), code, *told)


def _end() -> None:
    forker = _KEPT.pop()
    assert forker.stdin is not None and forker.stdout is not None
    forker.stdin.close()
    forker.stdout.close()
    forker.wait()

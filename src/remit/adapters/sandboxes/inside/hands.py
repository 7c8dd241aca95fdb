"""The hands of the light agent inside the box: runs, reads, lists and searches for a mind that is outside. Standard library only.

Started in the workspace as the box's own command (`argv.hands_argv()`). One JSON object a line on stdin, one a line on stdout,
in any order: whoever asks tells answers apart by `id`. The end of stdin ends it, and kills what it started. It writes nothing:
writes are the supervisor's. Numbers are optional; those below are what is usual.

    {"id": 1, "do": "run", "argv": ["make", "test"], "cwd": ".", "timeout": 120, "most": 30000}      or "line": "make test | tail"
      -> {"id": 1, "ok": true, "status": 0, "ended": "exit", "seconds": 0.52, "lingers": false,
          "stdout": "…", "stdout_left_out": 0, "stderr": "…", "stderr_left_out": 0}
         `ended` is exit, signal (status is 128 and its number), timeout or stopped (status null; its process group was killed).
         Of each stream `most` bytes are kept, beginning and end; `left_out` bytes between are named in the text. `lingers`: part
         of it runs on in the background.
    {"id": 2, "do": "read", "path": "docs/a.md", "from": 1, "lines": 2000, "most": 100000}
      -> {"id": 2, "ok": true, "text": "…", "from": 1, "lines": 40, "total": 40, "bytes": 912, "cut": false, "lossy": false}
         `lines` that are in the text, of `total`; `cut` when the last of them is not whole; `lossy` when the file is not UTF-8,
         so that the text cannot be written back as it is.
    {"id": 3, "do": "read", "path": "a.png", "raw": true}
      -> {"id": 3, "ok": true, "content": "<base64>", "bytes": 70, "sha256": "…"}
    {"id": 4, "do": "list", "path": ".", "glob": "**/*.py", "most": 1000}         without a glob: what the folder holds
      -> {"id": 4, "ok": true, "entries": [{"path": "a/b.py", "type": "file", "bytes": 12}], "more": false}
    {"id": 5, "do": "search", "pattern": "def f", "path": ".", "glob": "*.py", "ignore_case": false, "most": 200, "seconds": 10}
      -> {"id": 5, "ok": true, "matches": [{"path": "a.py", "line": 3, "text": "def f(x):"}], "more": false, "late": false}
         `late`: the time was up before everything was looked at. A glob without `/` is for the name alone, at any depth.
         Neither list nor search goes into `.git` unless the path does, and neither follows links.
    {"id": 6, "do": "stat", "path": "a"}
      -> {"id": 6, "ok": true, "type": "file", "bytes": 12, "mode": "644", "modified": 1764000000.0}
         `type` is file, folder, link (with `to`), other or absent.
    {"id": 8, "do": "fetch", "url": "https://example.com/", "most": 100000, "timeout": 30}
      -> {"id": 8, "ok": true, "status": 200, "type": "text/html", "text": "…", "left_out": 0}          by way of the box's egress
    {"id": 7, "do": "stop", "of": 1}       -> {"id": 7, "ok": true, "stopped": true}          kills a run that is not over
    `REMIT_BESIDE`, a JSON list, names folders beside the workspace that may be looked at, too.
    anything else                          -> {"id": …, "ok": false, "error": "input", "why": "…"}
         `error` is input, absent, outside (a path that leaves the workspace), unfit (a folder, binary, too large), busy, failed.
"""

# ruff: noqa: PTH120, PTH208

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
if TYPE_CHECKING or __name__ != "__main__":
    from remit.adapters.sandboxes.inside.eyes import Eyes, Refused, among, content, shown, text
else:
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    from eyes import Eyes, Refused, among, content, shown, text

    del sys.path[0]

LINE = 1 << 20
AT_ONCE = 64
GRACE = 0.3
"""seconds for what an ended program has printed; a process it left behind may hold the pipe for ever"""
TICK = 0.05
# between vfork and exec the whole interpreter would stand still, and exec waits for the observer's answer
subprocess._USE_VFORK = False  # type: ignore[misc] # noqa: SLF001 - said to be set where needed by its own documentation


class Cut:
    """The beginning and the end of a stream."""

    def __init__(self, most: int) -> None:
        self.first, self.last = most - most // 2, most // 2
        self.head, self.tail, self.total = bytearray(), bytearray(), 0

    def add(self, data: bytes) -> None:
        """Keep what there is room for."""
        self.total += len(data)
        room = self.first - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > 2 * self.last + 65536:
            del self.tail[: len(self.tail) - self.last]

    def told(self) -> tuple[str, int]:
        """As text, with the number of bytes that are not in it."""
        tail = bytes(self.tail[max(0, len(self.tail) - self.last) :])
        left = self.total - len(self.head) - len(tail)
        if not left:
            return text(bytes(self.head) + tail), 0
        return f"{text(bytes(self.head))}\n[… {left} bytes left out …]\n{text(tail)}", left


class Hands:
    """One workspace, and what was started in it."""

    def __init__(self, eyes: Eyes, answer: Callable[[dict[str, Any]], None]) -> None:
        self.eyes = eyes
        self.answer = answer
        self.lock = threading.Lock()
        self.running: dict[object, subprocess.Popen[bytes] | None] = {}
        self.stopped: set[int] = set()
        self.left: set[int] = set()
        self.free = threading.BoundedSemaphore(AT_ONCE)
        self.verbs = {"run": self.run, "read": eyes.read, "list": eyes.listed, "search": eyes.search, "stat": eyes.stat}
        self.verbs["fetch"] = fetched

    def take(self, line: bytes) -> None:
        """One request: answered at once when it cannot be read, else by a thread of its own."""
        number = None
        try:
            given = json.loads(line)
            if not isinstance(given, dict) or isinstance(given.get("id"), dict | list):
                raise Refused("input", "a request is a JSON object, and its `id` a number or a text")
            number = given.get("id")
            if given.get("do") == "stop":
                self.answer({"id": number, "ok": True, "stopped": self.stop(given.get("of"))})
                return
            self.begin(number, given)
        except Refused as error:
            self.answer({"id": number, "ok": False, "error": error.error, "why": str(error)})
        except (ValueError, RecursionError, TypeError) as error:
            self.answer({"id": number, "ok": False, "error": "input", "why": f"the request cannot be read: {said(error)}"})

    def begin(self, number: object, given: dict[str, Any]) -> None:
        """A thread for one request."""
        if not self.free.acquire(blocking=False):
            raise Refused("busy", f"{AT_ONCE} requests are being worked on")
        try:
            threading.Thread(target=self.work, args=(number, given), daemon=True).start()
        except RuntimeError as error:
            self.free.release()
            raise Refused("busy", "no further thread can be started") from error

    def work(self, number: object, given: dict[str, Any]) -> None:
        """Do it and answer, whatever happens."""
        answer: dict[str, Any] = {"id": number, "ok": False, "error": "failed", "why": ""}
        try:
            verb = self.verbs.get(str(given.get("do")))
            if verb is None:
                raise Refused("input", f"`do` is one of {', '.join(self.verbs)}, stop")
            answer = {"id": number, "ok": True, **verb(given)}
        except Refused as error:
            answer |= {"error": error.error, "why": str(error)}
        except (FileNotFoundError, NotADirectoryError) as error:
            answer |= {"error": "absent", "why": said(error)}
        except IsADirectoryError as error:
            answer |= {"error": "unfit", "why": said(error)}
        except Exception as error:  # noqa: BLE001 - one request must not end the others
            answer["why"] = said(error)
        finally:
            self.free.release()
        self.answer(answer)

    def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Start a program in a session of its own, keep what it prints, and end it when its time is up."""
        words, number, cwd = words_of(given), given.get("id"), self.eyes.place(given.get("cwd", "."))
        most, patience = int(among(given, "most", 30_000, 0, 1 << 20)), among(given, "timeout", 120.0, 0.0, 3600.0)
        began = time.monotonic()
        with self.lock:
            if number in self.running:
                raise Refused("input", f"the run with the `id` {number} is still at work")
            self.running[number] = None
        try:
            program = subprocess.Popen(
                words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
            self.running[number] = program
            kept, ended = followed(program, most, began + patience)
        finally:
            with self.lock:
                del self.running[number]
        if program.pid in self.stopped:
            self.stopped.discard(program.pid)
            ended = "stopped"
        lingers = lingering(program.pid)
        if lingers:
            self.left.add(program.pid)
        status = program.returncode if program.returncode >= 0 else 128 - program.returncode
        told = {"status": status if ended in ("exit", "signal") else None, "ended": ended, "lingers": lingers}
        (out, out_left), (err, err_left) = (each.told() for each in kept)
        streams = {"stdout": out, "stdout_left_out": out_left, "stderr": err, "stderr_left_out": err_left}
        return {**told, "seconds": round(time.monotonic() - began, 3), **streams}

    def stop(self, number: object) -> bool:
        """Kill what was started under this number; whether it was still at work."""
        with self.lock:
            program = None if isinstance(number, dict | list) else self.running.get(number)
            if program is None or program.returncode is not None:
                return False
            self.stopped.add(program.pid)
            kill(program.pid)
            return True

    def end(self) -> None:
        """Kill everything that was started and is not over, background and all."""
        with self.lock:
            programs = [each.pid for each in self.running.values() if each is not None and each.returncode is None]
            for group in {*self.left, *programs}:
                kill(group)
            for child in self.eyes.searching:
                os.kill(child, signal.SIGKILL)


def words_of(given: dict[str, Any]) -> list[str]:
    """The program and its arguments; a line is given to the shell."""
    words, line = given.get("argv"), given.get("line")
    if (words is None) == (line is None):
        raise Refused("input", "give either `argv` or `line`")
    if isinstance(line, str):
        words = ["/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh", "-c", line]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise Refused("input", "`argv` is a list of texts, `line` a text, without zero bytes")
    return words


def followed(program: subprocess.Popen[bytes], most: int, until: float) -> tuple[tuple[Cut, Cut], str]:
    """Read until it has ended, or its time is up and its group killed; what it printed, and how it ended."""
    assert program.stdout is not None and program.stderr is not None
    kept = Cut(most), Cut(most)
    ended, over = "", None
    with program.stdout, program.stderr, selectors.DefaultSelector() as pipes:
        pipes.register(program.stdout, selectors.EVENT_READ, kept[0])
        pipes.register(program.stderr, selectors.EVENT_READ, kept[1])
        while pipes.get_map() and (over is None or time.monotonic() < over):
            for key, _ in pipes.select(TICK):
                data = os.read(key.fd, 65536)
                key.data.add(data)
                if not data:
                    pipes.unregister(key.fileobj)
            if over is None and time.monotonic() > until:
                ended = "timeout"
                kill(program.pid)
            if over is None and (ended or program.poll() is not None):
                over = time.monotonic() + GRACE
    try:
        program.wait(None if ended else max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:  # it had closed its output and went on
        ended = "timeout"
        kill(program.pid)
        program.wait()
    return kept, ended or ("exit" if program.returncode >= 0 else "signal")


def kill(group: int) -> None:
    """Everything of one session that has not left it."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def lingering(group: int) -> bool:
    """Whether anything of an ended program lives on; what only waits for its burial does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for entry in os.listdir("/proc"):
        try:
            if entry.isdecimal() and live_in(group, content(f"/proc/{entry}/stat", 4096)):
                return True
        except OSError:  # it ended while it was looked at
            continue
    return False


def live_in(group: int, status: bytes) -> bool:
    """Whether a process with this status has not ended and belongs to the group (proc(5): the name, its state, parent, group)."""
    state, _, its = status.rpartition(b")")[2].split()[:3]
    return state not in (b"Z", b"X") and int(its) == group


def said(error: BaseException) -> str:
    """An error in words."""
    return shown((isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__)


def fetched(given: dict[str, Any]) -> dict[str, Any]:
    """What stands at an http or https URL, or what the server says instead. The box decides what can be reached."""
    import urllib.error
    import urllib.request

    url = given.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Refused("input", "`url` is an http or https URL")
    most, patience = int(among(given, "most", 100_000, 1, 1 << 20)), among(given, "timeout", 30.0, 0.1, 600.0)
    try:
        with urllib.request.urlopen(url, timeout=patience) as page:  # noqa: S310 - the schemes are those above
            status, kind, data = page.status, page.headers.get_content_type(), page.read(most + (1 << 20))
    except urllib.error.HTTPError as error:
        with error:
            status, kind, data = error.code, error.headers.get_content_type(), error.read(most)
    except urllib.error.URLError as error:
        raise Refused("failed", f"it cannot be reached: {error.reason}") from None
    return {"status": status, "type": kind, "text": text(data[:most]), "left_out": max(0, len(data) - most)}


def main() -> None:
    """Serve until stdin ends."""
    # a program that is started must not read the requests, nor speak in between the answers
    line, out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    turn = threading.Lock()

    def answer(told: dict[str, Any]) -> None:
        data = memoryview(json.dumps(told).encode() + b"\n")
        with turn:
            try:
                while data:
                    data = data[os.write(out, data) :]
            except BrokenPipeError:  # nobody wants to know any more
                hands.end()
                os._exit(0)

    hands = Hands(Eyes(os.curdir, (line, out), tuple(json.loads(os.environ.get("REMIT_BESIDE", "[]")))), answer)
    with os.fdopen(line, "rb", buffering=65536) as requests:
        while given := requests.readline(LINE):
            if len(given) == LINE and not given.endswith(b"\n"):
                while (rest := requests.readline(LINE)) and not rest.endswith(b"\n"):
                    pass
                answer({"id": None, "ok": False, "error": "input", "why": f"a request may have {LINE} bytes"})
            elif given.strip():
                hands.take(given)
        hands.end()
        os._exit(0)


if __name__ == "__main__":
    main()

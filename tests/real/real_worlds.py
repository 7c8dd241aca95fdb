"""Real runtimes at work: which there are, the scripted model they talk to, and what of a run is left on this machine."""

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from worlds import ROOT, Running, Told, World, released

from remit.adapters.runtimes.claude.outfit import PRODUCT as CLAUDE
from remit.adapters.runtimes.codex.outfit import PRODUCT as CODEX
from remit.adapters.runtimes.finding import Product
from remit.adapters.runtimes.gemini import PRODUCT as GEMINI
from remit.adapters.runtimes.opencode import PRODUCT as OPENCODE
from remit.testing.models import Loop, ModelServer, Script, Shell, served
from remit.testing.models.script import Step

CONTRACT = ROOT / "examples" / "release" / "with-an-agent.remit.yaml"
PRODUCTS: dict[str, Product] = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI, "opencode": OPENCODE}
MODELS = {
    "agent": "anthropic:claude-sonnet-4-5",
    "acp": "claude-haiku-4-5",
    "claude": "claude-sonnet-4-5",
    "codex": "gpt-5.1-codex",
    "gemini": "gemini-2.5-pro",
    "opencode": "claude-sonnet-4-5",
}
NAMES = tuple(MODELS)
ACP_AGENT = ROOT / "src" / "remit" / "testing" / "acp_agent.py"
KEY = "sk-real-"
MARK = "REMIT_TEST_NONCE"
PLACES = Path(os.environ.get("REMIT_RUNTIMES", ROOT / ".runtimes"))


def executable(name: str) -> Path:
    """The program of a runtime that npm installed. Where it is missing the test fails in CI, and is skipped elsewhere."""
    product = PRODUCTS[name]
    found = PLACES / name / "node_modules" / ".bin" / product.name
    if not found.exists():
        reason = f"{name} is not installed: tools/runtimes {name}    (or: {product.install()})"
        if os.environ.get("CI", "") not in ("", "0", "false") and name != "claude":  # that one may not be handed on
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Scene(World):
    """A person's machine with one runtime on it, and a model server that it takes for the vendors'."""

    def __init__(self, world: World, name: str, server: ModelServer) -> None:
        super().__init__(world.folder)
        self.name, self.server = name, server
        self.nonce = f"nonce{uuid.uuid4().hex[:12]}"
        self.key = KEY + uuid.uuid4().hex
        self.env |= {f"{each}_API_KEY": self.key for each in ("ANTHROPIC", "OPENAI", "GEMINI")}
        self.env |= {
            "ANTHROPIC_BASE_URL": server.url,
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "GOOGLE_GEMINI_BASE_URL": server.url,
        }
        if name in PRODUCTS:
            self.env[PRODUCTS[name].variable] = str(executable(name))
        node = next(iter(sorted(PLACES.glob("node/node_modules/*/bin"))), None)
        if node is not None:
            self.env["PATH"] = f"{node}:{self.env['PATH']}"

    def words(self, contract: str | Path) -> list[str]:
        """What `remit` is told to hand a contract to this runtime."""
        words = ["run", str(contract), "--workspace", str(self.work), "--json", "--runtime", self.name]
        words += ["--model", MODELS[self.name]]
        return words + (["--with", str(ACP_AGENT.parent), "--", *self.agent()] if self.name == "acp" else [])

    def agent(self) -> list[str]:
        """The conformance agent; everything it starts carries the mark."""
        return ["env", f"{MARK}={self.nonce}", "python3", "-IS", str(ACP_AGENT)]

    def hand_over(self, contract: str | Path = CONTRACT, code: int | None = 0) -> Told:
        """Hand over, and wait for the end."""
        return Told(self.quick(*self.words(contract), code=code).stdout)

    def begin(self, contract: str | Path) -> "Begun":
        """Hand over, and leave it running; whatever it tells is read."""
        self.quick("runs", code=None)  # the process that is forked for `quick` is there before anything is measured
        return Begun(self.start(*self.words(contract)))

    def saying(self, goal: str, name: str = "said.remit.yaml", **changed: str) -> str:
        """The contract of the release with another goal, and other lines where they are named by how they begin."""
        lines = []
        for line in CONTRACT.read_text().splitlines():
            key = line.split(":")[0]
            lines.append(f"goal: {json.dumps(goal)}" if key == "goal" else changed.get(key, line))
        return self.contract("\n".join(lines) + "\n", name)

    def marked(self, script: Script) -> Script:
        """The script with every shell command marked: whatever it starts can be found on the host, and in the records."""
        name = f"{script.name}-{self.nonce}"

        def mark(step: Step) -> Step:
            match step:
                case Shell(command=command, seconds=seconds):
                    return Shell(command=f"export {MARK}={self.nonce}; {command}", seconds=seconds)
                case Loop(step=Shell() as inner, times=times):
                    return Loop(step=Shell(command=f"export {MARK}={self.nonce}; {inner.command}"), times=times)
            return step

        steps = tuple(map(mark, script.steps))
        return Script(name=name, steps=steps, usage=script.usage)

    def alive(self) -> list[int]:
        """Processes of this machine that carry the mark."""
        return living(self.nonce)

    def seen(self, told: Iterable[dict[str, Any]], *marks: str) -> list[dict[str, Any]]:
        """Facts in which all of these words stand."""
        return [fact for fact in told if all(mark in json.dumps(fact, ensure_ascii=False) for mark in marks)]

    def results(self) -> str:
        """Everything the model was told."""
        return "\n".join(seen.body.decode(errors="replace") for seen in self.server.journal)


class Begun:
    """A run that goes on. Its lines are read as they come, or it would have to wait for its reader."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.told: list[str] = []
        self.errors: list[str] = []
        process = running.process
        assert process.stdout is not None and process.stderr is not None
        self._readers = [
            threading.Thread(target=kept.extend, args=(stream,), daemon=True)
            for kept, stream in ((self.told, process.stdout), (self.errors, process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Begun":
        return self

    def __exit__(self, *_: object) -> None:
        process = self.running.process
        process.kill()
        process.wait()
        for reader, stream in zip(self._readers, (process.stdout, process.stderr), strict=True):
            reader.join()
            assert stream is not None
            stream.close()

    def end(self, code: int) -> Told:
        """Wait for the end."""
        assert self.running.process.wait(timeout=60) == code, "".join(self.errors)[-1500:]
        for reader in self._readers:
            reader.join()
        assert "Traceback" not in "".join(self.errors)
        return Told("".join(self.told))


@contextmanager
def real(folder: Path, name: str, *options: str, scripts: Iterable[Script] = (), fallback: str = "hello") -> Iterator[Scene]:
    """A repository to release, its owner, the runtime, and the model server behind it."""
    if name in PRODUCTS:
        executable(name)
    world = released(folder, *options)
    failed: BaseException | None = None
    with served(scripts, fallback=fallback) as server:
        try:
            yield Scene(world, name, server)
        except BaseException as error:  # noqa: BLE001 - raised again: the server's task group would wrap it
            failed = error
    if failed is not None:
        raise failed


def everything(scene: Scene) -> dict[str, Any]:
    """What must not move before acceptance, or ever."""
    remote = scene.git("remote", "get-url", "origin")
    refs = subprocess.run(["git", "--git-dir", remote, "for-each-ref"], check=True, capture_output=True, text=True).stdout
    names = ("config", "hooks")
    return {
        "tree": scene.tree(), "head": scene.git("rev-parse", "HEAD"), "status": scene.git("status", "--porcelain"),
        "remote": refs, "branches": scene.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"),
        **{name: sorted(str(each) for each in (scene.work / ".git").glob(f"{name}*/*")) for name in names},
        "configuration": (scene.work / ".git" / "config").read_text(),
    }  # fmt: skip


def living(nonce: str) -> list[int]:
    """Processes of this machine whose environment or words hold the nonce; not the tests themselves, nor `remit`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z":
                continue
            said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if nonce.encode() in said and b"remit.cli.main" not in said:
            found.append(int(entry.name))
    return found


def eventually(what: Any, seconds: float = 40.0) -> Any:
    """What `what` gives as soon as it is something; it must be within the time."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return found


def stopped(scene: Scene, within: float = 2.0) -> dict[str, Any]:
    """Stop the last run, and measure from the call until nothing with the mark lives. The receipt.

    What any verb takes to start on this machine, busy as it is with other tests, is measured just before, and does not count.
    """
    assert scene.alive(), "nothing runs that could be stopped"
    dead: list[float] = []
    begun = time.monotonic()
    scene.quick("runs")
    start = time.monotonic() - begun
    begun = time.monotonic()

    def watch() -> None:
        while time.monotonic() < begun + 20:
            if not scene.alive():
                dead.append(time.monotonic() - begun)
                return
            time.sleep(0.03)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = scene.quick("stop", "--json")
    watcher.join()
    assert dead and dead[0] - start < within, f"dead after {dead} s, of which {start} were for starting: {scene.alive()}"
    receipt: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return receipt

"""What this machine can contain, found by doing it: real boxes with real commands, kept per boot, binary and user."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, Literal

import anyio
import msgspec

from remit.adapters.sandboxes import kernel
from remit.contract.contract import Level
from remit.errors import RemitError
from remit.ports import Box, BoxLimits, BoxPlan, Containment, Exec, Exit, Mount, Part, Watcher
from remit.value import digest, encode

Opener = Callable[[BoxPlan, Watcher], AbstractAsyncContextManager[Box]]
USERNS = (
    "allow unprivileged user namespaces: install bubblewrap; on Ubuntu copy the AppArmor profile bwrap-userns-restrict "
    "into /etc/apparmor.d; in a container start it with a seccomp profile that permits unshare"
)
NETWORK = "import socket; s=socket.socket(); s.settimeout(5); s.connect(('127.0.0.1', 3128)); s.sendall(b'x'); print('lo')"

MEMORY = Part(
    name="memory limit", ok=True, required=False,
    detail="soft: one process is refused more by the kernel and sees that itself; all together are measured every 0.1 s",
)  # fmt: skip


class Listener:
    """A watcher that remembers, for the boxes of the probe."""

    def __init__(self) -> None:
        self.printed = b""
        self.programs: list[Exec] = []

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """The probe's helper is always told yes."""
        return {"decision": "allow", "reasons": []}

    async def exec(self, program: Exec) -> bool:
        """Everything but `false`, which must then fail."""
        self.programs.append(program)
        return program.argv[:1] != ("false",)

    async def connect(self, host: str, port: int) -> bool:
        """Nowhere."""
        return False

    async def model(self, connection: socket.socket) -> None:
        """Nobody asks a model here."""

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """Not of interest here."""

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Kept for the comparison."""
        self.printed += data


async def probe(opener: Opener, cache: Path, *, fresh: bool) -> Containment:
    """The level and its parts; the last full result when neither machine, boot, binary nor user changed."""
    kept = cache / f"containment-{_machine()}.json"
    if not fresh:
        try:
            return msgspec.json.decode(kept.read_bytes(), type=Containment)
        except (OSError, msgspec.MsgspecError):
            pass
    parts = await _parts(opener)
    found = Containment(level=_level(parts), parts=tuple(parts))
    if found.level != "L3":  # what is missing may be cured at any moment
        return found
    with suppress(OSError):  # a place that cannot be written only costs the next probe
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = kept.with_suffix(f".{os.getpid()}")
        beside.write_bytes(encode(found))
        beside.replace(kept)
    return found


async def _parts(opener: Opener) -> list[Part]:
    bwrap = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    if bwrap is None:
        missing = Part(name="bwrap", ok=False, detail="not installed", cure="install the package `bubblewrap`")
        return [missing, _staging(None), _landlock()]
    parts = [Part(name="bwrap", ok=True, detail=bwrap)]
    with tempfile.TemporaryDirectory(prefix="remit-probe-") as place:
        folder = Path(place)
        parts.append(await _try(opener, folder, "namespaces", USERNS, kind="bind", observe=False))
        parts.append(
            await _try(opener, folder, "overlay", "kernel 5.11 or newer with overlayfs; else the stage is a copy", required=False)
        )
        kind: Literal["overlay", "bind"] = "overlay" if parts[-1].ok else "bind"
        parts.append(_staging(parts[-1]))
        parts.append(await _seccomp(opener, folder))
        parts.append(
            await _try(opener, folder, "network", "bring up lo in a network namespace", kind=kind, command=NETWORK, network=True)
        )
        parts.append(await _quota(opener, folder))
    parts += [_landlock(), _root(), MEMORY]
    return parts


async def _try(
    opener: Opener, folder: Path, name: str, cure: str, *, kind: Literal["overlay", "bind"] = "overlay",
    command: str = "print('lo')", observe: bool = True, network: bool = False, required: bool = True,
) -> Part:  # fmt: skip
    """One box, exactly as runs get it, and whether its command could say that it ran."""
    heard = Listener()
    plan = _plan(folder, kind, ("python3", "-ISc", command), observe=observe, network=network)
    ending = await _run(opener, plan, heard)
    if isinstance(ending, str):
        return Part(name=name, ok=False, detail=ending, cure=cure, required=required)
    ok = ending.status == 0 and b"lo" in heard.printed
    said = "" if ok else f"the command ended with {ending.status}: {heard.printed.decode(errors='replace')[:200]}"
    return Part(name=name, ok=ok, detail=said, cure="" if ok else cure, required=required)


async def _seccomp(opener: Opener, folder: Path) -> Part:
    """The wall must refuse a vsock, and the observer must be able to refuse a program."""
    cure = "a kernel with seccomp user notification (5.5 or newer)"
    heard = Listener()
    code = (
        "import socket,subprocess\n"
        "def t(f):\n try: f()\n except PermissionError: print('refused',end=' ')\n"
        "t(lambda: socket.socket(40, socket.SOCK_STREAM))\nt(lambda: subprocess.run(['false']))"
    )
    ending = await _run(opener, _plan(folder, "bind", ("python3", "-ISc", code)), heard)
    if isinstance(ending, str):
        return Part(name="seccomp", ok=False, detail=ending, cure=cure)
    ok = heard.printed.split() == [b"refused", b"refused"]
    return Part(name="seccomp", ok=ok, detail="" if ok else heard.printed.decode(errors="replace")[:200], cure="" if ok else cure)


async def _quota(opener: Opener, folder: Path) -> Part:
    second = "watched every 0.1 s instead; kernel 6.6 or newer holds it exactly"
    heard = Listener()
    plan = _plan(folder, "overlay", ("python3", "-ISc", "open('big','wb').write(bytes(1<<22))"), quota=1 << 20)
    ending = await _run(opener, plan, heard)
    ok = isinstance(ending, Exit) and ending.limit == "disk" and b"No space left" in heard.printed
    return Part(name="disk quota", ok=ok, detail="hard" if ok else "soft", cure="" if ok else second, required=False)


async def _run(opener: Opener, plan: BoxPlan, heard: Listener) -> Exit | str:
    try:
        with anyio.fail_after(30):
            async with opener(plan, heard) as box:
                return await box.wait()
    except (RemitError, TimeoutError) as error:
        return str(error) or "no answer within 30 s"


def _plan(
    folder: Path,
    kind: Literal["overlay", "bind"],
    command: tuple[str, ...],
    *,
    observe: bool = True,
    network: bool = False,
    quota: int | None = None,
) -> BoxPlan:
    base = Path(tempfile.mkdtemp(dir=folder))
    for name in ("base", "upper", "work"):
        (base / name).mkdir()
    layers = (str(base / "upper"), str(base / "work")) if kind == "overlay" else (None, None)
    mount = Mount(at="/workspace", kind=kind, lower=(str(base / "base"),), upper=layers[0], work=layers[1], quota=quota)
    limits = BoxLimits(time=20.0)
    return BoxPlan(argv=command, mount=mount, cwd="/workspace", observe=observe, network=network, limits=limits)


def _staging(overlay: Part | None) -> Part:
    return Part(name="staging", ok=True, detail="overlay" if overlay is not None and overlay.ok else "copy")


def _landlock() -> Part:
    abi = kernel.landlock_abi()
    ok = abi >= 6
    cure = "" if ok else "a second wall only: kernel 6.12 or newer with Landlock enabled"
    return Part(name="landlock", ok=ok, detail=f"version {abi}" if abi else "not there", cure=cure, required=False)


def _root() -> Part:
    if os.geteuid() != 0:
        return Part(name="process limit", ok=True, detail="held by the kernel", required=False)
    said = "the kernel exempts root from the process limit: counted every 0.1 s instead"
    return Part(name="process limit", ok=False, detail=said, cure="run as an ordinary user", required=False)


def _level(parts: list[Part]) -> Level:
    good = {part.name: part.ok for part in parts}
    if all(part.ok for part in parts if part.required):
        return "L3"
    if good.get("namespaces") or (good.get("landlock") and good.get("seccomp")):
        return "L2"
    return "L1" if good.get("staging") else "L0"


def _machine() -> str:
    """What a result is valid for: this boot, kernel, user, bwrap, interpreter and remit."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    facts: list[object] = [boot.read_text() if boot.exists() else "", os.geteuid(), list(os.uname())]
    for each in (shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin"), os.path.realpath("/usr/bin/env"), __file__):
        info = Path(each).stat() if each else None
        facts.append([each, info.st_mtime_ns, info.st_size] if info else None)
    return digest(facts)[7:23]

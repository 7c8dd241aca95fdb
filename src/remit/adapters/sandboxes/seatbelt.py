"""macOS, experimental: the profile text for `sandbox-exec`, and an honest account of what it cannot hold.

A seatbelt profile knows neither process namespaces nor limits nor an overlay, so full containment is never claimed and
no box is opened here; only the boundary that a profile can draw is compiled and probed. Never `(allow default)`.
"""

import platform
import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio

from remit.errors import BadInput, Unavailable
from remit.ports import Box, BoxPlan, Containment, Part, Watcher

READABLE = (
    "/usr",
    "/bin",
    "/sbin",
    "/System",
    "/Library/Apple",
    "/private/var/db/dyld",
    "/private/etc/ssl",
    "/dev/null",
    "/dev/urandom",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/dtracehelper", "/dev/tty")
MISSING = (
    ("process namespace", "a daemon that leaves its session can survive; stopping sweeps by process group only"),
    ("limits", "memory, processes and disk of the whole tree are not held"),
    ("hidden processes", "other processes of the same user can be seen"),
)


class Seatbelt:
    """Satisfies `Sandbox`, and refuses to open: macOS does not reach L3, and no lower box is built yet."""

    async def probe(self, *, fresh: bool = False) -> Containment:
        """L1 at most: what is missing is named part by part, and the profile is tried by running under it."""
        parts = [await _profile()]
        parts += [
            Part(name=name, ok=False, detail=detail, cure="run remit on Linux, or in a Linux virtual machine")
            for name, detail in MISSING
        ]
        return Containment(level="L1" if parts[0].ok else "L0", parts=tuple(parts))

    def open(self, plan: BoxPlan, watcher: Watcher) -> AbstractAsyncContextManager[Box]:
        """Raises Unavailable, always."""
        raise Unavailable("macOS cannot give full containment", hint="run remit on Linux, or in a Linux virtual machine")


def profile(plan: BoxPlan, *, interpreter: str, port: int | None) -> str:
    """The profile of a plan: deny everything, then name what is there. `port` is the proxy's on localhost. Raises BadInput."""
    workspace = _quoted(plan.mount.at)
    lines = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork)",
        "(allow process-exec*)",
        "(allow signal (target same-sandbox))",
    ]
    lines += ["(allow sysctl-read)", '(allow mach-lookup (global-name "com.apple.system.logger"))', "(allow file-read-metadata)"]
    readable = (*READABLE, interpreter, *plan.visible)
    lines += [f"(allow file-read* (subpath {_quoted(each)}))" for each in readable]
    lines.append(f"(allow file-read* (subpath {workspace}))")
    if plan.mount.writable:
        lines.append(f"(allow file-write* (subpath {workspace}))")
    lines += [f"(allow file-read* file-write-data (literal {_quoted(each)}))" for each in DEVICES]
    if plan.network and port is not None:
        lines.append(f'(allow network-outbound (remote ip "localhost:{port}"))')
    return "\n".join(lines) + "\n"


def _quoted(path: str) -> str:
    """A path as a profile string. A path that needs escaping is refused rather than guessed at."""
    if not path.startswith("/") or any(ord(letter) < 32 or letter in '"\\' for letter in path):
        raise BadInput(f"the path `{path}` cannot stand in a sandbox profile")
    return f'"{path}"'


async def _profile() -> Part:
    cure = "experimental: only on macOS with sandbox-exec"
    program = shutil.which("sandbox-exec", path="/usr/bin")
    if platform.system() != "Darwin" or program is None:
        return Part(name="seatbelt", ok=False, detail="sandbox-exec is not here", cure=cure)
    denied = "(version 1)(deny default)(allow process-exec*)(allow file-read*)"
    target = Path("/private/tmp/remit-seatbelt-probe")
    ran = await anyio.run_process([program, "-p", denied, "/usr/bin/touch", str(target)], check=False)
    held = ran.returncode != 0 and not target.exists()
    target.unlink(missing_ok=True)
    return Part(name="seatbelt", ok=held, detail="" if held else "a denied write went through", cure="" if held else cure)

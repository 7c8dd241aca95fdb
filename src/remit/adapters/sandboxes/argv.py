"""From a plan to the arguments of bwrap: what is not named here does not exist in the box.

Order matters and each line has its trap: sizes count only for the next tmpfs, the root and /dev are writable until they
are remounted, and nothing may be mounted below a place an agent can write (CVE-2026-87766).
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from remit.adapters.sandboxes.inside import program, source
from remit.errors import BadInput, Unavailable
from remit.ports import BoxPlan
from remit.value import Value

HOME = "/home/agent"
TOOLS = "/run/remit/bin"
INSIDE = "/run/remit/inside"
HANDS = f"{TOOLS}/hands"
MCP = f"{TOOLS}/remit-mcp"
DOOR = "/run/door/socket"
INIT = "/run/remit/init.pyc"
PORT = 3128
SPACE = 512 * 1024 * 1024
"""bytes for each of /tmp, the home and /dev/shm"""
ETC = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/alternatives")
COPIED = ("/etc/ssl/openssl.cnf", "/etc/ld.so.cache", "/etc/localtime", "/etc/protocols", "/etc/services")
"""files, copied instead of mounted: bwrap reads its whole mount table again for every mount"""
TAKEN = ("/proc", "/dev", "/sys", "/etc", "/run/remit", "/run/door", "/bin", "/sbin", "/lib", "/lib64", "/boot")


class Laid(Value, frozen=True, kw_only=True):
    """A small file of the box: where, what, and its mode."""

    path: str
    content: bytes
    mode: int = 0o444


def check(plan: BoxPlan) -> None:
    """Refuse a plan that cannot be boxed safely. Raises BadInput."""
    at = PurePosixPath(plan.mount.at)
    if str(at) != plan.mount.at or not at.is_absolute() or ".." in at.parts or "\0" in plan.mount.at:
        raise BadInput(f"the workspace path `{plan.mount.at}` is not a plain absolute path")
    if any(_within(taken, plan.mount.at) for taken in (*TAKEN, HOME, "/usr", "/tmp", "/var/tmp")) or any(  # noqa: S108
        _within(plan.mount.at, taken) for taken in TAKEN
    ):
        raise BadInput(f"a workspace at `{plan.mount.at}` would cover the box itself", hint="move it to a folder of its own")
    for each in (*plan.visible, *plan.files):
        if _within(each, plan.mount.at):
            raise BadInput(f"`{each}` lies inside the workspace; nothing is ever mounted below it")
        if ".." in PurePosixPath(each).parts or not each.startswith("/"):
            raise BadInput(f"`{each}` is not a plain absolute path")
    if not plan.argv or any("\0" in word for word in (*plan.argv, *plan.environment, *plan.environment.values())):
        raise BadInput("the command is empty or holds a zero byte")


def flags(plan: BoxPlan, workspace: str, laid: Mapping[int, Laid], seccomp: int) -> list[str]:
    """Everything bwrap is told, for `--args`."""
    words = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--disable-userns", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
    words += ["--hostname", "remit"]
    words += [word for row in (*_system(), *_interpreter(), *_rooms()) for word in row]
    for name, ours in programs(plan).items():
        words += ["--symlink", f"{INSIDE}/{ours}.py", f"{TOOLS}/{name}"]
    for each in plan.visible:
        words += ["--ro-bind", each, each]
    for descriptor, file in laid.items():
        words += ["--perms", f"{file.mode:04o}", "--ro-bind-data" if _loose(file.path) else "--file", str(descriptor), file.path]
    words += ["--bind" if plan.mount.writable else "--ro-bind", workspace, plan.mount.at]
    words += ["--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/", "--chdir", "/", "--seccomp", str(seccomp)]
    return words


def command() -> list[str]:
    """The first process of the box."""
    return ["--", interpreter(), "-I", "-S", "-E", "-B", "-X", "utf8", INIT]


def interpreter() -> str:
    """The real file of the interpreter remit runs on."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable) or sys.executable)


def files(plan: BoxPlan, uid: int, gid: int) -> list[Laid]:
    """The files laid in: who is who, how names are looked up, the helper, and those of the plan."""
    name = "agent" if uid else "root"
    users = f"{name}:x:{uid}:{gid}:agent:{HOME}:/bin/sh\n" + "nobody:x:65534:65534:nobody:/:/bin/false\n"
    first = b"#!" + interpreter().encode() + b" -IS\n"
    ours = [*programs(plan).values(), *(["eyes"] if plan.talks else [])]
    laid = [
        Laid(path="/etc/passwd", content=users.encode()),
        Laid(path="/etc/group", content=f"{name}:x:{gid}:\nnogroup:x:65534:\n".encode()),
        Laid(path="/etc/hosts", content=b"127.0.0.1 localhost remit\n::1 localhost\n"),
        Laid(path="/etc/resolv.conf", content=b""),
        Laid(path="/etc/nsswitch.conf", content=b"passwd: files\ngroup: files\nhosts: files\n"),
        Laid(path=INIT, content=program("stage0")),
        *(Laid(path=f"{INSIDE}/{name}.py", content=first + source(name), mode=0o555) for name in ours),
    ]
    laid += [Laid(path=path, content=Path(path).read_bytes()) for path in COPIED if Path(path).is_file()]
    return [each for each in laid if each.path not in plan.files] + [
        Laid(path=path, content=text.encode()) for path, text in plan.files.items()
    ]


def programs(plan: BoxPlan) -> dict[str, str]:
    """Which programs of ours are among the tools of the box, and what they are called there: each costs the start a little."""
    found = {"remit": "act"}
    if plan.door:
        found["remit-mcp"] = "mcp"
    if plan.talks:
        found["hands"] = "hands"
    return found


def hands_argv() -> tuple[str, ...]:
    """The command of a box that talks and in which only the light agent's hands are."""
    return (HANDS,)


def environment(plan: BoxPlan) -> dict[str, str]:
    """What the command finds in its environment; nothing of the host's."""
    own = {"PATH": f"{TOOLS}:/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "TMPDIR": "/tmp", "LANG": "C.UTF-8", "USER": "agent"}  # noqa: S108
    if plan.door:
        own["REMIT_DOOR"] = "/run/remit/door"
    if plan.network:
        proxy = f"http://127.0.0.1:{PORT}"
        own |= {name: proxy for lower in ("http_proxy", "https_proxy", "all_proxy") for name in (lower, lower.upper())}
        own["NODE_USE_ENV_PROXY"] = "1"
        own["no_proxy"] = own["NO_PROXY"] = "127.0.0.1,localhost"  # the box's own, the meter among it
    given = dict(plan.environment)
    if "PATH" in given:
        given["PATH"] = f"{TOOLS}:{given['PATH']}"
    return own | given


def writable(plan: BoxPlan) -> list[str]:
    """Folders where the box may change things."""
    return [*([plan.mount.at] if plan.mount.writable else []), "/tmp", "/var/tmp", HOME, "/dev/shm"]  # noqa: S108


def _system() -> Iterator[list[str]]:
    yield ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        place = Path("/") / name
        if place.is_symlink():
            yield ["--symlink", str(place.readlink()), f"/{name}"]
        elif place.is_dir():
            yield ["--ro-bind", f"/{name}", f"/{name}"]
    yield from (["--ro-bind", path, path] for path in ETC if Path(path).is_dir())


def _interpreter() -> Iterator[list[str]]:
    """Only the interpreter's own folder, never the home it may live in."""
    real, prefix = interpreter(), os.path.realpath(sys.base_prefix)
    home = os.path.realpath(Path.home())
    if _within(home, prefix) or prefix == f"{home}/.local":
        raise Unavailable(
            f"the interpreter's folder `{prefix}` holds more than the interpreter", hint="run remit on another Python"
        )
    for place in (prefix, real):
        if not _within(place, "/usr") and (place == prefix or not _within(real, prefix)):
            yield ["--ro-bind", place, place]
    for name in ("python", "python3"):
        yield ["--symlink", real, f"{TOOLS}/{name}"]


def _rooms() -> Iterator[list[str]]:
    yield ["--proc", "/proc"]
    yield ["--dev", "/dev"]
    for mode, place in (("1777", "/dev/shm"), ("1777", "/tmp"), ("1777", "/var/tmp"), ("0700", HOME)):  # noqa: S108
        yield ["--perms", mode, "--size", str(SPACE), "--tmpfs", place]
    yield ["--perms", "0700", "--size", str(64 * 1024), "--tmpfs", "/run/door"]
    yield ["--symlink", DOOR, "/run/remit/door"]


def _loose(path: str) -> bool:
    """Whether the file would lie where the box can write, and so needs a read-only mount of its own."""
    return any(_within(path, place) for place in ("/tmp", "/var/tmp", HOME, "/dev/shm", "/run/door"))  # noqa: S108


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")

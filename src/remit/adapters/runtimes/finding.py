"""Where a runtime's program is, what of this machine it needs to see in its box, and which version it is.

Only the folder of its own package becomes visible, and where it runs on node those of the packages it depends on, as node
would find them: never a home, never a whole `node_modules`. Nothing of it is run where its package says the version.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, SubprocessError, run

import anyio
import msgspec

from remit.errors import Unavailable
from remit.value import Value

MOST_PACKAGES = 400
VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.-]+)?")
PATIENCE = 20.0
"""seconds a program has to say its version"""


class Product(Value, frozen=True, kw_only=True):
    """A runtime as it is installed. `variable` names the environment variable with the path of its executable.

    `native` are globs, within the folders of its packages, of the real program behind npm's wrapper.
    """

    name: str
    variable: str
    package: str
    pinned: str
    native: tuple[str, ...] = ()

    def install(self) -> str:
        """The command that installs the version remit was tried with."""
        return f"npm i -g {self.package}@{self.pinned}"


class Installed(Value, frozen=True, kw_only=True):
    """How it is started, which host folders its box needs to see, and its version."""

    argv: tuple[str, ...]
    visible: tuple[str, ...]
    version: str


async def find(product: Product, workspace: str, environ: Mapping[str, str] | None = None) -> Installed:
    """The program of `$VARIABLE`, else of PATH. Raises Unavailable, with the command that installs it."""
    there = os.environ if environ is None else environ
    return await anyio.to_thread.run_sync(lambda: located(product, there, workspace=workspace))


def located(product: Product, environ: Mapping[str, str], *, workspace: str = "", ask: bool = True) -> Installed:
    """The same, for who may block. `ask`: whether a program whose package does not say its version may be started to say it.

    What lies in the workspace is the repository's, and is neither started here nor shown, whatever PATH says.
    """
    named = environ.get(product.variable, "")
    path = environ.get("PATH", os.defpath)
    entry = shutil.which(named or product.name, path=path)
    if entry is None:
        where = f"`{named}` (${product.variable}) is no program" if named else f"no `{product.name}` is on PATH"
        raise Unavailable(f"{where}, so this runtime cannot work here", hint=f"install it: `{product.install()}`")
    real = Path(os.path.realpath(entry))
    home = _package(real)
    packages = _closure(home) if home else ()
    program = real if _native(real) else _behind(product, packages)
    if program is not None:
        owner = _package(program)
        _apart(product, workspace, str(real), str(program))
        return _installed(product, (str(program),), (str(owner or program),), home, environ, ask=ask)
    node = shutil.which("node", path=path)
    if home is None or not _runs_on_node(real):
        raise Unavailable(
            f"`{real}` is a script that remit cannot see through",
            hint=f"set ${product.variable} to the real program, or install it: `{product.install()}`",
        )
    if node is None:
        raise Unavailable(f"`{real}` needs node, and there is none on PATH", hint="install Node.js 20 or later")
    there = os.path.realpath(node)
    _apart(product, workspace, str(real), there)
    seen = (*map(str, packages), *([] if _within(there, "/usr") else [there]))
    return _installed(product, (there, str(real)), seen, home, environ, ask=ask)


# ---------------------------------------------------------------------------------------------------------------------


def _installed(
    product: Product, argv: tuple[str, ...], visible: tuple[str, ...], package: Path | None, environ: Mapping[str, str], *,
    ask: bool,
) -> Installed:  # fmt: skip
    """Raises Unavailable where a home or the whole machine would become visible."""
    home = os.path.realpath(environ.get("HOME") or Path.home())
    for each in visible:
        if each == "/" or _within(home, each):
            raise Unavailable(
                f"`{each}` holds more than {product.name}, so it cannot be shown in a box",
                hint=f"install it into a folder of its own: `{product.install()}`",
            )
    said = _manifest(package).get("version") if package else None
    known = isinstance(said, str) and VERSION.fullmatch(said)
    version = str(said) if known else _asked(argv, _stamp(argv[-1])) if ask else "unknown"
    shown = tuple(each for each in dict.fromkeys(visible) if not _within(each, "/usr"))
    return Installed(argv=argv, visible=_outermost(shown), version=version)


def _apart(product: Product, workspace: str, *programs: str) -> None:
    """Raises Unavailable for a program of the workspace."""
    for each in programs:
        if workspace and _within(each, os.path.realpath(workspace)):
            raise Unavailable(
                f"`{each}` lies in the workspace, so it is the repository's and not yours",
                hint=f"install {product.name} elsewhere: `{product.install()}`",
            )


def _package(path: Path) -> Path | None:
    """The npm package a file belongs to: the nearest `node_modules/NAME` or `node_modules/@SCOPE/NAME` above it."""
    for folder in path.parents:
        above = folder.parent
        if above.name.startswith("@"):
            above = above.parent
        elif folder.name.startswith("@"):
            continue
        if above.name == "node_modules" and (folder / "package.json").is_file():
            return folder
    return None


def _closure(package: Path) -> tuple[Path, ...]:
    """A package and those it depends on that are installed, each found as node finds it."""
    found: dict[Path, None] = {package: None}
    queue = [package]
    while queue and len(found) < MOST_PACKAGES:
        at = queue.pop(0)
        manifest = _manifest(at)
        for kind in ("dependencies", "optionalDependencies"):
            named = manifest.get(kind)
            for name in named if isinstance(named, dict) else ():
                each = _resolved(at, str(name))
                if each is not None and each not in found:
                    found[each] = None
                    queue.append(each)
    return tuple(found)


def _resolved(package: Path, name: str) -> Path | None:
    if not re.fullmatch(r"(@[\w.~-]+/)?[\w~-][\w.~-]*", name):
        return None
    for folder in (package, *package.parents):
        place = folder / "node_modules" / name
        if folder.name != "node_modules" and (place / "package.json").is_file():
            real = Path(os.path.realpath(place))
            return real if _package(real / "package.json") == real else None
    return None


def _behind(product: Product, packages: tuple[Path, ...]) -> Path | None:
    """The real program that npm's wrapper would start."""
    for pattern in product.native:
        for package in packages:
            for each in sorted(package.glob(pattern)):
                real = Path(os.path.realpath(each))
                if _native(real):
                    return real
    return None


def _native(path: Path) -> bool:
    """Whether it is a program of this machine: an ELF file of the same kind as the shell, that may be run."""
    return os.access(path, os.X_OK) and path.is_file() and _kind(path) == _kind(Path(os.path.realpath("/bin/sh")))


def _kind(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(20)
    return head[:5] + head[18:20] if head[:4] == b"\x7fELF" else head[:2]


def _runs_on_node(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(256)
    return first.startswith(b"#!") and b"node" in first


def _manifest(package: Path) -> dict[str, object]:
    try:
        read = msgspec.json.decode((package / "package.json").read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return read if isinstance(read, dict) else {}


def _stamp(path: str) -> tuple[int, int]:
    seen = Path(path).stat()
    return seen.st_mtime_ns, seen.st_size


@lru_cache(maxsize=16)
def _asked(argv: tuple[str, ...], stamp: tuple[int, int]) -> str:  # noqa: ARG001 - another file of that name is asked again
    """What `--version` says, in a home that is empty and with nothing of our environment. `unknown` where it says none."""
    with tempfile.TemporaryDirectory(prefix="remit-version-") as home:
        clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
        clean |= {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        try:
            said = run(
                [*argv, "--version"],
                env=clean,
                cwd=home,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, SubprocessError):
            return "unknown"
    found = VERSION.search(said.stdout[:4096].decode(errors="replace"))
    return found.group() if found else "unknown"


def _outermost(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Those that lie in none of the others: nothing is mounted twice."""
    return tuple(each for each in folders if not any(each != other and _within(each, other) for other in folders))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")

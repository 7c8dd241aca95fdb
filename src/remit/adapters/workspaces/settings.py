"""The repository's own settings without what opens doors elsewhere: tokens in URLs, headers, helpers, passwords.

The box sees a cleaned copy; the user's file is never touched, and no settings ever travel back. Read by a reader of our
own, since in a fork the file was written by an agent (git-config(1), CONFIGURATION FILE).
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.layers import Layer
from remit.adapters.workspaces.overlay import own
from remit.errors import Conflict
from remit.value import Value

FILES = (".git/config", ".git/config.worktree")
LARGEST = 1 << 20
DROPPED_SECTIONS = ("credential",)
DROPPED_KEYS = re.compile(
    r"extraheader|cookiefile|askpass|sshcommand|gitproxy|token|passw|pass$|secret|apikey|auth(?!or)|sslkey$"
)
USERINFO = re.compile(r"(?P<scheme>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30})://(?P<user>[^/?#\s]*)@")
SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\s*\]')
KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
ESCAPES = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\"}
LEAST = b"[core]\n\trepositoryformatversion = 0\n"
"""what is shown in place of settings that cannot be read: git takes its defaults"""


class Setting(Value, frozen=True, kw_only=True):
    """One line: section, the name in quotes or None, key, and its value or None where only the key stands."""

    section: str
    sub: str | None
    key: str
    value: str | None

    @property
    def name(self) -> str:
        """As git says it, with nothing secret in it."""
        return f"{self.section}.{stripped(self.sub)}.{self.key}" if self.sub is not None else f"{self.section}.{self.key}"


class Unreadable(Exception):
    """Not the settings of a repository."""


def cleaned(data: bytes) -> tuple[bytes, tuple[str, ...]] | None:
    """The settings without secrets, and the names of what was changed or left out; None when there was nothing."""
    try:
        rows = list(settings(data.decode("utf-8", "surrogateescape")))
    except Unreadable as error:
        return LEAST, (f"all of them ({error})",)
    kept: list[Setting] = []
    changed: list[str] = []
    for row in rows:
        safe = _safe(row)
        if safe is not None:
            kept.append(safe)
        if safe != row:
            changed.append(row.name)
    return (_printed(kept), tuple(sorted(set(changed)))) if changed else None


def stripped(text: str) -> str:
    """A text without user names and passwords in its URLs; the login name of ssh alone is no secret."""
    return USERINFO.sub(_without_user, text)


def lay(root: int, layer: Layer) -> tuple[str, ...]:
    """Cover the base's settings by cleaned ones in a topmost layer; the names that were changed."""
    changed: list[str] = []
    for path in FILES:
        found = _read(root, path)
        if found is not None and (clean := cleaned(found[0])) is not None:
            _, state = found
            layer.folder(".git", *_folder(root))
            target = layer.at / path
            target.write_bytes(clean[0])
            target.chmod(state.bits)
            own(target, state.uid, state.gid)
            changed += [f"{path}: {name}" for name in clean[1]]
    return tuple(changed)


def wash(tree: Path) -> tuple[str, ...]:
    """Clean the settings of a private copy in their place; the names that were changed."""
    changed: list[str] = []
    with walk.folder(str(tree)) as root:
        for path in FILES:
            found = _read(root, path)
            if found is not None and (clean := cleaned(found[0])) is not None:
                with walk.beneath(root, ".git") as at:
                    writer = os.open(path.rpartition("/")[2], os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
                with os.fdopen(writer, "wb") as target:
                    target.write(clean[0])
                changed += [f"{path}: {name}" for name in clean[1]]
    return tuple(changed)


def warning(changed: tuple[str, ...]) -> tuple[str, ...]:
    """What a person should know, if there is anything."""
    if not changed:
        return ()
    return (f"the repository's settings hold credentials, the box sees a copy without them: {', '.join(changed)}",)


# ---------------------------------------------------------------------------------------------------------------------


def settings(text: str) -> Iterator[Setting]:
    """Every setting of the text, in order. Raises Unreadable."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    at, section, sub = 0, "", None
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] in "#;":
            at = _line_end(text, at)
        elif text[at] == "[":
            found = SECTION.match(text, at)
            if found is None:
                raise Unreadable("a section that does not end")
            section, sub, at = *_named(found), found.end()
        else:
            found = KEY.match(text, at)
            if found is None or not section:
                raise Unreadable("a line without a key")
            value, at = _value(text, found.end())
            yield Setting(section=section, sub=sub, key=found[0].lower(), value=value)


def _named(found: re.Match[str]) -> tuple[str, str | None]:
    if found[2] is not None:
        return found[1].lower(), re.sub(r"\\(.)", r"\1", found[2])
    section, dot, old = found[1].lower().partition(".")
    return section, old if dot else None


def _value(text: str, at: int) -> tuple[str | None, int]:
    """What stands behind a key: quotes, escapes and continued lines resolved, comments left out."""
    while at < len(text) and text[at] in " \t":
        at += 1
    if at == len(text) or text[at] in "\n#;":
        return None, _line_end(text, at)
    if text[at] != "=":
        raise Unreadable("a key without its sign")
    found, kept, quoted = "", 0, False
    at += 1
    while at < len(text) and (text[at] != "\n"):
        mark = text[at]
        if mark == "\\":
            follows = text[at + 1 : at + 2]
            if follows != "\n":
                found += ESCAPES.get(follows) or _bad()
                kept = len(found)
            at += 2
            continue
        if mark == '"':
            quoted = not quoted
            kept = len(found)
        elif mark in "#;" and not quoted:
            at = _line_end(text, at)
            break
        elif quoted or found or not mark.isspace():
            found += mark
            kept = len(found) if quoted or not mark.isspace() else kept
        at += 1
    if quoted:
        raise Unreadable("a quote that does not end")
    return found[:kept], at


def _bad() -> str:
    raise Unreadable("an escape that means nothing")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _safe(row: Setting) -> Setting | None:
    if row.section in DROPPED_SECTIONS or DROPPED_KEYS.search(row.key):
        return None
    sub = None if row.sub is None else stripped(row.sub)
    value = None if row.value is None else stripped(row.value)
    return Setting(section=row.section, sub=sub, key=row.key, value=value)


def _without_user(found: re.Match[str]) -> str:
    scheme, user = found["scheme"], found["user"].partition(":")[0]
    return f"{scheme}://{user}@" if user and scheme.lower() in ("ssh", "git+ssh", "ssh+git") else f"{scheme}://"


def _printed(rows: list[Setting]) -> bytes:
    lines: list[str] = []
    here: tuple[str, str | None] | None = None
    for row in rows:
        if (row.section, row.sub) != here:
            here = (row.section, row.sub)
            name = "" if row.sub is None else ' "' + row.sub.replace("\\", "\\\\").replace('"', '\\"') + '"'
            lines.append(f"[{row.section}{name}]")
        lines.append(f"\t{row.key}" if row.value is None else f"\t{row.key} = {_quoted(row.value)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _quoted(value: str) -> str:
    for mark, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\b", "\\b")):
        value = value.replace(mark, written)
    return f'"{value}"'


def _read(root: int, path: str) -> tuple[bytes, walk.Stat] | None:
    above, name = walk.split(path)
    try:
        with walk.beneath(root, above) as at:
            state = walk.lstat(at, name)
            if state is None or state.kind != "file":
                return None
            with os.fdopen(walk.open_file(at, name), "rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, Conflict):
        return None
    return (data if len(data) <= LARGEST else b"[", state)


def _folder(root: int) -> tuple[int, int, int]:
    state = walk.lstat(root, ".git")
    assert state is not None
    return state.bits, state.uid, state.gid

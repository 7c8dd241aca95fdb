"""Why a changed path is dangerous wherever it lands, beyond what its name alone says."""

import unicodedata
from collections.abc import Callable

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.snapshot import GIT, fold
from remit.adapters.workspaces.walk import Stat

LARGEST = 4 * 1024**3
"""Bytes of one file, where no quota is set: a sparse file can claim terabytes."""

HOPS = 40
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def name_trouble(path: str) -> str:
    """Why a name cannot be trusted to be what a person reads, empty when it can."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if path.isascii() and path.isprintable():
        return ""
    if any(char in _BIDI or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in path):
        return "its name holds control characters"
    return ""


def twin(path: str, delta: Delta, new: dict[str, str]) -> str:
    """Which other path differs only in case or composition; `new` are the folded spellings of what the run made."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        here = "/".join(parts[:count])
        folded = fold(here)
        known = delta.base.folded.get(folded, here)
        if known != here and known not in delta.removed:
            return known
        other = new.setdefault(folded, here)
        if other != here:
            return other
    return ""


def state_trouble(path: str, state: Stat, delta: Delta, quota: int | None) -> str:
    """Why the entry itself is dangerous: its type, bits, links or size."""
    if state.kind == "other":
        return "it is neither a file, a folder nor a link"
    if path in delta.too_deep:
        return f"it is more than {walk.DEPTH} folders deep"
    if path in delta.forged:
        return "it carries a forged overlay attribute"
    if state.bits & 0o6000 and state.kind == "file":
        return "it would run with its owner's rights (setuid or setgid)"
    if state.kind == "file" and state.links > 1:
        return "it is a hard link: another name shares its content"
    if state.kind == "file" and state.size > (LARGEST if quota is None else quota):
        return "it is larger than the quota"
    return ""


def link_trouble(path: str, target: str, link_at: Callable[[str], str | None]) -> str:
    """Why a link must not be trusted: it leaves the workspace, enters `.git`, or never ends. `link_at` reads other links."""
    if target.startswith("/"):
        return "it is a link out of the workspace"
    here = path.split("/")[:-1]
    todo = target.split("/")[::-1]
    hops = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return "it is a link out of the workspace"
            here.pop()
            continue
        here.append(part)
        if part == GIT:
            return "it is a link into a repository's own files"
        onward = link_at("/".join(here))
        if onward is not None:
            hops += 1
            if onward.startswith("/"):
                return "it is a link out of the workspace"
            if hops > HOPS:
                return "it is a link that never ends"
            here.pop()
            todo.extend(onward.split("/")[::-1])
    return ""

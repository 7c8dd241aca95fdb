"""Where the folders of a run's skills are in its box: at their own path, read-only; or copied, where that path is hidden."""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from msgspec.structs import replace

from remit.authority.action import Action
from remit.contract.secret import secret_test
from remit.engine.hands import Hands
from remit.plan.skill_call import COPIES, folder_name
from remit.plan.step import Pinned
from remit.run.state import Run

MACHINE = ("/proc", "/sys", "/dev")
MOST_FILES = 256
PARTS = frozenset({"references", "reference", "scripts", "assets", "examples", "templates", "tokens", "snippets", "diagrams"})
"""folders of a skill; whatever else lies beside a SKILL.md is copied nowhere"""
MOST_LOOKED = 5000
"""files below a skill's folder; one that has more is no skill's alone"""
MOST = 4 * 1024 * 1024
"""bytes of all copies together; the next skill's further files are left out"""


def place(run: Run, pinned: Pinned) -> str:
    """The folder as the agent finds it. In the workspace, settings of runtimes are hidden: what lies among them is copied."""
    assert run.started is not None
    folder = PurePosixPath(pinned.folder)
    if not pinned.folder or not folder.is_relative_to(run.started.workspace):
        return f"{COPIES}/{folder_name(pinned)}" if pinned.folder and _holds_more(run, Path(pinned.folder)) else pinned.folder
    inside = folder.relative_to(run.started.workspace)
    return f"{COPIES}/{folder_name(pinned)}" if any(part.startswith(".") for part in inside.parts) else pinned.folder


def _holds_more(run: Run, folder: Path) -> str:
    """Why the folder is never shown whole: it holds secrets, or is far wider than a skill. Empty for a plain one."""
    assert run.started is not None
    return _more((run.id, run.attempt), folder, run.started.workspace, run.started.organisation.secrets)


@lru_cache(maxsize=256)
def _more(_attempt: tuple[str, int], folder: Path, workspace: str, secrets: tuple[str, ...]) -> str:
    """Decided once for each attempt: a box that is open does not change what it shows."""
    if Path(workspace).is_relative_to(folder):
        return "wide"
    found = ""
    secret = secret_test(secrets)
    for count, (_, name) in enumerate(_files(folder)):
        if count >= MOST_LOOKED:
            return "wide"
        if secret(name) or secret(name.rpartition("/")[2]):
            found = "secrets"
    return found


def shown(hands: Hands, run: Run) -> tuple[str, ...]:
    """Folders outside the workspace that can be shown: never remit's own state, but for its skills, nor the machine's."""
    assert run.started is not None
    found = []
    for each in run.started.skills:
        folder = Path(each.folder)
        if not each.folder or folder.is_relative_to(run.started.workspace) or not folder.is_dir():
            continue
        if place(run, each) != each.folder:
            continue
        real, home = folder.resolve(), hands.home.resolve()
        state = home.is_relative_to(real) or (real.is_relative_to(home) and not real.is_relative_to(home / "skills"))
        if not state and not any(real.is_relative_to(machine) for machine in MACHINE):
            found.append(str(folder))
    return tuple(dict.fromkeys(found))


def copies(run: Run) -> Mapping[str, str]:
    """The text files of skills whose own place is hidden: path in the box to text. Secrets and links are left out."""
    assert run.started is not None
    secret = secret_test(run.started.organisation.secrets)
    found: dict[str, str] = {}
    size = 0
    for each in run.started.skills:
        at = place(run, each)
        if at == each.folder:
            continue
        more = _holds_more(run, Path(each.folder)) == "wide"
        for path, name in _files(Path(each.folder)):
            if len(found) >= MOST_FILES:
                return found
            if more and name != "SKILL.md" and name.partition("/")[0] not in PARTS:
                continue
            if secret(name) or secret(name.rpartition("/")[2]):
                continue
            text = _text(path, MOST - size)
            if text is not None:
                size += len(text.encode())
                found[f"{at}/{name}"] = text
    return found


def seen(hands: Hands, run: Run) -> tuple[Pinned, ...]:
    """The skills of this run, each with the folder as the box has it; empty where there is none."""
    assert run.started is not None
    visible, copied = shown(hands, run), copies(run)
    found = []
    for each in run.started.skills:
        at = place(run, each)
        own = at == each.folder and PurePosixPath(at).is_relative_to(run.started.workspace) and Path(at).is_dir()
        there = own or at in visible or any(path.startswith(f"{at}/") for path in copied)
        found.append(replace(each, folder=at if there else ""))
    return tuple(found)


def within(run: Run, action: Action) -> bool:
    """Whether it only reads in the folder of a skill of this run, outside of the workspace: there the box alone decides."""
    if run.started is None or action.verb != "read" or not isinstance(action.object, str):
        return False
    path = PurePosixPath(action.object.removesuffix("/**"))
    places = [place(run, each) for each in run.started.skills]
    return path.is_absolute() and ".." not in path.parts and any(at and path.is_relative_to(at) for at in places)


# ---------------------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            yield path, path.relative_to(folder).as_posix()


def _text(path: Path, most: int) -> str | None:
    """A plain file's text; None for a link, for what is no text, and for more than there is room for."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(most + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    return None if len(data) > most or "\0" in text else text

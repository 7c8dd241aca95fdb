"""Paths of a runtime's tool calls: which of them are paths of the workspace, by name alone.

Names only: what stands there, links among it, is the business of the box and of the judging of the sealed stage.
"""

import posixpath

from remit.adapters.sandboxes.argv import HOME
from remit.authority.action import Action
from remit.contract.rule import Verb

ROOMS = ("/tmp", "/var/tmp", "/dev/shm", HOME)  # noqa: S108
"""folders of the box's own, gone with it: what happens there stays there"""
VOID = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/zero", "/dev/random", "/dev/urandom"})


def action_path(path: str, workspace: str) -> str | None:
    """The path of an action: relative to the workspace, `.` for the workspace itself; None for what lies outside of it.

    A relative path begins at the workspace; `..` steps are taken by name, as the runtimes do.
    """
    at = posixpath.normpath(posixpath.join(workspace, path)) if path else workspace
    at = "/" + at.lstrip("/")
    root = posixpath.normpath(workspace)
    if at == root:
        return "."
    return at[len(root) + 1 :] if at.startswith(root.rstrip("/") + "/") else None


def boxed(path: str, workspace: str) -> bool:
    """Whether the path lies in a room of the box itself, where the box alone decides."""
    if action_path(path, workspace) is not None:
        return False
    at = "/" + posixpath.normpath(posixpath.join(workspace, path)).lstrip("/")
    return at in VOID or any(at == room or at.startswith(room + "/") for room in ROOMS)


def touching(verb: Verb, path: str, workspace: str) -> tuple[Action, ...]:
    """What reading, writing or deleting a file amounts to: nothing in a room of the box.

    Outside the workspace the action keeps its absolute path, which every contract refuses in words.
    """
    if boxed(path, workspace):
        return ()
    return (Action(verb=verb, object=action_path(path, workspace) or path),)


def searching(path: str, workspace: str) -> tuple[Action, ...]:
    """What looking through a folder, or through one file, amounts to: reading everything below it."""
    if boxed(path, workspace):
        return ()
    inside = action_path(path, workspace)
    if inside is None:
        return (Action(verb="read", object=path),)
    if inside == ".":
        return (Action(verb="read", object="**"),)
    named = posixpath.splitext(inside)[1] != ""  # a name with a suffix is taken for a file
    return (Action(verb="read", object=inside if named else f"{inside}/**"),)

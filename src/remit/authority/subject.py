"""An action made ready to be judged, once for the whole lineage: its object in one normal spelling."""

from collections.abc import Mapping
from typing import Any

from remit.authority.action import Action
from remit.authority.arguments import composed, unusable
from remit.authority.hosts import Target, target
from remit.authority.plants import plant
from remit.contract.glob import normal_path
from remit.contract.rule import PATH_VERBS, VERBS, Verb
from remit.value import Value

LONGEST = 4096
WORDS = 4096


class Subject(Value, frozen=True, kw_only=True):
    """What rules are matched against. `name` is the object in its normal spelling, `head` its first segment or program.

    `argv` for a command, `place` for a connection; a command that is a shell line has no `argv`.
    `plant` says why a path is dangerous.
    """

    verb: Verb
    name: str
    head: str
    arguments: Mapping[str, Any]
    argv: tuple[str, ...] | None = None
    place: Target | None = None
    plant: str = ""


def subject(action: Action) -> Subject | str:
    """The action ready to be judged, or why it cannot be, in words."""
    fault = unusable(action.arguments) if action.arguments else ""
    if fault:
        return fault
    verb, written = action.verb, action.object
    if verb not in VERBS:
        return f"`{verb}` is not something remit knows how to decide"
    if verb == "run":
        return _command(action)
    if not isinstance(written, str):
        return f"{verb} needs one object as text"
    if verb in PATH_VERBS:
        path = normal_path(written)
        if path is None:
            return f"`{_shown(written)}` is not a plain path inside the workspace"
        why = plant(path) if verb != "read" else ""
        return Subject(verb=verb, name=path, head=path.partition("/")[0], arguments=action.arguments, plant=why)
    if verb == "fetch":
        place = target(written)
        if place is None:
            return f"`{_shown(written)}` is not a plain `host:port` or http(s) URL"
        return Subject(verb=verb, name=str(place), head=place.host, arguments=action.arguments, place=place)
    if not written or len(written) > LONGEST or not written.isprintable() or written != written.strip():
        return f"`{_shown(written)}` is not a name"
    name = composed(written)
    return Subject(verb=verb, name=name, head=name.partition("/")[0], arguments=action.arguments)


# ---------------------------------------------------------------------------------------------------------------------


def _command(action: Action) -> Subject | str:
    written = action.object
    if isinstance(written, str):
        if not written.strip() or len(written) > LONGEST or _broken(written):
            return "the shell line is empty, too long or not text"
        return Subject(verb="run", name=written, head="", arguments=action.arguments)
    if not written or not isinstance(written, tuple | list) or not all(isinstance(word, str) for word in written):
        return "run needs a list of words, the program first"
    if len(written) > WORDS or sum(map(len, written)) > 32 * LONGEST or not written[0]:
        return "the command is too long, or names no program"
    if any("\0" in word or _broken(word) for word in written):
        return "the command holds a NUL or half a character"
    argv = tuple(written)
    return Subject(verb="run", name=" ".join(argv), head=argv[0].rpartition("/")[2], arguments=action.arguments, argv=argv)


def _broken(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= mark <= "\udfff" for mark in text)


def _shown(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in text[:120])

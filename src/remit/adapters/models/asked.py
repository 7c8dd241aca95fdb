"""A request of a runtime, sorted: what of it is sent on, what is left out, what it may cost."""

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Body = dict[str, Any]

HOSTED_MODELS = ("*:online", "*-search-preview*", "*-search-api*", "*deep-research*", "*sonar*")
"""models that search at the vendor without being given a tool for it"""
MADE_MODELS = ("*image*", "*banana*", "*audio*", "*-tts*", "*realtime*", "*-live", "*-live-*")
"""models that answer with pictures or sound: the price list has their text alone, which costs a fraction"""
LEFT_OUT = "[remit] Left out here: {}. It would be fetched or counted where remit cannot see it; give it as text."


class Unfit(Exception):
    """A request that is not served, in words for the runtime. It costs nothing."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass
class Sorted:
    """What is sent on of a request, the names of what was left out, and the pictures (base64) that stand in it."""

    body: Body = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    def leave(self, what: str) -> None:
        """Note what was left out, once, and short enough for a record."""
        what = what[:80]
        if what not in self.left and len(self.left) < 64:
            self.left.append(what)

    def note(self, what: str) -> str:
        """The text that stands where something was left out."""
        self.leave(what)
        return LEFT_OUT.format(what)


def decoded(body: bytes) -> Body:
    """The JSON object of a request. Of a key that stands there twice the last one counts, for the provider as for us."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unfit("unreadable", f"the body is no JSON that can be read: {error}") from None
    if not isinstance(found, dict):
        raise Unfit("unreadable", "the body is not a JSON object")
    return found


def encoded(body: Body) -> bytes:
    """The bytes that are sent: made from what was judged, so the provider reads nothing else."""
    try:
        return msgspec.json.encode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unfit("unreadable", f"the body cannot be sent: {error}") from None


def chosen(body: Body, keep: Collection[str], *, refuse: Mapping[str, str], quiet: Collection[str] = ()) -> Sorted:
    """The fields that are sent on. What stands in no table is left out and named; `quiet` is left out without a word."""
    for name, instead in refuse.items():
        if body.get(name):
            raise Unfit("stored-elsewhere", f"`{name}` points to what the provider keeps, which cannot be counted: {instead}")
    found = Sorted(body={name: value for name, value in body.items() if name in keep})
    for name, value in body.items():
        if name not in keep and name not in quiet and name not in refuse and value not in (None, False, [], {}):
            found.leave(name)
    return found


def parts(holder: Any, name: str, judge: Callable[[Body], Body | None]) -> None:
    """Judge each part of a list of content; None takes it out, another part stands in its place. Text stays as it is."""
    if isinstance(holder, dict) and isinstance(given := holder.get(name), list):
        judged = (judge(dict(part)) if isinstance(part, dict) else part for part in given)
        holder[name] = [part for part in judged if part is not None]


def objects(found: Any) -> list[Body]:
    """The objects of a list; whatever else stands there is the provider's to complain about."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def kind_of(found: Body, otherwise: str = "") -> str:
    """The type that an object says it has; empty where that is no word."""
    kind = found.get("type", otherwise)
    return kind if isinstance(kind, str) else ""


def count(value: Any, name: str) -> int | None:
    """A number of tokens as asked for; None where it is not said."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 10**9:
        raise Unfit("unreadable", f"`{name}` is not a number of tokens")
    return value


def a_model(name: Any) -> str:
    """The name of a model. Raises Unfit for one that would act at the vendor by itself, or be priced as what it is not."""
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise Unfit("unreadable", "`model` is not the name of a model")
    if _like(name, HOSTED_MODELS):
        raise Unfit("hosted", f"the model `{name}` searches at its vendor, outside every boundary: use another")
    if _like(name, MADE_MODELS):
        raise Unfit("media", f"the model `{name}` answers with pictures or sound, which cannot be priced here: use another")
    return name


def _like(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)


def picture(address: Any, found: Sorted) -> bool:
    """Whether this is a picture that stands in the request itself, as a `data:` address; it is counted."""
    if not isinstance(address, str) or not address.startswith("data:image/") or ";base64," not in address[:100]:
        return False
    found.pictures.append(address)
    return True


def without_choice(body: Body, tools: str, choices: Iterable[str]) -> None:
    """No choice among tools where none is left, and none of a tool by its type where some were left out."""
    if not body.get(tools):
        for name in (tools, *choices):
            body.pop(name, None)

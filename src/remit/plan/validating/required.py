"""Whether one thing that must be there is there, and filled: a file, a folder, a glob, or one of several."""

from collections.abc import Collection

from remit.contract.glob import wild
from remit.plan.reported import Issue
from remit.plan.validating.filled import Flaw, flaws
from remit.plan.validating.tree import Looking, printable
from remit.value import Value

LOOKED = 2000
"""files below one folder, or of one glob, that are looked at"""


class Found(Value, frozen=True, kw_only=True):
    """One required thing: whether it counts (`ok`), whether anything is there at all, what was looked at, and what is wrong."""

    ok: bool
    there: bool
    said: str
    files: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


class Requiring:
    """Required things of one tree; each is looked at once, however many deliverables name it."""

    def __init__(self, looking: Looking, empty: Collection[str]) -> None:
        self._looking = looking
        self._empty = frozenset(place.strip("/") for place in empty)
        self._known: dict[str, Found] = {}

    def one_of(self, places: tuple[str, ...]) -> Found:
        """Of several places one is enough; the best of them is the one that is spoken of."""
        found = [self.at(place) for place in places]
        best = next((each for each in found if each.ok), None) or next((each for each in found if each.there), None)
        if best is not None:
            return best
        names = " or ".join(f"`{printable(place)}`" for place in places)
        return Found(
            ok=False, there=False, said=f"neither {names} is there" if len(places) > 1 else found[0].said,
            issues=(Issue(path=printable(places[0]), what=_absent(places)),) if len(places) > 1 else found[0].issues,
        )  # fmt: skip

    def at(self, place: str) -> Found:
        """What stands at one place."""
        if place not in self._known:
            self._known[place] = self._at(place)
        return self._known[place]

    def _at(self, place: str) -> Found:
        if ".." in place.split("/"):
            return _missing(place, "leads out of the workspace")
        if wild(place):
            return self._glob(place)
        path, entry = self._looking.at(place)
        if entry is None and path in self._empty:  # no copy and no repository carries an empty folder
            return Found(ok=True, there=True, said=f"`{printable(place)}` is not there, and may be empty", files=())
        if entry is None:
            other = self._looking.named(path.rpartition("/")[2]) if not place.endswith("/") else ""
            return _missing(place, f"is not there; a file of that name is at `{printable(other)}`" if other else "is not there")
        if entry.type == "folder":
            return self._folder(place, path)
        if entry.type == "link":
            return _missing(place, "is a link, and links are not followed", there=True)
        if entry.type != "file":
            return _missing(place, "is no regular file", there=True)
        return _missing(place, "is a file, not a folder", there=True) if place.endswith("/") else self._file(path)

    def _file(self, path: str) -> Found:
        issues = self._flaws(path)
        severe = [each for each in issues if each.severe]
        said = f"`{printable(path)}` {severe[0].what if severe else 'is there'}"
        return Found(ok=not severe, there=True, said=said, files=(path,), issues=issues)

    def _folder(self, place: str, path: str) -> Found:
        files = self._looking.files(f"{path}/")
        seen = self._looked(files, place)
        clean = sum(not any(each.severe for each in issues) for issues in seen.values())
        if clean or path in self._empty:
            said = f"`{printable(place)}` has {_count(len(files))}" if files else f"`{printable(place)}` is empty, as it may be"
            return Found(ok=True, there=True, said=said, files=tuple(files), issues=_said(seen))
        what = "holds nothing but empty files and placeholders" if files else "is an empty folder"
        own = Issue(path=printable(place), what=what)
        return Found(ok=False, there=True, said=f"`{printable(place)}` {what}", files=tuple(files), issues=(own, *_said(seen)))

    def _glob(self, place: str) -> Found:
        """Every match counts for placeholders; an empty file is no harm beside one that is filled (`__init__.py`)."""
        files = self._looking.files(place)
        if not files:
            return _missing(place, "matches no file")
        seen = self._looked(files, place)
        filled = [path for path, issues in seen.items() if not any(each.what == "is empty" for each in issues)]
        issues = tuple(
            Issue(path=each.path, what=each.what, line=each.line, severe=each.severe and (each.what != "is empty" or not filled))
            for found in seen.values()
            for each in found
        )
        bad = next((each for each in issues if each.severe), None)
        said = f"`{printable(place)}` matches {_count(len(files))}" + (f"; `{bad.path}` {bad.what}" if bad else "")
        return Found(ok=bad is None, there=True, said=said, files=tuple(files), issues=issues)

    def _looked(self, files: list[str], place: str) -> dict[str, tuple[Issue, ...]]:
        if len(files) > LOOKED:
            self._looking.warnings[f"`{printable(place)}`: {len(files) - LOOKED} of {_count(len(files))} were not looked at"] = (
                None
            )
        return {path: self._flaws(path) for path in files[:LOOKED]}

    def _flaws(self, path: str) -> tuple[Issue, ...]:
        data = self._looking.data(path)
        found = (Flaw(what="cannot be read"),) if data is None else flaws(path, data)
        return tuple(Issue(path=printable(path), what=each.what, line=each.line, severe=each.severe) for each in found)


def _said(seen: dict[str, tuple[Issue, ...]]) -> tuple[Issue, ...]:
    """In a folder one sound file is enough, so what is wrong with others is only said; empty ones are common."""
    every = (each for issues in seen.values() for each in issues if each.what != "is empty")
    return tuple(Issue(path=each.path, what=each.what, line=each.line, severe=False) for each in every)


def _missing(place: str, what: str, *, there: bool = False) -> Found:
    issue = Issue(path=printable(place), what=what)
    return Found(ok=False, there=there, said=f"`{printable(place)}` {what}", issues=(issue,))


def _absent(places: tuple[str, ...]) -> str:
    return f"is not there, nor is {', nor '.join(f'`{printable(place)}`' for place in places[1:])}"


def _count(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"

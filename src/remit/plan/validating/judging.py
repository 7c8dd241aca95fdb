"""The judgement: which deliverables are complete, how much that is of what is due, and PASS, PARTIAL or FAIL (VAL-02 to 05)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from remit.contract.deliverable import PARTIAL, PASS, Deliverable
from remit.plan.reported import Issue, Status, Validation, Verified
from remit.plan.validating.content import Searching
from remit.plan.validating.required import Found, Requiring
from remit.plan.validating.tree import Looking, Tree, printable
from remit.value import Value

MOST = 200
"""issues and warnings that are kept; how many more there were is said"""
SAID = 50
"""lines kept of one deliverable"""


class Quality(Value, frozen=True, kw_only=True):
    """What the languages' own tools said: issues, what could not be looked at, and who looked."""

    issues: tuple[Issue, ...] = ()
    warnings: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


NOTHING = Quality()


def judge(
    tree: Tree,
    deliverables: Sequence[Deliverable],
    *,
    at_least: int = PASS,
    empty: Sequence[str] = (),
    skipped: Mapping[str, str] | None = None,
    quality: Quality = NOTHING,
) -> Validation:
    """What the tree holds of the deliverables.

    `empty` are folders that may be empty; `skipped` are names of deliverables nobody is asked for, with why: they are left out of
    the completeness. Completeness is complete ones among required ones, in per cent, rounded down. PASS needs `at_least` of that
    and nothing severe; a required file that is not there, is empty or is a placeholder is severe, and so is an error of syntax.
    PARTIAL begins at 70 (or at `at_least`, where that is lower).
    """
    looking = Looking(tree)
    judging = _Judging(looking, empty, quality)
    verified = [judging.verified(each, (skipped or {}).get(each.name)) for each in deliverables]
    required = [each for each in verified if each.status != "skipped"]
    complete = sum(each.status == "complete" for each in required)
    completeness = 100 * complete // len(required) if required else 100
    issues = judging.issues()
    warnings = [*judging.warnings, *looking.warnings, *quality.warnings]
    if not required:
        warnings.append("nothing is required, so nothing was verified")
    severe = any(each.severe for each in issues)
    return Validation(
        status=_status(completeness, at_least, severe=severe), completeness=completeness,
        verified=sum(judging.counted.values()), expected=len(judging.counted), deliverables=tuple(verified),
        issues=_kept_issues(issues), missing=tuple(each.name for each in required if each.status != "complete"),
        warnings=_kept(dict.fromkeys(warnings)), tools=quality.tools,
    )  # fmt: skip


def files_of(tree: Tree, deliverables: Iterable[Deliverable]) -> tuple[str, ...]:
    """Every file of the tree that a deliverable names, in path order: what its tools look at."""
    looking = Looking(tree)
    places = dict.fromkeys(
        place
        for each in deliverables
        for place in (*each.files, *(place for group in each.either for place in group), *(one.place for one in each.contains))
    )
    return tuple(sorted({path for place in places for path in looking.files(place)}))


class _Judging:
    def __init__(self, looking: Looking, empty: Sequence[str], quality: Quality) -> None:
        self.counted: dict[tuple[str, ...], bool] = {}
        """every required file once, however many deliverables name it: whether it is there and filled"""
        self.warnings: list[str] = []
        self._requiring = Requiring(looking, empty)
        self._searching = Searching(looking)
        self._quality = quality
        self._bad: dict[str, list[Issue]] = {}
        for issue in quality.issues:
            self._bad.setdefault(issue.path, []).append(issue)
        self._owed: dict[str, str] = {}
        self._issues: dict[Issue, None] = {}
        self._seen: set[Issue] = set()

    def verified(self, owed: Deliverable, skipped: str | None) -> Verified:
        """One deliverable. It is missing when nothing of it is there, complete when everything is there and nothing severe."""
        if skipped is not None:
            return Verified(name=owed.name, status="skipped", by=owed.by, details=(skipped,) if skipped else ())
        groups = (*((place,) for place in owed.files), *owed.either)
        found = [self._required(group, owed.by) for group in groups]
        absent = self._not_chosen(owed)
        answers = [self._searching.look(each) for each in owed.contains if each.place not in absent]
        self.warnings += [each.warning for each in answers if each.warning]
        wrong = [each.said for each in found if not each.ok] + [each.said for each in answers if not each.ok]
        wrong += self._by_tools(found, owed.by)
        how = [each.said for each in found if each.ok] + [each.said for each in answers if each.ok]
        there = any(each.there for each in found) or any(each.ok for each in answers)
        status: Literal["complete", "partial", "missing"] = "complete" if not wrong else "partial" if there else "missing"
        return Verified(
            name=owed.name, status=status, by=owed.by, files=len(groups), found=sum(each.ok for each in found),
            details=_kept(wrong, SAID), how=_kept(how, SAID),
        )  # fmt: skip

    def issues(self) -> list[Issue]:
        """Everything wrong, what is severe first; what a tool said of a file belongs to who owes the file."""
        for issue in self._quality.issues:
            self._issues[replace(issue, by=issue.by or self._owed.get(issue.path, ""))] = None
        return sorted(self._issues, key=lambda each: not each.severe)

    def _not_chosen(self, owed: Deliverable) -> set[str]:
        """Where one file of a group is enough and is there, what should stand in the others that are not: nobody asks for it."""
        met = [group for group in owed.either if any(self._requiring.at(place).ok for place in group)]
        return {place for group in met for place in group if not self._requiring.at(place).there}

    def _required(self, group: tuple[str, ...], by: str) -> Found:
        found = self._requiring.one_of(group)
        self.counted[group] = found.ok
        for path in found.files:
            self._owed.setdefault(printable(path), by)
        for issue in found.issues:
            if issue not in self._seen:  # of two that owe the same file, the first is named
                self._seen.add(issue)
                self._issues[replace(issue, by=by)] = None
        return found

    def _by_tools(self, found: Sequence[Found], by: str) -> list[str]:
        if not self._bad:
            return []
        files = dict.fromkeys(printable(path) for each in found for path in each.files)
        bad = [issue for path in files for issue in self._bad.get(path, ()) if issue.severe]
        return [f"`{issue.path}` {issue.what}" for issue in bad]


def _status(completeness: int, at_least: int, *, severe: bool) -> Status:
    if completeness >= at_least and not severe:
        return "PASS"
    return "PARTIAL" if completeness >= min(PARTIAL, at_least) else "FAIL"


def _kept(lines: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    every = list(lines)
    return tuple(every) if len(every) <= most else (*every[:most], f"and {len(every) - most} more")


def _kept_issues(issues: list[Issue]) -> tuple[Issue, ...]:
    if len(issues) <= MOST:
        return tuple(issues)
    more = Issue(
        path=".", what=f"{len(issues) - MOST} more issues", tool="remit", severe=any(each.severe for each in issues[MOST:])
    )
    return (*issues[:MOST], more)

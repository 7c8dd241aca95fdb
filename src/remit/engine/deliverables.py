"""The check of deliverables: the tree that would be published is judged, and the languages' own tools look at it in boxes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio.to_thread

from remit.contract.deliverable import DeliverablesCheck
from remit.contract.outcome import RunCheck
from remit.engine.hands import Hands
from remit.engine.judged_tree import DEPTH, MOST, JudgedTree
from remit.engine.program import check_limits, judged_program
from remit.plan.reported import Issue, Validation
from remit.plan.screens import validated
from remit.plan.validating import syntax, tools
from remit.plan.validating.judging import Quality, files_of, judge
from remit.plan.validating.tree import READ, printable
from remit.ports import Mount
from remit.run.state import Run

T = TypeVar("T")
TIME = 240
"""seconds all tools of one judgement may take together; what they did not get to is said"""
DATA = 2000
"""JSON, TOML and YAML files that are parsed"""
PARSED = 48 * 1024 * 1024
"""bytes of them"""


async def deliverables(hands: Hands, run: Run, each: DeliverablesCheck, mount: Mount, changed: Sequence[str]) -> Validation:
    """What the tree of this view holds of what the check asks for.

    With `quality`, the files that deliverables name and those in `changed` are looked at by tools, each in a read-only box.
    """
    tree = await _apart(partial(JudgedTree, mount))
    parts = [await _quality(hands, run, each, tree, mount, changed)] if each.quality else []
    if tree.cut:
        what = f"holds more than {MOST} entries, or is deeper than {DEPTH} folders: not all of it was looked at"
        parts.append(Quality(issues=(Issue(path=".", what=what, tool="remit"),)))
    judging = partial(
        judge, tree, each.deliverables, at_least=each.at_least, empty=each.empty, quality=tools.together(parts)
    )  # fmt: skip
    return await _apart(judging)


def seen(found: Validation) -> tuple[bool, str, tuple[str, ...]]:
    """A judgement as a check says it: passed, the short report, and what a list could excuse.

    Those are the names of deliverables that are not complete; and, by path, what is severe beside them.
    """
    ok = found.status == "PASS"
    return ok, validated(found), () if ok else found.gaps


def validation_of(run: Run) -> Validation | None:
    """What the last check of deliverables of this attempt found; None where there was none."""
    found = [fact.found for fact in run.checks.values() if fact.found is not None]
    return found[-1] if found else None


async def _quality(
    hands: Hands, run: Run, each: DeliverablesCheck, tree: JudgedTree, mount: Mount, changed: Sequence[str]
) -> Quality:  # fmt: skip
    named = await _apart(partial(files_of, tree, each.deliverables))
    paths = [path for path in dict.fromkeys((*named, *sorted(changed))) if path in tree.entries]
    files = [path for path in paths if tree.entries[path].type == "file" and 0 < tree.entries[path].size <= READ]
    large = [path for path in paths if tree.entries[path].type == "file" and tree.entries[path].size > READ]
    jobs, warnings = tools.jobs(files)
    data = [path for path in files if syntax.kind(path)]
    left = [f"{len(data) - DATA} of {len(data)} data files were not parsed"] if len(data) > DATA else []
    left += [f"`{printable(path)}` is larger than {READ >> 20} MiB: no tool looked at it" for path in large]
    parts = [Quality(warnings=(*warnings, *left)), await _apart(partial(_parsed, tree, data[:DATA]))]
    limits = await check_limits(hands, run) if jobs else None
    until = hands.clock.now().timestamp() + TIME
    for job in jobs:
        if limits is None or hands.clock.now().timestamp() >= until:
            parts.append(Quality(warnings=(f"{job.tool.name} was not started any more: {TIME} s were used up",)))
            continue
        program = RunCheck(id=each.id, argv=job.argv, time=tools.TIME)
        parts.append(tools.read(job, (await judged_program(hands, run, limits, mount, program))[1]))
    return tools.together(parts)


def _parsed(tree: JudgedTree, paths: Sequence[str]) -> Quality:
    issues: list[Issue] = []
    left = PARSED
    for number, path in enumerate(paths):
        if left <= 0:
            many = f"more than {PARSED >> 20} MiB of data files: {len(paths) - number} of {len(paths)} were not parsed"
            return Quality(issues=tuple(issues), warnings=(many,), tools=_kinds(paths[:number]))
        data = tree.read(path, READ)
        if data is None:
            continue
        left -= len(data)
        issue = syntax.broken(path, data)
        issues += [issue] if issue is not None else []
    return Quality(issues=tuple(issues), tools=_kinds(paths))


def _kinds(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(syntax.kind(path) for path in paths))


async def _apart(act: Callable[[], T]) -> T:
    """In a thread, so that a stop is seen meanwhile."""
    return await anyio.to_thread.run_sync(act, abandon_on_cancel=True)

"""What may begin when: the order of a plan's steps, its waves, and which steps claim one path (SUB-09 to SUB-11).

Where `standing` is given, it says of each step `pending`, `in_progress`, `complete`, `failed` or `skipped` (by consent); a step
that it does not name is pending. Nothing here raises on a plan that is wrong: `wrong` says what is the matter with it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from remit.plan.claims import clash
from remit.plan.skill import Noted
from remit.plan.step import Plan, Step

OVER = frozenset({"complete", "skipped"})
"""what satisfies a hard dependency: done, or left out by somebody's recorded consent"""
RESERVED = ("conversation", "validation")
"""names of the steps that a plan has by itself"""
ENDED = frozenset({"complete", "skipped", "failed"})
"""what satisfies a soft one: it has come to an end, in whatever way"""


class Needs(NamedTuple):
    """What one step waits for: `over` must be complete or skipped, `ended` must have ended, of each of `groups` one complete."""

    over: tuple[str, ...]
    ended: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]

    @property
    def always(self) -> tuple[str, ...]:
        """The steps that have come to an end whenever this one begins: a group counts only where it leaves no choice."""
        return (*self.over, *self.ended, *(group[0] for group in self.groups if len(group) == 1))


def needs(plan: Plan) -> dict[str, Needs]:
    """What each step waits for, in plan order. A `last` step waits for every step that neither is nor follows a last one.

    Names in `soft`, `optional` and `any_of` that are not in the plan ask for nothing; one in `after` can never be satisfied.
    """
    names = {step.id for step in plan.steps}
    found = {
        step.id: Needs(
            over=tuple(dict.fromkeys(step.after)),
            ended=tuple(dict.fromkeys(each for each in (*step.soft, *step.optional) if each in names)),
            groups=tuple(kept for group in step.any_of if (kept := tuple(each for each in group if each in names))),
        )
        for step in plan.steps
    }
    if not any(step.last for step in plan.steps):
        return found
    late = following(found, (step.id for step in plan.steps if step.last))
    early = tuple(name for name in found if name not in late)
    for step in plan.steps:
        if step.last:
            mine = found[step.id]
            found[step.id] = mine._replace(over=tuple(dict.fromkeys((*mine.over, *early))))
    return found


def following(found: Mapping[str, Needs], names: Iterable[str]) -> set[str]:
    """These steps and all that wait for one of them, directly or not."""
    waiting: dict[str, list[str]] = {}
    for name, mine in found.items():
        for need in (*mine.over, *mine.ended, *(each for group in mine.groups for each in group)):
            waiting.setdefault(need, []).append(name)
    reached: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(waiting.get(name, ()))
    return reached


def ready(plan: Plan, standing: Mapping[str, str]) -> tuple[str, ...]:
    """Which pending steps may begin now, in plan order: what they need is there, nothing that runs or begins with them claims
    one of their paths, and with what runs they are no more than `parallel`.
    """
    busy = [step for step in plan.steps if standing.get(step.id) == "in_progress"]
    free = max(plan.parallel, 1) - len(busy)
    if free <= 0:
        return ()
    found = needs(plan)
    chosen: list[str] = []
    for step in plan.steps:
        if len(chosen) == free:
            break
        if standing.get(step.id, "pending") != "pending" or not satisfied(found[step.id], standing):
            continue
        if any(clash(step, other) for other in busy):
            continue
        busy.append(step)
        chosen.append(step.id)
    return tuple(chosen)


def satisfied(mine: Needs, standing: Mapping[str, str]) -> bool:
    """Whether what a step waits for is there. A group is there when one of it is complete, or all were skipped by consent."""
    if any(standing.get(name) not in OVER for name in mine.over) or any(standing.get(name) not in ENDED for name in mine.ended):
        return False
    for group in mine.groups:
        states = {standing.get(name) for name in group}
        if "complete" not in states and states != {"skipped"}:
            return False
    return True


def stranded(plan: Plan, standing: Mapping[str, str]) -> tuple[str, ...]:
    """Pending steps that cannot begin, now or later, unless a failed step is tried again or skipped; in plan order."""
    found = needs(plan)
    failed = {name for name in found if standing.get(name) == "failed"}
    pending = [name for name in found if standing.get(name, "pending") == "pending"]
    stuck: set[str] = set()
    grew = True
    while grew:
        grew = False
        for name in pending:
            if name not in stuck and _waits_in_vain(found[name], standing, failed | stuck, stuck):
                stuck.add(name)
                grew = True
    return tuple(name for name in pending if name in stuck)


def _waits_in_vain(mine: Needs, standing: Mapping[str, str], lost: set[str], stuck: set[str]) -> bool:
    """Whether something it needs is lost; of a group, whether none is complete and one is lost while the rest was skipped."""
    if any(name in lost for name in mine.over) or any(name in stuck for name in mine.ended):
        return True
    for group in mine.groups:
        states = {standing.get(name) for name in group}
        hopeless = all(name in lost or standing.get(name) == "skipped" for name in group)
        if "complete" not in states and hopeless and any(name in lost for name in group):
            return True
    return False


def waves(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Which steps begin together when everything succeeds and each wave is waited for; no wave is wider than `parallel`.

    Steps that wait for each other in a circle are in none: `wrong` names them.
    """
    standing = {step.id: "pending" for step in plan.steps}
    done: list[tuple[str, ...]] = []
    while wave := ready(plan, standing):
        done.append(wave)
        standing.update(dict.fromkeys(wave, "complete"))
    return tuple(done)


def conflicts(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """Pairs of steps that no dependency orders and that claim one path: (earlier, later, the glob); they never run at once."""
    before = _always_before(plan)
    found = []
    for at, one in enumerate(plan.steps):
        for other in plan.steps[at + 1 :]:
            if one.id in before[other.id] or other.id in before[one.id]:
                continue
            if glob := clash(one, other):
                found.append((one.id, other.id, glob))
    return tuple(found)


def _always_before(plan: Plan) -> dict[str, set[str]]:
    """For each step those that have ended whenever it begins, through any number of others."""
    found = needs(plan)
    before: dict[str, set[str]] = {}
    for name in found:
        seen: set[str] = set()
        todo = list(found[name].always)
        while todo:
            each = todo.pop()
            if each not in seen and each in found:
                seen.add(each)
                todo.extend(found[each].always)
        before[name] = seen
    return before


def wrong(plan: Plan) -> tuple[Noted, ...]:
    """What keeps this plan from being carried out: no step, a name given twice, a need that is not there, a circle (named)."""
    where = plan.source or plan.name
    found = [_noted("EMPTY-PLAN", where, f"{plan.name} has no step.", "Name at least one step.")] if not plan.steps else []
    names = [step.id for step in plan.steps]
    found += [
        _noted("DUPLICATE-STEP", where, f"Two steps are named {name}.", "Give each step a name of its own.")
        for name in dict.fromkeys(each for each in names if names.count(each) > 1)
    ]
    found += [
        _noted("RESERVED", where, f"A step cannot be named {name}: remit has a step of its own by that name.", "Give it another.")
        for name in RESERVED
        if name in names
    ]
    for step in plan.steps:
        found.extend(_unknown(step, set(names), where))
        if step.chain is not None:
            found.extend(wrong(step.chain))
    if not found:
        found.extend(_circles(plan, where))
    return tuple(found)


def _unknown(step: Step, names: set[str], where: str) -> list[Noted]:
    hint = "Name a step of this plan, or leave it out."
    found = [
        _noted("UNKNOWN-NEED", where, f"{step.id} comes after {need}, which is no step of this plan.", hint)
        for need in step.after
        if need not in names
    ]
    found += [
        _noted("UNKNOWN-NEED", where, f"{step.id} needs one of {', '.join(group)}, and none of them is in this plan.", hint)
        for group in step.any_of
        if not names & {*group}
    ]
    return found


def _circles(plan: Plan, where: str) -> list[Noted]:
    """The steps left over when everything that can finish has finished wait for each other: one circle is named."""
    found = needs(plan)
    standing: dict[str, str] = {}
    left = list(found)
    while now := [name for name in left if satisfied(found[name], standing)]:
        standing.update(dict.fromkeys(now, "complete"))
        left = [name for name in left if name not in standing]
    if not left:
        return []
    trail = [left[0]]
    while True:
        mine = found[trail[-1]]
        blocking = (*mine.over, *mine.ended, *(each for group in mine.groups for each in group))
        following_name = next(each for each in blocking if each in left)
        if following_name in trail:
            circle = [*trail[trail.index(following_name) :], following_name]
            break
        trail.append(following_name)
    words = ", which waits for ".join(circle)
    return [_noted("CYCLE", where, f"Steps wait for each other: {words}.", "Take one of these dependencies out.")]


def _noted(code: str, file: str, message: str, hint: str) -> Noted:
    return Noted(code=code, severity="error", file=file, message=message, hint=hint)

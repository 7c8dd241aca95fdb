"""Before anything begins: which mode, and whether to proceed. Nothing is written here (MODE-04, MODE-05)."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from remit.cli.chain.planning import Planned, in_mode, planned
from remit.cli.chain.wish import Wish
from remit.cli.chained import named
from remit.cli.say import clean
from remit.errors import BadInput
from remit.plan import screens
from remit.plan.changing import reordered, without
from remit.plan.mode import every_step, one_mode
from remit.plan.skill import Noted
from remit.plan.step import Mode, Plan

Ask = Callable[[str], str]
"""shows a prompt, gives what was typed"""
Say = Callable[[str], None]
PROCEED = "Proceed? (yes/modify/cancel)"
CHANGE = "Change (remove N, move N PLACE, add NAME, done):"
WORDS = {
    "y": "yes",
    "yes": "yes",
    "m": "modify",
    "modify": "modify",
    "c": "cancel",
    "cancel": "cancel",
    "n": "cancel",
    "no": "cancel",
}


def mode_of(found: Planned, ask: Ask, say: Say) -> Mode:
    """The mode that is chosen on the screen; nothing typed takes the recommended one."""
    *screen, prompt = screens.mode(found.advice.mode, found.advice.reasons).splitlines()
    say("")
    for line in screen:
        say(clean(line))
    while True:
        said = ask(prompt).strip() or found.advice.mode
        mode = one_mode(said)
        if not isinstance(mode, Noted):
            return mode
        say(f"{mode.message} {mode.hint}")


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A plan as it stands after what was changed: steps taken out, an order of its own, optional ones taken in."""

    found: Planned
    plan: Plan
    removed: tuple[str, ...] = ()


def confirmed(found: Planned, plan: Plan, ask: Ask, say: Say) -> Planned | None:
    """The plan that was agreed to, as it was changed; None when it was cancelled."""
    edited = Edited(found=found, plan=plan)
    while True:
        shown(edited.plan, say)
        said = WORDS.get(ask(PROCEED).strip().lower(), "")
        match said:
            case "yes":
                return structs.replace(edited.found, plan=edited.plan)
            case "cancel":
                return None
            case "modify":
                edited = modified(edited, ask, say)
            case _:
                say("yes, modify or cancel")


def shown(plan: Plan, say: Say) -> None:
    """The confirmation screen, without its prompt."""
    say("")
    for line in screens.confirmation(plan).splitlines()[:-1]:
        say(clean(line))
    for line in beyond(plan):
        say(clean(line))


def beyond(plan: Plan) -> Iterator[str]:
    """What steps want that a chain does not have by itself, and the commands they start: nobody agrees to that unseen."""
    for step in every_step(plan):
        for rule in step.rules:
            if rule.verb not in {"read", "write", "delete"}:
                yield f"  {rule.effect} {rule.verb} {', '.join(rule.objects)}    (step {step.id})"
        if step.kind == "command":
            yield f"  starts {shlex.join(step.command)[:200]}    (step {step.id})"


def modified(edited: Edited, ask: Ask, say: Say) -> Edited:
    """Change after change until `done`; what cannot be is said, and nothing is changed by it."""
    while True:
        if edited.found.left_out:
            say(f"Optional, and not in the plan: {', '.join(map(clean, edited.found.left_out))}")
        words = ask(CHANGE).split()
        if not words or words == ["done"]:
            return edited
        try:
            edited = changed(edited, words[0].lower(), words[1:])
        except BadInput as error:
            say(clean(f"{error}" + (f" ({error.hint})" if error.hint else "")))
            continue
        shown(edited.plan, say)


def changed(edited: Edited, what: str, which: list[str]) -> Edited:
    """One change. Raises BadInput for one that cannot be: an order that breaks a dependency, the last step taken out."""
    match what, which:
        case "remove", [step]:
            return removed(edited, _step(edited.plan, step))
        case "move", [step, place]:
            return moved(edited, _step(edited.plan, step), place)
        case "add", [name]:
            return added(edited, name)
        case _:
            raise BadInput("no such change", hint="remove N, move N PLACE, add NAME, or done")


def removed(edited: Edited, step: str) -> Edited:
    """Without this step; what only it owes is not asked for any more."""
    if len(edited.plan.steps) == 1:
        raise BadInput("it is the only step that is left", hint="cancel instead")
    return replace(edited, plan=without(edited.plan, step), removed=(*edited.removed, step))


def moved(edited: Edited, step: str, place: str) -> Edited:
    """With this step at that place, 1 being the first."""
    others = [each.id for each in edited.plan.steps if each.id != step]
    if not place.isdecimal() or not 1 <= int(place) <= len(others) + 1:
        raise BadInput(f"there is no place {place}", hint=f"1 to {len(others) + 1}")
    plan = reordered(edited.plan, [*others[: int(place) - 1], step, *others[int(place) - 1 :]])
    if isinstance(plan, Noted):
        raise BadInput(plan.message, hint=plan.hint)
    return replace(edited, plan=plan)


def added(edited: Edited, name: str) -> Edited:
    """With an optional step taken in: planned again, and what was taken out is taken out again."""
    found = edited.found
    resolved = {found.library.resolve(each).skill: each for each in found.left_out}
    name = name if name in found.left_out else resolved.get(name, "")
    if not name:
        options = ", ".join(found.left_out)
        raise BadInput("there is no such optional step", hint=f"optional: {options}" if options else "no step is left out")
    wish: Wish = structs.replace(found.wish, take=(*found.taken, name))
    again = planned(wish)
    plan = in_mode(again.plan, edited.plan.mode)
    still = [step for step in edited.removed if step in {each.id for each in plan.steps}]
    for step in still:
        plan = without(plan, step)
    return Edited(found=again, plan=_as_before(edited.plan, plan), removed=edited.removed)


def _as_before(before: Plan, now: Plan) -> Plan:
    """The new plan in the order the steps had, as far as its dependencies allow."""
    old = [step.id for step in before.steps]
    order = [step for step in old if step in {each.id for each in now.steps}]
    for at, step in enumerate(now.steps):
        if step.id not in order:
            order.insert(at, step.id)
    plan = reordered(now, order)
    return now if isinstance(plan, Noted) else plan


def _step(plan: Plan, said: str) -> str:
    """A step by its number on the screen, its id or its skill. Raises BadInput."""
    if said.isdecimal() and 1 <= int(said) <= len(plan.steps):
        return plan.steps[int(said) - 1].id
    for step in plan.steps:
        if said in (step.id, named(step)):
            return step.id
    if said.isdecimal() and int(said) == len(plan.steps) + 1:
        raise BadInput("validation always comes last", hint="it can be neither removed nor moved")
    raise BadInput(f"there is no step `{said}`", hint=f"1 to {len(plan.steps)}, or a name")

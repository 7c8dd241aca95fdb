"""Whether work fits delegation or a fixed prompt chain, with the reasons (DEC-01, DEC-02, DEC-06, DEC-11)."""

from typing import Literal

from remit.plan.mode import every_step
from remit.plan.step import Plan, Step
from remit.value import Value


class Work(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody says of the work; None where nothing was said.

    `definable`: every step can be written down beforehand. `high_volume`: the same many times. `adaptive`: what comes next
    depends on what was found. `large`: more than a person would watch. `clear_stop`: one can tell when it is done. `regulated`:
    each step must be shown afterwards. `greenfield`: it stands alone; False: it is entangled with a large body of code.
    """

    definable: bool | None = None
    high_volume: bool | None = None
    adaptive: bool | None = None
    large: bool | None = None
    clear_stop: bool | None = None
    regulated: bool | None = None
    greenfield: bool | None = None


class Fit(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What fits, why, what speaks against it, and what to beware of. `procedure`: number and record every step."""

    choice: Literal["delegate", "prompt chain", "neither"]
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()
    beware: tuple[str, ...] = ()
    procedure: bool = False


_CHAIN = (
    ("definable", True, "every step can be written down beforehand"),
    ("high_volume", True, "it is the same predictable work many times over"),
)
_DELEGATE = (
    ("definable", False, "its steps cannot be foreseen"),
    ("adaptive", True, "what comes next depends on what is found"),
    ("large", True, "it is larger than a person would watch step by step"),
    ("clear_stop", True, "one can tell when it is done"),
)


def fits(work: Work) -> Fit:
    """The recommendation. That every step is definable decides for the prompt chain; without any word for delegation, and with
    nothing that a chain could be made of, neither is recommended: delegation is never the default (DEC-08).
    """
    chain, delegate = _said(work, _CHAIN), _said(work, _DELEGATE)
    beware, procedure = [], work.regulated is True
    if procedure:
        beware.append("each step must be shown afterwards: run it as a numbered procedure")
    if work.greenfield is False:
        beware.append("a tightly coupled body of code: a change in one place breaks another, keep the paths narrow")
    if work.greenfield:
        delegate += ("it stands alone",) if delegate else ()
    adaptive = work.adaptive is True and work.definable is not True
    if work.definable or (work.high_volume and not adaptive):
        return Fit(choice="prompt chain", reasons=chain, against=delegate, beware=tuple(beware), procedure=procedure)
    if work.clear_stop is False:
        why = ("nobody could tell when it is done: say what success is before you hand it over",)
        return Fit(choice="neither", reasons=why, against=delegate, beware=tuple(beware), procedure=procedure)
    if set(delegate) - {"one can tell when it is done", "it stands alone"}:
        return Fit(choice="delegate", reasons=delegate, against=chain, beware=tuple(beware), procedure=procedure)
    why = ("nothing says that it is adaptive, large or unforeseeable, nor that its steps are known",)
    return Fit(choice="neither", reasons=why, against=(*chain, *delegate), beware=tuple(beware), procedure=procedure)


def _said(work: Work, words: tuple[tuple[str, bool, str], ...]) -> tuple[str, ...]:
    return tuple(why for name, wanted, why in words if getattr(work, name) is wanted)


def bounded(step: Step) -> tuple[str, ...]:
    """What a step lacks to be one of a fixed prompt chain; nothing where it is bounded: what to do, where, how far, and proof."""
    lacks = []
    if step.kind == "skill":
        lacks.append("a skill decides by itself what to do: write a prompt or a command")
    if step.kind in ("skill", "prompt"):
        lacks += ["`writes` or `may`, so that it can touch nothing else"] if not (step.writes or step.rules) else []
        lacks += ["`limits` or `time`"] if step.limits is None and step.time is None else []
        lacks += ["`checks` that prove it"] if not step.checks else []
    return tuple(lacks)


def fixed(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Why a plan is not a fixed prompt chain, as (step, what it lacks); nothing where every step is bounded."""
    return tuple((step.id, lack) for step in every_step(plan) for lack in bounded(step))


def fits_plan(plan: Plan, *, high_volume: bool | None = None) -> Fit:
    """The same for a plan that is there: one whose every step is bounded is definable, since it has been defined."""
    lacking = {name for name, _ in fixed(plan)}
    found = fits(Work(definable=not lacking, high_volume=high_volume, clear_stop=bool(plan.deliverables) or None, large=None))
    if not lacking:
        return found
    return Fit(
        choice=found.choice,
        reasons=found.reasons,
        against=(*found.against, f"to make it a fixed chain, bound {', '.join(sorted(lacking))}"),
    )

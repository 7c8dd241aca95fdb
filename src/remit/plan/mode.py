"""Which mode a chain should run in, with the reasons: a fresh sub-agent for each skill, or one conversation (MODE-01 to MODE-03).

One chain has one mode, fixed when it is confirmed; a mixture is refused and says what to do instead (MODE-08, T9).
"""

import re
from collections.abc import Iterator, Sequence

from remit.plan.skill import Noted
from remit.plan.step import Mode, Plan, Step
from remit.value import Value

MANY = 4
"""from so many skills on, later ones are forgotten in one conversation"""
COMPLEX = frozenset({"dashboard", "rag-pipeline"})
_RAG = re.compile(r"\brag\b|retrieval[- ]augmented", re.IGNORECASE)
_WHOLE = {"fullstack", "multi-domain"}
_WORDS: dict[str, Mode] = {"1": "standard", "standard": "standard", "2": "delegated", "delegated": "delegated"}


class Advice(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The mode that is recommended, why, and what speaks for the other one."""

    mode: Mode
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()


def advise(
    plan: Plan, *, category: str = "", critical: bool = False, prototype: bool = False, domains: Sequence[str] = ()
) -> Advice:
    """The recommendation. `category` is the blueprint's, `domains` are those of its skills, `critical` says that validation is.

    Every reason for delegation decides alone, with one exception: a quick prototype may cross domains in one conversation.
    """
    count, across = skills(plan), sorted({*domains})
    many = len(across) > 1 or category in _WHOLE or bool(_WHOLE & {*across})
    strong = [
        why
        for holds, why in (
            (count >= MANY, f"{count} skills: from {MANY} on, later ones are forgotten in one conversation"),
            (bool(names(plan) & COMPLEX), f"{', '.join(sorted(names(plan) & COMPLEX))} is a complex blueprint"),
            (_is_rag(plan, category), "it is a RAG pipeline"),
            (critical, "validation is critical here"),
            (_other(plan) != "", f"{_other(plan)} is no skill, and one conversation has nothing but skills"),
        )
        if holds
    ]
    said = f" ({', '.join(across)})" if len(across) > 1 else ""
    wide = [f"it crosses domains{said}"] if many else []
    short = [f"{count} skill{'' if count == 1 else 's'}: short enough for one conversation"] if count < MANY else []
    short += ["a quick prototype"] if prototype else []
    short += [f"one domain{f' ({across[0]})' if across else ''}"] if not many else []
    if strong or (wide and not prototype):
        return Advice(mode="delegated", reasons=(*strong, *wide), against=tuple(short))
    return Advice(mode="standard", reasons=tuple(short), against=tuple(wide))


def _other(plan: Plan) -> str:
    """The first step that is no skill, as it is called; empty where every one is."""
    return next((f"step {step.id}" for step in every_step(plan) if step.kind not in ("skill", "chain")), "")


def skills(plan: Plan) -> int:
    """How many steps an agent has to carry through, those of sub-chains included."""
    return sum(step.kind in ("skill", "prompt") for step in every_step(plan))


def every_step(plan: Plan) -> Iterator[Step]:
    """The steps of a plan and of the chains inside it, in order."""
    for step in plan.steps:
        yield step
        if step.chain is not None:
            yield from every_step(step.chain)


def names(plan: Plan) -> set[str]:
    """What a plan is called, and what the chains inside it are called."""
    return {plan.name, *(step.chain.name for step in every_step(plan) if step.chain is not None)}


def _is_rag(plan: Plan, category: str) -> bool:
    said = (*(name.replace("_", "-") for name in names(plan)), plan.title, plan.goal, category)
    return any(_RAG.search(each) for each in said)


def one_mode(*asked: str) -> Mode | Noted:
    """The one mode that these words ask for (`1`, `standard`, `2`, `delegated`), or why none of them can be had."""
    chosen = {_WORDS.get(word.strip().casefold(), "") for word in asked}
    if len(chosen) == 1 and (found := chosen.pop()):
        return _WORDS[found]
    if "" in chosen and not any(word.strip().casefold() in ("hybrid", "mixed", "both") for word in asked):
        strange = next(word for word in asked if word.strip().casefold() not in _WORDS) if asked else ""
        return Noted(
            code="MODE", severity="error", file="", message=f"`{strange}` is no mode.", hint="Choose standard or delegated."
        )
    return Noted(
        code="MIXED-MODE",
        severity="error",
        file="",
        message="One chain has one mode: standard and delegated cannot be mixed.",
        hint="Choose one for the whole chain, or make two chains of it.",
    )


def mixed(plan: Plan) -> tuple[Noted, ...]:
    """Chains inside this one that want another mode: refused, since a mode is chosen once for all of them."""
    return tuple(
        Noted(
            code="MIXED-MODE",
            severity="error",
            file=plan.source or plan.name,
            message=f"{step.id} is a {step.chain.mode} chain inside a {plan.mode} one, and one chain has one mode.",
            hint=f"Make it {plan.mode}, or run it as a chain of its own.",
        )
        for step in every_step(plan)
        if step.chain is not None and step.chain.mode != plan.mode
    )

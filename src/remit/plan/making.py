"""A plan from a blueprint, or from a list of skills. A name that means no skill is reported, never guessed."""

from collections.abc import Mapping, Sequence

from remit.contract.deliverable import Deliverable
from remit.plan.answering import answered, levelled
from remit.plan.blueprint import Blueprint
from remit.plan.choosing import Choosing, alternative, pattern_of
from remit.plan.graph import conflicts, wrong
from remit.plan.library import Library
from remit.plan.ordering import Needed, in_order, ordered_needs
from remit.plan.skill import Noted, Skill
from remit.plan.step import Left, Pinned, Plan, Step
from remit.plan.wanted import wanted


def make_plan(
    library: Library, *, goal: str, blueprint: Blueprint | None = None, skills: Sequence[str] = (), pattern: str = "",
    answers: Mapping[str, str] | None = None, flags: Mapping[str, bool] | None = None, maturity: str = "",
    runtime: str = "command", model: str = "", command: Sequence[str] = (), take_optional: Sequence[str] | None = None,
    alternatives: Mapping[str, str] | None = None, leave_out: Sequence[str] = (), name: str = "",
) -> tuple[Plan | None, tuple[Noted, ...]]:  # fmt: skip
    """The plan, and what a person should know; None where a finding is an error.

    `answers` are letters by question (`{"Q4": "C"}`), the blueprint's own defaults stand for the rest; `flags` are those of
    conditions. `take_optional` names the optional lines to take; None takes those that owe something that is wanted.
    `alternatives` says what stands for a name (`{"deploying-aws": "deploying-gcp"}`), `leave_out` which names to do without.
    `skills` alone is a list of skills (their hard dependencies are added); beside a blueprint they are added to its chain.
    """
    file = (blueprint.source or blueprint.name) if blueprint else "plan"
    choosing = Choosing(library, file=file, alternatives=alternatives or {}, leave_out=leave_out)
    letters, texts = answered(choosing, blueprint, answers or {})
    level = levelled(choosing, maturity)
    owed, left, empty = _owed(choosing, blueprint, level, letters, flags)
    taken = _from_blueprint(choosing, blueprint, pattern, goal, texts, take_optional, owed) if blueprint else []
    for each in skills:
        choosing.take(each)
    if blueprint is None:
        _with_dependencies(choosing)
    else:
        _with_owners(choosing, blueprint, owed, taken)
    if not _plannable(choosing):
        return None, tuple(choosing.noted)
    needed = ordered_needs(choosing, blueprint)
    kept, more = _assigned(needed, owed)
    plan = Plan(
        name=name or (blueprint.name if blueprint else "skills"), title=blueprint.title if blueprint else "", goal=goal,
        steps=tuple(_step(needed, each, blueprint, kept) for each in in_order(needed)), deliverables=kept, left=(*left, *more),
        empty=empty, maturity=level if blueprint else maturity, answers=tuple(letters.items()), runtime=runtime, model=model,
        command=tuple(command), source=file if blueprint else "",
    )  # fmt: skip
    return _checked(choosing, plan)


def _plannable(choosing: Choosing) -> bool:
    """Whether there is something to carry out and nothing was wrong; an empty choice is said to be one."""
    if any(each.severity == "error" for each in choosing.noted):
        return False
    if not choosing.chosen:
        choosing.note("EMPTY-PLAN", "There is no skill to carry out.", "Name a blueprint or some skills.")
    return bool(choosing.chosen)


def _checked(choosing: Choosing, plan: Plan) -> tuple[Plan | None, tuple[Noted, ...]]:
    trouble = wrong(plan)
    for one, other, glob in conflicts(plan):
        message = f"{one} and {other} both claim {glob}: they run one after the other."
        choosing.note("SHARED-PATH", message, severity="note")
    return (None if trouble else plan), (*choosing.noted, *trouble)


def _owed(
    choosing: Choosing,
    blueprint: Blueprint | None,
    level: str,
    letters: Mapping[str, str],
    flags: Mapping[str, bool] | None,
) -> tuple[tuple[Deliverable, ...], tuple[Left, ...], tuple[str, ...]]:
    if blueprint is None:
        return (), (), ()
    owed, left, empty, noted = wanted(blueprint, maturity=level, answers=letters, flags=flags or {})
    choosing.noted.extend(noted)
    return owed, left, empty


def _from_blueprint(
    choosing: Choosing,
    blueprint: Blueprint,
    pattern: str,
    goal: str,
    texts: Sequence[str],
    take_optional: Sequence[str] | None,
    owed: Sequence[Deliverable],
) -> list[str]:
    """Take the lines of the chain; gives the names of all its skills, those of lines not taken too."""
    chain = pattern_of(blueprint, pattern)
    if isinstance(chain, Noted):
        choosing.noted.append(chain)
        return []
    owing = {skill.name for each in owed if (skill := choosing.find(each.by))}
    known: list[str] = []
    for slot in chain.slots:
        name = alternative(choosing, slot, goal=goal, said=texts)
        skill = choosing.find(name)
        spelled = {slot.name, *slot.instead, name, *((skill.name,) if skill else ())}
        known.extend(spelled)
        wished = bool(spelled & {*take_optional}) if take_optional is not None else skill is not None and skill.name in owing
        if choosing.left_out(name) or choosing.left_out(slot.name):
            continue
        if not slot.optional or (wished and (skill is not None or take_optional is not None)):
            also = () if slot.instead else (slot.name,)
            choosing.take(name, optional=slot.optional, required=True, line=slot.line, also=also)
        elif skill is None:
            choosing.unresolved(name, optional=True, line=slot.line)
        else:
            choosing.note(
                "OPTIONAL", f"The optional skill {name} is not in the plan.", "Take it where it is wanted.", severity="note"
            )
    for each in take_optional or ():
        if each not in known:
            choosing.note("UNKNOWN-OPTIONAL", f"{each} is no optional skill of {blueprint.name}.", "Add it as a skill instead.")
    return known


def _with_owners(choosing: Choosing, blueprint: Blueprint, owed: Sequence[Deliverable], chain: Sequence[str]) -> None:
    """A skill that owes something wanted, and stands nowhere in the chain, is added: else nobody would make it."""
    if not choosing.chosen:
        return
    there = {each.skill.name for each in choosing.chosen}
    for each in owed:
        skill = choosing.find(each.by) if each.by else None
        if skill is None or skill.name in there or skill.name in chain or choosing.left_out(each.by):
            continue
        if choosing.take(each.by, because=each.name):
            there.add(skill.name)
            message = f"{skill.name} was added: it owes {each.name}, and the chain of {blueprint.name} has nobody who does."
            choosing.note("ADDED", message, "Leave it out where that is not wanted.", severity="note")


def _with_dependencies(choosing: Choosing) -> None:
    """Add what the skills of a list depend on, and bring all into the order of layers and priorities."""
    at = 0
    while at < len(choosing.chosen):
        skill = choosing.chosen[at].skill
        for need in skill.depends.hard:
            if need == "*" or choosing.left_out(need):
                continue
            found = choosing.find(need)
            if found is not None and any(each.skill.name == found.name for each in choosing.chosen):
                continue
            if choosing.take(need, because=skill.name):
                choosing.note("ADDED", f"{need} was added: {skill.name} depends on it.", severity="note")
        at += 1
    tiers = dict(choosing.library.tiers)
    most = max(tiers.values(), default=0) + 1
    choosing.chosen.sort(key=lambda each: (tiers.get(each.skill.tier, most), each.skill.priority, each.skill.group))


def _assigned(needed: Needed, owed: Sequence[Deliverable]) -> tuple[tuple[Deliverable, ...], tuple[Left, ...]]:
    """The deliverables under the names of the steps that owe them; those of a skill that is not in the plan are left."""
    kept: list[Deliverable] = []
    left: list[Left] = []
    for each in owed:
        name = needed.here(each.by) if each.by else ""
        if each.by and not name:
            left.append(Left(name=each.name, why=f"{each.by}, which owes it, is not in the plan"))
        else:
            kept.append(Deliverable(name=each.name, by=name, files=each.files, either=each.either, contains=each.contains))
    return tuple(kept), tuple(left)


def _step(needed: Needed, name: str, blueprint: Blueprint | None, owed: Sequence[Deliverable]) -> Step:
    chosen = next(each for each in needed.chosen if each.skill.name == name)
    skill = chosen.skill
    settings = dict(blueprint.settings) if blueprint else {}
    return Step(
        id=name,
        skill=Pinned(name=name, invocation=skill.invocation or name, folder=skill.folder, digest=skill.digest),
        after=tuple(needed.after[name]),
        soft=tuple(needed.soft[name]),
        optional=tuple(needed.optional[name]),
        any_of=tuple(needed.any_of[name]),
        last=name in needed.last,
        may_skip=chosen.optional,
        writes=_claims(skill, [each for each in owed if each.by == name]),
        settings=next((settings[each] for each in chosen.names if each in settings), ""),
    )


def _claims(skill: Skill, owed: Sequence[Deliverable]) -> tuple[str, ...]:
    """The paths a step will write by what it owes and by its own word, where they are plain paths inside the project."""
    paths = [path for each in owed for path in (*each.files, *(one for group in each.either for one in group))]
    paths += [each.path for each in skill.outputs]
    plain = (path.removeprefix("./") for path in paths)
    return tuple(dict.fromkeys(path for path in plain if path and not path.startswith("/") and not {*"{}$\\"} & {*path}))

"""What a blueprint asks for at this maturity, with these answers: its profiles and conditions applied, and why the rest is left.

What counts, from the strongest: a condition that does not hold leaves a deliverable out; the profile of the level, or an extra
that is taken, requires it; the profile skips it; its own `maturity_required` does not name the level. What is undecided is kept.
"""

from collections.abc import Mapping
from typing import NamedTuple

from remit.contract.deliverable import Deliverable
from remit.plan.blueprint import LEVELS, Blueprint, Profile, Wanted
from remit.plan.blueprints.conditions import answer_to, flag_of, judge, judge_answer
from remit.plan.blueprints.deliverables import level_of
from remit.plan.blueprints.maturity import by_name, clashes, named, noted
from remit.plan.blueprints.notes import Notes
from remit.plan.blueprints.questions import letters_of
from remit.plan.skill import Noted
from remit.plan.step import Left

Kept = tuple[tuple[Deliverable, ...], tuple[Left, ...], tuple[str, ...], tuple[Noted, ...]]
_NO_FLAGS: Mapping[str, bool] = {}


class _Taken(NamedTuple):
    """The profiles that apply, and whether each deliverable is required or skipped by one: name of deliverable -> of profile."""

    level: str
    profiles: tuple[Profile, ...]
    required: Mapping[str, str]
    skipped: Mapping[str, str]


def wanted(blueprint: Blueprint, *, maturity: str, answers: Mapping[str, str], flags: Mapping[str, bool] = _NO_FLAGS) -> Kept:
    """The deliverables, those left out and why, the folders that may be empty, and what a person should know.

    `maturity` is a level (`production` is `advanced`); empty: no level is chosen, so nothing is left out for it. `answers` are by
    `Q4` or `4`, a letter or the words of a choice; `flags` by name, also `with_auth` to take an extra.
    """
    notes = Notes(blueprint.source)
    level = _level(maturity, blueprint, notes)
    _check(blueprint, answers, flags, notes)
    taken = _taken(blueprint, level, answers, flags, notes)
    kept: list[Deliverable] = []
    left: list[Left] = []
    open_: dict[str, list[str]] = {}
    for each in blueprint.wanted:
        why = _why_left(each, taken, blueprint, answers, flags, open_, notes)
        if why:
            left.append(Left(name=each.deliverable.name, why=why))
        else:
            kept.append(each.deliverable)
    for said, names in open_.items():
        shown = ", ".join(names)
        notes.add(
            "UNDECIDED",
            "warning",
            f"{said}: {shown} {'are' if len(names) > 1 else 'is'} asked for",
            hint="answer it, or set the flag",
        )
    empty = dict.fromkeys(path for profile in taken.profiles for path in profile.empty)
    return (*kept,), (*left,), (*empty,), notes.found


def flags_of(blueprint: Blueprint) -> tuple[str, ...]:
    """The flags on which its deliverables depend, in order: what has to be set besides the questions."""
    return tuple(dict.fromkeys(each.condition.flag for each in blueprint.wanted if each.condition and each.condition.flag))


def _level(maturity: str, blueprint: Blueprint, notes: Notes) -> str:
    level = level_of(maturity)
    if maturity and not level:
        notes.add("LEVEL", "error", f"{maturity!r} is not a level of maturity ({', '.join(LEVELS)})", hint="choose one of them")
    elif not maturity and any(each.maturity != LEVELS for each in blueprint.wanted):
        hint = f"choose {', '.join(LEVELS[:-1])} or {LEVELS[-1]}"
        notes.add("NO-LEVEL", "note", "no maturity is chosen, so deliverables of every level are asked for", hint=hint)
    return level


def _check(blueprint: Blueprint, answers: Mapping[str, str], flags: Mapping[str, bool], notes: Notes) -> None:
    """Notes answers and flags that mean nothing here."""
    flagged = {*flags_of(blueprint), *(each.name for each in blueprint.profiles if each.name not in LEVELS)}
    asked = {key for each in blueprint.questions for key in (each.id, each.id.lower(), each.id[1:])}
    for name in sorted({*answers} - asked - flagged):
        notes.add("ANSWER-UNKNOWN", "warning", f"{name} is answered, but not asked")
    for name in sorted({*flags} - flagged):
        notes.add("FLAG-UNKNOWN", "warning", f"nothing depends on the flag {name}")
    for question in blueprint.questions:
        given = answer_to(question, answers)
        if given is not None and question.choices and not letters_of(question, given):
            letters = ", ".join(choice.letter for choice in question.choices)
            notes.add("ANSWER", "error", f"{question.id}: {given!r} is none of its choices ({letters})")


def _taken(blueprint: Blueprint, level: str, answers: Mapping[str, str], flags: Mapping[str, bool], notes: Notes) -> _Taken:
    """The profile of the level and the extras that apply, with what they require and skip."""
    profiles = tuple(
        each
        for each in blueprint.profiles
        if each.name == level or (each.name not in LEVELS and _applies(each, blueprint, answers, flags))
    )
    known = by_name(blueprint.wanted)
    required: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for profile in profiles:
        at = level or LEVELS[-1]
        notes.take(tuple(noted(each, known, notes.file) for each in clashes(profile, known, at)))
        for said in profile.require:
            found, levels = named(said, known)
            if found and at in levels:
                required.setdefault(found.deliverable.name, profile.name)
        for said in profile.skip:
            found, _ = named(said, known)
            if found:
                skipped.setdefault(found.deliverable.name, profile.name)
    return _Taken(level, profiles, required, skipped)


def _applies(extra: Profile, blueprint: Blueprint, answers: Mapping[str, str], flags: Mapping[str, bool]) -> bool:
    """Whether an extra is taken: by its own flag, by the flag it stands for, or because its own words say so."""
    if extra.name in flags:
        return flags[extra.name]
    flag = f"{extra.name.removeprefix('with_')}_enabled"
    if extra.name.startswith("with_") and (held := flag_of(flag, blueprint, answers, flags)).holds is not None:
        return held.holds
    return extra.when is not None and judge_answer(extra.when, blueprint, answers).holds is True


def _why_left(
    each: Wanted,
    taken: _Taken,
    blueprint: Blueprint,
    answers: Mapping[str, str],
    flags: Mapping[str, bool],
    open_: dict[str, list[str]],
    notes: Notes,
) -> str:
    """Why a deliverable is not asked for; empty where it is. What could not be decided goes to `open_`."""
    name = each.deliverable.name
    held = judge(each.condition, blueprint, answers, flags) if each.condition else None
    if held and held.holds is False and each.condition:
        if name in taken.required:
            said = f"{taken.required[name]} requires {name}, but only if {each.condition.text}: the condition stands"
            notes.add("PROFILE-CONDITION", "note", said, line=each.line)
        return f"only if {each.condition.text}: {held.by}"
    why = ""
    if name in taken.required:
        why = ""
    elif name in taken.skipped:
        why = f"skipped by the profile {taken.skipped[name]}"
    elif taken.level and taken.level not in each.maturity:
        why = f"not required at {taken.level} maturity ({', '.join(each.maturity)})"
    if not why and held and held.holds is None and each.condition:
        open_.setdefault(f"only if {each.condition.text}, {held.by}", []).append(name)
    return why

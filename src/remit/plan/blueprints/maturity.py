"""What the levels of maturity and the extras of a blueprint change, and where they contradict its deliverables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from remit.plan.blueprint import LEVELS, Profile, Question, Wanted
from remit.plan.blueprints.conditions import applies_when
from remit.plan.blueprints.deliverables import level_of, paths
from remit.plan.blueprints.notes import Notes, table, text, texts
from remit.plan.skill import Noted

_LONGEST = 300
"""characters of a name that are looked into"""
MOST = 100
"""profiles of one file"""
_ONLY = re.compile(r"^(?P<name>.*\S)\s*\((?P<levels>[^()]+?)\s+only\)$", re.IGNORECASE)


class Clash(NamedTuple):
    """A contradiction between a profile and a deliverable: code, what is the matter, and the deliverable."""

    code: str
    said: str
    deliverable: str


def read_profiles(found: Any, questions: tuple[Question, ...], notes: Notes) -> tuple[Profile, ...]:
    """The profiles in order; names of levels are those of LEVELS, extras keep their own."""
    profiles = []
    for said, entry in table(found).items():
        name = level_of(said) or said
        if not isinstance(entry, dict):
            notes.add("PROFILE", "error", f"the profile {said!r} has no fields; it is left out")
            continue
        description = text(entry.get("description"))
        extra = name not in LEVELS
        profiles.append(
            Profile(
                name=name,
                description=description,
                require=(*texts(entry.get("require_additionally")), *texts(entry.get("additional_deliverables"))),
                skip=texts(entry.get("skip_deliverables")),
                empty=tuple(f"{each.rstrip('/')}/" for each in paths(texts(entry.get("empty_dirs_allowed")), name, 0, notes)),
                adjust=texts(entry.get("generation_adjustments")),
                when=applies_when(description, questions, notes, about=f"the extra {name}") if extra else None,
            )
        )
    if len(profiles) > MOST:
        notes.add("PROFILES", "error", f"more than {MOST} profiles; the rest is not read")
    return tuple(profiles[:MOST])


def by_name(wanted: tuple[Wanted, ...]) -> dict[str, Wanted]:
    """The deliverables by their names in lower case."""
    return {each.deliverable.name.lower(): each for each in wanted}


def named(said: str, known: Mapping[str, Wanted]) -> tuple[Wanted | None, tuple[str, ...]]:
    """The deliverable a profile means, and the levels it limits itself to: `RBAC permissions (intermediate/advanced only)`."""
    if exact := known.get(said.strip().lower()):
        return exact, LEVELS
    only = _ONLY.match(said.strip()) if len(said) <= _LONGEST else None
    levels = tuple(level_of(each) for each in re.split(r"[/,&]|\band\b|\bor\b", only["levels"])) if only else ()
    if only and levels and all(levels):
        return known.get(only["name"].lower()), levels
    return None, LEVELS


def clashes(profile: Profile, known: Mapping[str, Wanted], level: str) -> Iterator[Clash]:
    """Where a profile, taken at this level, and the deliverables say different things."""
    required = {}
    for said in profile.require:
        found, levels = named(said, known)
        if found is None:
            yield Clash("PROFILE-UNKNOWN", f"{profile.name} requires {said!r}, which is no deliverable", said)
        elif level in levels:
            required[found.deliverable.name] = found
    for name, each in required.items():
        if level not in each.maturity:
            needs = ", ".join(each.maturity)
            yield Clash("PROFILE-CONFLICT", f"{profile.name} requires {name}, which is for {needs}: the profile stands", name)
    for said in profile.skip:
        found, _ = named(said, known)
        if found is None:
            yield Clash("PROFILE-UNKNOWN", f"{profile.name} skips {said!r}, which is no deliverable", said)
        elif found.deliverable.name in required:
            yield Clash("PROFILE-CONFLICT", f"{profile.name} both requires and skips {said}: it is required", said)
        elif level in found.maturity and profile.name in LEVELS:
            yield Clash("PROFILE-CONFLICT", f"{profile.name} skips {said}, which is for {level} too: the profile stands", said)


def say_clashes(profiles: tuple[Profile, ...], wanted: tuple[Wanted, ...], notes: Notes) -> None:
    """Notes the contradictions of the levels, and names that mean nothing; how extras fit depends on the level."""
    known = by_name(wanted)
    for profile in profiles:
        level = profile.name if profile.name in LEVELS else LEVELS[-1]
        found = tuple(noted(each, known, notes.file) for each in clashes(profile, known, level))
        notes.take(tuple(each for each in found if profile.name in LEVELS or each.code == "PROFILE-UNKNOWN"))


def noted(clash: Clash, known: Mapping[str, Wanted], file: str) -> Noted:
    """The finding of a contradiction."""
    found = known.get(clash.deliverable.lower())
    line = found.line if found else 0
    return Noted(code=clash.code, severity="warning", file=file, message=clash.said, line=line)

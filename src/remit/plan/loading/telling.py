"""One skill, and all that registries and graphs say of it."""

from collections.abc import Sequence

from msgspec.structs import replace

from remit.plan.library import Library
from remit.plan.loading.said import Said
from remit.plan.skill import Depends, Keywords, Noted, Skill


def told(skill: Skill, said: Sequence[Said], library: Library, spelled: dict[str, str], noted: list[Noted]) -> Skill:
    """The skill with what files say of it. The first that says something counts; others that say otherwise are a finding.

    `spelled` is every invocation by its skill; one that a file gives to this skill, and nobody to another, is added to it.
    """
    if not said:
        return skill
    _contradictions(skill.name, said, noted)
    return replace(
        skill,
        invocation=_invocation(skill, said, spelled, noted),
        domain=next((each.domain for each in said if each.domain), ""),
        tier=next((each.tier for each in said if each.tier), ""),
        priority=next((each.priority for each in said if each.priority is not None), 100),
        group=next((each.group for each in said if each.group is not None), 0),
        required=any(each.required for each in said),
        keywords=next((each.keywords for each in said if each.keywords != Keywords()), Keywords()),
        depends=_depends(skill.name, said, library, noted),
        provides=tuple(dict.fromkeys(name for each in said for name in each.provides)),
        tokens=next((each.tokens for each in said if each.tokens), 0),
        sources=tuple(dict.fromkeys([*skill.sources, *(each.source for each in said)])),
    )


def _contradictions(name: str, said: Sequence[Said], noted: list[Noted]) -> None:
    """What files say otherwise than the first that spoke of it."""
    for field in ("domain", "tier", "priority", "group", "tokens"):
        speaking = [each for each in said if getattr(each, field) not in (None, "", 0)]
        for each in speaking[1:]:
            told, first = getattr(each, field), getattr(speaking[0], field)
            if told != first:
                message = f"`{name}`: {field} is {told}, but {first} in {speaking[0].source}; that one counts"
                noted.append(Noted(code="CONFLICT", severity="note", file=each.source, message=message))


def _invocation(skill: Skill, said: Sequence[Said], spelled: dict[str, str], noted: list[Noted]) -> str:
    """What a marketplace says counts; without one, the first file that names it."""
    listed = skill.invocation if ":" in skill.invocation else ""
    for each in said:
        if not each.invocation or each.invocation == listed:
            continue
        owner = spelled.setdefault(each.invocation, skill.name)
        if owner != skill.name:
            message = f"`{each.invocation}` is given to `{skill.name}`, but it is that of `{owner}`"
            noted.append(Noted(code="CONFLICT", severity="warning", file=each.source, message=message))
        elif not listed:
            listed = each.invocation
        else:
            message = f"`{skill.name}` is called `{each.invocation}` here, but goes by `{listed}`; both find it"
            noted.append(Noted(code="INVOCATION-OTHER", severity="note", file=each.source, message=message))
    return listed or skill.invocation


def _depends(name: str, said: Sequence[Said], library: Library, noted: list[Noted]) -> Depends:
    """All that anybody says, the strongest word for each; a skill never waits for itself."""

    def others(names: Sequence[str], taken: Sequence[str] = ()) -> tuple[str, ...]:
        return tuple(each for each in dict.fromkeys(names) if each not in taken and library.find(each)[0] != name)

    everything = [each for one in said for each in (*one.depends.hard, *one.depends.soft, *one.depends.optional)]
    if any(library.find(each)[0] == name for each in everything):
        message = f"`{name}` depends on itself; that is left out"
        noted.append(Noted(code="SELF", severity="warning", file=said[0].source, message=message))
    hard = others([each for one in said for each in one.depends.hard])
    soft = others([each for one in said for each in one.depends.soft], hard)
    optional = others([each for one in said for each in one.depends.optional], (*hard, *soft))
    groups = [others(group) for one in said for group in one.depends.any_of]
    last = any(one.depends.last for one in said)
    return Depends(hard=hard, soft=soft, optional=optional, any_of=tuple(dict.fromkeys(filter(None, groups))), last=last)

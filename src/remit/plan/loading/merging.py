"""Many files, one library: who said what of which skill, what contradicts, and what names no skill at all."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from remit.plan.blueprint import Blueprint
from remit.plan.library import Domain, Library, Listed, Offer, Plugin, aliases_with
from remit.plan.loading.invoking import invocations_of
from remit.plan.loading.registry import Registry
from remit.plan.loading.said import Said
from remit.plan.loading.skill_graph import Graph
from remit.plan.loading.telling import told
from remit.plan.skill import Depends, Keywords, Noted, Severity, Skill

MOST_SAID = 10_000
MOST_UNKNOWN = 200


class Pieces(NamedTuple):
    """Everything that was read, each part in the order in which the first counts."""

    skills: Sequence[Skill] = ()
    listed: Sequence[Listed] = ()
    plugins: Sequence[Plugin] = ()
    registries: Sequence[tuple[str, Registry]] = ()
    graphs: Sequence[tuple[str, Graph]] = ()
    blueprints: Sequence[Blueprint] = ()
    aliases: Sequence[tuple[str, tuple[str, ...]]] = ()
    noted: Sequence[Noted] = ()
    places: Sequence[str] = ()


def merge(pieces: Pieces) -> Library:
    """One library. Of two skills with one name the first keeps it, of two words about one the first counts; both are said."""
    noted = list(pieces.noted)
    invoked, invocations = invocations_of(pieces.skills, pieces.plugins, noted)
    skills = _unique(invoked, noted)
    invocations.update({skill.invocation: skill.name for skill in skills if ":" in skill.invocation})
    library = Library(skills=tuple(skills), invocations=tuple(invocations.items()), aliases=aliases_with(pieces.aliases))
    said = [each for _, registry in pieces.registries for each in registry.said]
    said += [each for _, graph in pieces.graphs for each in graph.said]
    said = said[:MOST_SAID]
    library = _enriched(library, [*said, *_turned(said)], noted)
    own = {skill.folder for skill in library.skills}
    fields = [
        *(each for _, one in pieces.registries for each in one.domains),
        *(each for _, one in pieces.graphs for each in one.domains),
    ]
    library = replace(
        library,
        blueprints=tuple(_first(pieces.blueprints, noted)),
        offers=_offers(pieces.registries),
        plugins=tuple(pieces.plugins),
        domains=_domains(fields),
        tiers=next((graph.tiers for _, graph in pieces.graphs if graph.tiers), ()),
        patterns=tuple(chain for _, graph in pieces.graphs for chain in graph.patterns),
        listed=tuple(each for each in pieces.listed if each.folder in own),
        places=tuple(pieces.places),
    )
    return replace(library, noted=(*noted, *unknown(library, said)))


def _unique(skills: Iterable[Skill], noted: list[Noted]) -> list[Skill]:
    """A second skill of one name goes by its invocation where it has one of its own; else it is not used."""
    found: dict[str, Skill] = {}
    for skill in skills:
        if skill.name not in found:
            found[skill.name] = skill
            continue
        first, source = found[skill.name], _source(skill)
        if skill.digest and skill.digest == first.digest:
            noted.append(_note("NAME-TWICE", "note", source, f"`{skill.name}` is the same as in {_source(first)}"))
        elif skill.invocation not in ("", skill.name, first.invocation) and skill.invocation not in found:
            found[skill.invocation] = replace(skill, name=skill.invocation)
            message = f"`{skill.name}` is already in {_source(first)}; this one is called `{skill.invocation}`"
            noted.append(_note("NAME-TWICE", "warning", source, message))
        else:
            noted.append(
                _note("NAME-TWICE", "warning", source, f"`{skill.name}` is already in {_source(first)}; this one is not used")
            )
    return list(found.values())


def _first(blueprints: Iterable[Blueprint], noted: list[Noted]) -> list[Blueprint]:
    found: dict[str, Blueprint] = {}
    for each in blueprints:
        first = found.setdefault(each.name, each)
        if first is not each:
            message = f"the blueprint `{each.name}` is already in {first.source}; this one is not used"
            noted.append(_note("BLUEPRINT-TWICE", "warning", each.source, message))
    return list(found.values())


def _offers(registries: Iterable[tuple[str, Registry]]) -> tuple[Offer, ...]:
    found: dict[str, Offer] = {}
    for _, registry in registries:
        for offer in registry.offers:
            found.setdefault(offer.name, offer)
    return tuple(found.values())


def _source(skill: Skill) -> str:
    return skill.sources[0] if skill.sources else skill.folder


def _note(code: str, severity: Severity, file: str, message: str, hint: str = "") -> Noted:
    return Noted(code=code, severity=severity, file=file, message=message, hint=hint)


def _turned(said: Sequence[Said]) -> list[Said]:
    """`required_by` from the other end: those named wait for this one where it is there."""
    return [Said(name=each, source=one.source, depends=Depends(soft=(one.name,))) for one in said for each in one.before][
        :MOST_SAID
    ]


def _enriched(library: Library, said: Sequence[Said], noted: list[Noted]) -> Library:
    """Every skill with what files say of it, and the spellings of its invocation."""
    by_skill: dict[str, list[Said]] = {}
    spoken: set[tuple[str, str]] = set()
    for each in said:
        skill, by = library.find(each.name)
        if not skill and each.invocation:
            skill, by = library.find(each.invocation)
        if not skill:
            continue
        if by == "alias" and (each.source, each.name) not in spoken:
            spoken.add((each.source, each.name))
            noted.append(_note("ALIAS", "note", each.source, f"`{each.name}` is taken for `{skill}`, by the table of aliases"))
        by_skill.setdefault(skill, []).append(each)
    spelled = dict(library.invocations)
    skills = [told(skill, by_skill.get(skill.name, ()), library, spelled, noted) for skill in library.skills]
    return replace(library, skills=tuple(skills), invocations=tuple(spelled.items()))


def _domains(domains: Iterable[Domain]) -> tuple[Domain, ...]:
    found: dict[str, Domain] = {}
    for each in domains:
        first = found.get(each.name)
        found[each.name] = each if first is None else Domain(
            name=each.name,
            description=first.description or each.description,
            keywords=first.keywords if first.keywords != Keywords() else each.keywords,
            first=first.first or each.first,
            last=first.last or each.last,
            optional=first.optional or each.optional,
            tools=first.tools or each.tools,
            sources=tuple(dict.fromkeys([*first.sources, *each.sources])),
        )  # fmt: skip
    return tuple(found.values())


def unknown(library: Library, said: Sequence[Said]) -> list[Noted]:
    """Every name in a registry or graph that finds no skill, once for each file, with what comes near."""
    if not library.skills:
        return []
    named = [(each.source, each.name) for each in said if not (each.invocation and library.find(each.invocation)[0])]
    for each in said:
        needs = each.depends
        grouped = [name for group in needs.any_of for name in group]
        named += [
            (each.source, name) for name in (*needs.hard, *needs.soft, *needs.optional, *grouped, *each.before) if name != "*"
        ]
    named += [(offer.source, name) for offer in library.offers for name in offer.chain]
    named += [(one.sources[-1], name) for one in library.domains for name in (*one.first, *one.last, *one.optional)]
    named += [(chain.source, name) for chain in library.patterns for name in chain.skills]
    lost = [(source, name) for source, name in dict.fromkeys(named) if not library.find(name)[0]]
    found = [note for source, name in lost[:MOST_UNKNOWN] if (note := unresolved(library, name, source)) is not None]
    if len(lost) > MOST_UNKNOWN:
        found.append(_note("UNKNOWN-SKILL", "warning", lost[-1][0], f"{len(lost) - MOST_UNKNOWN} more names find no skill"))
    return found


def unresolved(library: Library, name: str, file: str) -> Noted | None:
    """What there is to say of a name that finds no skill; None where it finds one."""
    found = library.resolve(name)
    if found.skill:
        return None
    if found.candidates:
        several = " or ".join(f"`{each}`" for each in found.candidates)
        return _note("AMBIGUOUS", "warning", file, f"`{name}` could be {several}", "a person chooses; nothing is guessed")
    near = ", ".join(f"`{each}`" for each in found.nearest)
    return _note(
        "UNKNOWN-SKILL", "warning", file, f"there is no skill `{name}`", f"near it: {near}" if near else "nothing comes near it"
    )

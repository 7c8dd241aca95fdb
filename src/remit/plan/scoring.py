"""How well skills and blueprints fit the words of a goal: the scores of the router that the files were written for.

+10 for each primary keyword that stands in the goal, +5 for each secondary one, nothing where an exclusion stands in it or where
none of `requires_any` does. Descriptions speak too: +5 for words or a phrase that few of them have, and for a skill to which no
registry gives keywords its name as a primary one. A blueprint has +5 for each skill of its chain that the goal itself calls for.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import log, prod

from remit.plan.blueprint import Blueprint
from remit.plan.library import Library
from remit.plan.skill import Keywords, Skill
from remit.plan.words import holds, stems
from remit.value import Value

PRIMARY, SECONDARY = 10, 5
OFFERED = 0.7
"""confidence from which a blueprint is offered where it names no threshold of its own"""
SURE, LIKELY = 0.7, 0.35
"""how sure one primary and one secondary keyword make; several together as independent witnesses"""
ENOUGH = 10
"""score from which a skill is proposed: one strong word, or two weak ones"""
TOLD, RARE = 5.0, 3.0
"""how rare, in natural logarithms, shared words must be together, and a shared phrase alone: two words few descriptions have"""
_GENERAL = frozenset(stems("data strategies patterns techniques engineering components pipelines operations systems"))


Gram = str | tuple[str, str]


class Score(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How well one skill or blueprint fits, and by which words. `confidence` is that of a blueprint, 0 to 1, two digits."""

    name: str
    score: int
    words: tuple[str, ...] = ()
    confidence: float = 0.0
    why: str = ""


def matched(said: tuple[str, ...], keywords: Keywords) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The primary and secondary keywords that stand in a goal, or why none counts."""
    out = next((each for each in keywords.exclusions if holds(said, stems(each))), "")
    if out:
        return (), (), f"`{out}` rules it out"
    if keywords.requires_any and not any(holds(said, stems(each)) for each in keywords.requires_any):
        return (), (), f"it needs one of {', '.join(keywords.requires_any)}"
    found = []
    seen: set[tuple[str, ...]] = set()
    for words in (keywords.primary, keywords.secondary):
        kept = []
        for each in words:
            phrase = stems(each)
            if phrase not in seen and holds(said, phrase):
                seen.add(phrase)
                kept.append(each)
        found.append(tuple(kept))
    return found[0], found[1], ""


def sure(primary: int, secondary: int) -> float:
    """Confidence of so many words, as of witnesses who err independently of each other."""
    return round(1 - prod([1 - SURE] * primary + [1 - LIKELY] * secondary), 2)


def score_blueprints(said: tuple[str, ...], library: Library, called: frozenset[str]) -> tuple[Score, ...]:
    """All blueprints that anything speaks for, the best first; where scores are equal, the one with the rarer words."""
    keywords = {each.name: _keywords(each, library) for each in library.blueprints}
    common = Counter(
        phrase for each in keywords.values() for phrase in {stems(word) for word in (*each.primary, *each.secondary)}
    )
    chains = {each.name: _chain(each, library) for each in library.blueprints}
    shared = Counter(skill for chain in chains.values() for skill in chain)
    found = []
    for name, each in keywords.items():
        primary, secondary, why = matched(said, each)
        own = () if why else tuple(skill for skill in chains[name] if skill in called and 3 * shared[skill] <= len(chains) + 2)
        words = (*primary, *secondary, *(f"its skill {skill}" for skill in own))
        if words or why:
            score = PRIMARY * len(primary) + SECONDARY * (len(secondary) + len(own))
            rare = sum(1 / common[stems(word)] for word in (*primary, *secondary))
            confidence = sure(len(primary), len(secondary) + len(own))
            found.append((Score(name=name, score=score, words=words, confidence=confidence, why=why), rare))
    found.sort(key=lambda pair: (-pair[0].score, -pair[1], pair[0].name))
    return tuple(score for score, _ in found)


def _chain(blueprint: Blueprint, library: Library) -> tuple[str, ...]:
    """The skills that any chain of a blueprint may hold."""
    slots = [slot for pattern in blueprint.patterns for slot in pattern.slots]
    names = [library.resolve(name).skill for slot in slots for name in (slot.name, *slot.instead)]
    return tuple(dict.fromkeys(name for name in names if name))


def _keywords(blueprint: Blueprint, library: Library) -> Keywords:
    """Its own words, and those a registry gives it."""
    offers = [each.keywords for each in library.offers if each.name == blueprint.name]
    every = [blueprint.keywords, *offers]
    primary = tuple(dict.fromkeys(word for each in every for word in each.primary))
    weaker = (*(word for each in every for word in each.secondary), *blueprint.indicators)
    return Keywords(
        primary=primary,
        secondary=tuple(dict.fromkeys(word for word in weaker if word not in primary)),
        exclusions=tuple(dict.fromkeys(word for each in every for word in each.exclusions)),
        requires_any=blueprint.keywords.requires_any,
    )


def score_skills(said: tuple[str, ...], library: Library) -> tuple[Score, ...]:
    """All skills that anything speaks for: by priority, then by score."""
    told = {each.name: stems(each.description) for each in library.skills}
    counts = Counter(gram for text in told.values() for gram in _grams(text))
    rarity: dict[Gram, float] = {word: log(len(told) / count) for word, count in counts.items()}
    found = [
        (score, each) for each in library.skills if (score := _score(said, each, told[each.name], rarity)).score or score.why
    ]
    found.sort(key=lambda pair: (pair[1].priority, -pair[0].score, pair[0].name))
    return tuple(score for score, _ in found)


def _grams(text: tuple[str, ...]) -> set[Gram]:
    """The words of a text, and its pairs of neighbours."""
    return {*text, *pairwise(text)}


def _score(said: tuple[str, ...], skill: Skill, told: tuple[str, ...], rarity: Mapping[Gram, float]) -> Score:
    primary, secondary, why = matched(said, skill.keywords)
    if why:
        return Score(name=skill.name, score=0, why=why)
    score = PRIMARY * len(primary) + SECONDARY * len(secondary)
    words = [*primary, *secondary]
    if not skill.keywords.primary:
        own = stems(skill.name.replace("-", " "))
        subject = tuple(word for word in own[1:] or own if word not in _GENERAL) or own
        if {*subject} <= {*said}:
            score += PRIMARY
            words.append(f"the name {skill.name}")
    both = sorted({*told} & {*said}, key=lambda word: (-rarity[word], word))
    phrases = [pair for pair in dict.fromkeys(pairwise(said)) if pair in {*pairwise(told)} and rarity[pair] >= RARE]
    weak = (sum(rarity[word] for word in both) >= TOLD) + (sum(rarity[word] for word in both) >= 2 * TOLD) + bool(phrases)
    if weak:
        score += SECONDARY * weak
        words.append(f"its description ({', '.join([*(' '.join(pair) for pair in phrases), *both][:4])})")
    return Score(name=skill.name, score=score, words=tuple(words))

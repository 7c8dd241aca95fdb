"""All skills and blueprints that were found, what registries and graphs add to them, and how a name finds its skill."""

import difflib
from collections.abc import Iterable
from functools import cached_property
from typing import Literal

from remit.plan.aliases import ALIASES
from remit.plan.blueprint import Blueprint
from remit.plan.skill import Keywords, Noted, Skill
from remit.value import Value

By = Literal["name", "folder", "invocation", "alias", ""]


class Resolved(Value, frozen=True, kw_only=True):
    """Which skill a name means. `skill` is the name of a skill of the library; empty means unresolved, and nothing was guessed.

    `candidates` are the skills that an alias could mean where it could mean several; `nearest` are names that look like it.
    """

    asked: str
    skill: str = ""
    by: By = ""
    candidates: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()


class Plugin(Value, frozen=True, kw_only=True):
    """One plugin of a marketplace: a group of skills invoked as `name:skill`. `root` and `skills` are whole paths of folders;
    `whole` means: every skill below `root/skills`. `elsewhere` is a source that is not in this folder; it is not fetched.
    """

    name: str
    description: str = ""
    root: str = ""
    skills: tuple[str, ...] = ()
    whole: bool = False
    strict: bool = True
    elsewhere: str = ""
    file: str = ""


class Listed(Value, frozen=True, kw_only=True):
    """What lies in the folder of a skill beside its SKILL.md: relative paths, sorted, never read."""

    folder: str
    files: tuple[str, ...] = ()


class Offer(Value, frozen=True, kw_only=True):
    """A blueprint as a registry names it: the words that call for it, and the score from which it is offered."""

    name: str
    description: str = ""
    domain: str = ""
    keywords: Keywords = Keywords()
    chain: tuple[str, ...] = ()
    confidence: float = 0.7
    questions: int = 0
    time: str = ""
    file: str = ""
    source: str = ""


class Domain(Value, frozen=True, kw_only=True):
    """One field of work: words that speak for it, which skills begin it, end it, and often stand in it, by the file's names.

    `tools` are those it would like by default: kept to be shown, never a right.
    """

    name: str
    description: str = ""
    keywords: Keywords = Keywords()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class NamedChain(Value, frozen=True, kw_only=True):
    """A pattern of a skill graph: skills that are often done together, by the names of the file."""

    name: str
    skills: tuple[str, ...] = ()
    description: str = ""
    source: str = ""


class Library(Value, frozen=True, kw_only=True, dict=True):
    """Everything that was found in some places. Skills are in the order of the places, then by folder; names are unique.

    `invocations` are all spellings `plugin:skill` that some file gives to a skill; `tiers` the layers of the skill graph with
    their numbers (lower first). `noted` is everything odd that was met on the way.
    """

    skills: tuple[Skill, ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    offers: tuple[Offer, ...] = ()
    aliases: tuple[tuple[str, tuple[str, ...]], ...] = tuple(ALIASES.items())
    invocations: tuple[tuple[str, str], ...] = ()
    plugins: tuple[Plugin, ...] = ()
    domains: tuple[Domain, ...] = ()
    tiers: tuple[tuple[str, int], ...] = ()
    patterns: tuple[NamedChain, ...] = ()
    listed: tuple[Listed, ...] = ()
    noted: tuple[Noted, ...] = ()
    places: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, Skill]:
        return {skill.name: skill for skill in self.skills}

    @cached_property
    def _by_folder(self) -> dict[str, str]:
        return {folder_name(skill): skill.name for skill in reversed(self.skills) if folder_name(skill)}

    @cached_property
    def _by_invocation(self) -> dict[str, str]:
        own = {skill.invocation: skill.name for skill in self.skills if skill.invocation}
        return {**dict(self.invocations), **own}

    @cached_property
    def _meanings(self) -> dict[str, tuple[str, ...]]:
        return dict(self.aliases)

    def skill(self, name: str) -> Skill | None:
        """The skill of exactly that name, else None. For names that other files use, `resolve` them first."""
        return self._by_name.get(name)

    def blueprint(self, name: str) -> Blueprint | None:
        """The blueprint of exactly that name, else None."""
        return next((each for each in self.blueprints if each.name == name), None)

    def files(self, name: str) -> tuple[str, ...]:
        """What lies beside the SKILL.md of that skill."""
        skill = self.skill(name)
        return next((each.files for each in self.listed if skill and each.folder == skill.folder), ())

    def find(self, name: str) -> tuple[str, By]:
        """The skill that a name means, and how it was found; `("", "")` where it means none, or could mean several."""
        if name in self._by_name:
            return name, "name"
        if name in self._by_folder:
            return self._by_folder[name], "folder"
        if name in self._by_invocation:
            return self._by_invocation[name], "invocation"
        meant = self._own(self._meanings.get(name, ()))
        return (meant[0], "alias") if len(self._meanings.get(name, ())) == 1 and meant else ("", "")

    def resolve(self, name: str) -> Resolved:
        """Which skill a name means: its own name, its folder, an invocation some file gives it, or an alias with one meaning."""
        skill, by = self.find(name)
        if skill:
            return Resolved(asked=name, skill=skill, by=by)
        if name not in self._meanings:
            return Resolved(asked=name, nearest=self.nearest(name))
        meant = self._meanings[name]
        here = self._own(meant)
        return Resolved(asked=name, candidates=here, nearest=() if here or not meant else self.nearest(meant[0]))

    def _own(self, meant: tuple[str, ...]) -> tuple[str, ...]:
        """Those of these names that are skills of this library."""
        found = (each if each in self._by_name else self._by_folder.get(each, "") for each in meant)
        return tuple(dict.fromkeys(filter(None, found)))

    def nearest(self, name: str, most: int = 3) -> tuple[str, ...]:
        """Names of skills that look like this one, the most alike first; only to be shown, never to be taken."""
        bare = name.rpartition(":")[2][:80]
        known = [*self._by_name, *(each for each in self._by_folder if each not in self._by_name)]
        alike = difflib.get_close_matches(bare, known, n=most, cutoff=0.6)
        words = {word for word in bare.split("-") if len(word) > 3} - _EMPTY
        shared = [each for each in known if words & set(each.split("-"))] if words else []
        return tuple(dict.fromkeys([*alike, *sorted(shared, key=lambda each: -len(words & set(each.split("-"))))]))[:most]


_EMPTY = {"implementing", "building", "managing", "configuring", "designing", "using", "writing", "creating", "skill", "skills"}


def folder_name(skill: Skill) -> str:
    """The last part of the path of a skill's directory."""
    return skill.folder.rstrip("/").rpartition("/")[2]


def aliases_with(more: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The table of remit, with what a place says itself in front."""
    return tuple({**ALIASES, **dict(more)}.items())

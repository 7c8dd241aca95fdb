"""From places on a disk to one library."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from remit.adapters.library.walk import Folder, Walk, printable
from remit.plan.blueprint import Blueprint
from remit.plan.blueprints.reading import read_blueprint
from remit.plan.lenient import read_yaml
from remit.plan.library import Library, Listed, Plugin
from remit.plan.lint import lint
from remit.plan.loading.marketplace import read_marketplace, read_plugin
from remit.plan.loading.merging import Pieces, merge
from remit.plan.loading.outputs import read_outputs
from remit.plan.loading.registry import Registry, read_registry
from remit.plan.loading.skill_file import broken_links, read_skill
from remit.plan.loading.skill_graph import Graph, read_graph
from remit.plan.loading.taking import texts
from remit.plan.skill import Noted, Skill

MOST_BYTES = 1024 * 1024
REGISTRIES = ("registries", "_registries")
T = TypeVar("T")


def read_library(places: Sequence[Path]) -> Library:
    """Everything in these places, the first to name a skill wins. Nothing that is odd is fatal: it is in `noted`.

    Reads SKILL.md, outputs, registries, graphs, marketplaces and blueprints, each up to 1 MiB; everything else is only listed.
    """
    reading = Reading()
    for place in places:
        reading.place(place)
    return reading.library(places)


def lint_library(place: Path) -> tuple[Library, tuple[Noted, ...]]:
    """A place read strictly: every SKILL.md by the letter of the specification, everything else as `read_library` finds it."""
    reading = Reading(strict=True)
    reading.place(place)
    library = reading.library([place])
    return library, (*reading.linted, *library.noted)


class Reading:
    """One reading of some places, and all the pieces it found."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.linted: list[Noted] = []
        self.skills: list[Skill] = []
        self.listed: list[Listed] = []
        self.plugins: list[Plugin] = []
        self.registries: list[tuple[str, Registry]] = []
        self.graphs: list[tuple[str, Graph]] = []
        self.blueprints: list[Blueprint] = []
        self.aliases: list[tuple[str, tuple[str, ...]]] = []
        self.noted: list[Noted] = []
        self.read: set[str] = set()

    def library(self, places: Sequence[Path]) -> Library:
        """All pieces as one."""
        return merge(
            Pieces(
                skills=self.skills,
                listed=self.listed,
                plugins=self.plugins,
                registries=self.registries,
                graphs=self.graphs,
                blueprints=self.blueprints,
                aliases=self.aliases,
                noted=self.noted,
                places=[printable(place) for place in places],
            )
        )

    def place(self, place: Path) -> None:
        """Everything in one place."""
        if not place.is_dir():
            self.noted.append(Noted(code="PLACE", severity="error", file=printable(place), message="no such folder"))
            return
        walk = Walk(place)
        for folder in walk.folders():
            own = next((name for name in ("SKILL.md", "Skill.md", "skill.md") if name in folder.files), None)
            if own is not None:
                self.skill(folder, own, walk)
            else:
                self.others(folder)
        self.noted += walk.noted

    def skill(self, folder: Folder, name: str, walk: Walk) -> None:
        """A skill, the outputs it declares, and what else lies there."""
        path = folder.path / name
        data = self.bytes_of(path)
        if data is None:
            return
        if name != "SKILL.md":
            self.noted.append(
                Noted(code="FILE-NAME", severity="warning", file=printable(path), message="the file is to be called `SKILL.md`")
            )
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        where = printable(path)
        content = self.text(data, path)
        skill, noted = read_skill(content, file=where, folder=real(folder.path), digest=digest)
        if self.strict:
            self.linted += lint(content, file=where, folder=real(folder.path))
        files = tuple(each for each in walk.listing(folder.path) if each != name)
        files = tuple(each.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for each in files)
        self.noted += [*([] if self.strict else noted), *broken_links(skill, files, file=where)]
        if "outputs.yaml" in folder.files and (declared := self.text_of(folder.path / "outputs.yaml")) is not None:
            source = printable(folder.path / "outputs.yaml")
            outputs, more = read_outputs(declared, file=source)
            self.noted += more
            skill = replace(skill, outputs=outputs, sources=(*skill.sources, source))
        self.skills.append(skill)
        self.listed.append(Listed(folder=skill.folder, files=files))

    def others(self, folder: Folder) -> None:
        """What a folder without a SKILL.md can hold that speaks of skills."""
        inside = folder.path.name
        for name in folder.files:
            path = folder.path / name
            if inside == ".claude-plugin" and name in ("marketplace.json", "plugin.json"):
                self.plugin(path)
            elif name.endswith((".yaml", ".yml")) and (name.rpartition(".")[0] == "_registry" or inside in REGISTRIES):
                self.taken(path, read_registry, self.registries)
            elif name in ("skill-graph.yaml", "skill-graph.yml"):
                self.taken(path, read_graph, self.graphs)
            elif name == "aliases.yaml" and inside in ("skillchain", "skills", "shared"):
                self.alias(path)
            elif name.endswith(".md") and inside == "blueprints" and name.lower() != "readme.md" and name[0] != "_":
                self.blueprint(path)

    def plugin(self, path: Path) -> None:
        """A marketplace, or one plugin. What a link leads to counts as what it is."""
        content = self.text_of(path)
        if content is None:
            return
        root = real(path.parent.parent)
        read = read_marketplace if path.name == "marketplace.json" else read_plugin
        plugins, noted = read(content, file=printable(path), root=root)
        self.noted += noted
        known = {plugin.name for plugin in self.plugins}
        for plugin in plugins:
            if plugin.name not in known:
                self.plugins.append(replace(plugin, skills=tuple(real(Path(each)) for each in plugin.skills)))

    def taken(self, path: Path, read: Callable[..., tuple[T, tuple[Noted, ...]]], into: list[tuple[str, T]]) -> None:
        """A registry or a graph."""
        content = self.text_of(path)
        if content is not None:
            found, noted = read(content, file=printable(path))
            self.noted += noted
            into.append((printable(path), found))

    def alias(self, path: Path) -> None:
        """`aliases.yaml`: what a place itself says that its old names mean."""
        content = self.text_of(path)
        if content is not None:
            found, noted = read_yaml(content, file=printable(path))
            self.noted += noted
            if isinstance(found, dict):
                self.aliases += [(name, texts(meant)) for name, meant in found.items()]

    def blueprint(self, path: Path) -> None:
        """A blueprint, read by its own reader."""
        content = self.text_of(path)
        if content is not None:
            found, noted = read_blueprint(content, name=printable(Path(path.stem)), file=printable(path))
            self.noted += noted
            self.blueprints.append(found)

    def text_of(self, path: Path) -> str | None:
        """The text of a file, or None with a finding."""
        data = self.bytes_of(path)
        return None if data is None else self.text(data, path)

    def text(self, data: bytes, path: Path) -> str:
        """Bytes as text; what is not UTF-8 is said and replaced."""
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            said = Noted(
                code="NOT-UTF-8",
                severity="warning",
                file=printable(path),
                message="not UTF-8; such bytes are replaced",
                line=line,
            )
            self.noted.append(said)
            return data.decode("utf-8", "replace")

    def bytes_of(self, path: Path) -> bytes | None:
        """Up to the bound; None with a finding where there is more, or it cannot be read; None where it was read before."""
        where = real(path)
        if where in self.read:
            return None
        self.read.add(where)
        try:
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except OSError as error:
            message = f"cannot be read: {(error.strerror or str(error)).lower()}"
            self.noted.append(Noted(code="UNREADABLE", severity="error", file=printable(path), message=message))
            return None
        if len(data) > MOST_BYTES:
            message = "larger than 1 MiB, so it is not read"
            self.noted.append(Noted(code="TOO-LARGE", severity="error", file=printable(path), message=message))
            return None
        return data


def real(path: Path) -> str:
    """What a path is, without links, as a text."""
    return printable(Path(os.path.realpath(path)))

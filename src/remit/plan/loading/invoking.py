"""From plugins to invocations: which folder of which plugin is which skill, and how it is called."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from remit.plan.library import Plugin, folder_name
from remit.plan.skill import Noted, Skill

INVOCATION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*:[a-z0-9]+(?:-[a-z0-9]+)*")


def invocations_of(skills: Sequence[Skill], plugins: Sequence[Plugin], noted: list[Noted]) -> tuple[list[Skill], dict[str, str]]:
    """The skills with `plugin:skill` where a plugin lists them, and every further spelling by its skill."""
    by_folder = {skill.folder: skill for skill in skills if skill.folder}
    main: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for plugin in plugins:
        for folder in _folders(plugin, by_folder, noted):
            skill = by_folder[folder]
            invocation = f"{plugin.name}:{skill.name}"
            if folder in main and main[folder] != invocation:
                message = f"`{skill.name}` goes by `{main[folder]}`; `{invocation}` finds it too"
                noted.append(Noted(code="INVOCATION-TWICE", severity="note", file=plugin.file, message=message))
            main.setdefault(folder, invocation)
            if not INVOCATION.fullmatch(invocation):
                message = f"`{invocation[:120]}` is an unusual invocation; some hosts take only lower-case words with hyphens"
                noted.append(Noted(code="INVOCATION-FORM", severity="warning", file=plugin.file, message=message))
            for one in (invocation, f"{plugin.name}:{folder_name(skill)}"):
                spelled.setdefault(one, skill.name)
    return [replace(skill, invocation=main.get(skill.folder, skill.name)) for skill in skills], spelled


def _folders(plugin: Plugin, by_folder: dict[str, Skill], noted: list[Noted]) -> list[str]:
    """A folder that a plugin lists is a skill, or holds skills; one that is neither is said."""
    wanted = [plugin.root.rstrip("/") + "/skills"] if plugin.whole and plugin.root else list(plugin.skills)
    found: dict[str, None] = {}
    for path in wanted:
        inside = [path] if path in by_folder else [folder for folder in by_folder if folder.startswith(path.rstrip("/") + "/")]
        if not inside and not plugin.whole:
            message = f"the plugin `{plugin.name}` lists `{path.rpartition('/')[2]}`, which is no skill here"
            noted.append(Noted(code="PLUGIN-SKILL", severity="warning", file=plugin.file, message=message))
        found.update(dict.fromkeys(inside))
    return list(found)

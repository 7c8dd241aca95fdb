"""`.claude-plugin/marketplace.json` and `plugin.json`: which skills go by which plugin, so how they are invoked."""

import posixpath
from typing import Any

import msgspec

from remit.plan.lenient import MOST_BYTES, read_yaml
from remit.plan.library import Plugin
from remit.plan.loading.said import first_text
from remit.plan.loading.taking import MOST_ITEMS, table, text, texts
from remit.plan.skill import Noted, Severity


def read_marketplace(content: str, *, file: str, root: str) -> tuple[tuple[Plugin, ...], tuple[Noted, ...]]:
    """Its plugins; `root` is the whole path of the folder that holds `.claude-plugin`. Never raises.

    A source that lies elsewhere is kept by its name and never fetched, a path that leaves the root is left out; both are said.
    """
    found, noted = _json(content, file)
    listed = found.get("plugins") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return (), (*noted, _noted("MARKETPLACE", "error", file, "not a marketplace: there is no list of `plugins`"))
    more: list[Noted] = []
    plugins: dict[str, Plugin] = {}
    for entry in listed[:MOST_ITEMS]:
        plugin = _plugin(table(entry), table(found.get("metadata")), file, root, more)
        if plugin is None:
            more.append(_noted("MARKETPLACE", "warning", file, "a plugin without a name is left out"))
        elif plugin.name in plugins:
            more.append(_noted("PLUGIN-TWICE", "warning", file, f"the plugin `{plugin.name}` is there twice; the first is taken"))
        else:
            plugins[plugin.name] = plugin
    return tuple(plugins.values()), (*noted, *more)


def read_plugin(content: str, *, file: str, root: str) -> tuple[tuple[Plugin, ...], tuple[Noted, ...]]:
    """The one plugin of a `plugin.json`: every skill below `skills/`, or those it lists. Never raises."""
    found, noted = _json(content, file)
    more: list[Noted] = []
    plugin = _plugin({**table(found), "source": "./"}, {}, file, root, more) if isinstance(found, dict) else None
    if plugin is None:
        return (), (*noted, _noted("PLUGIN", "error", file, "not a plugin: it has no name"))
    return (plugin,), (*noted, *more)


def _json(content: str, file: str) -> tuple[Any, tuple[Noted, ...]]:
    if len(content) > MOST_BYTES:
        return None, (_noted("TOO-LARGE", "error", file, "larger than 1 MiB, so it is not read"),)
    try:
        return msgspec.json.decode(content.removeprefix("\ufeff").encode("utf-8", "replace")), ()
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        found, noted = read_yaml(content, file=file)
        return found, (_noted("JSON", "error", file, f"not JSON: {error}", "a comma too many, or a comment?"), *noted)


def _plugin(entry: dict[str, Any], metadata: dict[str, Any], file: str, root: str, noted: list[Noted]) -> Plugin | None:
    name = text(entry.get("name"))
    if not name:
        return None
    source = entry.get("source", "./")
    inside = text(source) if isinstance(source, str) else ""
    base = text(metadata.get("pluginRoot")) if inside and not inside.startswith(".") else ""
    folder = _below(root, posixpath.join(base, inside)) if inside and "://" not in inside else None
    strict = entry.get("strict") is not False
    description = text(entry.get("description"))
    if folder is None:
        where = inside or ":".join(each for each in _elsewhere(table(source)) if each) or "no source"
        code, why = (
            ("OUTSIDE", "is not below this folder") if inside and "://" not in inside else ("PLUGIN-ELSEWHERE", "is not fetched")
        )
        noted.append(_noted(code, "warning", file, f"the source of the plugin `{name}`, `{where[:120]}`, {why}"))
        return Plugin(name=name, description=description, strict=strict, elsewhere=where, file=file)
    skills = []
    for said in texts(entry.get("skills")):
        path = _below(folder, said) if _below(root, posixpath.relpath(posixpath.join(folder, said), root)) else None
        if path is None:
            noted.append(_noted("OUTSIDE", "warning", file, f"`{said[:120]}` of the plugin `{name}` is not below this folder"))
        else:
            skills.append(path)
    whole = not texts(entry.get("skills"))
    return Plugin(
        name=name, description=description, root=folder, skills=tuple(skills), whole=whole, strict=strict, file=file
    )  # fmt: skip


def _elsewhere(source: dict[str, Any]) -> tuple[str, str]:
    return text(source.get("source")), first_text(source, "repo", "url", "package", "path")


def _below(root: str, path: str) -> str | None:
    """The whole path, or None where it is not in the root or below it."""
    if "\\" in path or path.startswith(("/", "~")) or "\0" in path:
        return None
    whole = posixpath.normpath(posixpath.join(root, path))
    return whole if whole == root or whole.startswith(root.rstrip("/") + "/") else None


def _noted(code: str, severity: Severity, file: str, message: str, hint: str = "") -> Noted:
    return Noted(code=code, severity=severity, file=file, message=message, hint=hint)

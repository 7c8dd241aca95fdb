"""SKILL.md, as people write it."""

import re
from collections.abc import Sequence
from typing import Any

from remit.plan.front import read_front
from remit.plan.loading.taking import text, texts
from remit.plan.skill import Noted, Severity, Skill

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEYS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
MOST_DESCRIPTION = 1024
MOST_LINES = 500
MOST_LINKED = 128 * 1024
_TOOL = re.compile(r"[^\s,(]+(?:\([^()\n]*\))?")
_LINK = re.compile(r"\[[^\]\n]{0,200}\]\(<?([^)<>\n]{1,300}?)>?(?:[ \t]+\"[^\"\n]{0,200}\")?\)")
_FENCED = re.compile(r"(?ms)^[ \t]*(```|~~~).*?^[ \t]*\1[`~]*[ \t]*$")


def read_skill(content: str, *, file: str, folder: str = "", digest: str = "") -> tuple[Skill, tuple[Noted, ...]]:
    """A skill from its SKILL.md; `folder` is the whole path of its directory. Never raises.

    Without a name it is called like its directory, without a description by its first paragraph; both are said. The tools it
    allows itself are kept as a wish: they narrow, nothing widens.
    """
    keys, body, noted = read_front(content, file=file)
    found = [*noted]
    directory = folder.rstrip("/").rpartition("/")[2]

    def say(code: str, severity: Severity, message: str, hint: str = "") -> None:
        found.append(Noted(code=code, severity=severity, file=file, message=message, hint=hint, line=1))

    name = text(keys.get("name"))
    if not name:
        name = directory or "unnamed"
        say("NAME-MISSING", "error", f"it has no name, so it is called `{name}`, like its directory", f"write `name: {name}`")
    description = " ".join(text(keys.get("description")).split())
    if not description:
        description = _first_paragraph(body)
        say(
            "DESCRIPTION-MISSING",
            "error",
            "it has no description, so its first paragraph stands for it",
            "write `description: …`",
        )
    for code, severity, message in oddities(keys, name, description, folder):
        say(code, severity, message)
    skill = Skill(
        name=name,
        description=description,
        folder=folder,
        invocation=name,
        digest=digest,
        body=body,
        lines=len(content.splitlines()),
        tools=tools(keys.get("allowed-tools")),
        sources=(file,),
    )
    return skill, tuple(found)


def oddities(keys: dict[str, Any], name: str, description: str, folder: str) -> list[tuple[str, Severity, str]]:
    """What a lenient reader lets pass, and says."""
    parts = [part for part in folder.split("/") if part]
    found: list[tuple[str, Severity, str]] = []
    if parts and name != parts[-1]:
        if name in parts[-3:-1]:
            found.append(("NAME-DEEPER", "note", f"`{name}` lies in `{parts[-1]}`, deeper than the directory of its name"))
        else:
            found.append(("NAME-DIFFERS", "warning", f"the name is `{name}`, the directory `{parts[-1]}`; both find it"))
    if not NAME.fullmatch(name) or len(name) > 64:
        found.append(("NAME-FORM", "warning", f"`{name[:80]}` is not a name of lower-case words with hyphens"))
    if len(description) > MOST_DESCRIPTION:
        found.append(
            ("DESCRIPTION-LONG", "warning", f"the description has {len(description)} characters; {MOST_DESCRIPTION} is the most")
        )
    extra = [key for key in keys if key not in KEYS]
    if extra:
        named = ", ".join(f"`{key[:40]}`" for key in extra[:8])
        found.append(("EXTRA-KEY", "note", f"{named}: not of the specification; it is not used"))
    return found


def tools(value: Any) -> tuple[str, ...]:
    """`allowed-tools`: a list, or one text with blanks or commas between; `Bash(git add:*)` is one."""
    found = [hit for each in texts(value) for hit in _TOOL.findall(each)]
    return tuple(dict.fromkeys(found))


def broken_links(skill: Skill, files: Sequence[str], *, file: str) -> tuple[Noted, ...]:
    """Links of the body to files of the skill that are not there, or that lead out of it. Links in code are no links."""
    there = {"SKILL.md", *files}
    folders = {path[:at] for path in there for at, letter in enumerate(path) if letter == "/"}
    found = {}
    for target in _LINK.findall(_FENCED.sub("", skill.body[:MOST_LINKED])):
        path = target.partition("#")[0].partition("?")[0].replace("%20", " ").removeprefix("./").rstrip("/")
        if not path or ":" in path or path in there or path in folders or path in found:
            continue
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            found[path] = Noted(
                code="LINK-OUT", severity="note", file=file, message=f"the link to `{path}` leads out of the skill"
            )
        elif "." in path or "/" in path:
            found[path] = Noted(code="LINK-BROKEN", severity="warning", file=file, message=f"the link to `{path}` leads nowhere")
    return tuple(found.values())[:50]


def _first_paragraph(body: str) -> str:
    for part in body.split("\n\n"):
        plain = " ".join(
            line.strip() for line in part.splitlines() if not line.lstrip().startswith(("#", "```", "---", "|", "<!--"))
        )
        if plain:
            return plain[:MOST_DESCRIPTION]
    return ""

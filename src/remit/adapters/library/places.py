"""Where people keep skills: what is named, then the workspace, then remit's and the person's home."""

from collections.abc import Mapping
from pathlib import Path

IN_WORKSPACE = (
    ".claude/skills",
    ".agents/skills",
    ".github/skills",
    "skills",
    "commands/skillchain",
    ".claude-commands",
    ".claude/commands",
)
AT_HOME = (".claude/skills", ".agents/skills", ".claude/commands/skillchain", ".claude-commands")


def places(environ: Mapping[str, str], home: Path, workspace: Path) -> list[Path]:
    """Folders that are there, in the order in which the first to name a skill wins. `$REMIT_LIBRARY` (as in $PATH) comes first.

    `home` is the person's home folder. A workspace that is itself a plugin repository is one place as a whole.
    """
    found = [Path(each).expanduser() for each in environ.get("REMIT_LIBRARY", "").split(":") if each]
    if (workspace / ".claude-plugin" / "marketplace.json").is_file():
        found.append(workspace)
    else:
        found += [workspace / each for each in IN_WORKSPACE]
    if environ.get("REMIT_HOME"):
        found.append(Path(environ["REMIT_HOME"]) / "skills")
    found += [home / each for each in AT_HOME]
    there: dict[Path, None] = {}
    for each in found:
        if each.is_dir():
            there.setdefault(each)
    return list(there)

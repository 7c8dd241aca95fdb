"""Files that are dangerous by their name: they make tools, editors or agents do something later."""

_FOLDERS = {
    ".git": "git reads its settings and hooks there",
    ".githooks": "git hooks run programs",
    ".husky": "git hooks run programs",
    ".claude": "an agent reads its settings there",
    ".codex": "an agent reads its settings there",
    ".opencode": "an agent reads its settings there",
    ".gemini": "an agent reads its settings there",
    ".cursor": "an editor reads its settings there",
    ".vscode": "an editor runs tasks from there",
    ".idea": "an editor runs tasks from there",
    ".devcontainer": "an editor runs programs from there",
}
_FILES = {
    "soul.md": "it says whom an agent acts for",
    "task.md": "it says what an agent may do",
    ".envrc": "a shell runs it on entering the folder",
    ".gitattributes": "git runs filters it names",
    ".gitmodules": "git fetches what it names",
    ".gitconfig": "git runs programs it names",
    ".mcp.json": "an agent starts servers it names",
    "opencode.json": "an agent starts what it names",
    "opencode.jsonc": "an agent starts what it names",
    ".pre-commit-config.yaml": "git hooks run what it names",
}
_ENDINGS = {".remit.yaml": "it is a contract", ".remit.yml": "it is a contract"}


def plant(path: str) -> str:
    """Why a file of this name is dangerous wherever it lands, empty when it is not; case does not matter."""
    return ", ".join(dict.fromkeys(why for _, why in _kinds(path)))


def names_plant(pattern: str, path: str) -> bool:
    """Whether a path pattern names what is dangerous about the path, rather than reaching it by `*` or `**`."""
    return {kind for kind, _ in _kinds(path)} <= {kind for kind, _ in _kinds(pattern)}


# ---------------------------------------------------------------------------------------------------------------------


def _kinds(path: str) -> list[tuple[str, str]]:
    segments = path.casefold().split("/")
    found = [(segment, why) for segment in segments if (why := _FOLDERS.get(segment))]
    last = segments[-1]
    if why := _FILES.get(last):
        found.append((last, why))
    found += [(ending, why) for ending, why in _ENDINGS.items() if last.endswith(ending)]
    return found

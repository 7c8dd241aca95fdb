"""Does what a package manager does for a new version: edits package.json, commits it, and tags the commit."""

from pathlib import Path

from attempt import attempt, run


def bump() -> str:
    package = Path("package.json")
    package.write_text(package.read_text(encoding="utf-8").replace("2.3.0", "2.4.0"), encoding="utf-8")
    said = run("git", "commit", "-m", "2.4.0", "--", "package.json")
    return f"{said}; tag {run('git', 'tag', 'v2.4.0')}"


attempt(bump)

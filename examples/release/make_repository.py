"""Makes the repository that the example prepares for release: a small project, its history since v2.3.0, its remote.

usage: python make_repository.py TARGET [--links N | --all-fixable]

Three links of its documentation are broken: one to a page that was renamed, one to a heading that was reworded, and one to
a page that exists nowhere. `--links N` makes N of the last kind (default 1), `--all-fixable` none. The bare remote `origin` is
made beside it, as TARGET-origin.git. The same arguments always make the same commits.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

TEMPLATE = Path(__file__).parent / "repository"
AUTHOR = "Release Lead <release-lead@example.com>"


def git(where: Path, *words: str, at: str = "2026-02-16T09:00:00+00:00") -> str:
    """One git command that depends on nothing of the person who runs it."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(where),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_DATE": at,
        "GIT_COMMITTER_DATE": at,
    }
    return subprocess.run(["git", *words], cwd=where, env=environment, check=True, capture_output=True, text=True).stdout


def replace(page: Path, old: str, new: str) -> None:
    """Exactly one edit; a template that changed underneath is an error, not a shrug."""
    text = page.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"{page}: expected `{old}` once")
    page.write_text(text.replace(old, new), encoding="utf-8")


def commit(target: Path, day: int, subject: str) -> None:
    """Everything that changed, on a day of March 2026."""
    git(target, "add", "--all")
    git(target, "commit", "--quiet", f"--author={AUTHOR}", "-m", subject, at=f"2026-03-{day:02d}T09:00:00+00:00")


def start(target: Path) -> None:
    """The project as it was released as v2.3.0."""
    shutil.copytree(TEMPLATE, target, ignore=shutil.ignore_patterns("__pycache__"))
    git(target, "init", "--quiet", "--initial-branch=main")
    git(target, "config", "user.name", "Release Lead")
    git(target, "config", "user.email", "release-lead@example.com")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", f"--author={AUTHOR}", "-m", "chore: release v2.3.0")
    git(target, "tag", "v2.3.0")


def work_since(target: Path, links: int) -> None:
    """What has happened since; three of these commits leave a broken link behind."""
    check, docs = target / "src" / "check.js", target / "docs"
    replace(check, "fetch(service.url)", "fetch(service.url, { signal: AbortSignal.timeout(5000) })")
    commit(target, 2, "feat: give up on a service after five seconds")

    replace(check, "up: answer.ok", "up: answer.status < 500")
    commit(target, 4, "fix: count a redirect as an answer")

    (docs / "install.md").rename(docs / "installation.md")
    replace(docs / "index.md", "install.md", "installation.md")
    commit(target, 9, "docs: call the page by its title")

    replace(docs / "configuration.md", "## Time limits", "## Timeouts and limits")
    commit(target, 11, "docs: name what is really configured")

    index = target / "src" / "index.js"
    replace(index, "services.map(check)", "[...services].sort(byName).map(check)")
    index.write_text(
        index.read_text(encoding="utf-8") + "\nconst byName = (a, b) => a.name.localeCompare(b.name);\n", encoding="utf-8"
    )
    commit(target, 16, "feat: list services by name")

    for number in range(links):
        suffix = "" if number == 0 else f"-{number + 1}"
        page = docs / "reading.md"
        page.write_text(
            page.read_text(encoding="utf-8") + f"\nWho is called at night is said in [the rota](rota{suffix}.md).\n",
            encoding="utf-8",
        )
    if links:
        commit(target, 18, "docs: say who is called at night")


def publish(target: Path) -> None:
    """The bare remote, which the example must leave alone."""
    remote = target.with_name(target.name + "-origin.git")
    git(target, "clone", "--quiet", "--bare", str(target), str(remote))
    git(target, "branch", "next", "v2.3.0")
    git(target, "remote", "add", "origin", str(remote))
    git(target, "fetch", "--quiet", "origin")


def main() -> None:
    said = argparse.ArgumentParser(description="Makes the repository that the example prepares for release.")
    said.add_argument("target", type=Path, help="a folder that does not exist yet")
    said.add_argument("--links", type=int, default=1, metavar="N", help="links to pages that exist nowhere (default 1)")
    said.add_argument("--all-fixable", action="store_const", dest="links", const=0, help="the same as --links 0")
    given = said.parse_args()
    if given.target.exists():
        sys.exit(f"`{given.target}` is there already")
    target = given.target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    start(target)
    work_since(target, given.links)
    publish(target)


if __name__ == "__main__":
    main()

"""Prepares a release: writes the changelog section, mends the links of the documentation, commits as it goes.

An agent without a model, so that the example costs nothing and always does the same; what it does is real. It plans from what it
finds: the commits since the last release, and what the project's own link checker says. It knows nothing of remit but one
thing: where a `remit` program is to be found, it asks before it announces the release.

usage: python agent.py [SINCE [VERSION]]      in the repository; by default v2.3.0 and v2.4.0
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHANGELOG = Path("CHANGELOG.md")
EXCEPTIONS = Path("broken-links.md")
TITLES = {"feat": "Added", "fix": "Fixed", "perf": "Changed", "refactor": "Changed", "docs": "Documentation"}
SUBJECT = re.compile(r"^(\w+)(?:\([^)]*\))?!?: (.+)$")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)


def git(*words: str) -> str:
    """What a git command prints."""
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def commit(subject: str, *paths: Path) -> None:
    """A small local commit of just these paths, when they changed."""
    names = [str(path) for path in paths]
    git("add", "--", *names)
    if git("diff", "--cached", "--name-only", "--", *names):
        git("commit", "--quiet", "-m", subject, "--", *names)
        print(f"committed: {subject}", flush=True)


# ---------------------------------------------------------------- the changelog


def section(version: str, since: str) -> str:
    """The changelog section of a release: the commits since the last one, by kind, dated by the newest."""
    day = git("log", "-1", "--format=%cs").strip()
    entries: dict[str, list[str]] = {}
    for subject in git("log", "--reverse", "--format=%s", f"{since}..").splitlines():
        told = SUBJECT.match(subject)
        if told and told[1] in TITLES:
            entries.setdefault(TITLES[told[1]], []).append(f"- {told[2][0].upper()}{told[2][1:]}.")
    blocks = [f"### {title}\n\n" + "\n".join(entries[title]) for title in dict.fromkeys(TITLES.values()) if title in entries]
    return "\n\n".join([f"## [{version}] - {day}", *blocks]) + "\n\n"


def write_changelog(version: str, since: str) -> None:
    """Put the section above the newest one, unless it stands there already."""
    text = CHANGELOG.read_text(encoding="utf-8")
    if re.search(rf"^## \[?{re.escape(version)}\b", text, re.MULTILINE):
        return
    newest = re.search(r"^## ", text, re.MULTILINE)
    place = newest.start() if newest else len(text)
    CHANGELOG.write_text(text[:place] + section(version, since) + text[place:], encoding="utf-8")
    commit(f"docs: write the changelog of {version}", CHANGELOG)


# ---------------------------------------------------------------- the links


def broken_links() -> list[str]:
    """What the link checker says, a line for each broken link: `PAGE:LINE: TARGET`."""
    said = subprocess.run([sys.executable, "tools/check_links.py", "docs"], check=False, capture_output=True, text=True)
    if said.returncode not in (0, 1) or said.stderr:
        raise SystemExit(f"the link checker could not run: {said.stderr.strip()}")
    return said.stdout.splitlines() if said.returncode else []


def renamed() -> dict[str, str]:
    """Pages by the names they used to have, as the history tells."""
    moves: dict[str, str] = {}
    for line in git("log", "--format=", "--name-status", "--find-renames", "--diff-filter=R").splitlines():
        _, old, new = line.split("\t")
        moves.setdefault(old, moves.get(new, new))
    return moves


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def mended(page: Path, target: str) -> str | None:
    """Where a broken link must have meant to lead, None when nothing like it exists."""
    path, _, anchor = target.partition("#")
    goal = Path(os.path.normpath(page.parent / path)) if path else page
    if not goal.exists():
        goal = Path(renamed().get(goal.as_posix(), ""))
        if not goal.is_file():
            return None
        path = os.path.relpath(goal, page.parent)
    if not anchor:
        return path
    anchors = [slug(heading) for heading in HEADING.findall(goal.read_text(encoding="utf-8"))]
    near = difflib.get_close_matches(slug(anchor), anchors, n=1, cutoff=0.6)
    return f"{path}#{near[0]}" if near else None


def mend(found: str) -> None:
    """Mend one link where it can be, and leave it where it cannot."""
    place, target = found.split(": ", 1)
    name, number = place.rsplit(":", 1)
    page = Path(name)
    better = mended(page, target)
    if better is None:
        return
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[int(number) - 1] = lines[int(number) - 1].replace(target, better)
    page.write_text("".join(lines), encoding="utf-8")
    commit(f"docs: mend the link to {better} in {page.name}", page)


def write_exceptions(remaining: list[str]) -> None:
    """List the links that no edit of the documentation can mend, for whoever owns the outcome."""
    print(f"{len(remaining)} link(s) lead to pages that exist nowhere: listed in {EXCEPTIONS}", flush=True)
    EXCEPTIONS.write_text("# Broken links\n\n```\n" + "\n".join(remaining) + "\n```\n", encoding="utf-8")
    commit("docs: list the links that cannot be mended", EXCEPTIONS)


# ---------------------------------------------------------------- the whole


def announce() -> None:
    """Ask whether the release may be pushed; without somebody to ask, leave it to people."""
    if shutil.which("remit") is None:
        print("not pushed: nobody to ask here", flush=True)
        return
    asked = subprocess.run(["remit", "act", "push", "origin"], check=False, capture_output=True, text=True)
    if asked.returncode == 0:
        print("may be pushed; that is left to whoever reviews", flush=True)
        return
    try:
        reasons = json.loads(asked.stdout)["reasons"]
    except (ValueError, KeyError):
        reasons = []
    why = "; ".join(str(reason.get("why", "")) for reason in reasons) or asked.stderr.strip()
    print(f"not pushed: {why}", flush=True)


def prepare(since: str = "v2.3.0", version: str = "v2.4.0") -> None:
    """Everything that a release needs and an editor of documentation may do."""
    write_changelog(version, since)
    for found in broken_links():
        mend(found)
    if remaining := broken_links():
        write_exceptions(remaining)


def main() -> None:
    prepare(*sys.argv[1:3])
    announce()
    print("ready for review", flush=True)


if __name__ == "__main__":
    main()

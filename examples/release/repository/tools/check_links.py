"""Finds links in Markdown pages that lead nowhere. Links to other sites are not looked at.

usage: python tools/check_links.py FOLDER
Prints `PAGE:LINE: TARGET` for every broken link, and ends with 1 when there is one.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^\s)>]+)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
FENCE = re.compile(r"^ {0,3}(```|~~~)")
ELSEWHERE = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:|//)")


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a page that are not code."""
    fence = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1] == fence:
            fence = ""
        elif not fence:
            yield number, re.sub(r"`[^`]*`", "", line)


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def headings(page: Path) -> dict[str, str]:
    """Every anchor of a page and its heading; the second of two equal headings gets `-1`."""
    found: dict[str, str] = {}
    for _, line in prose(page):
        if heading := HEADING.match(line):
            wanted = slug(heading[1])
            repeats = sum(1 for anchor in found if re.fullmatch(re.escape(wanted) + r"(-\d+)?", anchor))
            found[f"{wanted}-{repeats}" if repeats else wanted] = heading[1]
    return found


def resolves(page: Path, target: str) -> bool:
    """Whether a target leads to a file, and to a heading in it where it names one."""
    path, _, anchor = target.partition("#")
    goal = page.parent / unquote(path) if path else page
    if not goal.exists():
        return False
    return not anchor or goal.suffix != ".md" or unquote(anchor) in headings(goal)


def broken(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Page, line and target of every broken link below a folder, in order."""
    for page in sorted(folder.rglob("*.md")):
        for number, line in prose(page):
            for target in LINK.findall(line) + DEFINITION.findall(line):
                if not ELSEWHERE.match(target) and not resolves(page, target):
                    yield page, number, target


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    found = [f"{page.as_posix()}:{number}: {target}" for page, number, target in broken(Path(sys.argv[1]))]
    print("\n".join(found) or "every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Markdown with front matter: the keys above, what a person reads below."""

import re

from remit.value import Value

_FENCE = re.compile(r"---[ \t]*")
_MARKER = re.compile(r"^(?:[-*+]|[0-9]+[.)])\s+(?:\[[ xX]\]\s+)?")


class FrontMatter(Value, frozen=True, kw_only=True):
    """The YAML of a Markdown file and its prose. `first` is the line the YAML begins at, counted from 1."""

    yaml: str
    first: int
    body: tuple[str, ...]


def front_matter(text: str) -> FrontMatter:
    """Splits at the `---` lines; without them there is no YAML and everything is body. Headings, code and tables are left out."""
    lines = re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff"))
    if lines and _FENCE.fullmatch(lines[0]):
        end = next((at for at, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), None)
        if end is not None:
            return FrontMatter(yaml="\n".join(lines[1:end]), first=2, body=_prose(lines[end + 1 :]))
    return FrontMatter(yaml="", first=1, body=_prose(lines))


def _prose(lines: list[str]) -> tuple[str, ...]:
    """One entry for each list item or paragraph, joined over its lines."""
    found: list[str] = []
    code = joined = False
    for line in lines:
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            code, joined = not code, False
        elif code or not bare or bare.startswith(("#", "|", "<!--")):
            joined = False
        elif joined and not _MARKER.match(bare):
            found[-1] = f"{found[-1]} {bare}"
        else:
            found.append(_MARKER.sub("", bare))
            joined = True
    return tuple(found)

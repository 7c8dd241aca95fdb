"""Whether a file that is there is more than a promise: not empty, and not a placeholder (VAL-10).

`TODO`, `FIXME` and `PLACEHOLDER` as words of their own, in capitals, `<your-`, `{{` and `{%` are placeholders. The last two are
how templates are written: there they are only said, see `template`; `<your-` likewise in files that are made to be filled in.
"""

from typing import Final

from remit.value import Value

WORDS: Final = (b"TODO", b"FIXME", b"PLACEHOLDER")
YOURS: Final = (b"<your-", b"<YOUR-", b"<your_", b"<YOUR_")
BRACES: Final = (b"{{", b"{%")
TEMPLATES: Final = frozenset(
    {"j2", "jinja", "jinja2", "tmpl", "tpl", "gotmpl", "hbs", "handlebars", "mustache", "njk", "liquid", "ejs", "erb", "twig",
     "vue", "svelte", "astro", "mdx", "example", "sample", "template", "dist"}
)  # fmt: skip
"""ends of names of templates: there `{{` and `{%` are only said"""
PLACES: Final = frozenset(
    {"templates", "charts", "helm", "grafana", "dashboards", "prometheus", "alerts", "alertmanager", "workflows", "layouts",
     "_layouts", "_includes"}
)  # fmt: skip
"""folders below which they are only said, too: charts, pages, dashboards, alerts and pipelines are written with them"""
SYNTAX: Final = frozenset(
    {"jsx", "tsx", "js", "ts", "mjs", "cjs", "py", "rs", "go", "c", "h", "cc", "cpp", "hpp", "cs", "java", "kt", "scala",
     "swift", "php", "rb", "dart", "tex", "bib"}
)  # fmt: skip
"""languages in which two braces are plain syntax (initialisers, f-strings, `style={{...}}`): nothing is said"""
TO_FILL: Final = frozenset(
    {"example", "sample", "template", "dist"}
)  # fmt: skip
"""ends of names of files that are made to be filled in"""
TEXTUAL: Final = frozenset(
    {"py", "js", "ts", "jsx", "tsx", "mjs", "cjs", "json", "yaml", "yml", "toml", "md", "txt", "html", "css", "sh", "go",
     "rs", "java", "c", "h", "cpp", "rb", "php", "sql", "ini", "cfg", "env", "xml", "svg"}
)  # fmt: skip
"""ends of names of files that hold text, or something is odd"""
BLANK: Final = b" \t\r\n\f\v\0"
_ENOUGH = 20_000
"""places of one word that are weighed in one file; a file that has more is flagged for the first that counts anyway"""


class Flaw(Value, frozen=True, kw_only=True):
    """What is wrong with a file; one that is not severe is only said."""

    what: str
    line: int = 0
    severe: bool = True


def template(path: str) -> bool:
    """Whether a file of this name is likely to be written with `{{` and `{%`."""
    *folders, name = path.split("/")
    return name.rpartition(".")[2].lower() in TEMPLATES or not PLACES.isdisjoint(folders)


def flaws(path: str, data: bytes) -> tuple[Flaw, ...]:
    """What is wrong with a file that begins with these bytes, at most one of each kind."""
    if not data.removeprefix(b"\xef\xbb\xbf").strip(BLANK):
        return (Flaw(what="is empty"),)
    end = path.rpartition(".")[2].lower()
    binary = b"\0" in data[:8192]
    if binary and end not in TEXTUAL:
        return ()
    found = [Flaw(what="holds bytes that no text has", severe=False)] if binary else []
    fill = end in TO_FILL
    braces = () if end in SYNTAX else BRACES
    for words, severe in ((WORDS, True), (YOURS, not fill), (braces, not template(path))):
        first = min(((at, word) for word in words if (at := _first(data, word)) >= 0), default=None)
        if first is not None:
            at, word = first
            what = f"holds the placeholder `{word.decode()}`" if severe else f"holds `{word.decode()}`"
            found.append(Flaw(what=what, line=data.count(b"\n", 0, at) + 1, severe=severe))
    return tuple(found)


def _first(data: bytes, word: bytes) -> int:
    """Where the word first stands as a placeholder, -1 when nowhere."""
    at = data.find(word)
    for _ in range(_ENOUGH):
        if at < 0 or _counts(data, at, word):
            return at
        at = data.find(word, at + len(word))
    return at


def _counts(data: bytes, at: int, word: bytes) -> bool:
    before = data[at - 1 : at]
    if word in WORDS:
        after = data[at + len(word) : at + len(word) + 1]
        return not (_letter(before) or _letter(after))
    return before != b"$" if word == b"{{" else True  # `${{ … }}` is an expression of a pipeline


def _letter(mark: bytes) -> bool:
    return mark.isalnum() or mark == b"_"

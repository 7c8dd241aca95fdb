"""Reading one SQL statement far enough to find its `:arguments` and its end: quotes, comments and casts are skipped."""

import re
from collections.abc import Callable

from remit.errors import BadInput

_PART = re.compile(
    r"""
    (?P<skip>
        --[^\n]* | '(?:[^']|'')*' | "(?:[^"]|"")*" | ::
    ) |
    (?P<escaped> \b[Ee]'(?:[^'\\]|\\.|'')*' ) |
    (?P<dollar> (?<![A-Za-z0-9_$]) \$(?P<tag>[A-Za-z_][A-Za-z0-9_]*)?\$ .*? \$(?(tag)(?P=tag))\$ ) |
    (?P<comment> /\* ) |
    (?P<name> (?<![A-Za-z0-9_:]) :[A-Za-z_][A-Za-z0-9_]* ) |
    (?P<end> ; ) |
    (?P<open> ['"] )
    """,
    re.VERBOSE | re.DOTALL,
)
_VERBS = frozenset({"call", "delete", "insert", "merge", "replace", "select", "update", "values", "with"})


def arguments(statement: str) -> tuple[str, ...]:
    """The names of its `:argument` parameters, once each, in order. Raises BadInput for anything but one statement."""
    names: list[str] = []
    spelled(statement, lambda name: names.append(name) or "", lambda text: text)  # type: ignore[func-returns-value]
    return tuple(dict.fromkeys(names))


def spelled(statement: str, parameter: Callable[[str], str], other: Callable[[str], str]) -> str:
    """The statement, without a semicolon at its end, in which each parameter and all other text is written anew.

    Raises BadInput for a second statement, an open quote, and for words that would end the transaction.
    """
    out: list[str] = []
    plain: list[str] = []
    at = 0
    while found := _PART.search(statement, at):
        out.append(other(statement[at : found.start()]))
        plain.append(statement[at : found.start()])
        end = found.end()
        if found["name"]:
            out.append(parameter(found["name"][1:]))
            plain.append("?")
        elif found["end"]:
            if _bare(statement[end:]):
                raise BadInput("the statement of this tool is more than one", hint="bind one statement, or call a procedure")
            at = len(statement)
            break
        elif found["open"]:
            raise BadInput("the statement of this tool has a quote that does not end")
        elif found["comment"]:
            end = _comment_end(statement, found.start())
            plain.append(" ")
        elif found["skip"] is None or not found["skip"].startswith("--"):
            out.append(other(found[0]))
            plain.append(found[0])
        at = end
    out.append(other(statement[at:]))
    plain.append(statement[at:])
    words = "".join(plain).split()
    if not words or re.split(r"\W", words[0].lower())[0] not in _VERBS:
        raise BadInput(
            "the statement of this tool must begin with SELECT, INSERT, UPDATE, DELETE, WITH, MERGE, REPLACE, VALUES or CALL"
        )
    return "".join(out)


def _bare(rest: str) -> bool:
    """Whether anything but blanks, comments and semicolons follows."""
    at = 0
    while at < len(rest):
        if rest.startswith("--", at):
            end = rest.find("\n", at)
            at = len(rest) if end < 0 else end
        elif rest.startswith("/*", at):
            at = _comment_end(rest, at)
        elif rest[at].isspace() or rest[at] == ";":
            at += 1
        else:
            return True
    return False


def _comment_end(text: str, start: int) -> int:
    """Where a comment ends. A comment within a comment is refused: the two databases disagree about its end."""
    end = text.find("*/", start + 2)
    if end < 0 or "/*" in text[start + 2 : end]:
        raise BadInput("the statement of this tool has a comment that does not end, or one inside another")
    return end + 2

"""Commands as argument lists: templates split once, matched word by word, never through a shell."""

import shlex
from collections.abc import Sequence

PROGRAM_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin", "/run/remit/bin")
"""Where a bare program name of a template may have been found; never a folder an agent can write to. The last is the box's."""


def template(text: str) -> tuple[str, ...]:
    """The words of a command template as written in a contract. Raises ValueError on an unclosed quote or no word at all."""
    words = tuple(shlex.split(text))
    if not words:
        raise ValueError("the command is empty")
    if "..." in words[:-1]:
        raise ValueError("`...` can only be the last word")
    return words


def match_argv(template: Sequence[str], argv: Sequence[str]) -> bool:
    """Whether a `may` template covers this argument list.

    `*` is exactly one argument that does not begin with `-`, `...` at the end any number of such, `--message=*` an option with
    a free value; every other word stands for itself. A bare program name also covers the same name in a system folder, because
    the observer reports resolved paths; a name with a slash covers only itself.
    """
    if not template or not argv or not same_program(template[0], argv[0]):
        return False
    words, rest = template[1:], argv[1:]
    if words and words[-1] == "...":
        words = words[:-1]
        if len(rest) < len(words) or any(word.startswith("-") for word in rest[len(words) :]):
            return False
        rest = rest[: len(words)]
    return len(words) == len(rest) and all(_word_matches(word, given) for word, given in zip(words, rest, strict=True))


def covers_argv(outer: Sequence[str], inner: Sequence[str]) -> bool:
    """Whether every argument list that template `inner` covers is covered by `outer`; a yes is always right."""
    if not outer or not inner or not (outer[0] == inner[0] or ("/" in inner[0] and same_program(outer[0], inner[0]))):
        return False
    words, rest = list(outer[1:]), list(inner[1:])
    open_outer = bool(words) and words[-1] == "..."
    open_inner = bool(rest) and rest[-1] == "..."
    words, rest = words[: len(words) - open_outer], rest[: len(rest) - open_inner]
    if (open_inner and not open_outer) or len(rest) < len(words) or (not open_outer and len(rest) != len(words)):
        return False
    tail = rest[len(words) :]
    return all(map(_word_covers, words, rest)) and not any(word.startswith("-") for word in tail)


def touches_argv(template: Sequence[str], argv: Sequence[str]) -> bool:
    """Whether an `ask` or `never` template is meant by this argument list.

    Wider than `match_argv` on purpose, else one more option would slip past: the program by its last name in any folder, then the
    words of the template in order with anything between and after; `*` and `...` ask for nothing. So `git push *` is met by
    `git -c a=b push --force`.
    """
    if not template or not argv or _last(template[0]) != _last(argv[0]):
        return False
    given = iter(argv[1:])
    return all(any(_word_touches(word, other) for other in given) for word in template[1:] if word not in ("*", "..."))


def same_program(written: str, started: str) -> bool:
    """Whether the program of a template is the program started."""
    if written == started:
        return True
    folder, _, name = started.rpartition("/")
    return name == written and folder in PROGRAM_FOLDERS


def shell_words(line: str) -> list[str]:
    """The words of a shell line with everything that is not a plain word taken as a gap: advice for `never`, no boundary."""
    return "".join(" " if mark in _SHELL_MARKS or not mark.isprintable() else mark for mark in line).split()


def plain_words(line: str) -> tuple[str, ...] | None:
    """The argument list of a shell line that is nothing but plain words; None for all others."""
    if not line.isprintable() or any(mark in _SHELL_MARKS for mark in line):
        return None
    return tuple(line.split()) or None


# ---------------------------------------------------------------------------------------------------------------------

_SHELL_MARKS = frozenset(";|&<>()$`\\\"'*?[]{}~#!=\n\r\t\v\f") - {"="}


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _word_matches(word: str, given: str) -> bool:
    if word == "*":
        return not given.startswith("-")
    if word.startswith("-") and word.endswith("=*"):
        return given.startswith(word[:-1])
    return word == given


def _word_covers(outer: str, inner: str) -> bool:
    """Between words of two templates: what begins with `-` and ends in `=*` is an option with any value."""
    if inner == "*":
        return outer == "*"
    return outer == inner or _word_matches(outer, inner)


def _word_touches(word: str, given: str) -> bool:
    if word.startswith("-") and word.endswith("=*"):
        return given.startswith(word[:-1]) or given == word[:-2]
    return word == given

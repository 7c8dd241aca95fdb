"""Command lines of a contract: split once when it is read, never given to a shell."""

import re
import shlex

_SHELL = re.compile(r"[;|&$`<>()\n]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PLAIN = re.compile(r"[^\s'\"\\;|&$`<>()#]+")


def split(text: str) -> tuple[str, ...]:
    """The words of a command written in one line. Raises ValueError with what to do."""
    shell = _SHELL.search(_QUOTED.sub("", text))
    if shell:
        said = "a line break" if shell.group() == "\n" else f"`{shell.group()}`"
        raise ValueError(f"{said} would need a shell, and commands run without one")
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise ValueError("a quote or backslash in the command is left open") from None
    if not words:
        raise ValueError("the command is empty")
    return words


def join(words: tuple[str, ...]) -> str:
    """One line that `split` takes apart into the same words."""
    return " ".join(word if _PLAIN.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'" for word in words)

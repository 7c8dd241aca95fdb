"""A shell line as actions: which programs it would start, where that can be told without a shell.

What every POSIX shell would read in one way only becomes an argv for each program. Everything else (substitutions, globs,
assignments, redirections to files, loops, builtins that run text) stays one piece of text, which is at best asked about.
"""

import re
import shlex

from remit.authority.action import Action

LONGEST = 32 * 1024
MOST = 64
"""programs of one line; with more of them it stays text"""


def actions(line: str, workspace: str = "") -> tuple[Action, ...]:
    """One `run` for each program in their order, or one with the text. A `cd WORKSPACE` at the start is left out."""
    read = commands(line)
    if read is None:
        return (Action(verb="run", object=line),)
    if workspace and len(read) > 1 and read[0] == ("cd", workspace):
        read = read[1:]
    return tuple(Action(verb="run", object=words) for words in read)


def commands(line: str) -> tuple[tuple[str, ...], ...] | None:
    """The argv of every program, or None where a shell would do more than start programs with plain words."""
    if not line.strip(" \t\n") or len(line) > LONGEST or "\0" in line:
        return None
    pieces = _pieces(line)
    found = None if pieces is None else _sequence(pieces)
    if found is None or len(found) > MOST or not all(_plain(words) for words in found):
        return None
    return tuple(tuple(text for text, _ in words) for words in found)


def unwrapped(line: str) -> str:
    """The line inside `bash -lc LINE`, which a runtime wrapped around what its model wrote; any other line as it is."""
    if len(line) > LONGEST:
        return line
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    if len(words) == 3 and words[0] in _SHELLS and words[1] in ("-c", "-lc"):
        inner = commands(line)  # unquoted by the rules of a shell, where these differ from ours
        return inner[0][2] if inner is not None and len(inner) == 1 and len(inner[0]) == 3 else words[2]
    return line


# ---------------------------------------------------------------------------------------------------------------------

_Word = tuple[str, bool]
"""a word, and whether all of it was written without quotes"""

_SHELLS = frozenset(f"{folder}{name}" for folder in ("", "/bin/", "/usr/bin/") for name in ("bash", "sh", "dash", "zsh"))
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=")
_OPERATOR = re.compile(r"&&|\|\||\||;|\n")
_HARMLESS = re.compile(r"(?:[12]?>&[12]|[012]?[<>]/dev/null|[12]?> /dev/null)(?=[ \t\n;]|$)")
"""redirections that touch no file"""
_ENDS = frozenset(" \t\n;|&")
_RESERVED = "if then else elif fi do done case esac while until for in function time select coproc repeat foreach end nocorrect"
_STEERING = """
eval source . exec command builtin alias unalias trap export set shopt unset declare typeset local readonly hash enable bind
complete compgen let read mapfile readarray getopts printf fc history setopt unsetopt emulate zmodload autoload noglob rehash
disable functions integer float vared zle print whence limit unlimit sched jobs
"""
"""builtins that run text, or change what later words mean"""
_EVALUATING, _SUBSCRIPT = frozenset({"test", "[", "wait", "printf"}), frozenset("[$`")
"""builtins that run what stands between the brackets of a variable's name, wherever a shell reads a word as one"""
_RESERVED_WORDS, _STEERED = frozenset(_RESERVED.split()), frozenset(_STEERING.split())


def _pieces(line: str) -> list[_Word | str] | None:
    """Words and operators; None at the first thing that is neither."""
    found: list[_Word | str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
        elif harmless := _HARMLESS.match(line, at):
            at = harmless.end()
        elif operator := _OPERATOR.match(line, at):
            found.append(operator.group())
            at = operator.end()
        elif line[at] in _ENDS:
            return None
        else:
            read = _word(line, at)
            if read is None:
                return None
            word, at = read
            found.append(word)
    return found


def _word(line: str, at: int) -> tuple[_Word, int] | None:
    """The word that begins here and where it ends."""
    text: list[str] = []
    bare = True
    while at < len(line) and line[at] not in _ENDS:
        mark = line[at]
        if mark in _BARE:
            text.append(mark)
            at += 1
        elif mark == "'":
            end = line.find("'", at + 1)
            if end < 0:
                return None
            text.append(line[at + 1 : end])
            at, bare = end + 1, False
        elif mark == '"':
            read = _quoted(line, at + 1)
            if read is None:
                return None
            text.append(read[0])
            at, bare = read[1], False
        elif mark == "\\" and at + 1 < len(line) and line[at + 1].isascii() and line[at + 1].isprintable():
            text.append(line[at + 1])
            at, bare = at + 2, False
        else:
            return None
    return ("".join(text), bare), at


def _quoted(line: str, at: int) -> tuple[str, int] | None:
    """The text between double quotes, and where the word goes on; None where the shell would put something in."""
    text: list[str] = []
    while at < len(line):
        mark = line[at]
        if mark == '"':
            return "".join(text), at + 1
        if mark in "$`!" or (mark == "\\" and line[at + 1 : at + 2] in ("\n", "")):
            return None
        if mark == "\\" and line[at + 1] in '$`"\\':
            at += 1
            mark = line[at]
        text.append(mark)
        at += 1
    return None


def _sequence(pieces: list[_Word | str]) -> list[list[_Word]] | None:
    """Words between operators. Nothing may be missing between two of them, but at the end and at line breaks."""
    found: list[list[_Word]] = [[]]
    before = ";"
    for piece in pieces:
        if not isinstance(piece, str):
            found[-1].append(piece)
        elif found[-1]:
            found.append([])
            before = piece
        elif piece != "\n":
            return None
    if not found[-1]:
        found.pop()
        if before not in (";", "\n"):
            return None
    return found or None


def _plain(words: list[_Word]) -> bool:
    """Whether the first word is the name of a program, and none of the words means more than itself."""
    (first, bare), *rest = words
    if not first or "=" in first or first.startswith(("%", "-")) or first in _STEERED or (bare and first in _RESERVED_WORDS):
        return False
    if first in _EVALUATING and any(_SUBSCRIPT & set(text) for text, _ in rest):
        return False
    return not any(text.startswith("=") for text, _ in rest)

"""Which files of the workspace a check's command is made of."""

import posixpath
import shlex

_SHELLS = ("sh", "bash", "dash")
_INTERPRETERS = ("python", "python3", *_SHELLS, "node", "ruby", "perl")


def argument_paths(argv: tuple[str, ...], at: str) -> tuple[str, ...]:
    """The words of a command that may be files of the workspace at `at`, relative to it; options are not, `-m` modules are.

    Of a line given to a shell only the programs count: a check may well read what the agent wrote.
    """
    found: list[str] = []
    for place, word in enumerate(argv):
        if place and argv[place - 1] == "-m":
            found += _module(word)
        elif place and argv[place - 1] == "-c" and _name(argv[0]) in _SHELLS:
            found += _of_line(word, at)
        elif not word.startswith("-") and (path := _inside(word, at)):
            found.append(path)
    return tuple(dict.fromkeys(found))


def program_paths(argv: tuple[str, ...], at: str) -> tuple[str, ...]:
    """Where the program itself may stand in the workspace: any one of these. Empty for a program of the machine."""
    first = _name(argv[0])
    if first not in _INTERPRETERS and not first.startswith("python3."):
        return (path,) if "/" in argv[0] and (path := _inside(argv[0], at)) else ()
    for place, word in enumerate(argv[1:], start=1):
        if word == "-m":
            return _module(argv[place + 1])[:2] if place + 1 < len(argv) else ()
        if word in ("-c", "-e"):
            return ()
        if not word.startswith("-"):
            return (path,) if (path := _inside(word, at)) else ()
    return ()


def _of_line(line: str, at: str) -> tuple[str, ...]:
    """The programs of a shell line; what no word can be made of names none."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = [*lexer]
    except ValueError:
        return ()
    starts = [place for place in range(len(words)) if not place or set(words[place - 1]) <= set(";&|()")]
    return tuple(path for place in starts for path in program_paths(tuple(words[place:]), at))


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _module(name: str) -> tuple[str, ...]:
    path = name.replace(".", "/")
    parts = path.split("/")
    packages = ["/".join([*parts[:count], "__init__.py"]) for count in range(1, len(parts) + 1)]
    return (f"{path}.py", f"{path}/__main__.py", *packages)


def _inside(word: str, at: str) -> str:
    """The word as a path below the workspace, empty when it is none."""
    path = posixpath.normpath(posixpath.join(at, word)) if word else at
    return path[len(at) + 1 :] if path.startswith(f"{at}/") else ""

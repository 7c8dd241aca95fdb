"""Which paths are secret: the organisation's globs, and not what is made to be filled in by somebody else."""

from collections.abc import Callable, Sequence

from remit.contract.glob import compile_glob

BLANKS = (".example", ".sample", ".template", ".dist")
"""ends of names of environment files that hold no values yet: `.env.example` is there to be read"""


def secret_test(globs: Sequence[str]) -> Callable[[str], bool]:
    """Whether any of the globs matches a path or name. A blank environment file is no secret, whatever glob it falls under."""
    tests = [compile_glob(glob) for glob in globs]
    return lambda path: any(test(path) for test in tests) and not blank(path)


def blank(path: str) -> bool:
    """Whether the path is that of an environment file that is made to be filled in."""
    name = path.rpartition("/")[2]
    return name.startswith(".env") and name.endswith(BLANKS)

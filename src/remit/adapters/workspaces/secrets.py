"""Which paths of a workspace are secret: globs, where one without a slash holds at any depth."""

from collections.abc import Callable, Sequence

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.snapshot import Snapshot
from remit.contract.glob import compile_glob
from remit.contract.secret import secret_test


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether any of the globs matches a path."""
    tests = [compile_glob(pattern) for pattern in patterns]
    return lambda path: any(test(path) for test in tests)


def secret_paths(base: Snapshot, patterns: Sequence[str], named: Callable[[str], bool]) -> frozenset[str]:
    """Every secret entry that the contract does not name; what is below a secret folder is secret too."""
    by_name = secret_test([pattern for pattern in patterns if "/" not in pattern])
    by_path = secret_test([pattern for pattern in patterns if "/" in pattern])
    known: dict[str, bool] = {}
    found: set[str] = set()
    for path in sorted(base.states):
        above, _, name = path.rpartition("/")
        if name not in known:
            known[name] = by_name(walk.shown(name))
        secret = known[name] or by_path(walk.shown(path))
        if above in found or (secret and not named(walk.shown(path))):
            found.add(path)
    return frozenset(found)

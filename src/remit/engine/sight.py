"""What of the workspace is there at all: a path that the lineage does not let be read or written does not exist in the box."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decide import decide
from remit.authority.decision import Allow, Refuse
from remit.authority.spent import Spent
from remit.contract.glob import compile_glob
from remit.contract.rule import GIT_VERBS, Verb

Test = Callable[[str], bool]


def touches(authorities: Sequence[Authority], now: datetime, verb: Verb) -> Test:
    """Whether an action on a path could be anything but refused: where a dirty workspace matters."""
    return lambda path: not isinstance(_decided(authorities, now, verb, path), Refuse)


def hidden(authorities: Sequence[Authority], secrets: Sequence[str], now: datetime) -> tuple[Sequence[str], Test]:
    """Globs of what may have to be hidden, and whether a path that matches one is there all the same.

    Where everything may be read only secrets are looked at, one by one; else every path is. What may be written is there too:
    nobody can change well what they cannot see. Git's own folder is there when a rule speaks of git.
    """

    def named(path: str) -> bool:
        return isinstance(_decided(authorities, now, "read", path), Allow)

    if all(_reads_all(authority) for authority in authorities if not authority.ceiling or "read" in authority.shelves):
        return secrets, named
    leads = [compile_glob(pattern) for pattern in _ways(authorities)]
    git = any(verb in authority.shelves for authority in authorities for verb in GIT_VERBS)

    def there(path: str) -> bool:
        if path == ".git" or path.startswith(".git/"):
            return git
        if named(path) or any(lead(path) for lead in leads):
            return True
        secret = any(authority.secret(path) for authority in authorities)
        return not secret and isinstance(_decided(authorities, now, "write", path), Allow)

    return ("**",), there


def _decided(authorities: Sequence[Authority], now: datetime, verb: Verb, path: str) -> object:
    return decide(authorities, Action(verb=verb, object=path), spent=Spent(), approvals=(), now=now)


def _reads_all(authority: Authority) -> bool:
    """A plain `may: read: "**"` and no rule that takes any of it back."""
    rules = [rule.rule for rule in authority.shelves["read"].rules] if "read" in authority.shelves else []
    whole = any(rule.effect == "may" and "**" in rule.objects and not rule.where and rule.times is None for rule in rules)
    return whole and all(rule.effect == "may" for rule in rules)


def _ways(authorities: Sequence[Authority]) -> Iterator[str]:
    """The folders on the way to what a rule names, as globs: of `docs/*/a.md`, `docs` and `docs/*`."""
    for authority in authorities:
        for verb in ("read", "write"):
            for rule in authority.shelves[verb].rules if verb in authority.shelves else ():
                for pattern in rule.rule.objects if rule.rule.effect != "never" else ():
                    parts = pattern.strip("/").split("/")
                    for count in range(1, len(parts)):
                        if "**" in parts[:count]:
                            yield "/".join([*parts[: parts.index("**")], "**"])
                            break
                        yield "/".join(parts[:count])

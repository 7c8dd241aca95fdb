"""A rule: what may be done, must be asked, must never be."""

from typing import Literal, get_args

from remit.contract.condition import Condition
from remit.value import Value

Verb = Literal["read", "write", "delete", "run", "fetch", "call", "publish", "delegate", "commit", "branch", "tag", "push"]
VERBS: tuple[str, ...] = get_args(Verb)
PATH_VERBS = frozenset({"read", "write", "delete"})
GIT_VERBS = frozenset({"commit", "branch", "tag", "push"})

Effect = Literal["may", "ask", "never"]


class Where(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One named argument and its condition."""

    argument: str
    condition: Condition


class Example(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An action a rule must match, or must not; `arguments` is canonical JSON text."""

    object: str
    arguments: str = "{}"


class Rule(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`verb: object` with its conditions. `objects` are patterns as written; any one of them may match.

    `id` is as written, or `EFFECT-VERB-N` by position. `quorum` is how many different people of `who` an `ask` needs.
    """

    id: str
    effect: Effect
    verb: Verb
    objects: tuple[str, ...]
    where: tuple[Where, ...] = ()
    times: int | None = None
    because: str = ""
    who: str | None = None
    quorum: int = 1
    match: tuple[Example, ...] = ()
    no_match: tuple[Example, ...] = ()

"""A plan: who does what, in which order. It is data, pinned when a chain begins; nothing replays code."""

from typing import Literal

from remit.contract.deliverable import Deliverable
from remit.contract.limits import Limits
from remit.contract.outcome import Check
from remit.contract.rule import Rule
from remit.value import Value

Kind = Literal["skill", "prompt", "command", "person", "chain"]
Mode = Literal["delegated", "standard"]


CONVERSATION = "conversation"
"""the one step of a chain in standard mode: a single agent that has all of its skills"""
VALIDATION = "validation"
"""the step that every chain ends with"""


class Pinned(Value, frozen=True, kw_only=True):
    """A skill that a run may invoke: where its folder lies on this machine, and the digest its SKILL.md had then."""

    name: str
    invocation: str
    folder: str = ""
    digest: str = ""


class Step(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One step. What it needs: `after` must be complete, `soft` is waited for but may have failed or been skipped, `optional`
    only orders where it is in the plan, of each group in `any_of` one must be complete. `last`: after everything else.

    `writes` are globs that it claims: two steps that claim the same path never run at once; what it may write is for the rules
    to say. `rules` narrow what it may do, none given means what the chain may. `settings` is a text of defaults its blueprint
    has for it. `time` is seconds until it counts as hanging, `why` the reason a heavier runtime needs.
    """

    id: str
    kind: Kind = "skill"
    title: str = ""
    skill: Pinned | None = None
    prompt: str = ""
    command: tuple[str, ...] = ()
    person: str = ""
    chain: "Plan | None" = None
    runtime: str = ""
    model: str = ""
    after: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    last: bool = False
    may_skip: bool = False
    writes: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    checks: tuple[Check, ...] = ()
    limits: Limits | None = None
    time: int | None = None
    settings: str = ""
    why: str = ""


class Left(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A deliverable that is not asked for, and why: maturity, a condition, a profile."""

    name: str
    why: str


class Plan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The steps of a chain in the order they are shown and merged, and what all of them together must leave behind.

    `runtime`, `model`, `limits` and `time` are those of steps that name none. `retries` is how often a step may be tried again
    without asking, `parallel` how many run at once. `validate_by` is the runtime of the validation agent beside the computed
    judgement; empty: that alone. `source` says where it came from.
    """

    name: str
    title: str = ""
    goal: str
    mode: Mode = "delegated"
    steps: tuple[Step, ...]
    deliverables: tuple[Deliverable, ...] = ()
    left: tuple[Left, ...] = ()
    empty: tuple[str, ...] = ()
    maturity: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    runtime: str = "command"
    command: tuple[str, ...] = ()
    model: str = ""
    limits: Limits = Limits()
    time: int = 1800
    retries: int = 0
    parallel: int = 4
    at_least: int = 90
    quality: bool = True
    validate_by: str = ""
    validate_command: tuple[str, ...] = ()
    source: str = ""

    def step(self, name: str) -> Step:
        """The step of that id. Raises KeyError."""
        for each in self.steps:
            if each.id == name:
                return each
        raise KeyError(name)

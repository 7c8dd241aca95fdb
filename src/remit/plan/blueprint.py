"""A blueprint: a chain of skills that somebody thought through before, with its questions and what it must leave behind."""

from typing import Literal

from remit.contract.deliverable import Deliverable
from remit.plan.skill import Keywords, Output
from remit.value import Value

LEVELS = ("starter", "intermediate", "advanced")
"""maturity, in order; `production` in progress files means `advanced`"""


class Slot(Value, frozen=True, kw_only=True):
    """One line of a chain as the file writes it: the name, others that may stand instead (`OR`), whether it is optional."""

    name: str
    instead: tuple[str, ...] = ()
    optional: bool = False
    comment: str = ""
    invocation: str = ""
    priority: int = 0
    line: int = 0


class Pattern(Value, frozen=True, kw_only=True):
    """A named chain of a blueprint; most have one, `rag-pipeline` has two."""

    name: str
    slots: tuple[Slot, ...]
    default: bool = False


class Choice(Value, frozen=True, kw_only=True):
    """One answer to a question: its letter and its words."""

    letter: str
    text: str


class Question(Value, frozen=True, kw_only=True):
    """A question of a blueprint: `Q4`, its words, its choices, and which is taken where nobody answers."""

    id: str
    text: str
    choices: tuple[Choice, ...] = ()
    default: str = ""


class Condition(Value, frozen=True, kw_only=True):
    """When a deliverable is wanted: `flag == true`, or the answer to a question. `text` is what the file says.

    `question` and `letter` for an answer, `flag` and `wanted` for a flag; both empty means that it could not be read.
    """

    text: str
    question: str = ""
    letter: str = ""
    flag: str = ""
    wanted: bool = True


class Wanted(Value, frozen=True, kw_only=True):
    """A deliverable as the blueprint lists it: at which maturity it is required, and on what condition."""

    deliverable: Deliverable
    maturity: tuple[str, ...] = LEVELS
    condition: Condition | None = None
    line: int = 0


class Profile(Value, frozen=True, kw_only=True):
    """What a level of maturity (or an extra such as `with_auth`) adds to, takes from, and tolerates in the deliverables.

    `when` is what an extra's own description says of when it applies; without it, only a flag chooses it.
    """

    name: str
    description: str = ""
    require: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    adjust: tuple[str, ...] = ()
    when: Condition | None = None


class Order(Value, frozen=True, kw_only=True):
    """What a blueprint says of the order of two of its skills (`cross_skill_dependencies`)."""

    skill: str
    before: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    last: bool = False
    reason: str = ""


class SecurityCheck(Value, frozen=True, kw_only=True):
    """A shell line a blueprint wants run over the result. It is only ever shown: a file gives nobody the right to run it."""

    name: str
    check: str
    severity: Literal["critical", "warnings", "informational"]
    on: str = ""


class Blueprint(Value, frozen=True, kw_only=True):
    """One blueprint, as read. `settings` are the default YAML texts by skill, kept as they stand. `title` is its heading."""

    name: str
    title: str = ""
    version: str = ""
    category: str = ""
    keywords: Keywords = Keywords()
    indicators: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    questions: tuple[Question, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    wanted: tuple[Wanted, ...] = ()
    profiles: tuple[Profile, ...] = ()
    orders: tuple[Order, ...] = ()
    security: tuple[SecurityCheck, ...] = ()
    outputs: tuple[Output, ...] = ()
    tree: tuple[str, ...] = ()
    confidence: float = 0.7
    time: str = ""
    source: str = ""

"""What the work must leave behind, so that a machine can tell: files, what stands in them, and who owes them."""

from remit.value import Value

PASS = 90
"""per cent of what is required, from which a validation passes"""
PARTIAL = 70
"""per cent from which it is partial; below, it has failed"""


class Content(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A regular expression that must be found somewhere in a file, or in a file below a folder (`place` ends in `/`)."""

    pattern: str
    place: str


class Deliverable(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One thing the owner will hold in hand. `by` is the skill or step that owes it; `files` are paths, folders (ending in `/`,
    not empty) or globs, all of which must be there; of each group in `either` one file is enough (two languages, one is used).
    """

    name: str
    by: str = ""
    files: tuple[str, ...] = ()
    either: tuple[tuple[str, ...], ...] = ()
    contains: tuple[Content, ...] = ()


class DeliverablesCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="deliverables"):
    """`deliverables: [...]`: passes when at least so many per cent are there, filled, and say what they must, nothing is a
    placeholder where `placeholders` is refused, and, with `quality`, the languages' own tools find no error.

    Its failing items are the names of the deliverables that are missing or partial. `empty` are folders that may be empty.
    """

    id: str
    deliverables: tuple[Deliverable, ...]
    at_least: int = PASS
    quality: bool = False
    empty: tuple[str, ...] = ()


class ObservedCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="observed"):
    """What was seen of the run itself, never what it claims: `invoked: SKILL` (its text was asked for and given), `ended: well`
    (the program of the last attempt ended with status 0), `steps: all` (every step of its chain is complete or was left out by
    consent), `reported: well` (its runtime ended with words of its own).
    """

    id: str
    invoked: tuple[str, ...] = ()
    ended_well: bool = False
    steps: bool = False
    reported: bool = False

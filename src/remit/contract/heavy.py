"""Where heavier runtimes are available, and what justifies them there."""

from remit.contract.rule import Verb
from remit.value import Value

NEEDS = ("multi-file", "terminal", "browser", "iteration")
"""what justifies a heavier runtime (ESC-01), in the order of its source"""


class Need(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What an organisation says about a need: more words by which it is known in a task, for one of `NEEDS` or one of its own.

    A phrase is words in their order; `…` stands for any words between, `a|b` for either, `mend*` for a beginning, `#` for a
    number above one. `verb` and `object`: one of its own is there only where a rule of the contract is about that.
    """

    name: str
    words: tuple[str, ...]
    verb: Verb | None = None
    object: str = ""


class Heavy(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Runtimes that work may go up to, and which needs justify them. `unless` are phrases that keep a task where it is."""

    runtimes: tuple[str, ...]
    needs: tuple[str, ...] = NEEDS
    words: tuple[Need, ...] = ()
    unless: tuple[str, ...] = ()

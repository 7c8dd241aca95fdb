"""A chain as a tree that is drawn again and again, where somebody sits at a terminal and did not ask for the plain view."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from remit.cli.chained import complete, named, total
from remit.cli.say import clean
from remit.plan.graph import waves
from remit.plan.step import Step
from remit.run.chain import Chain, Stood
from remit.run.chained import PlanPinned, StepEnded, StepStarted
from remit.run.event import Event
from remit.run.state import Run

if TYPE_CHECKING:
    from rich.live import Live as Screen
    from rich.table import Table
    from rich.tree import Tree

COLOURS = {"pending": "dim", "in_progress": "cyan", "complete": "green", "failed": "red", "skipped": "yellow"}
WIDTH = 20
"""columns of a bar"""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it is drawn. `share` is how much of its time is used, 1 when it is complete; `seconds` all its tries together
    as far as they are known; `tries` counts sub-agents.
    """

    step: str
    name: str
    state: str
    share: float = 0.0
    seconds: float = 0.0
    tokens: int = 0
    usd: int = 0
    tries: int = 0

    @property
    def said(self) -> str:
        """What stands behind the bar."""
        parts = [self.state.replace("_", " ")]
        if self.tries:
            parts.append(f"{self.seconds:.1f} s")
        if self.tokens or self.usd:
            parts.append(f"{self.tokens} tokens · {self.usd / 1_000_000:.4f} usd")
        if self.tries > 1:
            parts.append(f"try {self.tries}")
        return " · ".join(parts)


def rows(chain: Chain, children: Mapping[str, Run], now: datetime) -> list[list[Row]]:
    """The steps by waves, with what their sub-agents have used; steps that are in no wave come last."""
    ordered = [list(wave) for wave in waves(chain.plan)]
    known = {step for wave in ordered for step in wave}
    if rest := [step.id for step in chain.plan.steps if step.id not in known]:
        ordered.append(rest)
    return [[_row(chain, chain.plan.step(step), children, now) for step in wave] for wave in ordered]


def _row(chain: Chain, step: Step, children: Mapping[str, Run], now: datetime) -> Row:
    stood = chain.steps[step.id]
    spent = [children[child].spend for child in stood.children if child in children]
    seconds = _seconds(stood, now)
    most = step.time or chain.plan.time
    share = 1.0 if stood.status == "complete" else min(seconds / most, 1.0) if stood.status == "in_progress" and most else 0.0
    return Row(
        step=step.id, name=named(step), state=stood.status, share=share, seconds=seconds, tries=stood.tries,
        tokens=sum(each.tokens for each in spent), usd=sum(each.usd for each in spent),
    )  # fmt: skip


def _seconds(stood: Stood, now: datetime) -> float:
    if stood.began is None:
        return 0.0
    return max(((stood.ended or now) - stood.began).total_seconds(), 0.0)


def drawn(chain: Chain, children: Mapping[str, Run], now: datetime) -> "Tree":
    """The whole tree: the goal, the bar of all, a branch for each wave, a line for each step, and the validation."""
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    from remit.plan.screens import bar

    done = complete(chain) + (chain.validation is not None)
    title = clean(f"{chain.plan.title or chain.plan.name}: {chain.plan.goal}")
    head = Text(title, style="bold", overflow="ellipsis", no_wrap=True)
    tree = Tree(Group(head, Text(bar(done, total(chain.plan)))))
    for number, wave in enumerate(rows(chain, children, now), 1):
        branch = tree.add(Text(f"wave {number}", style="dim")) if len(wave) > 1 else tree
        for row in wave:
            branch.add(_line(row))
    found = chain.validation
    said = "pending" if found is None else f"{found.status} · {found.completeness}% · {found.verified}/{found.expected} files"
    tree.add(_line(Row(step="", name="Validation", state=said, share=0.0 if found is None else found.completeness / 100)))
    return tree


def filled(share: float) -> str:
    """A bar: full when it is done, and never before."""
    cells = WIDTH if share >= 1 else min(int(WIDTH * share), WIDTH - 1)
    return "█" * cells + "░" * (WIDTH - cells)


def _line(row: Row) -> "Table":
    from rich.table import Table
    from rich.text import Text

    colour = COLOURS.get(row.state, "")
    line = Table.grid(padding=(0, 1))
    line.add_column(width=32, no_wrap=True, overflow="ellipsis")
    line.add_column(width=WIDTH)
    line.add_column(no_wrap=True)
    line.add_row(Text(clean(row.name)), Text(filled(row.share), style=colour), Text(row.said, style=colour))
    return line


class Live:
    """The tree on the terminal, drawn over itself. Lines that stay are printed above it; held, it leaves the terminal alone."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._screen: Screen | None = None

    def draw(self, chain: Chain, children: Mapping[str, Run], now: datetime) -> None:
        """Draw it as it is now."""
        from rich.live import Live as Screen

        if self._screen is None:  # a screen that was stopped would draw over what has been written since
            self._screen = Screen(console=self._console, auto_refresh=False, redirect_stdout=False)
            self._screen.start()
        self._screen.update(drawn(chain, children, now), refresh=True)

    def above(self, lines: Sequence[str]) -> None:
        """Print lines that stay."""
        from rich.text import Text

        for line in lines:
            self._console.print(Text(line), soft_wrap=True)

    def hold(self) -> None:
        """Leave the tree as it stands, and the terminal to somebody else; the next `draw` begins anew below."""
        if self._screen is not None:
            self._screen.stop()
            self._screen = None


def shown(fact: Event) -> bool:
    """Whether the tree shows this fact by itself, so that no line needs to say it."""
    return isinstance(fact, PlanPinned | StepStarted) or (isinstance(fact, StepEnded) and fact.outcome == "complete")

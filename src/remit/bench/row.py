"""One measurement: ours, the rival's, and a goal that a machine can check."""

from typing import Any, Literal

from remit.value import Value


class Goal(Value, frozen=True, kw_only=True):
    """A bound in the unit of its row: `times` the rival, `at_most` in all, or `more` than the rival."""

    kind: Literal["times", "at_most", "more"]
    bound: float

    def met(self, ours: float, rival: float) -> bool:
        """Whether ours keeps the bound."""
        match self.kind:
            case "times":
                return ours <= self.bound * rival
            case "at_most":
                return ours <= self.bound
            case "more":
                return ours <= rival + self.bound


class Row(Value, frozen=True, kw_only=True):
    """What was measured: seconds (`s`) or bytes (`B`), medians taken in turn. `why` says why there is nothing to compare."""

    name: str
    against: str
    goal: Goal | None = None
    unit: Literal["s", "B"] = "s"
    ours: float | None = None
    rival: float | None = None
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the rival's; None when either is missing."""
        return self.ours / self.rival if self.ours is not None and self.rival else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when it could not be measured."""
        if self.goal is None or self.ours is None or self.rival is None:
            return None
        return self.goal.met(self.ours, self.rival)


def document(row: Row) -> dict[str, Any]:
    """A row as programs read it."""
    return {
        "name": row.name, "against": row.against, "unit": row.unit, "ours": row.ours, "rival": row.rival, "ratio": row.ratio,
        "goal": {"kind": row.goal.kind, "bound": row.goal.bound} if row.goal else None, "met": row.met, "why": row.why,
    }  # fmt: skip


HEADING = f"{'':<49} {'ours':>9}  {'rival':>9} {'ratio':>6}  {'goal':<13} met"


def line(row: Row) -> str:
    """A row as a person reads it; a missed goal says so in capitals."""
    met = {True: "yes", False: "MISSED", None: row.why or "not measured"}[row.met]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    mine, rival = amount(row.ours, row.unit), amount(row.rival, row.unit)
    return f"{row.name:<49} {mine:>9}  {rival:>9} {ratio:>6}  {wanted(row):<13} {met}\n  against {row.against}"


def wanted(row: Row) -> str:
    """The goal in a word."""
    match row.goal:
        case Goal(kind="times", bound=bound):
            return f"≤ {bound:g}x"
        case Goal(kind="at_most", bound=bound):
            return f"≤ {amount(bound, row.unit)}"
        case Goal(kind="more", bound=bound):
            return f"≤ +{amount(bound, row.unit)}"
        case _:
            return ""


def amount(value: float | None, unit: str) -> str:
    """A time or a size with three digits or so, `-` when there is none."""
    if value is None:
        return "-"
    if unit == "B":
        return f"{value / 1e6:.1f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"
    for factor, name in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e6:.3g} µs"

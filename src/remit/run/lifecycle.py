"""The life of a run as a table: which fact moves it from which phase to which."""

from typing import Literal, get_args

Phase = Literal[
    "new", "ready", "working", "sealed", "judged", "checked", "concluded", "publishing", "published", "undoing", "undone"
]
PHASES: tuple[Phase, ...] = get_args(Phase)

MOVES: dict[tuple[Phase, str], Phase] = {
    ("new", "started"): "ready",
    ("ready", "attempt_started"): "working",
    ("ready", "verdict_reached"): "concluded",
    ("working", "work_done"): "sealed",
    ("working", "attempt_lost"): "ready",
    ("sealed", "changes_judged"): "judged",
    ("sealed", "attempt_started"): "working",
    ("sealed", "verdict_reached"): "concluded",
    ("judged", "changes_judged"): "judged",
    ("judged", "checks_finished"): "checked",
    ("judged", "verdict_reached"): "concluded",
    ("judged", "attempt_started"): "working",
    ("checked", "verdict_reached"): "concluded",
    ("checked", "attempt_started"): "working",
    ("checked", "changes_judged"): "judged",
    ("checked", "checks_finished"): "checked",
    ("concluded", "publish_intended"): "publishing",
    ("concluded", "undone"): "undone",
    ("concluded", "checks_finished"): "concluded",
    ("concluded", "publish_failed"): "concluded",
    ("concluded", "publish_asked"): "concluded",
    ("publishing", "published"): "published",
    ("publishing", "publish_failed"): "concluded",
    ("published", "undo_intended"): "undoing",
    ("undoing", "undone"): "undone",
    ("undoing", "undo_failed"): "published",
}
"""(phase, kind of fact) to the next phase. A kind that appears here in another phase than its own breaks the fold."""

MOVERS = frozenset(kind for _, kind in MOVES)


def next_phase(phase: Phase, kind: str) -> Phase | None:
    """The phase after this fact; None when the fact cannot happen here. Facts that move nothing keep the phase."""
    if kind not in MOVERS:
        return phase
    return MOVES.get((phase, kind))


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documents."""
    lines = [f"    {before} --> {after}: {kind.replace('_', ' ')}" for (before, kind), after in MOVES.items()]
    return "\n".join(["stateDiagram-v2", *lines])

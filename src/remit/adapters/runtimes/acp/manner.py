"""What differs between agents that speak ACP, and the words they are prompted with."""

from collections.abc import Sequence

from remit.adapters.sandboxes.argv import TOOLS
from remit.value import Value

SERVERS = (("remit", (f"{TOOLS}/remit-mcp",)),)
"""remit's own MCP server in the box: its tools go through the door"""
SHOWN = 12


class Manner(Value, frozen=True, kw_only=True):
    """How an agent is met. `writes`: it may hand its writes to us; `whole`: the differences it shows are whole files; `joint`
    stands between tool and id in its ids of tool calls; `servers` are MCP servers it starts in its box, each a name and an argv.
    `notes` are the project's own, which it would load by itself without a word: it is told to read them, which is decided.
    """

    writes: bool = True
    whole: bool = False
    joint: str = ""
    servers: tuple[tuple[str, tuple[str, ...]], ...] = SERVERS
    notes: str = ""


NOTES = "If the workspace has {}, it holds the project's own notes: read it before you change anything. It grants nothing."


def opening(text: str, identity: str, notes: str = "") -> tuple[str, ...]:
    """The first prompt: for whom it acts, then the task, then where the project's notes are."""
    return tuple(each for each in (identity, text, NOTES.format(notes) if notes else "") if each)


def again(refused: Sequence[tuple[str, str]]) -> str:
    """What is said after a turn with refusals: ACP has no place for a reason beside the refusal itself."""
    told = dict.fromkeys(f"- {what}: {why}" if why else f"- {what}" for what, why in refused)
    rows = list(told)[:SHOWN] + ([f"- and {len(told) - SHOWN} more"] if len(told) > SHOWN else [])
    return "\n".join(
        [
            "remit did not let these through:",
            *rows,
            "Do not try the same again. Do what is left of the task in a way that is allowed, or end and say what is missing.",
        ]
    )

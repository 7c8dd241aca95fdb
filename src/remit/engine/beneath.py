"""Programs that start beneath a tool call which was already decided: what a rule forbids is refused, the rest is told.

A runtime that shows its calls has each of them decided before it is made, by all the rules. What then starts is the work of that
call and of the runtime itself, and no contract names every program a test runner starts; so here only what a rule is about counts
(ADR 18). The box is the boundary either way.
"""

from pathlib import PurePosixPath

from remit.authority.action import Action
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse, word
from remit.engine.gate import Gate
from remit.run.event import Decided

LONGEST = 1024
MOST_WORDS = 32


async def beneath(gate: Gate, run_id: str, words: tuple[str, ...], *, granted: bool) -> Decided:
    """The decision about a program, not recorded yet. `granted`: it is what a tool call was granted for."""
    action = Action(verb="run", object=words)
    if granted:
        return decided(run_id, action, neutral("part of a tool call that was granted"))
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        decision = gate.weigh(transaction, run, gate.lineage(transaction, run), action, unused=True)
    match decision:
        case Refuse() if all(reason.code in (Code.UNCOVERED, Code.NEUTRAL) for reason in decision.reasons):
            decision = neutral("no rule is about it, and the tool call above it was decided")
        case Ask():
            why = "a person would have to be asked, and a program that is starting cannot wait"
            reason = Reason(code=Code.APPROVAL, rule=None, contract="", why=why, instead="make it a tool call of its own")
            decision = Refuse(reasons=(reason, *decision.reasons))
    return decided(run_id, action, decision)


def meant(granted: str | tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether this program is the granted one; a bare name is found on the way that a shell looks, a path only as it is."""
    if not isinstance(granted, tuple) or words[1:] != granted[1:]:
        return False
    first = words[0] if "/" in granted[0] else PurePosixPath(words[0]).name
    return first == granted[0] or (granted[0].startswith("./") and words[0].endswith(granted[0][1:]))


def neutral(why: str) -> Allow:
    """Nothing speaks against it."""
    return Allow(reasons=(Reason(code=Code.NEUTRAL, rule=None, contract="", why=why),))


def decided(run: str, action: Action, decision: Decision, at: str = "observer") -> Decided:
    """A decision about a program; its words are cut, since an agent chooses how long they are."""
    if isinstance(action.object, str):
        line = action.object if len(action.object) <= LONGEST else f"{action.object[:LONGEST]}…"
        return _fact(run, Action(verb="run", object=line), decision, at)
    words = action.object
    cut = tuple(each if len(each) <= LONGEST else f"{each[:LONGEST]}…" for each in words[:MOST_WORDS])
    shown = Action(verb="run", object=cut if len(words) <= MOST_WORDS else (*cut, f"… and {len(words) - MOST_WORDS} more words"))
    return _fact(run, shown, decision, at)


def _fact(run: str, shown: Action, decision: Decision, at: str) -> Decided:
    return Decided(
        run=run, action=shown, digest=shown.digest(), decision=word(decision), reasons=decision.reasons,
        considered=decision.considered, at_door=at,
    )  # fmt: skip

"""What is said of a chain when it rests: as a document, and in standard mode what one conversation made of the plan (S3)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from remit.cli.say import clean
from remit.plan import screens
from remit.plan.rot import Rot, rot, warned
from remit.run.chain import Chain
from remit.run.state import Run


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """Lines for a person, before the closing screen of the run, and the `chain` field of its document."""

    lines: tuple[str, ...]
    document: dict[str, Any]


def closing(run: Run, children: Mapping[str, Run]) -> Closing:
    """`children` are the runs of its sub-agents, by their ids."""
    assert run.chain is not None
    found = rotted(run.chain, children)
    lines: tuple[str, ...] = ()
    if found is not None:
        text = [screens.rotted(found.title, found.expected, found.invoked, found.validated), warned(found)]
        lines = tuple(clean(line) for part in text if part for line in ("", *part.splitlines()))
    return Closing(lines=lines, document=document(run, children))


def rotted(chain: Chain, children: Mapping[str, Run]) -> Rot | None:
    """What the one conversation made of the plan; None in delegated mode, and before it has ended."""
    if chain.plan.mode != "standard" or not any(child.verdict for child in children.values()):
        return None
    return rot(chain.plan, invoked(children), validated=chain.validation is not None)


def invoked(children: Mapping[str, Run]) -> list[str]:
    """Every skill whose text a sub-agent asked for and was given, in that order: this is activation."""
    return [skill for child in children.values() for skill in child.invoked]


def document(run: Run, children: Mapping[str, Run]) -> dict[str, Any]:
    """The `remit.chain/1` document: each step with its state, tries, files and spend, and what was validated."""
    chain = run.chain
    assert chain is not None
    found = rotted(chain, children)
    return {
        "schema": "remit.chain/1",
        "run": run.id,
        "name": chain.plan.name,
        "goal": chain.plan.goal,
        "mode": chain.plan.mode,
        "advised": chain.advised,
        "why": list(chain.why),
        "confirmed": chain.confirmed,
        "over": chain.over,
        "over_why": chain.over_why,
        "steps": [_step(chain, step.id, children) for step in chain.plan.steps],
        "invoked": invoked(children),
        "validation": msgspec.to_builtins(chain.validation) if chain.validation is not None else None,
        "rounds": chain.round,
        "accepted": {"missing": list(chain.accepted), "by": chain.accepted_by} if chain.accepted_by else None,
        "rot": msgspec.to_builtins(found) if found is not None else None,
        "left": [{"name": each.name, "why": each.why} for each in chain.plan.left],
    }  # fmt: skip


def _step(chain: Chain, step: str, children: Mapping[str, Run]) -> dict[str, Any]:
    stood = chain.steps[step]
    runs = [children[child] for child in stood.children if child in children]
    return {
        "step": step,
        "status": stood.status,
        "tries": stood.tries,
        "runs": list(stood.children),
        "outcome": stood.outcome,
        "why": stood.why,
        "files": list(stood.files),
        "flagged": list(stood.flagged),
        "skipped_by": stood.person,
        "began": stood.began.isoformat() if stood.began is not None else None,
        "ended": stood.ended.isoformat() if stood.ended is not None else None,
        "tokens": sum(each.spend.tokens for each in runs),
        "usd": f"{sum(each.spend.usd for each in runs) / 1_000_000:.6f}",
    }  # fmt: skip

"""Which paths a step claims to write, and whether two steps claim the same one (SUB-11)."""

from remit.contract.overlap import overlap
from remit.plan.step import Step


def claims(step: Step) -> tuple[str, ...]:
    """The globs a step claims, a folder (`src/`) as all below it; those of a sub-chain are those of its steps too."""
    inner = tuple(glob for each in step.chain.steps for glob in claims(each)) if step.chain is not None else ()
    return tuple(dict.fromkeys(f"{glob}**" if glob.endswith("/") else glob for glob in (*step.writes, *inner)))


def clash(one: Step, other: Step) -> str:
    """A glob that both claim, as the first writes it; empty where they claim nothing in common."""
    if not (one.writes or one.chain) or not (other.writes or other.chain):
        return ""
    theirs = claims(other)
    return next((glob for glob in claims(one) if any(overlap(glob, each) for each in theirs)), "")

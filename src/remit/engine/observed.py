"""What was seen of the run itself: its skills, how its work ended, its steps, its last words."""

from remit.contract.deliverable import ObservedCheck
from remit.run.state import Run


def observed(run: Run, each: ObservedCheck) -> tuple[bool, str, tuple[str, ...]]:
    """Whether all that the check asks for was seen; what was; and what was not, as a list could name it."""
    lacking = [name for name in each.invoked if not was_invoked(run, name)]
    said = [f"`{name}` was {'not invoked' if name in lacking else 'invoked'}" for name in each.invoked]
    if each.ended_well:
        well = run.work is not None and run.work.status == 0
        lacking += [] if well else ["ended well"]
        said.append(f"ended well: {_how(run)}")
    if each.steps:
        open_ = _open(run)
        lacking += open_
        said.append("every step is complete, or left out by consent" if not open_ else f"steps not complete: {', '.join(open_)}")
    if each.reported:
        words = bool(run.words.strip())
        lacking += [] if words else ["reported well"]
        said.append(f"its runtime {'ended with words of its own' if words else 'said nothing at its end'}")
    return not lacking, "\n".join(said), tuple(lacking)


def was_invoked(run: Run, name: str) -> bool:
    """Whether the text of a skill was asked for and given; a skill is named by its invocation, or by its name alone."""
    return any(name in (seen, seen.rpartition(":")[2]) for seen in run.invoked)


def _open(run: Run) -> list[str]:
    if run.chain is None:
        return ["steps: there is no chain"]
    return [name for name, stood in run.chain.steps.items() if stood.status not in ("complete", "skipped")]


def _how(run: Run) -> str:
    if run.work is None:
        return "no work has ended"
    return f"the work {run.work.why}" + ("" if run.work.status is None else f" with status {run.work.status}")

"""A chain as a person follows it on the plain view: what happened in it, on the screens of the sources."""

from collections.abc import Iterator, Sequence

from remit.cli.line import one_line
from remit.cli.menu import has_menu
from remit.cli.say import clean
from remit.plan import graph, screens
from remit.plan.step import CONVERSATION, Plan, Step
from remit.run import chained as c
from remit.run import event as e
from remit.run.chain import Chain
from remit.run.state import Run

CHOICE = "Your choice:"
"""the last line of a menu; where somebody sits at the terminal it is the prompt"""


def named(step: Step) -> str:
    """What a step is called on a screen: its skill, else its id."""
    return step.skill.name if step.skill is not None else step.id


def total(plan: Plan) -> int:
    """How many steps are counted: those of the plan, and the validation after them."""
    return len(plan.steps) + 1


def complete(chain: Chain) -> int:
    """How many steps of the plan are complete."""
    return sum(chain.steps[step.id].status == "complete" for step in chain.plan.steps)


def called(plan: Plan, step: str) -> str:
    """The name of the step with this id, as far as the plan knows it."""
    return next((named(each) for each in plan.steps if each.id == step), step)


class Teller:
    """Facts in, lines out. It remembers which steps began together, to say so when what waited for them begins.

    `asking` is who is asked at this terminal: their menus come with the prompt.
    """

    def __init__(self, *, asking: str = "") -> None:
        self._asking = asking
        self._batch: tuple[str, ...] = ()

    def lines(self, fact: e.Event, run: Run) -> list[str] | None:
        """The lines of a fact of a chain, with nothing in them that could hide; None for any other fact. `run` is after it."""
        if run.chain is None:
            return None
        found = self._screen(fact, run.chain)
        return None if found is None else [clean(line) for line in found]

    def _screen(self, fact: e.Event, chain: Chain) -> list[str] | None:
        if chain.plan.mode == "standard" and isinstance(fact, c.StepStarted | c.StepEnded):
            return _conversation(fact, chain.plan)
        match fact:
            case c.StepStarted():
                return [*self._through(chain), *self._together(fact, chain), *_delegating(fact, chain)]
            case c.StepEnded():
                return [*_ended(fact, chain), *self._through(chain)]
            case c.StepSkipped():
                why = f": {one_line(fact.why)}" if fact.why else ""
                by = f"with the consent of {fact.person}" if fact.question else "because the contract says so"
                return ["", f"Skipped: {called(chain.plan, fact.step)}, {by}{why}"]
            case c.Validated():
                return ["", *screens.validated(fact.found).splitlines()]
            case c.GapsAccepted():
                return ["", f"Partial completion accepted by {fact.person}; still missing:", *_items(fact.missing)]
            case c.PlanEnded():
                return ["", *over(chain)]
            case c.PlanPinned():
                return [f"plan {chain.plan.name}: {len(chain.plan.steps)} steps and validation, {chain.plan.mode}"]
            case e.Decided() if fact.decision == "allow" and fact.action.verb == "delegate":
                return []  # the screen of the step says so
            case e.QuestionAsked() if has_menu(fact):
                return [] if self._asking in fact.of else [*menu(fact), CHOICE]
            case _:
                return None

    def _together(self, fact: c.StepStarted, chain: Chain) -> Iterator[str]:
        """That several begin together, with the first of them."""
        batch = _batch(fact, chain)
        if len(batch) > 1 and not {*batch} & {*self._batch}:
            self._batch = batch
            yield from ("", *screens.parallel([_waiting(chain.plan, each) for each in batch]).splitlines())

    def _through(self, chain: Chain) -> Iterator[str]:
        """That those who began together have all come to an end, as soon as another step runs."""
        stood = chain.steps
        now = [step.id for step in chain.plan.steps if stood[step.id].status == "in_progress" and step.id not in self._batch]
        if not self._batch or not now or any(stood[each].status in ("pending", "in_progress") for each in self._batch):
            return
        ended_well = sum(stood[each].status == "complete" for each in self._batch)
        waiting = [_waiting(chain.plan, each) for each in now]
        yield from ("", *screens.now_running(waiting, complete=ended_well, of=len(self._batch)).splitlines())
        self._batch = ()


def _batch(fact: c.StepStarted, chain: Chain) -> tuple[str, ...]:
    """The steps that begin with this one, itself among them, in plan order."""
    standing = {name: str(stood.status) for name, stood in chain.steps.items()}
    found = graph.ready(chain.plan, {**standing, fact.step: "pending"})
    return found if fact.step in found and fact.number == 1 else ()


def menu(question: e.QuestionAsked) -> list[str]:
    """The numbered options of a question about a step in trouble or about gaps, without the line that is the prompt."""
    return ["", *(clean(line) for line in question.text.splitlines() if line.strip() != CHOICE)]


def report(run: Run) -> list[str]:
    """The detailed report of the last validation."""
    found = run.chain.validation if run.chain is not None else None
    if found is None:
        return ["", "Nothing has been validated yet."]
    return ["", *(clean(line) for line in screens.detailed(found).splitlines())]


def _waiting(plan: Plan, step: str) -> tuple[str, tuple[str, ...]]:
    """A step and what it waits for, by their names."""
    found = graph.needs(plan).get(step)
    wanted = dict.fromkeys((*found.over, *found.ended, *(each for group in found.groups for each in group))) if found else ()
    return called(plan, step), tuple(called(plan, each) for each in wanted)


def _delegating(fact: c.StepStarted, chain: Chain) -> Iterator[str]:
    yield ""
    yield from screens.delegating(called(chain.plan, fact.step), complete(chain), total(chain.plan)).splitlines()
    if fact.number > 1:
        yield f"Try {fact.number}" + (f": {one_line(fact.because)}" if fact.because else "")


def _conversation(fact: c.StepStarted | c.StepEnded, plan: Plan) -> list[str]:
    """Standard mode has one conversation; what became of each step is in its report at the end."""
    if fact.step != CONVERSATION:
        return []
    if isinstance(fact, c.StepStarted):
        again = f", try {fact.number}" if fact.number > 1 else ""
        return ["", f"One conversation takes {len(plan.steps)} steps{again}..."]
    why = f": {one_line(fact.why)}" if fact.why else ""
    return ["", f"The conversation came back: {fact.outcome}{why}"]


def _ended(fact: c.StepEnded, chain: Chain) -> list[str]:
    name = called(chain.plan, fact.step)
    if fact.outcome == "complete":
        screen = ["", *screens.completed(name, len(fact.files), complete(chain), total(chain.plan)).splitlines()]
    else:
        why = fact.why if fact.why.startswith(fact.outcome) else f"{fact.outcome}: {fact.why}"
        screen = ["", f"Sub-agent of {name} came back: {one_line(why).rstrip(': ')}"]
    return [*screen, *(f"Flagged: {one_line(claim)} was claimed, and is not there" for claim in fact.flagged)]


def _items(names: Sequence[str]) -> list[str]:
    return [f"- {one_line(name)}" for name in names]


def over(chain: Chain) -> list[str]:
    """How the chain ended, and what of it stays."""
    plan, stood = chain.plan, chain.steps
    if chain.over != "aborted":
        skipped = [named(each) for each in plan.steps if stood[each.id].status == "skipped"]
        more = [f"skipped by consent: {', '.join(skipped)}"] if skipped else []
        more += [one_line(chain.over_why)] if chain.over_why else []
        return ["; ".join((f"Chain {chain.over}: {complete(chain)} of {len(plan.steps)} steps complete", *more))]
    done = [named(each) for each in plan.steps if stood[each.id].status == "complete"]
    why = f": {one_line(chain.over_why)}" if chain.over_why else ""
    kept = f"Complete, and kept: {', '.join(done)}" if done else "No step had been completed"
    return [f"Chain aborted{why}", kept]

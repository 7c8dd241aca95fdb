"""What a coordinator does next: a pure function of where the chain stands. It never works itself: it hands on, asks and ends."""

from typing import Literal

from remit.contract.outcome import Recovery
from remit.plan.graph import ready
from remit.plan.step import CONVERSATION
from remit.run.chain import Chain, Stood
from remit.run.people import Said
from remit.run.state import Asked, Run
from remit.value import Value

STEP_FAILS = "step fails"
GAPS_FOUND = "deliverables fails"
TROUBLE: tuple[Said, ...] = ("retry", "skip", "abort")
GAPS: tuple[Said, ...] = ("generate", "accept")


class Take(Value, frozen=True, kw_only=True, tag="take"):
    """Hand this step to a fresh sub-agent, for the `number`-th time; the same number means the same child."""

    step: str
    number: int
    because: str = ""


class AskStep(Value, frozen=True, kw_only=True, tag="ask step"):
    """A step is in trouble: put it before the owner."""

    step: str


class AskPerson(Value, frozen=True, kw_only=True, tag="ask person"):
    """A step that a person takes: ask whether it is done."""

    step: str


class Settle(Value, frozen=True, kw_only=True, tag="settle"):
    """A person has said that they did their step, or that they will not."""

    step: str
    question: str
    done: bool


class Reopen(Value, frozen=True, kw_only=True, tag="reopen"):
    """The step is to be taken once more."""

    step: str
    why: str
    question: str = ""


class Skip(Value, frozen=True, kw_only=True, tag="skip"):
    """Leave the step out: by the answer to `question`, or by the contract's own recovery."""

    step: str
    person: str
    question: str = ""
    why: str = ""


class Validate(Value, frozen=True, kw_only=True, tag="validate"):
    """Have everything that is there validated by an agent that knows nothing of what went before."""

    round: int


class AskGaps(Value, frozen=True, kw_only=True, tag="ask gaps"):
    """Validation found gaps: put them before the owner, with what can be done about them."""

    missing: tuple[str, ...]
    options: tuple[Said, ...] = GAPS


class Accept(Value, frozen=True, kw_only=True, tag="accept"):
    """The owner takes what there is."""

    person: str
    question: str
    missing: tuple[str, ...]


class Finish(Value, frozen=True, kw_only=True, tag="finish"):
    """The coordinator is through."""

    how: Literal["complete", "partial", "aborted"]
    why: str = ""


Step = Take | AskStep | AskPerson | Settle | Reopen | Skip | Validate | AskGaps | Accept | Finish


def chain_moves(run: Run) -> tuple[Step, ...]:
    """Everything that can be begun now, in the order of the plan; steps that are under way are among them, for whoever has to
    take them up again. Nothing: somebody, or a child, is awaited, or the chain is over.
    """
    chain = run.chain
    if chain is None or chain.over or run.stop:
        return ()
    if chain.plan.mode == "standard":
        return _standard(run, chain)
    moves: list[Step] = []
    for name, stood in chain.steps.items():
        if stood.status == "in_progress":
            moves.append(Take(step=name, number=stood.tries, because=stood.why))
        elif stood.status == "failed":
            moves += _trouble(run, chain, name, stood)
    if over := [move for move in moves if isinstance(move, Finish)]:
        return (over[0],)
    standing = {name: str(stood.status) for name, stood in chain.steps.items()}
    for name in ready(chain.plan, standing):
        moves += _begin(run, chain, name)
    if over := [move for move in moves if isinstance(move, Finish)]:
        return (over[0],)
    through = all(stood.status in {"complete", "skipped"} for stood in chain.steps.values())
    return tuple(moves) if moves or not through else _after(run, chain)


def _begin(run: Run, chain: Chain, name: str) -> list[Step]:
    """A step is handed on; one of a person's is asked about, once for each time that it is open."""
    stood = chain.steps[name]
    if chain.plan.step(name).kind != "person":
        return [Take(step=name, number=stood.tries + 1, because=stood.why if stood.tries else "")]
    asked = [each for each in _about(run, "step", name, after=stood.ended_seq) if not each.question.options]
    if not asked and _unattended(run):
        rung, why = rung_for(run, STEP_FAILS), f"step `{name}` is a person's, and nobody is there"
        goes_on = rung is not None and rung.do == "continue"
        return [Skip(step=name, person="", why=why) if goes_on else Finish(how="aborted", why=why)]
    if not asked:
        return [AskPerson(step=name)]
    if not asked[-1].said:
        return []
    return [Settle(step=name, question=asked[-1].question.question, done=asked[-1].said == "yes")]


def _trouble(run: Run, chain: Chain, name: str, stood: Stood) -> list[Step]:
    """The first thing that says what is to be done: an answer to this very failure, retries that are left, the contract."""
    asked = [each for each in _about(run, "step", name, after=stood.ended_seq) if each.question.options]
    if asked:
        return _answered(asked[-1], name, stood)
    why = f"{stood.outcome}: {stood.why}"[:500]
    rung = rung_for(run, STEP_FAILS)
    more = chain.plan.retries + (rung.times if rung is not None and rung.do == "retry" else 0)
    if stood.handed and not stood.effects and stood.tries <= more and stood.outcome != "needs input":
        return [Reopen(step=name, why=why)]
    if rung is not None and rung.do == "continue":
        return [Skip(step=name, person="", why=f"the contract says: when a step fails, continue ({why})"[:500])]
    stops = rung is not None and rung.do in {"stop", "undo"}
    if stops or _unattended(run):
        return [Finish(how="aborted", why=f"step `{name}` {why}"[:500])]
    return [AskStep(step=name)]


def _answered(asked: Asked, name: str, stood: Stood) -> list[Step]:
    question, why = asked.question.question, f"{stood.outcome}: {stood.why}"[:500]
    match asked.said:
        case "":
            return []
        case "retry":
            return [Reopen(step=name, why=why, question=question)]
        case "skip":
            person = asked.answers[-1].person if asked.answers else ""
            return [Skip(step=name, person=person, question=question, why=why)]
        case _:
            said = "nobody answered in time" if asked.expired else f"{question} was answered: abort"
            return [Finish(how="aborted", why=f"step `{name}` {stood.outcome}; {said}"[:500])]


def _after(run: Run, chain: Chain) -> tuple[Step, ...]:
    """Every step is behind it: validation, always; then what it found."""
    if not chain.current or chain.validation is None:
        return (Validate(round=chain.round + 1),)
    found = chain.validation
    if found.status == "PASS":
        without = [each for stood in chain.steps.values() for each in stood.exceptions]
        return (Finish(how="partial" if without else "complete", why=f"without {', '.join(without)}"[:500] if without else ""),)
    missing = found.gaps or ("a validation that passes",)
    asked = _about(run, "gaps", str(chain.round))
    owing = _owing(chain, missing)
    if asked:
        return _gaps_answered(chain, asked[-1], missing, owing)
    rung = rung_for(run, GAPS_FOUND)
    why = f"validation found missing: {', '.join(missing)}"[:500]
    if rung is not None and rung.do == "retry" and chain.round <= rung.times and _harmless(chain, owing):
        return tuple(Reopen(step=name, why=why) for name in owing)
    if _unattended(run) or (rung is not None and rung.do in {"stop", "undo"}):
        return (Finish(how="partial", why=f"validation: {found.status}, {found.completeness}%"),)
    return (AskGaps(missing=missing, options=GAPS if owing else ("accept",)),)


def _gaps_answered(chain: Chain, asked: Asked, missing: tuple[str, ...], owing: tuple[str, ...]) -> tuple[Step, ...]:
    question = asked.question.question
    match asked.said:
        case "":
            return ()
        case "generate":
            why = f"generate {', '.join(missing)}"[:500]
            return tuple(Reopen(step=name, why=why, question=question) for name in owing)
        case "accept" if not chain.accepted_by:
            person = asked.answers[-1].person if asked.answers else ""
            return (Accept(person=person, question=question, missing=missing),)
        case "accept":
            return (Finish(how="partial", why=f"{chain.accepted_by} accepted without {', '.join(missing)}"[:500]),)
        case _:
            return (Finish(how="partial", why="nobody answered in time"),)


def _owing(chain: Chain, missing: tuple[str, ...]) -> tuple[str, ...]:
    """The steps that owe what is missing: those of its skill; where nobody is named, the last step."""
    assert chain.validation is not None
    owed = {each.by for each in chain.validation.deliverables if each.name in missing}
    owed |= {issue.by for issue in chain.validation.issues if issue.severe and f"{issue.path}: {issue.what}" in missing}
    named = [
        step.id for step in chain.plan.steps
        if {step.id, step.skill.name if step.skill is not None else step.id} & (owed - {""})
    ]  # fmt: skip
    return tuple(named or [step.id for step in chain.plan.steps][-1:])


def _harmless(chain: Chain, steps: tuple[str, ...]) -> bool:
    """Whether these can be taken again by themselves: nothing of them has left the workspace."""
    return bool(steps) and not any(chain.steps[name].effects for name in steps)


def _standard(run: Run, chain: Chain) -> tuple[Step, ...]:
    """One conversation, and nothing else: what it left out is seen from what it invoked."""
    stood = chain.steps[CONVERSATION]
    match stood.status:
        case "pending":
            return (Take(step=CONVERSATION, number=1),)
        case "in_progress":
            return (Take(step=CONVERSATION, number=stood.tries),)
        case "failed":
            return tuple(_trouble(run, chain, CONVERSATION, stood))
        case _:
            left = [name for name, each in chain.steps.items() if each.status not in {"complete", "skipped"}]
            why = f"never invoked: {', '.join(left)}" if left else ""
            return (Finish(how="partial" if left else "complete", why=why),)


def _about(run: Run, about: str, what: str, *, after: int = -1) -> list[Asked]:
    """Questions about this that were put after that place in the ledger: a clock may stand still, or go back."""
    asked = (each for each in run.questions.values() if each.question.about == about and each.question.step == what)
    return [each for each in asked if each.seq > after]


def _unattended(run: Run) -> bool:
    return run.started is not None and run.started.unattended


def rung_for(run: Run, when: str) -> Recovery | None:
    """What the contract says is to be done then."""
    return next((rung for rung in run.contract.recovery if rung.when == when), None)

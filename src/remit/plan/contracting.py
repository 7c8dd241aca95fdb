"""The contracts a chain runs under: its own, one for each step, and one that may only read for whoever validates.

A step's contract is the chain's, narrowed: the same owner, no right to delegate, its own skill and no other, its own limits. The
lineage is evaluated all the same, so that nothing here can widen anything.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from remit.contract.contract import Contract, Level
from remit.contract.deliverable import Deliverable, DeliverablesCheck, ObservedCheck
from remit.contract.limits import Limits
from remit.contract.models import CHAIN, METERED_RUNTIMES
from remit.contract.outcome import Check, Escalation, Recovery
from remit.contract.rule import Rule, Verb
from remit.plan.skill_call import SKILL, called, skill_rule, skill_tool
from remit.plan.step import CONVERSATION, Plan, Step

TURNS, TOKENS, USD = 60, 400_000, 2_000_000
"""what a step may use where nobody says otherwise: requests, tokens, millionths of a dollar"""
ROUNDS = 4
"""validations that the limits of a chain leave room for"""
ASKING = (Recovery(when="step fails", do="ask owner"), Recovery(when="failed", do="stop"))


def chain_contract(
    plan: Plan, *, owner: str, may_write: Sequence[str] = ("**",), recovery: Sequence[Recovery] = ASKING,
    containment: Level = "L3", escalation: Sequence[Escalation] = (), publish_asks: bool = False,
) -> Contract:  # fmt: skip
    """The contract of a chain for which nobody wrote one: it may read, write where it is told, hand steps on, and give out the
    skills of its plan. It succeeds when every step is done or left out by consent, and everything that is due is there.
    """
    rules = [
        _rule("read", ("**",)),
        *([_rule("write", tuple(may_write)), _rule("delete", tuple(may_write))] if may_write else []),
        _rule("delegate", runtimes(plan)),
        *([skill_rule(invocations(plan))] if invocations(plan) else []),
        *(rule for step in plan.steps for rule in step_rules(step) if rule.verb not in {"read", "write", "delete"}),
    ]
    checks: list[Check] = [ObservedCheck(id="steps", steps=True)]
    if plan.deliverables:
        checks.append(_deliverables(plan, plan.deliverables))
    return Contract(
        goal=plan.goal, owner=owner, rules=tuple(dict.fromkeys(rules)), limits=chain_limits(plan), success=tuple(checks),
        recovery=tuple(recovery), escalation=tuple(escalation), tools=(skill_tool(),) if invocations(plan) else (),
        containment=containment, publish="ask" if publish_asks else "auto", model=plan.model,
    )  # fmt: skip


def step_contract(parent: Contract, plan: Plan, step: Step) -> Contract:
    """What one step is promised under, below the chain's contract."""
    skills = (called(step.skill),) if step.skill is not None else ()
    return _below(parent, goal=_goal(plan, step), rules=_rules(parent, plan, step, skills), limits=step_limits(plan, step),
                  success=_success(step, who(plan, step)[0]), skills=skills)  # fmt: skip


def conversation_contract(parent: Contract, plan: Plan) -> Contract:
    """Standard mode: one agent, every skill, all of the steps' limits together."""
    step = Step(id=CONVERSATION, kind="prompt")
    each = [step_limits(plan, one) for one in plan.steps]
    limits = Limits(
        time=_sum(one.time for one in each), turns=_sum(one.turns for one in each), calls=_sum(one.calls for one in each),
        tokens=_sum(one.tokens for one in each), usd=_sum(one.usd for one in each),
    )  # fmt: skip
    checks: tuple[Check, ...] = (ObservedCheck(id="reported", reported=True),)
    skills = invocations(plan)
    return _below(parent, goal=plan.goal, rules=_rules(parent, plan, step, skills), limits=limits, success=checks, skills=skills)


def validation_contract(parent: Contract, plan: Plan, due: Sequence[Deliverable]) -> Contract:
    """What the validation agent works under: it may read, and nothing else (VAL-08)."""
    rules = (*(rule for rule in parent.rules if rule.effect == "never"), _rule("read", ("**",)))
    check = _deliverables(plan, tuple(due)) if due else ObservedCheck(id="deliverables", ended_well=True)
    return _below(
        parent, goal=f"Find out whether everything that is due is there: {plan.goal}", rules=rules,
        limits=_filled(plan, plan.validate_by or "command", Limits()), success=(check,), skills=(),
    )  # fmt: skip


def _below(
    parent: Contract, *, goal: str, rules: tuple[Rule, ...], limits: Limits, success: tuple[Check, ...], skills: tuple[str, ...]
) -> Contract:
    tools = tuple(tool for tool in parent.tools if tool.name != SKILL or skills)
    return replace(
        parent, goal=goal, rules=rules, limits=limits, success=success, recovery=(Recovery(when="failed", do="stop"),),
        tools=tools, runtime=(), publish="auto", unenforced=(),
    )  # fmt: skip


def who(plan: Plan, step: Step) -> tuple[str, str, tuple[str, ...]]:
    """Who works on a step: runtime, model, argv. A command step is always the command runtime, a chain the coordinator."""
    if step.kind == "chain":
        return CHAIN, "", ()
    if step.kind == "command":
        return "command", "", step.command
    runtime = step.runtime or plan.runtime
    return runtime, step.model or plan.model, step.command or plan.command


def runtimes(plan: Plan) -> tuple[str, ...]:
    """Every runtime that somebody of this plan works with, and that of validation."""
    found = [who(plan, step)[0] for step in plan.steps if step.kind != "person"]
    below = [name for step in plan.steps if step.chain is not None for name in runtimes(step.chain)]
    return tuple(dict.fromkeys((*found, *below, plan.validate_by or "command", plan.runtime)))


def invocations(plan: Plan) -> tuple[str, ...]:
    """Every skill of this plan, as it is invoked."""
    own = [called(step.skill) for step in plan.steps if step.skill is not None]
    below = [name for step in plan.steps if step.chain is not None for name in invocations(step.chain)]
    return tuple(dict.fromkeys((*own, *below)))


def step_limits(plan: Plan, step: Step) -> Limits:
    """How far one step may go: its own limits, else the plan's, else what is usual. Its time is when it counts as hanging."""
    if step.chain is not None:
        return chain_limits(step.chain)
    own = step.limits or plan.limits
    timed = replace(own, time=step.time or own.time or plan.time)
    return _filled(plan, who(plan, step)[0], timed)


def chain_limits(plan: Plan) -> Limits:
    """Room for every step as often as it may be tried, once more for a gap or a person's word, and for validation."""
    each = [step_limits(plan, step) for step in plan.steps if step.kind != "person"]
    times = plan.retries + 3
    checking = _filled(plan, plan.validate_by or "command", Limits())
    total = {
        name: (sum(getattr(one, name) or 0 for one in each) * times + (getattr(checking, name) or 0) * ROUNDS)
        for name in ("turns", "time", "tokens", "usd")
    }
    total["turns"] += (len(plan.steps) + ROUNDS) * times
    metered = any(name in METERED_RUNTIMES for name in runtimes(plan))
    tokens, usd = (total["tokens"], total["usd"]) if metered else (None, None)
    return Limits(turns=total["turns"], time=total["time"] + 600, tokens=tokens, usd=usd)


def _filled(plan: Plan, runtime: str, own: Limits) -> Limits:
    metered = runtime in METERED_RUNTIMES
    return replace(
        own, time=own.time or plan.time, turns=own.turns or TURNS, tokens=(own.tokens or TOKENS) if metered else own.tokens,
        usd=(own.usd or USD) if metered else own.usd,
    )  # fmt: skip


def _rules(parent: Contract, plan: Plan, step: Step, skills: tuple[str, ...]) -> tuple[Rule, ...]:
    """The chain's, without the right to hand on; what the step itself says instead, where it says anything.

    What the chain may only because another of its steps asks for it is that step's alone.
    """
    own = step_rules(step)
    others = {rule for other in plan.steps if other.id != step.id for rule in step_rules(other)} - {*own}
    if step.id == CONVERSATION:
        others = set()
    kept = [rule for rule in parent.rules if rule not in others and not (rule.effect == "may" and _apart(rule, step))]
    mine = [rule for rule in own if rule not in kept]
    return (*kept, *mine, *([skill_rule(skills)] if skills else []))


def step_rules(step: Step) -> tuple[Rule, ...]:
    """What a step asks for, and the steps of the chain it is; named after it, so that a reason tells whose rule it was."""
    below = (rule for each in (step.chain.steps if step.chain is not None else ()) for rule in step_rules(each))
    return tuple(replace(rule, id=f"{step.id}-{rule.id}") for rule in (*step.rules, *below))


def _apart(rule: Rule, step: Step) -> bool:
    """Whether a rule of the chain does not pass down to this step."""
    if step.chain is not None:
        return False
    if rule.verb == "delegate" or (rule.verb == "call" and SKILL in rule.objects):
        return True
    return rule.verb in {each.verb for each in step.rules if each.effect == "may"}


def _success(step: Step, runtime: str) -> tuple[Check, ...]:
    """What a machine can see of one step: that its skill was really asked for, that it ended well, and its own checks."""
    if step.kind == "chain" and step.chain is not None:
        due = step.chain.deliverables
        extra: tuple[Check, ...] = (_deliverables(step.chain, due),) if due else ()
        return (ObservedCheck(id="steps", steps=True), *extra, *step.checks)
    if step.skill is not None:  # what a runtime's own program ends with says nothing; a command's status is all there is
        well = (ObservedCheck(id="ended", ended_well=True),) if runtime == "command" else ()
        return (ObservedCheck(id="invoked", invoked=(called(step.skill),)), *well, *step.checks)
    if step.checks:
        return step.checks
    ended = ObservedCheck(id="ended", ended_well=True) if runtime == "command" else ObservedCheck(id="reported", reported=True)
    return (ended,)


def _goal(plan: Plan, step: Step) -> str:
    if step.skill is not None:
        return f"{step.title or step.id}, with the skill {step.skill.invocation}, for: {plan.goal}"
    return step.title or (step.prompt.strip().splitlines() or [step.id])[0][:200]


def _deliverables(plan: Plan, due: tuple[Deliverable, ...]) -> DeliverablesCheck:
    return DeliverablesCheck(
        id="deliverables", deliverables=due, at_least=plan.at_least, quality=plan.quality, empty=plan.empty
    )  # fmt: skip


def _rule(verb: Verb, objects: tuple[str, ...]) -> Rule:
    return Rule(id=f"may-{verb}-chain", effect="may", verb=verb, objects=objects)


def _sum(values: Iterable[int | None]) -> int | None:
    found = [value for value in values if value is not None]
    return sum(found) if found else None

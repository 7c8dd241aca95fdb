"""Whether a child contract asks for no more than its parent holds: an early error, never the guarantee.

The guarantee is that every contract of the lineage answers and the strictest stands; this says beforehand, with the place, what
the parent would refuse anyway.
"""

from collections.abc import Iterator
from decimal import Decimal

from remit.authority.implies import condition_inside, object_inside
from remit.authority.words import shown, shown_rule
from remit.contract.contract import LEVELS, Contract, Finding, Severity
from remit.contract.limits import Limits, Pace
from remit.contract.models import ModelPrice, may_call, name_covers
from remit.contract.rule import Rule

PLAIN_LIMITS = ("time", "turns", "calls", "tokens", "usd", "memory", "disk", "file", "processes", "output")


def narrower(parent: Contract, child: Contract) -> tuple[Finding, ...]:
    """Everything in the child that its parent does not cover. Errors mean wider, or another owner; notes and warnings say what
    stands regardless.

    `where` is the path in the child's file, or, for a rule of the parent that the child does not carry, empty.
    """
    return tuple(_findings(parent, child))


# ---------------------------------------------------------------------------------------------------------------------


def _findings(parent: Contract, child: Contract) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    for rule in child.rules:
        index = counts.get(rule.effect, 0)
        counts[rule.effect] = index + 1
        if rule.effect != "never":
            yield from _rule(parent, rule, f"{rule.effect}[{index}]")
    for number, rung in enumerate(child.recovery):
        for index, rule in enumerate(rung.may):
            yield from _rule(parent, rule, f"recovery[{number}].may[{index}]")
    yield from _dropped(parent, child)
    yield from _limits(parent.limits, child.limits)
    yield from _pace(parent.limits.pace, child.limits.pace)
    yield from _models(parent, child)
    if child.owner != parent.owner:
        what = f"the owner would change from `{parent.owner}` to `{child.owner}`, and ownership moves only to who takes it"
        yield _finding("OWNER-CHANGED", "error", "owner", what, f"write `owner: {parent.owner}`")
    extra = sorted(set(child.environment) - set(parent.environment))
    if extra:
        what = f"the child wants `{extra[0]}` of the environment, which the parent does not have"
        yield _finding("WIDER", "error", "environment", what, "leave it out")
    if LEVELS.index(child.containment) < LEVELS.index(parent.containment):
        what = f"containment {child.containment} is weaker than the parent's {parent.containment}"
        yield _finding("WIDER", "error", "containment", what, f"write {parent.containment} or leave it out")


def _rule(parent: Contract, rule: Rule, where: str) -> Iterator[Finding]:
    """Each object must be inside one rule of the parent; what several rules cover only together is said to be wider."""
    holders = [held for held in parent.rules if held.verb == rule.verb and held.effect != "never"]
    for text in rule.objects:
        near = [held for held in holders if object_inside(held, text)]
        inside = [held for held in near if not _beyond(held, rule)]
        if not inside:
            path, what = _widest(near[0], rule, where) if near else (where, f"the parent holds nothing that covers `{text}`")
            held = ", ".join(shown_rule(held) for held in near or holders) or f"no rule for {rule.verb}"
            yield _finding("WIDER", "error", path, what, f"the parent holds: {held}")
        elif rule.effect == "may" and not any(held.effect == "may" for held in inside):
            what = f"the parent asks {inside[0].who or 'the owner'} before `{text}`"
            yield _finding(
                "ASK-DROPPED", "warning", where, what, "its question stands whatever the child says; write it as `ask`"
            )


def _beyond(held: Rule, rule: Rule) -> list[tuple[str, str]]:
    """Where the child's conditions leave the parent's rule: the argument, empty for the rule itself, and what is wrong."""
    mine = {each.argument: each.condition for each in rule.where}
    found = []
    for each in held.where:
        if each.argument not in mine:
            found.append((each.argument, f"`{each.argument}` is free, and the parent wants it {shown(each.condition)}"))
        elif not condition_inside(each.condition, mine[each.argument]):
            what = f"`{each.argument}` is {shown(mine[each.argument])}, and the parent holds {shown(each.condition)}"
            found.append((each.argument, what))
    if held.effect == "may" and rule.verb == "call":
        named = {each.argument for each in held.where}
        found += [(name, f"`{name}` is not an argument the parent's rule names") for name in mine if name not in named]
    if held.times is not None and (rule.times is None or rule.times > held.times):
        found.append(("", f"the parent's rule counts {held.times} times"))
    return found


def _widest(held: Rule, rule: Rule, where: str) -> tuple[str, str]:
    argument, what = _beyond(held, rule)[0]
    written = any(each.argument == argument for each in rule.where)
    return (f"{where}.where.{argument}" if written else where), what


def _dropped(parent: Contract, child: Contract) -> Iterator[Finding]:
    for effect in ("ask", "never"):
        carried = {(rule.verb, text) for rule in child.rules if rule.effect == effect for text in rule.objects}
        for rule in parent.rules:
            if rule.effect == effect and not all((rule.verb, text) in carried for text in rule.objects):
                what = f"the child does not carry the parent's rule `{rule.id}`: {shown_rule(rule)}"
                yield _finding("NOT-CARRIED", "note", "", what, "it stands all the same")


def _limits(parent: Limits, child: Limits) -> Iterator[Finding]:
    for name in PLAIN_LIMITS:
        most, asked = getattr(parent, name), getattr(child, name)
        if most is None:
            continue
        if asked is None:
            what = f"`{name}` has no limit, and the parent has {most}"
            yield _finding("LIMIT-OPEN", "warning", "limits", what, "the parent's stands all the same")
        elif asked > most:
            what = f"`{name}` is {asked}, and the parent holds {most}"
            yield _finding("WIDER", "error", f"limits.{name}", what, f"write at most {most}")


def _pace(most: Pace | None, asked: Pace | None) -> Iterator[Finding]:
    """Within the parent's time the child may not spend more, however its own times fall into it."""
    if most is None:
        return
    for name in ("usd", "tokens"):
        held, wanted = getattr(most, name), getattr(asked, name) if asked else None
        if held is None:
            continue
        if asked is None or wanted is None:
            what = f"`pace` says nothing of {name}, and the parent's does"
            yield _finding("LIMIT-OPEN", "warning", "limits", what, "the parent's stands all the same")
        elif wanted * -(-most.within // asked.within) > held:
            what = f"`pace` lets more {name} be spent within {most.within} seconds than the parent holds"
            yield _finding("WIDER", "error", "limits.pace", what, f"write at most {held} within {most.within} seconds")


def _models(parent: Contract, child: Contract) -> Iterator[Finding]:
    known = ", ".join(each.name for each in parent.models)
    if parent.models and not child.models:
        what = "`models` is open, and the parent names those that may be called"
        yield _finding("LIMIT-OPEN", "warning", "models", what, f"the parent's stand all the same: {known}")
    for at, each in enumerate(child.models):
        above = next((held for held in parent.models if name_covers(held.name, each.name)), None)
        if parent.models and above is None:
            yield _finding(
                "WIDER", "error", f"models[{at}]", f"the parent does not let `{each.name}` be called", f"it lets: {known}"
            )
            continue
        if each.price is not None and not _as_dear(above.price if above else None, each.price):
            what = f"`{each.name}` would cost less here than the parent says, so less than it costs would be charged"
            yield _finding("WIDER", "error", f"models[{at}].price", what, "take the price out; the parent's stands")
        most = above.output if above else None
        if most is not None and each.output is not None and each.output > most:
            what = f"`{each.name}` may answer with {each.output} tokens, and the parent holds {most}"
            yield _finding("WIDER", "error", f"models[{at}].output", what, f"write at most {most}")
    if child.model and not may_call(parent.models, child.model):
        what = f"the parent does not let `{child.model}` be called"
        yield _finding("WIDER", "error", "model", what, f"it lets: {known}")


def _as_dear(held: ModelPrice | None, said: ModelPrice) -> bool:
    """Whether nothing of it costs less than the parent says; what only a child prices could be anything."""
    if held is None:
        return False
    pairs = ((held.input, said.input), (held.output, said.output), (held.cached or held.input, said.cached or said.input))
    return all(Decimal(mine) >= Decimal(theirs) for theirs, mine in pairs)


def _finding(code: str, severity: Severity, where: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, where=where, message=message, hint=hint)

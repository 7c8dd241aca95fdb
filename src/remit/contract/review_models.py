"""Which runtime and which models: what would be refused, what costs without an end, what says nothing here."""

import difflib
from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.contract import Finding
from remit.contract.models import METERED_RUNTIMES, RUNTIMES, Model, may_call, name_covers
from remit.contract.reading import nearest

ALIKE = 0.75
"""how alike a program and a runtime must be called for a slip of the hand, from 0 to 1"""
_OTHERS = frozenset({"code", "codec"})
"""programs that are called so"""
_SPENDING = "write `limits: {tokens: 400k, usd: 2.00}`; what is used is charged before each call"


def model_findings(case: Case) -> Iterator[Finding]:
    """Everything about runtimes, models and what they may cost."""
    yield from _runtimes(case)
    yield from _spending(case)
    yield from _allowed(case)
    yield from _shadowed(case)
    if case.runtime == "command" and "history" in case.draft.written:
        what = "`history` is not enforceable here: a program does the work, and it has no conversation that could be kept"
        yield case.say("MODEL-UNUSED", "note", "history", what, f"name a runtime: {', '.join(sorted(METERED_RUNTIMES))}")


# ---------------------------------------------------------------------------------------------------------------------


def _runtimes(case: Case) -> Iterator[Finding]:
    """A program that is almost called like a runtime is probably a slip of the hand."""
    first = case.draft.runtime[0] if case.draft.runtime else ""
    near = _almost(first)
    if near and case.runtime == "command":
        what = f"`{first}` is no runtime, so a program of that name would be started"
        yield case.say("UNKNOWN-RUNTIME", "warning", "runtime", what, f"did you mean `{near}`?")
    for rule in (*case.draft.rules, *case.late):
        for name in rule.objects if rule.verb == "delegate" else ():
            near = _almost(name)
            if near:
                what = f"`{name}` is no runtime, so this rule is about nothing"
                yield case.of_rule("UNKNOWN-RUNTIME", "warning", rule, what, f"did you mean `{near}`?")


def _almost(name: str) -> str | None:
    if not name or name in RUNTIMES or name in _OTHERS:
        return None
    alike = ((difflib.SequenceMatcher(None, name[:40], known).ratio(), known) for known in RUNTIMES if known[0] == name[0])
    ratio, near = max(alike, default=(0.0, ""))
    return near if ratio > ALIKE else None


def _spending(case: Case) -> Iterator[Finding]:
    """Where a model works, something must end what it costs: tokens and dollars."""
    limits = case.draft.limits
    free = bool(case.draft.models) and all(each.price is not None and each.price.free for each in case.draft.models)
    if free and limits.usd is not None:
        what = "every model that may be called costs nothing, so `usd` is never used up"
        yield case.say("USD-UNUSED", "note", "limits.usd", what, "`tokens`, `turns` and `time` bound it")
    if case.runtime not in METERED_RUNTIMES or case.faulty("limits"):
        return
    lacking = [name for name, most in (("tokens", limits.tokens), ("usd", limits.usd)) if most is None]
    if len(lacking) == 2:
        what = f"no limit of tokens or usd, and `{case.runtime}` works with a model"
        yield case.say("LIMIT-MISSING", "error", "limits", what, _SPENDING)
    elif lacking and not (free and lacking == ["usd"]):
        what = f"no limit of {lacking[0]}, and `{case.runtime}` works with a model"
        yield case.say("LIMIT-OPEN", "warning", "limits", what, _SPENDING)


def _allowed(case: Case) -> Iterator[Finding]:
    """What this contract, or the organisation above it, would refuse anyway."""
    above = case.organisation.models if case.organisation else ()
    for models, whose in ((case.draft.models, "`models`"), (above, "the organisation")):
        if case.draft.model and not may_call(models, case.draft.model):
            what = f"`{case.draft.model}` is not among the models that {whose} lets be called"
            yield case.say("MODEL-NOT-ALLOWED", "error", "model", what, _nearest(case.draft.model, models))
    for at, each in enumerate(case.draft.models if above else ()):
        if not any(name_covers(known.name, each.name) for known in above):
            what = f"the organisation does not let `{each.name}` be called"
            hint = "what it lets be called stays so; name that, or a part of it"
            yield case.say("MODEL-NOT-ALLOWED", "warning", f"models[{at}]", what, hint)


def _nearest(name: str, models: tuple[Model, ...]) -> str:
    known = [each.name for each in models]
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else f"known here: {', '.join(known)}"


def _shadowed(case: Case) -> Iterator[Finding]:
    """The first entry that means a model counts, so one behind a wider one never does."""
    models = case.draft.models[:200]
    for at, each in enumerate(models):
        wider = next((before for before in models[:at] if name_covers(before.name, each.name)), None)
        if wider is not None and wider.name != each.name:
            what = f"`{wider.name}` stands before `{each.name}` and means it too, so this entry never counts"
            yield case.say("MODEL-SHADOWED", "warning", f"models[{at}]", what, "put the narrower one first")

"""Decisions in plain words: what was met, and what may be done instead."""

from collections.abc import Iterable

from remit.contract import condition as written
from remit.contract.condition import Condition, Scalar
from remit.contract.rule import Rule, Verb

DONE: dict[Verb, str] = {
    "read": "be read", "write": "be written", "delete": "be deleted", "run": "be run", "fetch": "be reached", "call": "be called",
    "publish": "be published", "delegate": "be handed work", "commit": "be committed to", "push": "be pushed",
    "branch": "be made, moved or removed as a branch", "tag": "be made, moved or removed as a tag",
}  # fmt: skip
DO: dict[Verb, str] = {
    "read": "read", "write": "write", "delete": "delete", "run": "run", "fetch": "reach", "call": "call", "publish": "publish",
    "delegate": "hand work to", "commit": "commit to", "branch": "make, move or remove branch", "tag": "make, move or remove tag",
    "push": "push",
}  # fmt: skip
SHOWN = 6


def shown_rule(rule: Rule) -> str:
    """The rule as a sentence would put it: `may write docs/**, CHANGELOG.md`."""
    return f"{rule.effect} {DO[rule.verb]} {', '.join(rule.objects)}"


def refused(name: str, rule: Rule) -> str:
    """Why a `never` refuses: the object, the verb, and the contract's own because."""
    why = f"`{short(name)}` must never {DONE[rule.verb]}"
    conditions = "" if not rule.where else " when " + shown_where(rule)
    return f"{why}{conditions}: {rule.because}" if rule.because else why + conditions


def asked(name: str, rule: Rule, who: str) -> str:
    """Why an `ask` asks."""
    yes = f"{who} says yes" if rule.quorum <= 1 else f"{rule.quorum} different people say yes for {who}"
    why = f"`{short(name)}` may only {DONE[rule.verb]} when {yes}"
    return f"{why}: {rule.because}" if rule.because else why


def uncovered(verb: Verb, name: str) -> str:
    """Nothing covers it."""
    return f"no rule lets `{short(name)}` {DONE[verb]}"


def instead(verb: Verb, rules: Iterable[Rule]) -> str:
    """What the `may` of this verb do cover, empty when there are none."""
    objects = list(dict.fromkeys(text for rule in rules if rule.effect == "may" for text in rule.objects))
    if not objects:
        return ""
    more = f" and {len(objects) - SHOWN} more" if len(objects) > SHOWN else ""
    return f"you may {DO[verb]} {', '.join(objects[:SHOWN])}{more}"


def shown_where(rule: Rule) -> str:
    """The conditions of a rule in words."""
    return ", ".join(f"`{where.argument}` is {shown(where.condition)}" for where in rule.where)


def shown(condition: Condition) -> str:
    """One condition in words."""
    match condition:
        case written.Anything():
            return "anything"
        case written.Equals(value=value):
            return _scalar(value)
        case written.OneOf(values=values):
            return "one of " + ", ".join(map(_scalar, values))
        case written.Range(low=low, high=high, over=over):
            return f"{'over' if over else 'from'} {low} to {high}"
        case written.SubsetOf(values=values):
            return "a list of " + ", ".join(map(_scalar, values))
        case written.Contains(text=text):
            return f"something with `{text}` in it"
        case written.Prefix(text=text):
            return f"a text that begins with `{text}`"
        case written.Glob(pattern=pattern) | written.Regex(pattern=pattern) | written.Host(pattern=pattern):
            return f"`{pattern}`"
        case written.Url(prefix=prefix):
            return f"below {prefix}"
        case written.Length(low=low, high=high):
            return f"{low} to {high} long"
        case written.Empty():
            return "empty"
        case written.Known(register=register):
            return f"among the known {register}"
        case written.Created():
            return "created in this run"
        case written.Not(condition=inner):
            return f"not {shown(inner)}"


def short(text: str) -> str:
    """A text that came from an agent, cut and without characters a terminal acts on."""
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in text[:160]) + ("…" if len(text) > 160 else "")


# ---------------------------------------------------------------------------------------------------------------------


def _scalar(scalar: Scalar) -> str:
    return f"`{scalar.text}`" if scalar.type == "text" else scalar.text

"""Rules that do not do what they say, or say what is said already."""

import re
from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.condition import Anything, Equals
from remit.contract.contract import Finding
from remit.contract.glob import covers
from remit.contract.overlap import overlap
from remit.contract.rule import GIT_VERBS, PATH_VERBS, Rule

_MONEY = re.compile(r"amount|total|price|cost|payment|fee|money|refund", re.IGNORECASE)
_CURRENCY = re.compile(r"(?:^|_)(?:usd|eur|gbp|chf|jpy|cents)(?:$|_)", re.IGNORECASE)
_INTERPRETERS = frozenset({"python", "python3", "sh", "bash", "node", "ruby", "perl", "deno", "bun", "php", "Rscript"})
_PROGRAM = re.compile(r".+\.(?:py|sh|bash|js|mjs|cjs|ts|rb|pl|php|lua|R|jl)")


def rule_findings(case: Case) -> Iterator[Finding]:
    """Everything about the boundary."""
    for rule in (*case.draft.rules, *case.late):
        yield from _enforceable(case, rule)
    for rule in case.draft.rules:
        if case.exhausted:
            break
        if rule.effect == "never":
            yield from _redundant(case, rule)
        else:
            yield from _dead(case, rule)
    for rule in (*case.draft.rules, *case.late):
        if rule.effect == "may":
            yield from _ungated(case, rule)
        if rule.verb == "run":
            yield from _no_wildcard(case, rule)
        if rule.verb == "read" and rule.effect == "ask":
            what = "what may only be read after asking is not in the box, so a yes opens nothing there"
            yield case.of_rule("ASK-TO-READ", "warning", rule, what, "let it be read, or have a tool read it: `ask: - call: …`")
    yield from _history(case)
    yield from _trusted(case)
    yield from _currency(case)
    if case.exhausted:
        what = "the rules are too many or too long to be compared with one another"
        yield case.say("TOO-MUCH-TO-COMPARE", "error", "", what, "fewer and shorter rules say the same")


def _no_wildcard(case: Case, rule: Rule) -> Iterator[Finding]:
    """`**` is of paths; in a command it would be a word that nobody types, and the rule would mean nothing."""
    for command in rule.objects:
        if "**" in command.split():
            what = f"`**` is no wildcard of commands, so `{command}` means nothing anybody types"
            mended = " ".join("..." if word == "**" else word for word in command.split())
            yield case.of_rule("COMMAND-WILDCARD", "error", rule, what, f"write `{mended}` for any number of further words")


def touches(case: Case, one: Rule, other: Rule) -> bool:
    """Whether two rules of one verb may be about the same thing; a no is certain, a yes is cautious."""
    pairs = ((left, right) for left in one.objects for right in other.objects)
    return one.verb == other.verb and any(not case.affords(*pair) or _may_meet(one, *pair) for pair in pairs)


def covered_by(case: Case, rules: tuple[Rule, ...], verb: str, path: str) -> bool:
    """Whether one of these rules covers every path that a pattern means; no, when that is too long to find out."""
    return not case.exhausted and any(
        rule.verb == verb and any(case.affords(pattern, path) and covers(pattern, path) for pattern in rule.objects)
        for rule in rules
    )


def _may_meet(rule: Rule, left: str, right: str) -> bool:
    if rule.verb in PATH_VERBS:
        return overlap(left, right)
    if rule.verb == "run":
        return left.split()[0].rpartition("/")[2] == right.split()[0].rpartition("/")[2]
    if "any" in (left, right) or left == right:
        return True
    if rule.verb == "fetch":
        return left.startswith(right) or right.startswith(left) or "*" in left + right
    return ("*" in left or "*" in right) and overlap(left, right)


def _enforceable(case: Case, rule: Rule) -> Iterator[Finding]:
    if rule.verb not in case.setting.enforces:
        what = f"nothing here can enforce a rule about `{rule.verb}`"
        yield case.of_rule("NOT-ENFORCEABLE", "error", rule, what, "take the rule out, or use a runtime that can")


def _history(case: Case) -> Iterator[Finding]:
    """What is hidden in the workspace may still be read from the objects of its history, once git works at all."""
    speaks_git = next((rule for rule in case.draft.rules if rule.verb in GIT_VERBS and rule.effect != "never"), None)
    reads_all = any(rule.verb == "read" and rule.effect == "may" and "**" in rule.objects for rule in case.draft.rules)
    if speaks_git is not None and not reads_all:
        what = "only a part may be read, but with git at hand the agent can read every path from the history"
        yield case.of_rule(
            "HISTORY-READABLE", "warning", speaks_git, what, "leave out the rules about git, or let everything be read"
        )


def _redundant(case: Case, rule: Rule) -> Iterator[Finding]:
    """T4: a second fence behind a first is kept, and said."""
    if not any(touches(case, rule, other) for other in case.granting):
        what = f"`{rule.verb} {rule.objects[0]}` is outside of everything allowed already"
        yield case.of_rule("REDUNDANT", "note", rule, what, "it stays, as a second fence")


def _dead(case: Case, rule: Rule) -> Iterator[Finding]:
    """An allowance that a `never` takes back entirely."""
    for fence in (fence for fence in case.fences if fence.verb == rule.verb):
        if all(
            any(case.affords(outer, inner) and _wider(rule, outer, inner) for outer in fence.objects) for inner in rule.objects
        ):
            what = f"rule `{fence.id}` refuses everything this one would cover"
            yield case.of_rule("DEAD-RULE", "error", rule, what, "take one of the two out")
            return


def _wider(rule: Rule, outer: str, inner: str) -> bool:
    return (
        outer == inner or (rule.verb in PATH_VERBS and covers(outer, inner)) or (rule.verb not in PATH_VERBS and outer == "any")
    )


def _ungated(case: Case, rule: Rule) -> Iterator[Finding]:
    """What cannot be undone, allowed without a person."""
    hint = "move it below `ask:`, so that a person releases it"
    tools = {tool.name: tool for tool in (*(case.organisation.tools if case.organisation else ()), *case.draft.tools)}
    for name in rule.objects:
        wide = name == "any" or "*" in name
        tool = tools.get(name)
        if rule.verb in ("push", "publish"):
            severity: str = "error" if wide else "warning"
            what = f"`{rule.verb} {name}` cannot be undone and is allowed without asking"
            yield case.of_rule("UNGATED", "error" if severity == "error" else "warning", rule, what, hint)
        elif rule.verb == "call" and tool and tool.tier == "human-approved":
            what = f"`{name}` needs a person each time, and is allowed without asking"
            yield case.of_rule("UNGATED", "error", rule, what, hint)
        elif rule.verb == "call" and tool and tool.tier == "high-risk" and _unbound(rule):
            yield case.of_rule(
                "UNBOUNDED",
                "warning",
                rule,
                f"`{name}` is high-risk, and no argument of it is bounded",
                "narrow it with `where:`",
            )
        elif rule.verb in ("run", "fetch") and name in ("any", "*", "..."):
            yield case.of_rule("UNGATED", "error", rule, f"`{rule.verb} {name}` allows everything", "name what is needed")
        elif rule.verb in ("write", "delete") and name in ("**", "**/*"):
            yield case.of_rule(
                "WIDE", "warning", rule, f"`{rule.verb} {name}` is the whole workspace", "name the files that are meant"
            )


def _unbound(rule: Rule) -> bool:
    return all(isinstance(where.condition, Anything) for where in rule.where)


def _trusted(case: Case) -> Iterator[Finding]:
    """A run must not be able to rewrite what judges it."""
    writing = [rule for rule in case.granting if rule.verb in ("write", "delete")]
    for check in case.programs:
        guarded = [(path, True) for path in check.trusted]
        guarded += [(word.removeprefix("./"), judging) for word, judging in _files(check.argv)]
        for path, judging in guarded:
            if case.exhausted:
                return
            rule = next(
                (
                    rule
                    for rule in writing
                    if any(case.affords(pattern, path) and overlap(pattern, path) for pattern in rule.objects)
                ),
                None,
            )
            if rule is None:
                continue
            what = f"rule `{rule.id}` lets the run change `{path}`, which decides about its success"
            if judging:
                yield case.of_check("TRUSTED-WRITABLE", "error", check.id, what, "keep what judges out of what may be written")
            else:
                what = f"`{path}` stands in the command, so it is judged as before the run, and rule `{rule.id}` lets it change"
                yield case.of_check("JUDGED-AS-BEFORE", "warning", check.id, what, "let the program find the file by itself")


def _files(argv: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Words of a command that look like files, and whether they are programs."""
    for at, word in enumerate(argv):
        if word.startswith(("-", "/", "$")) or ("/" not in word and "." not in word):
            continue
        program = at == 0 or bool(_PROGRAM.fullmatch(word)) or (at == 1 and argv[0].rpartition("/")[2] in _INTERPRETERS)
        yield word, program


def _currency(case: Case) -> Iterator[Finding]:
    for at, total in enumerate(case.draft.limits.sums):
        tool, _, argument = total.of.rpartition(".")
        rules = [rule for rule in case.granting if rule.verb == "call" and ({tool, "any"} & set(rule.objects))]
        if not rules:
            yield case.say(
                "SUM-UNUSED",
                "warning",
                f"limits.sums[{at}]",
                f"no rule allows `{tool}`, so this sum never grows",
                "check the name",
            )
        if not _MONEY.search(argument) or _CURRENCY.search(argument):
            continue
        for rule in rules:
            if not any(where.argument == "currency" and isinstance(where.condition, Equals) for where in rule.where):
                severity = "error" if rule.effect == "may" else "warning"
                what = f"the sum of `{total.of}` would add up different currencies, because this rule does not pin one"
                hint = "add `currency: EUR` to its `where`"
                yield case.of_rule("SUM-CURRENCY", "error" if severity == "error" else "warning", rule, what, hint)

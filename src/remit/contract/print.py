"""A contract as the canonical text that reads back to an equal contract."""

import json
import re
from collections.abc import Mapping
from typing import Any

from remit.contract.amounts import micro_text, size_text, thousands_text, time_text
from remit.contract.contract import Contract
from remit.contract.deliverable import PASS, Content, Deliverable, DeliverablesCheck, ObservedCheck
from remit.contract.limits import Count, Limits, Pace, Sum
from remit.contract.models import Model, ModelPrice
from remit.contract.nodes import kind_of
from remit.contract.outcome import Check, DataCheck, Escalation, FileCheck, Recovery, RunCheck, TreeCheck
from remit.contract.party import Tool
from remit.contract.print_condition import Plain, condition_tree
from remit.contract.rule import PATH_VERBS, Example, Rule
from remit.contract.text import HIDDEN

_BARE = re.compile(r"[A-Za-z0-9_./^-](?:[A-Za-z0-9_./@+*^=-]| (?=[A-Za-z0-9]))*", re.ASCII)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_FLOWING = frozenset({"where", "limits", "examples", "arguments", "run", "runtime", "headers", "price"})


def print_contract(contract: Contract) -> str:
    """YAML with the keys in their usual order; rules are grouped by effect in the order the effects first appear."""
    tree: dict[str, Any] = {"goal": contract.goal, "owner": contract.owner, "acts for": contract.principal}
    for effect in dict.fromkeys(rule.effect for rule in contract.rules):
        group = [rule for rule in contract.rules if rule.effect == effect]
        tree[effect] = [rule_tree(rule, f"{effect}-{rule.verb}-{number}") for number, rule in enumerate(group, 1)]
    tree |= {
        "limits": limits_tree(contract.limits),
        "success": [check_tree(check, number) for number, check in enumerate(contract.success, 1)],
        "recovery": [_rung(rung, number) for number, rung in enumerate(contract.recovery, 1)],
        "escalation": [_escalation(entry) for entry in contract.escalation],
        "tools": {tool.name: tool_tree(tool) for tool in contract.tools},
        "runtime": list(contract.runtime),
        "model": contract.model,
        "models": models_tree(contract.models),
        "history": None if contract.history == "none" else contract.history,
        "containment": None if contract.containment == "L3" else contract.containment,
        "publish": None if contract.publish == "auto" else contract.publish,
        "environment": list(contract.environment),
        "unenforced": list(contract.unenforced),
    }
    kept = {key: value for key, value in tree.items() if key == "limits" or value not in (None, "", [], {})}
    return "".join(f"{line}\n" for line in block(kept))


def quoted(text: str) -> str:
    """A text as YAML, in quotes wherever it could be taken for anything else."""
    if _BARE.fullmatch(text) and kind_of(text) == "text" and text not in ("any", "empty", "-", "---", "..."):
        return text if not text.startswith(("- ", "-")) else f'"{text}"'
    return '"' + "".join(_ESCAPES.get(letter) or _visible(letter) for letter in text) + '"'


def _visible(letter: str) -> str:
    if letter.isprintable() and not HIDDEN.match(letter):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def block(tree: Mapping[str, Any], indent: str = "") -> list[str]:
    """A tree as lines of YAML."""
    lines: list[str] = []
    for key, value in tree.items():
        if key not in _FLOWING and isinstance(value, dict) and value:
            lines += [f"{indent}{quoted(key)}:", *block(value, indent + "  ")]
        elif key not in _FLOWING and isinstance(value, list) and any(isinstance(item, dict) for item in value):
            lines.append(f"{indent}{quoted(key)}:")
            for item in value:
                first, *rest = block(item, indent + "    ") if isinstance(item, dict) else [_flow(item)]
                lines += [f"{indent}  - {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}{quoted(key)}: {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    match value:
        case Plain():
            return value.text
        case str():
            return quoted(value)
        case dict():
            return "{" + ", ".join(f"{quoted(key)}: {_flow(item)}" for key, item in value.items()) + "}"
        case _:
            return "[" + ", ".join(_flow(item) for item in value) + "]"


def some(tree: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {key: value for key, value in tree.items() if value not in (None, "", [], {})}


def _one_or_more(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def number(value: int | None) -> Plain | None:
    """A whole number, bare."""
    return None if value is None else Plain(text=str(value))


def rule_tree(rule: Rule, usual: str) -> dict[str, Any]:
    """A rule as a file writes it; its id is left out where it is the `usual` one."""
    objects = tuple("./any" if rule.verb in PATH_VERBS and text == "any" else text for text in rule.objects)
    examples = {"match": [_example(one, rule) for one in rule.match], "no match": [_example(one, rule) for one in rule.no_match]}
    return some(
        {
            rule.verb: Plain(text="any") if objects == ("any",) else _one_or_more(objects),
            "where": {where.argument: condition_tree(where.condition) for where in rule.where},
            "times": number(rule.times),
            "who": rule.who,
            "quorum": number(rule.quorum) if rule.quorum != 1 else None,
            "because": rule.because,
            "id": rule.id if rule.id != usual else None,
            "examples": some(examples),
        }
    )


def _example(example: Example, rule: Rule) -> Any:
    if example.arguments == "{}":
        return example.object
    arguments = json.loads(example.arguments, parse_int=_plain, parse_float=_plain)
    return {rule.verb: example.object, "with": _json_tree(arguments)}


def _plain(text: str) -> Plain:
    return Plain(text=text)


def _json_tree(value: Any) -> Any:
    match value:
        case None | bool():
            return Plain(text=json.dumps(value))
        case dict():
            return {key: _json_tree(item) for key, item in value.items()}
        case list():
            return [_json_tree(item) for item in value]
        case _:
            return value


def limits_tree(limits: Limits) -> dict[str, Any]:
    """Limits as a file writes them."""

    def written(value: int | None, say: Any) -> Plain | None:
        return None if value is None else Plain(text=say(value))

    return some(
        {
            "turns": number(limits.turns),
            "calls": number(limits.calls),
            "time": written(limits.time, time_text),
            "usd": written(limits.usd, micro_text),
            "tokens": written(limits.tokens, thousands_text),
            "memory": written(limits.memory, size_text),
            "disk": written(limits.disk, size_text),
            "file": written(limits.file, size_text),
            "processes": number(limits.processes),
            "output": written(limits.output, size_text),
            "sums": [_window({"sum": total.of, "to": Plain(text=total.to)}, total) for total in limits.sums],
            "counts": [_window({"count": count.of, "to": number(count.to)}, count) for count in limits.counts],
            "pace": _pace(limits.pace) if limits.pace else None,
        }
    )


def _pace(pace: Pace) -> dict[str, Any]:
    usd = None if pace.usd is None else Plain(text=micro_text(pace.usd))
    tokens = None if pace.tokens is None else Plain(text=thousands_text(pace.tokens))
    return some({"usd": usd, "tokens": tokens, "within": Plain(text=time_text(pace.within))})


def models_tree(models: tuple[Model, ...]) -> list[Any]:
    """Models as a file writes them: a name alone, or with its price and the longest answer."""
    return [each.name if each == Model(name=each.name) else _model(each) for each in models]


def _model(model: Model) -> dict[str, Any]:
    output = None if model.output is None else Plain(text=thousands_text(model.output))
    return some({"model": model.name, "price": _price(model.price) if model.price else None, "output": output})


def _price(price: ModelPrice) -> Any:
    if price == ModelPrice():
        return Plain(text="none")
    amounts = {"input": price.input, "output": price.output, "cached": price.cached}
    return {name: Plain(text=amount) for name, amount in amounts.items() if amount is not None}


def _window(tree: dict[str, Any], window: Sum | Count) -> dict[str, Any]:
    within = None if window.within is None else Plain(text=time_text(window.within))
    scope = None if window.scope == "organisation" else window.scope
    return some({**tree, "per": window.per, "within": within, "then": window.then, "scope": scope})


def check_tree(check: Check, number: int) -> dict[str, Any]:
    name = {"id": check.id if check.id != f"check-{number}" else None}
    match check:
        case RunCheck():
            time = None if check.time == 300 else Plain(text=time_text(check.time))
            return some(
                {**name, "run": list(check.argv), "trusted": list(check.trusted), "fails on": check.fails_on, "time": time}
            )
        case FileCheck():
            exists = None if check.exists is None else Plain(text=str(check.exists).lower())
            unchanged = Plain(text="true") if check.unchanged else None
            return some({**name, "file": check.file, "exists": exists, "matches": check.matches, "unchanged": unchanged})
        case DataCheck():
            equals = {} if check.equals is None else {"equals": check.equals}
            return {**some({**name, check.format: check.file, "at": check.at, "matches": check.matches}), **equals}
        case TreeCheck():
            return some({**name, "tree": "unchanged", "outside": list(check.outside)})
        case DeliverablesCheck():
            least = None if check.at_least == PASS else Plain(text=str(check.at_least))
            quality = Plain(text="true") if check.quality else None
            owed = [deliverable_tree(each) for each in check.deliverables]
            return some({**name, "deliverables": owed, "at least": least, "quality": quality, "empty": list(check.empty)})
        case ObservedCheck():
            words = (("ended", "well", check.ended_well), ("steps", "all", check.steps), ("reported", "well", check.reported))
            said = {key: word for key, word, asked in words if asked}
            return some({**name, "invoked": _one_or_more(check.invoked) if check.invoked else None, **said})


def deliverable_tree(owed: Deliverable) -> dict[str, Any]:
    """A deliverable as a file writes it."""
    return some(
        {
            "name": owed.name,
            "by": owed.by,
            "files": list(owed.files),
            "either": [list(group) for group in owed.either],
            "contains": [_content(each) for each in owed.contains],
        }
    )


def _content(content: Content) -> dict[str, Any]:
    return {"pattern": content.pattern, "in": content.place}


def _rung(rung: Recovery, number: int) -> dict[str, Any]:
    may = [rule_tree(rule, f"recovery-{number}-{rule.verb}-{at}") for at, rule in enumerate(rung.may, 1)]
    do = f"retry {rung.times}" if rung.do == "retry" and rung.times > 1 else rung.do
    return some({"when": rung.when, "may": may, "do": do, "listed in": rung.listed_in, "to": rung.to})


def _escalation(entry: Escalation) -> dict[str, Any]:
    times = {
        name: None if value is None else Plain(text=time_text(value))
        for name, value in (("within", entry.within), ("remind", entry.remind))
    }
    tree = {"for": entry.about, "page": entry.page, **times, "then": list(entry.then), "attach": list(entry.attach)}
    return some({**tree, "otherwise": entry.otherwise if entry.otherwise != "refuse" else None})


def tool_tree(tool: Tool) -> dict[str, Any]:
    """A declared tool as a file writes it, without what it does."""
    arguments: dict[str, Any] = {}
    for argument in tool.arguments:
        given = {"required": argument.required, "inert": argument.inert, "irreversible": argument.irreversible}
        marks = {name: Plain(text="true") for name, said in given.items() if said}
        kind = Plain(text="any") if argument.type == "any" else argument.type
        arguments[argument.name] = {"type": kind, **marks} if marks else kind
    return some({"tier": tool.tier, "effect": tool.effect, "arguments": arguments})

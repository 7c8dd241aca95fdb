"""The contract file as JSON Schema (2020-12), so that editors complete it and mark what is mistyped."""

from typing import Any

from remit.contract.contract import LEVELS
from remit.contract.models import RUNTIMES
from remit.contract.parse_outcome import CONDITIONS, REMEDIES
from remit.contract.parse_party import EFFECTS, TYPES
from remit.contract.party import TIERS
from remit.contract.rule import PATH_VERBS, VERBS

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def contract_schema() -> Schema:
    """For `# yaml-language-server: $schema=` and every other editor; `remit check` says far more."""
    return {
        "$schema": DRAFT,
        "title": "remit contract",
        "description": "An outcome with an owner, a boundary and a way back.",
        **_keys(_top(), required=("goal", "owner", "limits", "success", "recovery")),
        "anyOf": [{"required": [effect]} for effect in ("may", "ask")],
        "$defs": _definitions(),
    }


def _top() -> Schema:
    rules = {"type": "array", "items": {"$ref": "#/$defs/rule"}}
    return {
        "goal": _text("The outcome: what is to be true afterwards. Not the steps."),
        "owner": _text("The one person who answers for the outcome; an agent can never be one."),
        "acts for": _text("Whom the agent acts for; SOUL.md beside a TASK.md says it too."),
        "principal": _text("The same as `acts for`."),
        "may": {**rules, "description": "What is allowed. Whatever no rule covers is refused."},
        "ask": {**rules, "description": "What waits for a person: never, unless approved."},
        "never": {**rules, "description": "What is refused, whatever else allows it."},
        "limits": {"$ref": "#/$defs/limits"},
        "success": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/check"}, "description": "Checks a machine runs."},
        "recovery": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rung"}, "description": "First match."},
        "escalation": {"type": "array", "items": {"$ref": "#/$defs/escalation"}, "description": "Who is paged about what."},
        "tools": {"type": "object", "additionalProperties": {"$ref": "#/$defs/tool"}, "description": "Tools that can be called."},
        "runtime": {"$ref": "#/$defs/command", "description": f"Who does the work: {', '.join(RUNTIMES)}, or a command."},
        "model": {"$ref": "#/$defs/model", "not": {"pattern": "[*]"}, "description": "The model to use."},
        "models": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/allowed"}, "description": "Those allowed."},
        "history": {"enum": ["none", "keep"], "description": "`keep`: an attempt reads the conversation of the one before."},
        "containment": {"enum": list(LEVELS), "description": "The containment that is needed; L3 unless written."},
        "publish": {"enum": ["auto", "ask"], "description": "`ask`: changes wait for a person even after success."},
        "environment": {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z_]"}},
        "unenforced": {**_texts(), "description": "Prose that no rule binds yet; a contract with any cannot run."},
    }  # fmt: skip


def _definitions() -> Schema:
    seconds = {
        "type": "string",
        "pattern": r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
        "minLength": 2,
        "description": "`90s`, `30m`, `1h30m`, `2d`",
    }
    return {
        "scalar": {"type": ["string", "number", "boolean", "null"]},
        "decimal": {"type": ["number", "string"]},
        "command": {"oneOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/scalar"}}]},
        "time": seconds,
        "paths": _texts(),
        "rule": _rule(),
        "condition": _condition(),
        "example": {"oneOf": [{"$ref": "#/$defs/scalar"}, {"type": "array"}, {"type": "object"}]},
        "limits": _limits(),
        "check": _check(),
        "rung": _rung(),
        "escalation": _escalation(),
        "tool": _tool(),
        "model": {"type": ["string", "number"], "pattern": "^[A-Za-z0-9*][A-Za-z0-9._:/@+*-]*$"},
        "allowed": _allowed_model(),
    }  # fmt: skip


def _escalation() -> Schema:
    keys: Schema = {
        "for": _text("The tool or verb."),
        "page": _text("The person, or role."),
        "within": {"$ref": "#/$defs/time"},
        "remind": {"$ref": "#/$defs/time"},
        "then": {**_texts(), "description": "Who is next, each with as long as `within`."},
        "attach": {**_texts(), "description": "Arguments without which the question is not sent."},
        "otherwise": {"enum": ["refuse", "stop"]},
    }
    return {**_keys(keys, required=("for", "page")), "dependentRequired": {"then": ["within"]}}


def _rule() -> Schema:
    verbs: Schema = {}
    for verb in VERBS:
        what = "a path, or a list of them" if verb in PATH_VERBS else "a name, or a list of them; `any` for all"
        verbs[verb] = {"oneOf": [{"$ref": "#/$defs/scalar"}, {"type": "array", "minItems": 1}], "description": f"{verb}: {what}"}
    options: Schema = {
        "where": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/condition"},
            "description": "Arguments; `may` is closed.",
        },
        "times": {"type": "integer", "minimum": 1, "description": "At most so often in a run."},
        "because": _text("Why; shown with every refusal."),
        "id": _text("What reasons call this rule."),
        "who": _text("Whom an `ask` asks: a person, a role, or `owner`."),
        "quorum": {"type": "integer", "minimum": 1, "description": "How many different people of `who` must say yes."},
        "examples": _keys({name: {"type": "array", "items": {"$ref": "#/$defs/example"}} for name in ("match", "no match")}),
    }
    return {
        **_keys({**verbs, **options}),
        "oneOf": [{"required": [verb]} for verb in VERBS],
        "dependentRequired": {"quorum": ["who"]},
    }


def _condition() -> Schema:
    decimal, scalars = {"$ref": "#/$defs/decimal"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/scalar"}}
    whole = {"type": "integer", "minimum": 0}
    forms: list[Schema] = [
        _keys({"from": decimal, "to": decimal}, required=("from", "to")),
        _keys({"over": decimal, "to": decimal}, required=("over", "to")),
        _keys({"subset of": scalars}, required=("subset of",)),
        _keys({"length": _keys({"from": whole, "to": whole}, required=("from", "to"))}, required=("length",)),
        _keys({"not": {"$ref": "#/$defs/condition"}}, required=("not",)),
        _keys({"created": {"const": "this run"}}, required=("created",)),
    ]
    forms += [
        _keys({name: {"$ref": "#/$defs/scalar"}}, required=(name,))
        for name in ("contains", "prefix", "glob", "regex", "host", "url", "known")
    ]
    return {
        "oneOf": [{"$ref": "#/$defs/scalar"}, scalars, *forms],
        "description": "`any`, a value, a list, a range, or one form.",
    }


def _limits() -> Schema:
    whole = {"type": "integer", "minimum": 1}
    amount = {"type": ["string", "number"]}
    window: Schema = {
        "per": _text("An argument to add up by."),
        "within": {"$ref": "#/$defs/time"},
        "then": {"enum": ["refuse", "ask"]},
        "scope": {"enum": ["organisation", "run"]},
    }
    sums = _keys({"sum": _text("TOOL.ARGUMENT"), "to": {"$ref": "#/$defs/decimal"}, **window}, required=("sum", "to"))
    counts = _keys(
        {"count": _text("A tool or a verb."), "to": {"type": "integer", "minimum": 0}, **window}, required=("count", "to")
    )
    pace = _keys({"usd": amount, "tokens": amount, "within": {"$ref": "#/$defs/time"}}, required=("within",))
    return {
        **_keys(
            {
                **dict.fromkeys(("turns", "calls", "processes"), whole),
                **dict.fromkeys(("tokens", "usd", "memory", "disk", "file", "output"), amount),
                "time": {"$ref": "#/$defs/time"},
                "sums": {"type": "array", "items": sums},
                "counts": {"type": "array", "items": counts},
                "pace": {**pace, "anyOf": [{"required": ["usd"]}, {"required": ["tokens"]}], "description": "Faster is stuck."},
            },
            required=("time",),
        ),
        "anyOf": [{"required": ["turns"]}, {"required": ["calls"]}],
        "description": "How far it may go: time, and turns or calls, always.",
    }


def _allowed_model() -> Schema:
    dollars = {"type": ["number", "string"], "minimum": 0, "description": "Dollars for a million tokens."}
    price = _keys(dict.fromkeys(("input", "output", "cached"), dollars), required=("input", "output"))
    keys: Schema = {
        "model": {"$ref": "#/$defs/model", "description": "Its name; `*` stands for any letters."},
        "price": {"oneOf": [{"const": "none"}, price], "description": "`none`: a subscription or a local model."},
        "output": {"type": ["string", "integer"], "description": "The most tokens of one answer: `8k`."},
    }
    return {"oneOf": [{"$ref": "#/$defs/model"}, _keys(keys, required=("model",))]}


def _check() -> Schema:
    name, scalar = {"id": _text("What recovery calls this check.")}, {"$ref": "#/$defs/scalar"}
    data: Schema = {"at": _text("`$.version`"), "equals": scalar, "matches": _text("A pattern.")}
    run: Schema = {
        "run": {"$ref": "#/$defs/command"},
        "trusted": {"$ref": "#/$defs/paths"},
        "fails on": _text("`base` or a fixture."),
        "time": {"$ref": "#/$defs/time"},
    }
    file: Schema = {
        "file": _text("A path."),
        "exists": {"type": "boolean"},
        "matches": _text("A pattern."),
        "unchanged": {"type": "boolean"},
    }
    observed: Schema = {
        "invoked": {**_texts(), "description": "Skills whose text was asked for and given."},
        "ended": {"const": "well", "description": "The program of the last attempt ended with status 0."},
        "steps": {"const": "all", "description": "Every step of the chain is complete, or left out by consent."},
        "reported": {"const": "well", "description": "The runtime ended with words of its own."},
    }
    return {
        "oneOf": [
            _keys({**name, **run}, required=("run",)),
            {
                **_keys({**name, **file}, required=("file",)),
                "anyOf": [{"required": [key]} for key in ("exists", "matches", "unchanged")],
            },
            *(_keys({**name, form: _text("A path."), **data}, required=(form, "at")) for form in ("json", "yaml")),
            _keys({**name, "tree": {"const": "unchanged"}, "outside": {"$ref": "#/$defs/paths"}}, required=("tree",)),
            _deliverables(name),
            {**_keys({**name, **observed}), "anyOf": [{"required": [key]} for key in observed]},
        ]
    }


def _deliverables(name: Schema) -> Schema:
    content = _keys({"pattern": _text("A pattern."), "in": _text("A file, a folder/ or a glob.")}, required=("pattern", "in"))
    choice = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/scalar"}}
    one: Schema = {
        "name": _text("What a gap is called."),
        "by": _text("The skill or step that owes it."),
        "files": {**_texts(), "description": "Paths, folders/ that are not empty, globs: all of them."},
        "either": {"type": "array", "items": choice, "description": "Of each group, one is enough."},
        "contains": {"type": "array", "items": content, "description": "What must stand in them."},
    }
    owed = {**_keys(one, required=("name",)), "anyOf": [{"required": [key]} for key in ("files", "either", "contains")]}
    keys: Schema = {
        "deliverables": {"type": "array", "minItems": 1, "items": owed, "description": "What the work must leave behind."},
        "at least": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Per cent of them; 90 unless said."},
        "quality": {"type": "boolean", "description": "The languages' own tools must find no error."},
        "empty": {**_texts(), "description": "Folders that may be empty."},
    }
    return _keys({**name, **keys}, required=("deliverables",))


def _rung() -> Schema:
    when = {"anyOf": [{"enum": list(CONDITIONS)}, {"type": "string", "pattern": ".+ fails$"}]}
    do = {"anyOf": [{"enum": list(REMEDIES)}, {"type": "string", "pattern": "^retry [1-9][0-9]?$"}]}
    may = {"type": "array", "items": {"$ref": "#/$defs/rule"}, "description": "Rules that exist only once this holds."}
    return _keys(
        {"when": when, "may": may, "do": do, "listed in": _text("The file of exceptions."), "to": _text("A person.")},
        required=("when", "do"),
    )


def _tool() -> Schema:
    kind = {"enum": list(TYPES)}
    full = _keys(
        {"type": kind, "required": {"type": "boolean"}, "inert": {"type": "boolean"}, "irreversible": {"type": "boolean"}}
    )
    return _keys(
        {
            "tier": {"enum": list(TIERS)},
            "effect": {"enum": list(EFFECTS)},
            "arguments": {"type": "object", "additionalProperties": {"oneOf": [kind, full]}},
        }
    )


def _keys(properties: Schema, *, required: tuple[str, ...] = ()) -> Schema:
    closed: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": list(required)} if required else closed


def _text(description: str) -> Schema:
    return {"type": ["string", "number", "boolean"], "description": description}


def _texts() -> Schema:
    return {"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/scalar"}}]}

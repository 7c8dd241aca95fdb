"""Rules: `verb: object` with what narrows it, and the ids that reasons name."""

import unicodedata
from typing import cast

from remit.contract.argv import join, split
from remit.contract.nodes import Leaf, Node, Sequence, Table
from remit.contract.parse_condition import parse_condition, plain_host, plain_url
from remit.contract.parse_json import json_text
from remit.contract.reading import Reading, inside, said
from remit.contract.rule import PATH_VERBS, VERBS, Effect, Example, Rule, Verb, Where

OPTIONS = ("where", "times", "because", "id", "who", "quorum", "examples")
LONGEST_OBJECT = 1000


def parse_rules(reading: Reading, node: Node, where: str, effect: Effect, *, prefix: str | None = None) -> tuple[Rule, ...]:
    """A list of rules of one effect. Ids not written are `PREFIX-VERB-N`, the prefix being the effect unless given."""
    rules = (
        parse_rule(reading, item, path, effect, prefix or effect, number)
        for number, (item, path) in enumerate(reading.items(node, where), 1)
    )
    return tuple(rule for rule in rules if rule)


def parse_rule(reading: Reading, node: Node, where: str, effect: Effect, prefix: str, number: int) -> Rule | None:
    """One rule, or None with what is wrong noted."""
    if not isinstance(node, Table):
        hint = f"write a verb and its object, such as `write: docs/**`; verbs: {', '.join(VERBS)}"
        reading.wrong(node, where, f"{said(node)} is not a rule", code="NOT-A-RULE", hint=hint)
        return None
    table = reading.table(node, where, (*VERBS, *OPTIONS))
    assert table is not None
    verbs = [(key, value) for key, value in table.pairs if key.text in VERBS]
    if len(verbs) != 1:
        if len(table.pairs) == len(node.pairs):
            what = f"{len(verbs)} verbs in one rule" if verbs else "a rule without a verb"
            reading.wrong(node, where, what, code="NOT-A-RULE", hint=f"exactly one of {', '.join(VERBS)}")
        return None
    key, value = verbs[0]
    verb = cast(Verb, key.text)
    objects = parse_objects(reading, verb, value, inside(where, verb))
    match, no_match = _examples(reading, table.get("examples"), inside(where, "examples"), verb)
    rule = Rule(
        id=reading.text(table.get("id"), inside(where, "id")) or f"{prefix}-{verb}-{number}",
        effect=effect,
        verb=verb,
        objects=objects,
        where=_where(reading, table.get("where"), inside(where, "where")),
        times=reading.count(table.get("times"), inside(where, "times")),
        because=reading.text(table.get("because"), inside(where, "because")),
        who=reading.optional(table.get("who"), inside(where, "who")),
        quorum=reading.count(table.get("quorum"), inside(where, "quorum")) or 1,
        match=match,
        no_match=no_match,
    )
    reading.marks[f"rule {rule.id}"] = node.mark
    _for_asks(reading, table, where, rule)
    return rule if objects else None


def _for_asks(reading: Reading, table: Table, where: str, rule: Rule) -> None:
    for name in ("who", "quorum"):
        written = table.get(name)
        if written is not None and rule.effect != "ask":
            what = f"`{name}` belongs to `ask`, not to `{rule.effect}`"
            reading.wrong(table, inside(where, name), what, hint="move the rule below `ask:`")
    quorum = table.get("quorum")
    if quorum is not None and rule.effect == "ask" and not rule.who:
        what = "`quorum` counts the people of `who`, and there is none"
        reading.wrong(quorum, inside(where, "quorum"), what, hint="write `who:` with a role that several people hold")


def parse_objects(reading: Reading, verb: Verb, node: Node, where: str) -> tuple[str, ...]:
    """What the verb may touch: one text, or a list of them."""
    if not isinstance(node, Sequence):
        one = _object(reading, verb, node, where)
        return (one,) if one else ()
    if not node.items:
        reading.wrong(node, where, "the list is empty, so the rule covers nothing")
    found = (_object(reading, verb, item, path) for item, path in reading.items(node, where))
    return tuple(one for one in found if one)


def _object(reading: Reading, verb: Verb, node: Node, where: str) -> str | None:
    if verb == "run":
        words = parse_argv(reading, node, where)
        return _template(reading, node, where, words) if words else None
    text = reading.optional(node, where)
    if not text:
        return None
    if verb in PATH_VERBS:
        return parse_path(reading, node, where, text)
    if len(text) > LONGEST_OBJECT or any(letter.isspace() for letter in text):
        reading.wrong(
            node, where, f"{said(node)} has blanks in it, or is too long", code="OBJECT", hint="one name; several are a list"
        )
        return None
    if verb == "fetch" and text != "any" and not _reachable(text):
        what = f"`{text}` names no host with a port and no URL"
        reading.wrong(node, where, what, code="OBJECT", hint="write `api.example.com:443` or `https://api.example.com/v1`")
        return None
    return text


def _reachable(text: str) -> bool:
    return plain_url(text) or (":" in text and plain_host(text))


def parse_path(reading: Reading, node: Node, where: str, text: str) -> str | None:
    """A path pattern from the root of the workspace: NFC, no `..`, no backslash; `docs/` is everything below docs."""
    if text == "any":
        reading.wrong(
            node,
            where,
            "`any` would be a file of that name",
            code="PATH",
            hint='write `"**"` for every path, or `./any` for the file',
        )
        return None
    path = unicodedata.normalize("NFC", text)
    if "\\" in path or "\n" in path or "\t" in path or len(path) > LONGEST_OBJECT:
        reading.wrong(node, where, f"{said(node)} is not a path of the workspace", code="PATH", hint="parts are divided by `/`")
        return None
    if path.startswith("~"):
        reading.wrong(node, where, "`~` is not the workspace", code="PATH", hint="paths begin at the root of the workspace")
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        reading.wrong(
            node,
            where,
            "`..` leads out of what the rule names",
            code="PATH",
            hint="write the path from the root of the workspace",
        )
        return None
    if not parts:
        reading.wrong(node, where, f"`{text}` names no path", code="PATH", hint='write `"**"` for every path')
        return None
    return "/".join(parts) + ("/**" if path.endswith("/") else "")


def parse_argv(reading: Reading, node: Node, where: str) -> tuple[str, ...]:
    """A command: a text split by blanks with quotes, or a list of words."""
    if isinstance(node, Sequence):
        return reading.texts(node, where)
    text = reading.text(node, where)
    if not text:
        return ()
    try:
        return split(text)
    except ValueError as error:
        reading.wrong(node, where, str(error), code="COMMAND", hint="one command; put a pipeline in a script and run that")
        return ()


def _template(reading: Reading, node: Node, where: str, words: tuple[str, ...]) -> str | None:
    if words[0].startswith("-"):
        hint = "a command as a list of words is a list in the list: `run: [[python, -m, pytest]]`"
        reading.wrong(node, where, f"`{words[0]}` is an option, not a command", code="COMMAND", hint=hint)
        return None
    if "..." in words[:-1]:
        reading.wrong(node, where, "`...` can only be the last word", code="COMMAND", hint="write `*` for one free word")
        return None
    return join(words)


def _where(reading: Reading, node: Node | None, where: str) -> tuple[Where, ...]:
    table = reading.table(node, where) if node is not None else None
    found = []
    for key, value in table.pairs if table else ():
        condition = parse_condition(reading, value, inside(where, key.text))
        if not key.text.strip():
            reading.wrong(key, where, "an argument without a name")
        elif condition:
            found.append(Where(argument=key.text, condition=condition))
    return tuple(found)


def _examples(reading: Reading, node: Node | None, where: str, verb: Verb) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    table = reading.table(node, where, ("match", "no match")) if node is not None else None
    if table is None:
        return (), ()
    match, no_match = (
        tuple(one for item, path in reading.items(value, inside(where, name)) if (one := _example(reading, item, path, verb)))
        if (value := table.get(name))
        else ()
        for name in ("match", "no match")
    )
    return match, no_match


def _example(reading: Reading, node: Node, where: str, verb: Verb) -> Example | None:
    if isinstance(node, Leaf):
        text = reading.text(node, where)
        return Example(object=text) if text else None
    if isinstance(node, Sequence):
        words = reading.texts(node, where) if verb == "run" else ()
        if not words:
            reading.wrong(
                node, where, "a list of words is an example of `run` only", hint=f"write `{{{verb}: OBJECT, with: {{…}}}}`"
            )
        return Example(object=join(words)) if words else None
    table = reading.table(node, where, (verb, "with"))
    given = table.get(verb) if table else None
    if table is None or given is None:
        reading.wrong(node, where, "the example names no object", hint=f"write `{{{verb}: OBJECT, with: {{argument: value}}}}`")
        return None
    object_ = (
        join(reading.texts(given, inside(where, verb)))
        if isinstance(given, Sequence)
        else reading.text(given, inside(where, verb))
    )
    arguments = table.get("with")
    if arguments is not None and not isinstance(arguments, Table):
        reading.wrong(
            arguments, inside(where, "with"), f"{said(arguments)} stands where arguments belong", hint="write `{amount: 20}`"
        )
        return None
    text = json_text(reading, arguments, inside(where, "with")) if arguments else "{}"
    return Example(object=object_, arguments=text) if object_ and text else None

"""Where heavier runtimes are available, as an organisation file writes it."""

from typing import cast

from remit.contract.heavy import NEEDS, Heavy, Need
from remit.contract.models import HEAVY_RUNTIMES, RUNTIMES
from remit.contract.nodes import Node, Sequence, Table
from remit.contract.reading import Reading, inside, said
from remit.contract.rule import VERBS, Verb

KEYS = ("runtime", "for", "words", "unless")
NEED_KEYS = ("phrases", "rule")
MOST_WORDS = 20
"""words in a phrase"""


def parse_heavy(reading: Reading, node: Node | None, where: str) -> tuple[Heavy, ...] | None:
    """`- {runtime, for, words, unless}`; None where nothing is said, and nothing in it means that work never goes up."""
    if node is None:
        return None
    found: list[Heavy] = []
    for item, path in reading.items(node, where):
        entry = _entry(reading, item, path)
        twice = {name for each in found for name in each.runtimes} & set(entry.runtimes if entry else ())
        for name in sorted(twice):
            what = f"two entries are about `{name}`"
            reading.wrong(item, inside(path, "runtime"), what, code="DUPLICATE-ID", hint="put the two together")
        found += [entry] if entry else []
    return tuple(found)


# ---------------------------------------------------------------------------------------------------------------------


def _entry(reading: Reading, node: Node, where: str) -> Heavy | None:
    table = reading.table(node, where, KEYS)
    if table is None:
        return None
    named = table.get("runtime")
    if named is None:
        reading.wrong(table, inside(where, "runtime"), "the entry names no runtime", hint="write `runtime: codex`, or a list")
    runtimes = tuple(dict.fromkeys(_known(reading, named, inside(where, "runtime"), "runtime", _HEAVY)))
    words = _words(reading, table.get("words"), inside(where, "words"))
    usual = usual_needs(words)
    given = table.get("for")
    needs = tuple(dict.fromkeys(_known(reading, given, inside(where, "for"), "need", usual))) if given is not None else usual
    if given is not None and not needs:
        hint = f"write some of {', '.join(usual)}, or take `for` out: then every one of them counts"
        reading.wrong(given, inside(where, "for"), "nothing would ever justify it", hint=hint)
    for need in words:
        if needs and need.name not in needs:
            what, hint = f"`{need.name}` is not among the needs that count here", "name it in `for`, or take its words out"
            reading.wrong(table, inside(inside(where, "words"), need.name), what, hint=hint)
    unless = _phrases(reading, table.get("unless"), inside(where, "unless"))
    return Heavy(runtimes=runtimes, needs=needs, words=words, unless=unless) if runtimes and needs else None


_HEAVY = tuple(name for name in RUNTIMES if name in HEAVY_RUNTIMES)


def usual_needs(words: tuple[Need, ...]) -> tuple[str, ...]:
    """The needs that count where `for` is not written: the four, and the organisation's own."""
    return tuple(dict.fromkeys((*NEEDS, *(need.name for need in words))))


def _known(reading: Reading, node: Node | None, where: str, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
    places = list(reading.items(node, where)) if isinstance(node, Sequence) else [(node, where)] if node is not None else []
    kept = []
    for item, path in places:
        name = reading.text(item, path)
        if name in known:
            kept.append(name)
        elif name:
            reading.unknown(item, path, what, name, known)
    return tuple(kept)


def _words(reading: Reading, node: Node | None, where: str) -> tuple[Need, ...]:
    table = reading.table(node, where) if node is not None else None
    found = []
    for key, value in table.pairs if table else ():
        path = inside(where, key.text)
        if not key.text.strip():
            reading.wrong(key, where, "a need without a name", hint=f"one of {', '.join(NEEDS)}, or one of your own")
        else:
            need = _own(reading, value, path, key.text) if isinstance(value, Table) else _more(reading, value, path, key.text)
            found += [need] if need else []
    return tuple(found)


def _more(reading: Reading, node: Node, where: str, name: str) -> Need | None:
    if name not in NEEDS:
        reading.unknown(node, where, "need", name, NEEDS)
        hint = "one of your own is `{phrases: [quarterly report], rule: {call: sales_report}}`"
        reading.wrong(node, where, f"nothing says which rule `{name}` needs", hint=hint)
        return None
    phrases = _phrases(reading, node, where)
    return Need(name=name, words=phrases) if phrases else None


def _own(reading: Reading, node: Table, where: str, name: str) -> Need | None:
    table = reading.table(node, where, NEED_KEYS)
    assert table is not None
    if name in NEEDS:
        hint = "its words are a list of phrases"
        reading.wrong(node, where, f"what stands behind `{name}` is fixed", hint=hint)
        return None
    phrases, path = _phrases(reading, table.get("phrases"), inside(where, "phrases")), inside(where, "rule")
    given = table.get("rule")
    rule = reading.table(given, path, VERBS) if given is not None else None
    if not phrases or rule is None or len(rule.pairs) != 1:
        hint = "write `{phrases: [quarterly report], rule: {call: sales_report}}`"
        reading.wrong(node, where, f"`{name}` wants phrases, and one rule that it needs", hint=hint)
        return None
    verb, value = rule.pairs[0]
    what = reading.text(value, inside(path, verb.text))
    return Need(name=name, words=phrases, verb=cast(Verb, verb.text), object=what) if what else None


def _phrases(reading: Reading, node: Node | None, where: str) -> tuple[str, ...]:
    phrases = reading.texts(node, where)
    for phrase in phrases:
        words = [word for word in phrase.replace("...", "…").split() if word != "…"]
        if node is not None and (not words or len(words) > MOST_WORDS):
            what = f"{said(node) if not isinstance(node, Sequence) else f'`{phrase[:60]}`'} is not a phrase"
            reading.wrong(node, where, what, hint="a few words in their order, such as `rename … across`")
    return phrases

"""What the work must leave behind, and what must be seen of it, as a contract writes it."""

from remit.contract.deliverable import PASS, Content, Deliverable, DeliverablesCheck, ObservedCheck
from remit.contract.nodes import Node, Sequence, Table
from remit.contract.parse_condition import parse_regex
from remit.contract.parse_rule import parse_path
from remit.contract.reading import Reading, inside, said

KEYS = ("name", "by", "files", "either", "contains")
OBSERVED = ("invoked", "ended", "steps", "reported")
"""keys of a check of what was seen; one check may have several"""


def parse_deliverables_check(reading: Reading, table: Table, where: str, name: str) -> DeliverablesCheck | None:
    """`deliverables: [...]` with `at least`, `quality` and `empty`."""
    node, path = table.get("deliverables"), inside(where, "deliverables")
    assert node is not None
    owed = parse_deliverables(reading, node, path)
    least = _per_cent(reading, table.get("at least"), inside(where, "at least"))
    quality = reading.truth(table.get("quality"), inside(where, "quality"))
    empty = _places(reading, table.get("empty"), inside(where, "empty"))
    if not owed:
        return None
    return DeliverablesCheck(id=name, deliverables=owed, at_least=least, quality=bool(quality), empty=empty)


def parse_deliverables(reading: Reading, node: Node, where: str) -> tuple[Deliverable, ...]:
    """A list of deliverables, each with a name of its own."""
    if isinstance(node, Sequence) and not node.items:
        hint = "write `- {name: API, files: [src/api.py]}`"
        reading.wrong(node, where, "nothing has to be delivered", code="NOT-TESTABLE", hint=hint)
        return ()
    found: dict[str, Deliverable] = {}
    for item, path in reading.items(node, where):
        owed = _deliverable(reading, item, path)
        if owed is None:
            continue
        if owed.name in found:
            what = f"two deliverables are called `{owed.name}`"
            reading.wrong(item, path, what, code="DUPLICATE-ID", hint="give each its own name")
        found.setdefault(owed.name, owed)
    return tuple(found.values())


def parse_observed_check(reading: Reading, table: Table, where: str, name: str) -> ObservedCheck | None:
    """`invoked: SKILL` or a list of them, `ended: well`, `steps: all`, `reported: well`: one of them, or several."""
    invoked = tuple(dict.fromkeys(reading.texts(table.get("invoked"), inside(where, "invoked"))))
    ended, steps, reported = (
        bool(reading.choice(table.get(key), inside(where, key), (word,), default=""))
        for key, word in (("ended", "well"), ("steps", "all"), ("reported", "well"))
    )
    if not (invoked or ended or steps or reported):
        if isinstance(table.get("invoked"), Sequence):
            reading.wrong(table, where, "no skill is named", code="NOT-TESTABLE", hint="write `invoked: plugin:skill`")
        return None
    return ObservedCheck(id=name, invoked=invoked, ended_well=ended, steps=steps, reported=reported)


def _deliverable(reading: Reading, node: Node, where: str) -> Deliverable | None:
    table = reading.table(node, where, KEYS)
    if table is None:
        return None
    name = reading.text(table.get("name"), inside(where, "name"))
    files = _places(reading, table.get("files"), inside(where, "files"))
    either = _groups(reading, table.get("either"), inside(where, "either"))
    contains = _contents(reading, table.get("contains"), inside(where, "contains"))
    if not name:
        if table.get("name") is None:
            reading.wrong(node, where, "the deliverable has no name", hint="add `name:`, which is what a gap is called")
        return None
    if not any(table.get(key) is not None for key in ("files", "either", "contains")):
        what = f"`{name}` says nothing that a machine could look for"
        reading.wrong(node, where, what, code="NOT-TESTABLE", hint="add `files:`, `either:` or `contains:`")
        return None
    by = reading.text(table.get("by"), inside(where, "by"))
    if not (files or either or contains):
        return None
    return Deliverable(name=name, by=by, files=files, either=either, contains=contains)


def _groups(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, ...], ...]:
    if node is None:
        return ()
    groups = []
    for item, path in reading.items(node, where):
        if not isinstance(item, Sequence):
            reading.wrong(item, path, f"{said(item)} is no choice", hint="write `either: [[a.py, a.ts]]`")
            continue
        group = _places(reading, item, path)
        if group:
            groups.append(group)
    return tuple(groups)


def _contents(reading: Reading, node: Node | None, where: str) -> tuple[Content, ...]:
    if node is None:
        return ()
    found = []
    for item, path in reading.items(node, where):
        table = reading.table(item, path, ("pattern", "in"))
        if table is None:
            continue
        for key in ("pattern", "in"):
            if table.get(key) is None:
                reading.wrong(item, inside(path, key), f"`{key}` is missing", hint="write `{pattern: REGEX, in: FILE}`")
        regex, place = table.get("pattern"), table.get("in")
        pattern = parse_regex(reading, regex, inside(path, "pattern")) if regex is not None else None
        text = reading.text(place, inside(path, "in"))
        at = _place(reading, place, inside(path, "in"), text) if place is not None and text else ""
        if pattern and at:
            found.append(Content(pattern=pattern, place=at))
    return tuple(found)


def _places(reading: Reading, node: Node | None, where: str) -> tuple[str, ...]:
    """One path, folder (ending in `/`) or glob, or several."""
    if node is None:
        return ()
    leaves = list(reading.items(node, where)) if isinstance(node, Sequence) else [(node, where)]
    found = ((leaf, path, reading.text(leaf, path)) for leaf, path in leaves)
    return tuple(dict.fromkeys(place for leaf, path, text in found if text and (place := _place(reading, leaf, path, text))))


def _place(reading: Reading, node: Node, where: str, text: str) -> str:
    path = parse_path(reading, node, where, text)
    if path is None:
        return ""
    return f"{path.removesuffix('/**')}/" if text.endswith("/") else path


def _per_cent(reading: Reading, node: Node | None, where: str) -> int:
    least = reading.count(node, where)
    if least is not None and least > 100 and node is not None:
        reading.wrong(node, where, f"`{least}` is more than everything", hint="write per cent, from 1 to 100")
        return PASS
    return PASS if least is None else least

"""Models as a contract or an organisation file writes them: which, at what price, and the longest answer of each."""

import re

from remit.contract.amounts import decimal
from remit.contract.models import Model, ModelPrice
from remit.contract.nodes import Leaf, Node, Sequence
from remit.contract.parse_limits import parse_tokens
from remit.contract.reading import Reading, inside, said

LONGEST = 200
"""characters of a model's name"""
MODEL_KEYS = ("model", "price", "output")
PRICE_KEYS = ("input", "output", "cached")
_NAME = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:/@+*-]*", re.ASCII)
_PRICE_HINT = "write `price: {input: 3, output: 15}`, dollars for a million tokens, or `price: none`"


def parse_model(reading: Reading, node: Node | None, where: str) -> str:
    """The one model to use; empty where none is written."""
    name = _name(reading, node, where) if node is not None else ""
    if node is not None and "*" in name:
        hint = f'write one name; `models: [{{model: "{name}"}}]` says which may be called'
        reading.wrong(node, where, f"`{name}` is more than one model", code="MODEL", hint=hint)
        return ""
    return name


def parse_models(reading: Reading, node: Node | None, where: str) -> tuple[Model, ...]:
    """Those that may be called; each name once."""
    if node is None:
        return ()
    found: list[Model] = []
    for item, path in reading.items(node, where):
        model = _model(reading, item, path)
        if model is None:
            continue
        if any(each.name == model.name for each in found):
            what = f"`{model.name}` is named twice, so it could have two prices"
            reading.wrong(item, path, what, code="MODEL-TWICE", hint="put the two together")
        found.append(model)
    if isinstance(node, Sequence) and not node.items:
        hint = "name those that may be called, or take the key out: then every model with a known price may be"
        reading.wrong(node, where, "no model is named", code="MODEL", hint=hint)
    return tuple(found)


# ---------------------------------------------------------------------------------------------------------------------


def _model(reading: Reading, node: Node, where: str) -> Model | None:
    if isinstance(node, Leaf):
        name = _name(reading, node, where)
        return Model(name=name) if name else None
    table = reading.table(node, where, MODEL_KEYS)
    if table is None:
        return None
    named, price, output = (table.get(key) for key in MODEL_KEYS)
    if named is None:
        hint = "write `- model: NAME`, with `price:` or `output:` where they are needed"
        reading.wrong(node, inside(where, "model"), "the entry names no model", code="MODEL", hint=hint)
        return None
    name = _name(reading, named, inside(where, "model"))
    most = parse_tokens(reading, output, inside(where, "output")) if output is not None else None
    cost = _price(reading, price, inside(where, "price")) if price is not None else None
    return Model(name=name, price=cost, output=most) if name else None


def _name(reading: Reading, node: Node, where: str) -> str:
    name = reading.text(node, where)
    if name and (len(name) > LONGEST or not _NAME.fullmatch(name)):
        hint = "write it as the provider does, such as `claude-opus-5-5` or `local-*`"
        reading.wrong(node, where, f"{said(node)} is not the name of a model", code="MODEL", hint=hint)
        return ""
    return name


def _price(reading: Reading, node: Node, where: str) -> ModelPrice | None:
    if isinstance(node, Leaf):
        if node.text == "none":
            reading.marks.setdefault(where, node.mark)
            return ModelPrice()
        reading.wrong(node, where, f"{said(node)} is not a price", code="PRICE", hint=_PRICE_HINT)
        return None
    table = reading.table(node, where, PRICE_KEYS)
    if table is None:
        return None
    amounts = {key: _amount(reading, value, inside(where, key)) for key in PRICE_KEYS if (value := table.get(key)) is not None}
    lacking = [key for key in ("input", "output") if key not in amounts]
    if lacking:
        reading.wrong(table, where, f"the price says nothing of {' and '.join(lacking)}", code="PRICE", hint=_PRICE_HINT)
    if lacking or None in amounts.values():
        return None
    return ModelPrice(input=amounts["input"] or "", output=amounts["output"] or "", cached=amounts.get("cached"))


def _amount(reading: Reading, node: Node, where: str) -> str | None:
    value = decimal(node.text) if isinstance(node, Leaf) else None
    if not isinstance(node, Leaf) or value is None or node.text.startswith("-"):
        reading.wrong(node, where, f"{said(node)} is not an amount of dollars", code="PRICE", hint=_PRICE_HINT)
        return None
    return node.text

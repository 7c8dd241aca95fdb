"""Headers, and other texts of a binding that may hold a secret: what they must look like."""

import re

from remit.contract.nodes import Node, Table
from remit.contract.reading import Reading, inside

HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
TELLING = re.compile(r"auth|token|secret|password|api-?key|cookie", re.IGNORECASE)
"""a name whose value is a secret"""


def headers(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, str], ...]:
    """`NAME: text` each; a secret is to be written `$NAME`."""
    table = reading.table(node, where) if node is not None else None
    found: list[tuple[str, str]] = []
    for key, value in table.pairs if table else ():
        at = inside(where, key.text)
        text = reading.text(value, at)
        if not HEADER.fullmatch(key.text) or any(not letter.isprintable() for letter in text):
            reading.wrong(key, at, f"`{key.text}` cannot be a header", code="HEADER", hint="a name, and one line of text")
        elif any(key.text.casefold() == name.casefold() for name, _ in found):
            reading.wrong(key, at, f"`{key.text}` is there twice", code="HEADER", hint="headers do not tell case apart")
        elif text:
            found.append((key.text, text))
            if TELLING.search(key.text) and not VARIABLE.search(text):
                secret(reading, value, at)
    return tuple(found)


def needed(reading: Reading, table: Table, where: str, key: str, example: str) -> str:
    """A text that must be there."""
    node = table.get(key)
    if node is None:
        reading.wrong(table, inside(where, key), f"`{key}` is missing", hint=f"such as `{key}: {example}`")
        return ""
    return reading.text(node, inside(where, key))


def secret(reading: Reading, node: Node, where: str) -> None:
    """Warn that a secret is written out."""
    what = "this looks like a secret, and the file is pinned in every run's record"
    hint = "write `$NAME`, a variable of the environment in which remit runs"
    reading.wrong(node, where, what, code="SECRET-IN-FILE", hint=hint, severity="warning")

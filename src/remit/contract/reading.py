"""Reading a tree: every mistake is noted with its place and a suggestion, and the reading goes on."""

import difflib
import re
from collections.abc import Iterable, Iterator

from remit.contract.contract import Finding, Mark, Severity
from remit.contract.nodes import Leaf, Node, Sequence, Table
from remit.contract.text import Source

MOST_FINDINGS = 200
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


class Reading:
    """One pass over one text: what was found, and where each part stands."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.marks: dict[str, Mark] = {}

    def wrong(
        self,
        node: Leaf | Sequence | Table,
        where: str,
        message: str,
        *,
        code: str = "NOT-UNDERSTOOD",
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        """Note one mistake at a place; after many, that there are more."""
        if len(self.findings) == MOST_FINDINGS:
            code, where, message, hint = "MORE", "", "there are more mistakes from here on", "mend these first"
        if len(self.findings) <= MOST_FINDINGS:
            excerpt = self.source.excerpt(node.mark)
            words = {"where": short(where), "message": short(message), "hint": short(hint)}
            self.findings.append(Finding(code=code, severity=severity, mark=node.mark, excerpt=excerpt, **words))

    def table(self, node: Node, where: str, known: Iterable[str] | None = None) -> Table | None:
        """The node as a mapping whose keys are all known (None: any key); each part's place is kept."""
        self.marks.setdefault(where, node.mark)
        if not isinstance(node, Table):
            self.wrong(node, where, f"{said(node)} stands where keys with values belong", hint="write `key: value`")
            return None
        names = None if known is None else tuple(known)
        kept = []
        for key, value in node.pairs:
            self.marks[inside(where, key.text)] = key.mark
            if names is None or key.text in names:
                kept.append((key, value))
            else:
                self.unknown(key, inside(where, key.text), "key", key.text, names)
        return Table(mark=node.mark, pairs=tuple(kept))

    def items(self, node: Node, where: str) -> Iterator[tuple[Node, str]]:
        """The members of a list with their places."""
        self.marks.setdefault(where, node.mark)
        if not isinstance(node, Sequence):
            self.wrong(node, where, f"{said(node)} stands where a list belongs", hint="begin each member with `- `")
            return
        for number, item in enumerate(node.items):
            path = f"{where}[{number}]"
            self.marks[path] = item.mark
            yield item, path

    def text(self, node: Node | None, where: str, *, default: str = "") -> str:
        """A text that is not empty; any plain scalar is taken as it was written."""
        if node is None:
            return default
        self.marks.setdefault(where, node.mark)
        if not isinstance(node, Leaf):
            self.wrong(node, where, f"{said(node)} stands where a text belongs")
            return default
        if node.kind == "nothing" or not node.text.strip():
            self.wrong(node, where, "nothing is written here", hint="write a text, or take the key out")
            return default
        if node.kind == "clock":
            self.clock(node, where)
        return node.text if node.kind != "truth" else node.text.lower()

    def optional(self, node: Node | None, where: str) -> str | None:
        """A text, or None where it is not written."""
        return self.text(node, where) or None

    def texts(self, node: Node | None, where: str) -> tuple[str, ...]:
        """One text or a list of texts."""
        if node is None:
            return ()
        if isinstance(node, Leaf):
            single = self.text(node, where)
            return (single,) if single else ()
        return tuple(text for item, path in self.items(node, where) if (text := self.text(item, path)))

    def count(self, node: Node | None, where: str, *, least: int = 1) -> int | None:
        """A whole number."""
        if node is None:
            return None
        self.marks.setdefault(where, node.mark)
        if not isinstance(node, Leaf) or not (node.plain and _COUNT.fullmatch(node.text)):
            self.wrong(node, where, f"{said(node)} is not a whole number", hint="write digits only, such as `40`")
            return None
        if int(node.text) < least:
            self.wrong(node, where, f"`{node.text}` is too small", hint=f"write at least {least}")
            return None
        return int(node.text)

    def truth(self, node: Node | None, where: str) -> bool | None:
        """`true` or `false`."""
        if node is None:
            return None
        scalar = node.scalar() if isinstance(node, Leaf) else None
        if scalar is None or scalar.type != "truth":
            self.wrong(node, where, f"{said(node)} is neither `true` nor `false`")
            return None
        return scalar.text == "true"

    def choice(self, node: Node | None, where: str, choices: Iterable[str], *, default: str) -> str:
        """One of a few words."""
        if node is None:
            return default
        chosen = self.text(node, where)
        words = tuple(choices)
        if chosen and chosen not in words:
            self.unknown(node, where, "word", chosen, words)
            return default
        return chosen or default

    def unknown(self, node: Node, where: str, what: str, given: str, known: Iterable[str]) -> None:
        """Note a word that is not one of the known ones, with the nearest."""
        words = tuple(known)
        near = nearest(given, words) if len(self.findings) < MOST_FINDINGS else None
        shown = given if len(given) <= 60 else f"{given[:57]}..."
        hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(words)}"
        self.wrong(node, where, f"unknown {what} `{shown}`", code=f"UNKNOWN-{what.upper()}", hint=hint)

    def clock(self, leaf: Leaf, where: str) -> None:
        """Note a number with colons, which YAML 1.1 would read in base sixty."""
        self.wrong(
            leaf, where, f"`{leaf.text}` could be a clock time or a number in base sixty", code="CLOCK", hint=minutes(leaf.text)
        )


def said(node: Node) -> str:
    """A node as a message names it."""
    match node:
        case Leaf():
            if node.kind == "nothing":
                return "nothing"
            return f"`{node.text if len(node.text) <= 60 else node.text[:57] + '...'}`"
        case Sequence():
            return "a list"
        case Table():
            return "a set of keys"


def short(text: str) -> str:
    """At most 300 characters: a message is for a person, and what it quotes may be hostile."""
    return text if len(text) <= 300 else f"{text[:297]}..."


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings as a reader meets them."""
    return tuple(sorted(findings, key=lambda finding: (finding.mark.line, finding.mark.column) if finding.mark else (0, 0)))


def inside(where: str, key: str) -> str:
    """The place of a key below a place."""
    return f"{where}.{key}" if where else key


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word a person probably meant."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:60].casefold().replace("_", " ").replace("-", " "), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def minutes(text: str) -> str:
    """What to write instead of `1:30`."""
    parts = [int(part) for part in text.lstrip("+-").split(".")[0].split(":")]
    if len(parts) == 2:
        return f"write `{parts[0] * 60 + parts[1]}m`, or quote it where a text is meant"
    return "write hours, minutes and seconds, such as `1h30m`, or quote it where a text is meant"

"""From the text of a contract file to its tree: YAML without its traps, bounded in size, depth and time."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from remit.contract.complaint import Complaint, complaint_about, starred
from remit.contract.contract import Finding, Mark
from remit.contract.nodes import Leaf, Node, Sequence, Table

MOST_BYTES = 256 * 1024
MOST_DEPTH = 20
MOST_NODES = 20_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE = re.compile(r"\r\n|\n|\r")

# Control characters, the line breaks only YAML 1.1 knows, and characters that reorder or hide what a person reads.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


class Source:
    """The text with its name, for places and excerpts. `first` is the line of the file the text begins at."""

    def __init__(self, text: str, file: str, first: int = 1) -> None:
        self.text, self.file, self.first = text, file, first
        self.lines = _LINE.split(text)

    def mark(self, line: int, column: int) -> Mark:
        """A place from zero-based line and column."""
        return Mark(file=self.file, line=line + self.first, column=column + 1)

    def excerpt(self, mark: Mark) -> str:
        """The source line with a caret below the place; long lines are cut around it."""
        row = mark.line - self.first
        if not 0 <= row < len(self.lines):
            return ""
        line = HIDDEN.sub("\N{REPLACEMENT CHARACTER}", self.lines[row]).replace("\t", " ")
        begin = max(0, mark.column - 61)
        return f"{line[begin : begin + 100]}\n{' ' * (mark.column - 1 - begin)}^"

    def finding(self, mark: Mark, complaint: Complaint) -> Finding:
        """An error about the text itself."""
        return Finding(
            code=complaint.code,
            severity="error",
            where="",
            message=complaint.message,
            hint=complaint.hint,
            mark=mark,
            excerpt=self.excerpt(mark),
        )


class _Trap(Exception):
    """A place in the text that ends the reading."""

    def __init__(self, mark: Mark, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.mark, self.complaint = mark, Complaint(code=code, message=message, hint=hint)


def compose(source: Source) -> tuple[Node | None, tuple[Finding, ...]]:
    """The tree, or None with what keeps the text from being one; duplicate keys are findings beside a tree.

    Reads events one by one, so that nesting is refused before any parser recurses into it
    (the C composer takes 34 s over a hundred thousand `[`).
    """
    unfit = _unfit(source)
    if unfit:
        return None, unfit
    builder = _Builder(source)
    try:
        root = builder.document(yaml.parse(source.text, Loader=_LOADER))
    except _Trap as trap:
        return None, (*builder.findings, source.finding(trap.mark, trap.complaint))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = source.mark(at.line, at.column) if at else source.mark(0, 0)
        return None, _complaints(source, mark, error)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, (source.finding(source.mark(0, 0), Complaint(code="YAML", message=f"this is not YAML: {error}")),)
    return root, tuple(builder.findings)


def _unfit(source: Source) -> tuple[Finding, ...]:
    first = source.mark(0, 0)
    if len(source.text.encode(errors="surrogatepass")) > MOST_BYTES:
        size = Complaint(code="TOO-LARGE", message="the text is larger than 256 KiB", hint="a contract is a page, not a book")
        return (source.finding(first, size),)
    found = []
    for row, line in enumerate(source.lines):
        for hit in HIDDEN.finditer(line):
            said = f"U+{ord(hit.group()):04X}"
            what = Complaint(code="HIDDEN-CHARACTER", message=f"the character {said} cannot be seen", hint="take it out")
            found.append(source.finding(source.mark(row, hit.start()), what))
            if len(found) == 20:
                return tuple(found)
    return tuple(found)


def _complaints(source: Source, mark: Mark, error: yaml.MarkedYAMLError) -> tuple[Finding, ...]:
    row = mark.line - source.first
    line = source.lines[row] if 0 <= row < len(source.lines) else ""
    complaint = complaint_about(str(error.problem), str(error.context), line, mark.column - 1)
    if complaint.code != "NEEDS-QUOTES" or "`*`" not in complaint.message:
        return (source.finding(mark, complaint),)
    places = [(at, column) for at, text in enumerate(source.lines) for column in starred(text)]
    return tuple(source.finding(source.mark(*place), complaint) for place in places[:20]) or (source.finding(mark, complaint),)


class _Open:
    """A list or mapping that has not been closed yet."""

    def __init__(self, mark: Mark, keyed: bool) -> None:
        self.mark, self.keyed = mark, keyed
        self.items: list[Node] = []
        self.pairs: list[tuple[Leaf, Node]] = []
        self.key: Leaf | None = None
        self.seen: dict[str, Mark] = {}


class _Builder:
    """Events to nodes, on a stack of our own."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.count = 0
        self.documents = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        """Everything up to the end of the one document."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._refuse_names(event)
                    leaf = Leaf(mark=self._mark(event), text=event.value, plain=event.implicit[0])
                    self._visible(leaf)
                    self._place(leaf)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._refuse_names(event)
                    self._open(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case yaml.AliasEvent():
                    raise _Trap(
                        self._mark(event),
                        "NEEDS-QUOTES",
                        "what begins with `*` needs quotes, else YAML takes it for a reference",
                        f'write `"*{event.anchor}"`',
                    )
                case yaml.DocumentStartEvent():
                    self.documents += 1
                    if self.documents > 1:
                        raise _Trap(
                            self._mark(event), "SECOND-DOCUMENT", "a second document begins here", "one file, one contract"
                        )
                    if event.tags or event.version:
                        raise _Trap(self._mark(event), "DIRECTIVE", "YAML directives are not used here", "take the `%` lines out")
        return self.root

    def _mark(self, event: Any) -> Mark:
        return self.source.mark(event.start_mark.line, event.start_mark.column)

    def _visible(self, leaf: Leaf) -> None:
        hidden = HIDDEN.search(leaf.text)
        if hidden:
            code = f"U+{ord(hidden.group()):04X}"
            raise _Trap(
                leaf.mark, "HIDDEN-CHARACTER", f"an escape puts the character {code} here, which cannot be seen", "take it out"
            )

    def _refuse_names(self, event: Any) -> None:
        if event.anchor is not None:
            raise _Trap(
                self._mark(event), "ANCHOR", f"`&{event.anchor}` is an anchor", "write the value out, or put it in quotes"
            )
        if event.tag is not None:
            raise _Trap(self._mark(event), "TAG", f"`{event.tag}` is a tag", "leave it out, or put the text in quotes")

    def _open(self, event: Any) -> None:
        if len(self.stack) >= MOST_DEPTH:
            raise _Trap(self._mark(event), "TOO-DEEP", f"more than {MOST_DEPTH} levels inside one another")
        self._counted(self._mark(event))
        self.stack.append(_Open(self._mark(event), isinstance(event, yaml.MappingStartEvent)))

    def _close(self) -> None:
        done = self.stack.pop()
        self._place(
            Table(mark=done.mark, pairs=tuple(done.pairs)) if done.keyed else Sequence(mark=done.mark, items=tuple(done.items))
        )

    def _counted(self, mark: Mark) -> None:
        self.count += 1
        if self.count > MOST_NODES:
            raise _Trap(mark, "TOO-MANY", f"more than {MOST_NODES} values in one file")

    def _place(self, node: Node) -> None:
        self._counted(node.mark)
        if not self.stack:
            self.root = node
            return
        into = self.stack[-1]
        if not into.keyed:
            into.items.append(node)
        elif into.key is None:
            into.key = self._key(node)
        else:
            key, into.key = into.key, None
            if key.text in into.seen:
                what = f"the key `{key.text}` was already given on line {into.seen[key.text].line}"
                self.findings.append(
                    self.source.finding(key.mark, Complaint(code="DUPLICATE-KEY", message=what, hint="put the two together"))
                )
                return
            into.seen[key.text] = key.mark
            into.pairs.append((key, node))

    def _key(self, node: Node) -> Leaf:
        if not isinstance(node, Leaf):
            raise _Trap(node.mark, "KEY", "a list or a mapping stands where a key should be", "put it in quotes if it is a text")
        if node.text == "<<" and node.plain:
            raise _Trap(node.mark, "MERGE-KEY", "`<<` merges are not used here", "write the keys out")
        return node

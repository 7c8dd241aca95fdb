"""`--answers FILE`: answers given beforehand. They are `scripted`: outside test mode they approve nothing that matters."""

import fnmatch
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from remit.authority.wire import read_json
from remit.cli.load import read_bytes, rendered
from remit.cli.menu import REPORT, has_menu
from remit.cli.say import clean, talk
from remit.contract.nodes import Node
from remit.contract.parse_json import json_text
from remit.contract.reading import Reading, inside
from remit.contract.text import Source, compose
from remit.engine.hands import Asker, Hands
from remit.engine.inbox import answer
from remit.errors import BadInput, Refused
from remit.run.event import QuestionAsked

WORDS = (
    "yes", "no", "modify", "happened", "redo", "abandon", "retry", "skip", "abort", "generate", "accept", "report", "delegated",
    "standard", "cancel",
)  # fmt: skip
KEYS = ("about", "where", "person", "answer", "times", "note", "set", "rules", "receipt")


@dataclass
class Line:
    """One answer of the file: to the first `times` questions that it fits. `about` is a glob over what is asked."""

    about: str
    where: dict[str, Any]
    person: str
    said: str
    left: int
    note: str = ""
    changes: dict[str, Any] | None = None
    rules: str = ""
    receipt: str = ""

    def fits(self, question: QuestionAsked) -> bool:
        """Whether it is still to be used, and for this."""
        action = question.action
        shown = [question.about, question.text, *([action.said(), str(action.object)] if action is not None else [])]
        shown += [f"{question.about} {question.step}"] if question.step else []
        given = action.arguments if action is not None else {}
        same = all(str(given.get(name)) == str(value) for name, value in self.where.items())
        return self.left > 0 and same and any(fnmatch.fnmatchcase(text, self.about) for text in shown)


@dataclass
class Scripted:
    """A person who says what a file says. They hold no key: their answers are not signed, and say so."""

    person: str
    public: str = field(default="")

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """Nothing: there is no key."""
        return ""


def read(path: Path) -> list[Line]:
    """The answers of a file, in order. Raises BadInput with every mistake in it."""
    source = Source(read_bytes(path).decode("utf-8", "replace"), str(path))
    root, trouble = compose(source)
    reading = Reading(source)
    reading.findings.extend(trouble)
    lines = [_line(reading, item, where) for item, where in reading.items(root, "answers")] if root is not None else []
    if reading.findings or root is None:
        raise BadInput(rendered(tuple(reading.findings)) or f"`{path}` is empty", hint="a list of `about`, `person`, `answer`")
    return [line for line in lines if line is not None]


def _line(reading: Reading, node: Node, where: str) -> Line | None:
    table = reading.table(node, where, KEYS)
    if table is None:
        return None
    values = {
        name: reading.text(table.get(name), inside(where, name)) for name in ("about", "person", "note", "rules", "receipt")
    }
    said = reading.choice(table.get("answer"), inside(where, "answer"), WORDS, default="")
    for name in ("person", "answer"):
        if table.get(name) is None:
            reading.wrong(node, where, f"an answer without `{name}`", hint=f"write `{name}:`")
    return Line(
        about=values["about"] or "*", where=_json(reading, table.get("where"), inside(where, "where")) or {},
        person=values["person"], said=said, left=reading.count(table.get("times"), inside(where, "times")) or 1,
        note=values["note"], changes=_json(reading, table.get("set"), inside(where, "set")), rules=values["rules"],
        receipt=values["receipt"],
    )  # fmt: skip


def _json(reading: Reading, node: Node | None, where: str) -> dict[str, Any] | None:
    if node is None:
        return None
    reading.table(node, where)
    found = json_text(reading, node, where)
    value = read_json(found) if found else {}
    return value if isinstance(value, dict) else json.loads("{}")


def scripted(
    hands: Hands, lines: list[Line], quiet: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
) -> Asker:  # fmt: skip
    """An asker that says what the file says, and nothing to what the file does not foresee. Within `quiet`, what led to the
    question has been printed.
    """
    lock = anyio.Lock()

    async def ask(question: QuestionAsked) -> str | None:
        async with lock:
            settled = None
            for line in [each for each in lines if each.fits(question)]:
                line.left -= 1
                if line.said == REPORT:
                    async with quiet():
                        await shown(hands, question)
                    continue
                try:
                    run = await answer(
                        hands, question.run, question.question, line.said, signer=Scripted(line.person), assurance="scripted",
                        note=line.note, arguments=line.changes, rules=line.rules, receipt=line.receipt,
                    )  # fmt: skip
                except (BadInput, Refused) as error:
                    talk(f"  {question.question}: the answer of {line.person} does not count: {clean(str(error))}")
                    continue
                settled = run.questions[question.question].said or None
                if settled is not None:
                    break
            return settled

    return ask


async def shown(hands: Hands, question: QuestionAsked) -> None:
    """The detailed report, as whoever asks for it at the menu gets it; and the menu again."""
    if not has_menu(question):
        return
    from remit.cli.chained import CHOICE, menu, report

    run = await hands.replay(question.run)
    for line in (*report(run), *menu(question), CHOICE):
        talk(line)


def beforehand(lines: list[Line], about: str) -> str:
    """The next answer to something that is asked before there is a run (`mode`, `confirmation`); empty where there is none."""
    for line in lines:
        if line.left > 0 and line.about == about:
            line.left -= 1
            return line.said
    return ""

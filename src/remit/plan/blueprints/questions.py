"""The few questions of a blueprint: their words, their choices, and which is taken where nobody answers."""

import re
from collections.abc import Sequence

import msgspec

from remit.plan.blueprint import Choice, Question
from remit.plan.blueprints.document import Section, below
from remit.plan.blueprints.notes import Notes

MOST = 100
"""questions of one file"""
_HEAD = re.compile(r"^(?:question|q)?\s*(?P<number>\d{1,3})\s*[.:)-]*\s*(?P<title>.*)$", re.IGNORECASE)
_CHOICE = re.compile(r"^\s*(?:[-*]\s+)?(?:\[(?P<boxed>[A-Za-z]|\d{1,2})\]|(?P<plain>[A-Za-z]|\d{1,2})[.)])\s+(?P<text>\S.*)$")
_TICK = re.compile(r"^\s*(?:[-*]\s+)?\[\s?\]\s+(?P<text>\S.*)$")
_KEY = re.compile(r"^\s*[-*]\s+`(?P<letter>\w{1,3})`\s*=\s*(?P<word>[A-Za-z]+)")
_BRACKET = re.compile(r"^\s*\[\s*default\s*:\s*(?P<said>[^\]]+)\]$", re.IGNORECASE)
_BOLD = re.compile(r"^\s*\*\*default(?:\s+if\s+skipped)?\s*:?\*\*:?\s*(?P<said>.+)$", re.IGNORECASE)
_PROMPT = re.compile(r"^\s*(?:your (?:answer|choice)|choice|selection|answer|enter)\b.*[_:]", re.IGNORECASE)
_QUOTED = re.compile(r'^"([^"]*)"')
_LETTER = re.compile(r"^(?:[\[(](?P<boxed>\w{1,8})[\])]|(?P<plain>[A-Za-z]|\d{1,2})\s*(?:[-–—:.)]|$))\s*(?P<words>.*)$")
_KEYS = re.compile(r"\(\s*(\w+(?:\s*/\s*\w+)+)\s*\)")


def read_questions(sections: tuple[Section, ...], notes: Notes) -> tuple[Question, ...]:
    """The questions in order, named `Q1`, `Q2` … by their own numbers."""
    found: dict[str, Question] = {}
    for part in below(sections, lambda title: "question" in title and not _HEAD.match(title)):
        for section in part[1:]:
            head = _HEAD.match(section.title)
            if not head:
                continue
            question = _question(f"Q{int(head['number'])}", head["title"], section, notes)
            if question.id in found:
                notes.add("QUESTION-TWICE", "warning", f"{question.id} is asked twice; the first is taken", line=section.line)
            found.setdefault(question.id, question)
    return tuple(found.values())[:MOST]


def letters_of(question: Question, said: str) -> tuple[str, ...]:
    """The letters of the choices somebody means: `C`, `c) Self-hosted`, `a,d`, or the words a choice begins with.

    Empty where it is none of them, or could be more than one: nothing is guessed.
    """
    said = said.strip().strip("\"'").strip()
    known = {choice.letter.lower(): choice.letter for choice in question.choices if choice.letter}
    parts = [part.strip().lower() for part in said.split(",")]
    if said and all(part in known for part in parts):
        return tuple(known[part] for part in parts)
    head = _LETTER.match(said)
    if head and (letter := known.get((head["boxed"] or head["plain"]).lower())):
        words = next(choice.text for choice in question.choices if choice.letter == letter)
        return (letter,) if set(_words(head["words"])) <= set(_words(words)) else ()
    for cut in (_words, _head):
        close = [choice.letter for choice in question.choices if choice.letter and _alike(cut(choice.text), cut(said))]
        if close:
            return (close[0],) if len(close) == 1 else ()
    return ()


def _alike(first: list[str], second: list[str]) -> bool:
    """Whether one of the two begins with the other."""
    shorter = min(len(first), len(second))
    return bool(shorter) and first[:shorter] == second[:shorter]


def _head(said: str) -> list[str]:
    """The words before a bracket or a dash."""
    return _words(re.split(r"\s[-–—]\s|\(", said, maxsplit=1)[0])


def _words(said: str) -> list[str]:
    return re.findall(r"\w+", said.lower())


def _question(name: str, title: str, section: Section, notes: Notes) -> Question:
    """One question from its heading, its fence and what is said below."""
    rows = [row for fence in section.fences for row in fence.text.split("\n")]
    choices, words, said = _fence(rows)
    choices = _lettered(choices, rows, section)
    for line in section.lines:
        bold = _BOLD.match(line.text)
        said = said or (bold["said"] if bold else "")
    asked = " ".join(words[:1]) or title
    question = Question(id=name, text=asked, choices=choices)
    default = _default(question, said)
    if said and choices and not letters_of(question, default):
        notes.add("DEFAULT-ANSWER", "note", f"{name}: the default {said!r} is none of its choices", line=section.line)
    if not said:
        notes.add("NO-DEFAULT", "note", f"{name} has no default answer", line=section.line)
    return msgspec.structs.replace(question, default=default)


def _fence(rows: Sequence[str]) -> tuple[tuple[Choice, ...], list[str], str]:
    """Choices, other words, and the default in brackets, of the rows of a question's fence."""
    choices, words, said = [], [], ""
    for row in rows:
        if bracket := _BRACKET.match(row):
            said = bracket["said"].strip()
        elif choice := _CHOICE.match(row):
            choices.append(Choice(letter=choice["boxed"] or choice["plain"], text=choice["text"]))
        elif tick := _TICK.match(row):
            choices.append(Choice(letter="", text=tick["text"]))
        elif row.strip() and not _PROMPT.match(row):
            words.append(row.strip())
    return tuple(choices[:MOST]), words, said


def _lettered(choices: tuple[Choice, ...], rows: Sequence[str], section: Section) -> tuple[Choice, ...]:
    """Choices to tick get the letters of the prompt (`Selection (m/d/none)`, one for each), else those that the lines below give
    them (`m` = Monitoring). No others are made up.
    """
    if not choices or any(choice.letter for choice in choices):
        return choices
    for row in rows:
        keys = _KEYS.search(row) if _PROMPT.match(row) else None
        letters = [key.strip() for key in keys[1].split("/")] if keys else []
        if len(letters) == len(choices) and len(set(letters)) == len(letters):
            return tuple(Choice(letter=letter, text=choice.text) for letter, choice in zip(letters, choices, strict=True))
    said = {key["word"].lower(): key["letter"] for line in section.lines if (key := _KEY.match(line.text))}
    return tuple(Choice(letter=said.get(" ".join(_head(choice.text)), ""), text=choice.text) for choice in choices)


def _default(question: Question, said: str) -> str:
    """The letters the default means, else its own words."""
    quoted = _QUOTED.match(said.strip())
    bare = quoted[1] if quoted else said.strip()
    return ",".join(letters_of(question, bare)) or bare

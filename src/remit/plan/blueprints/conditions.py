"""When a deliverable is wanted: read from the file's words, and judged by flags and answers. What is not known stays unknown."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from remit.plan.blueprint import Blueprint, Condition, Question
from remit.plan.blueprints.notes import Notes
from remit.plan.blueprints.questions import letters_of

_LONGEST = 300
"""characters of a condition that are looked at"""
_TRUE = ("true", "yes", "on", "enabled")
_FALSE = ("false", "no", "off", "disabled")
_FLAG = re.compile(r"^(?P<name>[A-Za-z][\w.-]*)\s*(?P<sign>==?|!=|\bis\b)\s*(?P<value>\w+)$", re.IGNORECASE)
_BARE = re.compile(r"^(?P<no>(?:not\s+|!\s*)?)(?P<name>[A-Za-z]\w*_\w+)$", re.IGNORECASE)
_ANSWER = re.compile(
    r"^(?:answer\s+to\s+)?(?:question\s*|q)\s*(?P<number>\d{1,3})\s*(?:==?|\bis\b|\bincludes\b|\bcontains\b)\s*(?P<said>.+)$",
    re.IGNORECASE,
)
_APPLIES = re.compile(r"applies\s+(?:when|if)\s+(?P<said>[^)]+)", re.IGNORECASE)


class Held(NamedTuple):
    """Whether a condition holds (None: nobody has said), and by what."""

    holds: bool | None
    by: str


def read_condition(said: str, questions: tuple[Question, ...], notes: Notes, *, about: str, line: int = 0) -> Condition:
    """The condition a file writes; one that cannot be read has neither flag nor question, and is noted."""
    words = said.strip()[:_LONGEST]
    if answer := _ANSWER.match(words):
        return _of_answer(words, f"Q{int(answer['number'])}", answer["said"], questions, notes, about=about, line=line)
    if (flag := _FLAG.match(words)) and flag["value"].lower() in (*_TRUE, *_FALSE):
        wanted = (flag["value"].lower() in _TRUE) is (flag["sign"] != "!=")
        return Condition(text=words, flag=flag["name"], wanted=wanted)
    if bare := _BARE.match(words):
        return Condition(text=words, flag=bare["name"], wanted=not bare["no"])
    hint = "write `flag == true` or `Answer to Q3 = 'A - Yes'`"
    notes.add("CONDITION", "error", f"the condition of {about} cannot be read: {words[:120]!r}", line=line, hint=hint)
    return Condition(text=words)


def applies_when(description: str, questions: tuple[Question, ...], notes: Notes, *, about: str) -> Condition | None:
    """What the description of an extra says of when it applies, if it says so in a way that can be read."""
    said = _APPLIES.search(description[:_LONGEST])
    return read_condition(said["said"], questions, notes, about=about) if said else None


def _of_answer(
    words: str, name: str, said: str, questions: tuple[Question, ...], notes: Notes, *, about: str, line: int
) -> Condition:
    question = next((each for each in questions if each.id == name), None)
    if question is None:
        notes.add("CONDITION-QUESTION", "error", f"{about} depends on {name}, which is not asked", line=line)
        return Condition(text=words)
    letters = letters_of(question, said)
    if len(letters) != 1:
        notes.add(
            "CONDITION-ANSWER",
            "error",
            f"{about} depends on an answer to {name} that is none of its choices: {said[:80]}",
            line=line,
        )
        return Condition(text=words)
    return Condition(text=words, question=name, letter=letters[0])


def judge(condition: Condition, blueprint: Blueprint, answers: Mapping[str, str], flags: Mapping[str, bool]) -> Held:
    """Whether it holds. A flag nobody has set follows from the extra of its name (`auth_enabled`, `with_auth`) where that one
    says itself when it applies; a question nobody has answered has the file's own default.
    """
    if condition.question:
        return _by_answer(condition, blueprint, answers)
    if not condition.flag:
        return Held(None, "it cannot be read")
    value = flag_of(condition.flag, blueprint, answers, flags)
    return value if value.holds is None else Held(value.holds is condition.wanted, value.by)


def flag_of(name: str, blueprint: Blueprint, answers: Mapping[str, str], flags: Mapping[str, bool]) -> Held:
    """What a flag is, and by what."""
    if name in flags:
        return Held(flags[name], f"{name} is {_word(flags[name])}")
    if (said := answers.get(name, "").strip().lower()) in (*_TRUE, *_FALSE):
        return Held(said in _TRUE, f"{name} is {_word(said in _TRUE)}")
    extra = f"with_{name.removesuffix('_enabled')}" if name.endswith("_enabled") else ""
    if extra and extra in flags:
        return Held(flags[extra], f"{extra} is {_word(flags[extra])}")
    for profile in blueprint.profiles:
        if profile.name == extra and profile.when is not None:
            held = judge_answer(profile.when, blueprint, answers)
            return Held(held.holds, f"{extra} applies by its own words, {held.by}" if held.holds else held.by)
    return Held(None, f"nobody has said whether {name}")


def judge_answer(condition: Condition, blueprint: Blueprint, answers: Mapping[str, str]) -> Held:
    """Whether a condition on an answer holds; any other is unknown here."""
    return _by_answer(condition, blueprint, answers) if condition.question else Held(None, "it cannot be read")


def answer_to(question: Question, answers: Mapping[str, str]) -> str | None:
    """What was answered, under `Q4`, `q4` or `4`; None where it was not."""
    number = question.id[1:]
    return next((answers[key] for key in (question.id, question.id.lower(), number) if key in answers), None)


def _by_answer(condition: Condition, blueprint: Blueprint, answers: Mapping[str, str]) -> Held:
    question = next((each for each in blueprint.questions if each.id == condition.question), None)
    if question is None:
        return Held(None, f"{condition.question} is not asked")
    given = answer_to(question, answers)
    said = question.default if given is None else given
    letters = letters_of(question, said)
    if not letters:
        return Held(None, f"{question.id} has no answer that is one of its choices")
    by = "the default answer" if given is None else "the answer"
    return Held(condition.letter in letters, f"{by} to {question.id} is {','.join(letters)}")


def _word(value: bool) -> str:
    return "true" if value else "false"

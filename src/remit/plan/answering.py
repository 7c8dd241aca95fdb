"""The questions of a blueprint answered: by the caller, else by the blueprint's own defaults; and the level of maturity meant."""

from collections.abc import Mapping

from remit.plan.blueprint import LEVELS, Blueprint
from remit.plan.choosing import Choosing

USUAL = "starter"
"""the level where nobody names one: the least that is usable"""
_ALSO = {"production": "advanced"}


def answered(
    choosing: Choosing, blueprint: Blueprint | None, answers: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The letter of every question, and the words of the choices taken. An unknown question or letter is an error."""
    questions = blueprint.questions if blueprint else ()
    known = {each.id for each in questions}
    for name in answers:
        if name not in known:
            hint = f"It asks {', '.join(sorted(known))}." if known else "It asks nothing."
            choosing.note("UNKNOWN-QUESTION", f"No question is called {name}.", hint)
    letters: dict[str, str] = {}
    texts: list[str] = []
    for each in questions:
        letter = answers.get(each.id, each.default).strip()
        choices = {choice.letter.casefold(): choice for choice in each.choices}
        choice = choices.get(letter.casefold())
        if choice is None and choices and each.id in answers:
            message = f"{each.id} has no answer {letter}: {each.text}"
            choosing.note("UNKNOWN-ANSWER", message, f"Answer {', '.join(one.letter for one in each.choices)}.")
        elif letter:
            letters[each.id] = choice.letter if choice else letter
            texts.append(choice.text if choice else letter)
    return letters, tuple(texts)


def levelled(choosing: Choosing, maturity: str) -> str:
    """The level of maturity meant; `production` is `advanced`, nothing is the usual one, anything else unknown an error."""
    level = _ALSO.get(maturity, maturity) or USUAL
    if level not in LEVELS:
        choosing.note("MATURITY", f"{maturity} is no level of maturity.", f"Choose {', '.join(LEVELS)}.")
        return USUAL
    return level

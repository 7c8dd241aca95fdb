"""A menu: numbered options, of which the number and the word both answer."""

from remit.run.people import QuestionAsked

REPORT = "report"
"""not an answer: it shows the detailed report, and the menu again"""
LATER = "later"
"""not an answer either: the question stays open"""


def has_menu(question: QuestionAsked) -> bool:
    """Whether it is answered by one of several words instead of yes or no."""
    return bool(question.options)


def offered(question: QuestionAsked) -> tuple[str, ...]:
    """What can be said at the terminal, in the order of the numbers on the screen."""
    return (*question.options, REPORT) if question.about == "gaps" else tuple(question.options)


def picked(words: tuple[str, ...], said: str) -> str:
    """The word that was meant: by its number, by itself, or `later`; empty when it is none of them."""
    said = said.strip().lower().rstrip(".")
    if said.isdecimal() and 1 <= int(said) <= len(words):
        return words[int(said) - 1]
    if said in ("", LATER):
        return LATER
    return said if said in words else ""

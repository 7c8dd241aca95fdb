"""Phrases found in what people write: words in their order, within one sentence, in time that grows with the text alone."""

import re
from collections.abc import Sequence
from functools import cache

from remit.value import Value


def word_set(text: str) -> frozenset[str]:
    """The words of a text, in no order."""
    return frozenset(text.split())


LONGEST = 8_000
"""characters of a text that are looked at"""
_SENTENCE = re.compile(r"[.!;:\n]+(?=\s|$)|(?<=\?)")
_WORD = re.compile(r"[\w#][\w#+/.'’-]*")
_NUMBERS = word_set("two three four five six seven eight nine ten eleven twelve dozens hundreds thousands")
_NOT = word_set("not don't dont never without no doesn't didn't mustn't shouldn't won't needn't cannot can't")


class Sentence(Value, frozen=True, kw_only=True):
    """The words of a sentence in lower case; whether it ends with a question mark."""

    words: tuple[str, ...]
    asks: bool = False


def sentences(text: str) -> tuple[Sentence, ...]:
    """A text by its sentences."""
    parts = (part.strip() for part in _SENTENCE.split(text[:LONGEST].casefold()))
    found = (Sentence(words=_words(part), asks=part.endswith("?")) for part in parts)
    return tuple(sentence for sentence in found if sentence.words)


def says(sentence: Sentence, phrase: str, *, even_denied: bool = False) -> bool:
    """Whether the phrase stands in the sentence: `…` is any words between, `a|b` either, `mend*` a beginning, `#` a number above
    one. What is denied just before (`do not run the tests`) is not said.
    """
    at = 0
    for number, part in enumerate(_parts(phrase)):
        found = _find(sentence.words, part, at, denied=number > 0 or even_denied)
        if found < 0:
            return False
        at = found + len(part)
    return at > 0


# ---------------------------------------------------------------------------------------------------------------------


class _Token(Value, frozen=True, kw_only=True):
    """One word of a phrase: as it is, by its beginning, or any number above one."""

    exact: frozenset[str]
    begins: tuple[str, ...]
    many: bool

    def holds(self, word: str) -> bool:
        return word in self.exact or (bool(self.begins) and word.startswith(self.begins)) or (self.many and _several(word))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for found in _WORD.findall(text) if (word := found.replace("’", "'").rstrip(".'/-")))


def _several(word: str) -> bool:
    return word in _NUMBERS or (word.isdecimal() and word.lstrip("0") not in ("", "1"))


@cache
def _parts(phrase: str) -> tuple[tuple[_Token, ...], ...]:
    """The runs of words between the gaps; one that holds nothing is left out."""
    pieces = re.split(r"…|\.\.\.", phrase.casefold())
    return tuple(part for piece in pieces if (part := tuple(_token(word) for word in piece.split())))


def _token(text: str) -> _Token:
    forms = [form for form in text.split("|") if form and form != "*"]
    begins = tuple(form[:-1] for form in forms if form.endswith("*"))
    return _Token(exact=frozenset(forms) - {"#"}, begins=begins, many="#" in forms)


def _find(words: Sequence[str], part: Sequence[_Token], start: int, *, denied: bool) -> int:
    for at in range(start, len(words) - len(part) + 1):
        if all(token.holds(word) for token, word in zip(part, words[at : at + len(part)], strict=True)) and (
            denied or not _NOT & set(words[max(0, at - 2) : at])
        ):
            return at
    return -1

"""Words of a goal made comparable: lower case, stems, one spelling for other names of a thing; all of it data and plain rules."""

import re
from collections.abc import Iterator
from functools import lru_cache

SAME: tuple[tuple[str, ...], ...] = (
    ("kubernetes", "k8s", "kubernetes cluster"),
    ("postgres", "postgresql", "postgre sql"),
    ("ci cd", "cicd", "continuous integration", "continuous delivery", "continuous deployment"),
    ("authentication", "auth", "login", "signin"),
    ("iac", "infrastructure as code"),
    ("llm", "large language model", "language model"),
    ("rag", "retrieval augmented generation"),
    ("vector database", "vector db", "vector store"),
    ("ml", "machine learning"),
    ("soc2", "soc 2"),
    ("iso27001", "iso 27001"),
    ("kpi", "key performance indicator"),
    ("frontend", "front end", "user interface", "ui"),
    ("backend", "back end", "server side"),
    ("fullstack", "full stack"),
    ("crud", "create read update delete"),
    ("websocket", "web socket"),
    ("openapi", "open api", "swagger"),
    ("aws", "amazon web services"),
    ("gcp", "google cloud", "google cloud platform"),
    ("azure", "microsoft azure"),
    ("realtime", "real time"),
    ("data warehouse", "warehouse"),
    ("chart", "diagram", "plot"),
    ("harden", "hardening"),
    ("container", "docker", "dockerfile"),
    ("devops", "dev ops"),
    ("mlops", "ml ops"),
    ("finops", "fin ops"),
    ("experiment tracking", "track experiment"),
    ("autoscaling", "auto scaling"),
    ("rest", "restful"),
)
"""each group names one thing; the first, a single word where there is one, is what all are brought to"""

_FILLING = (
    "a an the and or of to for with in on our my your their its it is are be so that this these those we i as at by from into"
    " when which who what how them us all every each"
)
EMPTY = frozenset(_FILLING.split())
_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = (
    ("izations", "iz"), ("ization", "iz"), ("isations", "iz"), ("isation", "iz"), ("ments", ""), ("ment", ""), ("ations", "at"),
    ("ation", "at"), ("ising", "iz"), ("izing", "iz"), ("ings", ""), ("ing", ""), ("ised", "iz"), ("ized", "iz"), ("ise", "iz"),
    ("ize", "iz"), ("ies", "y"), ("ed", ""), ("es", ""), ("s", ""), ("e", ""),
)  # fmt: skip
_KEPT = frozenset(
    {"aws", "css", "devops", "dns", "gas", "gitops", "https", "kubernetes", "mlops", "ops", "redis", "sso", "stats", "tls"}
)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word without its ending: `deploys`, `deploying` and `deployment` are one. Short words stay as they are."""
    if word in _KEPT or word.isdigit():
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not (ending == "s" and word.endswith(("ss", "us", "is"))):
            left = word[: len(word) - len(ending)] + instead
            return left[:-1] if len(left) > 3 and left[-1] == left[-2] and left[-1] not in "lsz" else left
    return word


def stems(text: str) -> tuple[str, ...]:
    """The stems of a text without empty words, names of one thing brought to one spelling."""
    raw = [stem(word) for word in _WORD.findall(text.casefold()) if word not in EMPTY]
    found: list[str] = []
    at = 0
    while at < len(raw):
        for length in range(min(_LONGEST, len(raw) - at), 0, -1):
            spelled = _SPELLINGS.get(tuple(raw[at : at + length]))
            if spelled is not None:
                found.extend(spelled)
                at += length
                break
        else:
            found.append(raw[at])
            at += 1
    return tuple(found)


def _pairs() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for group in SAME:
        first, *others = (tuple(stem(word) for word in each.split() if word not in EMPTY) for each in group)
        yield first, first
        for other in others:
            yield other, first


_SPELLINGS = dict(_pairs())
_LONGEST = max(len(key) for key in _SPELLINGS)


def holds(text: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the stems of a phrase stand next to each other in a text."""
    size = len(phrase)
    return bool(size) and any(text[at : at + size] == phrase for at in range(len(text) - size + 1))

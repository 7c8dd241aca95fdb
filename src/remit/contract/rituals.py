"""Sentences people write to agents, and the rules they mean (OWN-13)."""

import re
from collections.abc import Callable

_PATH = re.compile(r"(?<![\w.])/?(?:[\w.-]+/)+[\w.*-]*|(?<![\w/])/?[\w-]+\.[A-Za-z][\w]{0,5}\b|(?<![\w.])/[\w.-]+")

LONGEST_LINE = 400


def paths_in(text: str) -> tuple[str, ...]:
    """What looks like a file or folder in a sentence, from the root of the workspace; folders end in `/**`."""
    found = []
    for hit in _PATH.finditer(text[:LONGEST_LINE]):
        path = hit.group().rstrip(".,;:").lstrip("/")
        if path:
            folder = path.endswith("/") or "." not in path.rpartition("/")[2]
            found.append(path.rstrip("/") + "/**" if folder else path)
    return tuple(dict.fromkeys(found))


def suggested_rule(line: str) -> str | None:
    """The rule a sentence probably means, as text to be read by a person; None when there is no telling."""
    line = line[:LONGEST_LINE]  # what follows is matched by patterns that are not linear
    return next((rule(line) for pattern, rule in _RITUALS if pattern.search(line)), None)


Suggestion = Callable[[str], str | None]


def _fixed(text: str) -> Suggestion:
    return lambda _: text


def _paths(effect: str, verb: str) -> Suggestion:
    def rule(line: str) -> str | None:
        found = paths_in(line)
        if not found:
            return None
        listed = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        return f"`{effect}: - {verb}: {listed}`"

    return rule


def _effects(line: str) -> str | None:
    """`do not create or delete branches`, `never push`: git effects by their verbs."""
    verbs = [verb for verb in ("push", "branch", "tag", "commit") if verb in line.lower()]
    if "push" in verbs:
        verbs = ["push"]
    return "`never: " + " ".join(f"- {verb}: any" for verb in verbs) + "`" if verbs else None


_NOT = r"\b(?:do not|don['’]?t|never|must not|may not|no)\b"
_CHANGE = r"\b(?:modify|change|edit|write|touch|update|alter|bump)\b"
_ASKED = r"(?:(?:my|our|an?|the|explicit) )*(?:approval|sign[- ]?off|permission|go[- ]?ahead)"

# The first that fits counts: the five rituals people type, then the commonest fences.
_RULES: tuple[tuple[str, Suggestion], ...] = (
    (
        r"\bask (?:(?:me|us|the owner|first) )*before (?:you )?(?:send|post|mail|messag|repl)",
        _fixed("`ask: - call: TOOL` with `who: owner` for each tool that sends"),
    ),
    (
        rf"\b(?:wait for|needs?|requires?|only with|without) {_ASKED}",
        _fixed("`ask:` instead of `may:` for what needs approval, with `who: owner`"),
    ),
    (
        r"\bdraft\b.*\b(?:don['’]?t|do not|not|without|never)\b.*\b(?:finali[sz]|send|publish|submit)",
        _fixed("`publish: ask`, and `ask: - publish: any`"),
    ),
    (
        r"\bcheck ?points?\b|\bcheck (?:in|back) with\b|\bstop and (?:ask|show)\b",
        _fixed("`recovery: - when: stuck` with `do: ask owner`, and `publish: ask`"),
    ),
    (r"\bshadow\b|\bsecond pair of eyes\b|\breview(?:ed|s)?\b.*\bbefore\b", _fixed("`publish: ask`")),
    (rf"{_NOT}.*\b(?:push|branch(?:es)?|tags?|commits?)\b", _effects),
    (rf"\bonly\b.*{_CHANGE}|{_CHANGE}.*\bonly\b", _paths("may", "write")),
    (rf"{_NOT}.*\b(?:delete|remove)\b", _paths("never", "delete")),
    (rf"(?:{_NOT}|\bleave\b).*(?:{_CHANGE}|\balone\b)", _paths("never", "write")),
    (rf"{_NOT}.*\bread\b", _paths("never", "read")),
    (rf"{_NOT}.*\b(?:internet|network|online)\b", _fixed("no `fetch` rule at all: what no rule names cannot be reached")),
    (rf"\bmay\b.*{_CHANGE}", _paths("may", "write")),
)
_RITUALS = tuple((re.compile(pattern, re.IGNORECASE), rule) for pattern, rule in _RULES)

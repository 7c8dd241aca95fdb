"""Sentences people write to agents, and the rules they mean (OWN-13)."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec.structs import replace

from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import Escalation, Recovery
from remit.contract.party import Tool, ToolEffect
from remit.contract.print import print_contract
from remit.contract.rule import Effect, Rule, Verb
from remit.value import Value

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


class Meaning(Value, frozen=True, kw_only=True):
    """What a sentence comes to in a contract: rules, rungs, and the key `publish`; and the same in words."""

    said: str
    words: str
    rules: tuple[Rule, ...] = ()
    recovery: tuple[Recovery, ...] = ()
    publish: Literal["auto", "ask"] = "auto"


def meaning(line: str, tools: Sequence[Tool] = ()) -> Meaning | None:
    """What a sentence probably means, with the tools that are known named one by one; None when there is no telling."""
    words = suggested_rule(line)
    if words is None:
        return None
    cut = line[:LONGEST_LINE]
    build = next(build for pattern, rule, build in _RITUALS if pattern.search(cut) and rule(cut) is not None)
    return build(cut, words, tools)


def as_yaml(meanings: Iterable[Meaning]) -> str:
    """Everything these mean as one text to be pasted into a contract: the keys `may`, `ask`, `never`, `recovery`, `publish`."""
    found = list(meanings)
    rules = tuple(dict.fromkeys(rule for each in found for rule in each.rules))
    rungs = tuple(dict.fromkeys(rung for each in found for rung in each.recovery))
    publish: Literal["auto", "ask"] = "ask" if any(each.publish == "ask" for each in found) else "auto"
    return rules_text(rules, recovery=rungs, publish=publish)


def rules_text(
    rules: Iterable[Rule],
    *,
    recovery: tuple[Recovery, ...] = (),
    escalation: tuple[Escalation, ...] = (),
    publish: Literal["auto", "ask"] = "auto",
) -> str:
    """Rules, rungs and escalations as a contract writes them, and nothing else of a contract."""
    whole = Contract(
        goal="-", owner="-", rules=_numbered(rules), limits=Limits(), success=(), recovery=recovery, escalation=escalation,
        publish=publish,
    )  # fmt: skip
    lines = print_contract(whole).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("goal:", "owner:", "limits:", "success:")))


def _numbered(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """With the ids they get where they are pasted alone, so that none needs to be written."""
    counts: dict[str, int] = {}
    named = []
    for rule in rules:
        counts[rule.effect] = counts.get(rule.effect, 0) + 1
        named.append(replace(rule, id=f"{rule.effect}-{rule.verb}-{counts[rule.effect]}"))
    return tuple(named)


def _rule(effect: Effect, verb: Verb, *objects: str, who: str | None = None) -> Rule:
    return Rule(id=f"{effect}-{verb}-1", effect=effect, verb=verb, objects=objects, who=who)


def suggested_rule(line: str) -> str | None:
    """The rule a sentence probably means, as text to be read by a person; None when there is no telling."""
    line = line[:LONGEST_LINE]  # what follows is matched by patterns that are not linear
    return next((rule(line) for pattern, rule, _ in _RITUALS if pattern.search(line)), None)


Suggestion = Callable[[str], str | None]
Build = Callable[[str, str, Sequence[Tool]], Meaning]
_SENDING: tuple[ToolEffect, ...] = ("send", "execute", "publish")
_LEAVING: tuple[ToolEffect, ...] = ("send", "execute", "queue", "publish")
_SEND_NAMES = ("*send*", "*mail*", "*message*", "*post*", "*reply*")


def _asking(effects: tuple[ToolEffect, ...], *otherwise: str, publish: Literal["auto", "ask"] = "auto") -> Build:
    """`ask` for each known tool of these effects; where none is known, for whatever its name says."""

    def build(line: str, words: str, tools: Sequence[Tool]) -> Meaning:
        named: list[tuple[str, ...]] = [(tool.name,) for tool in tools if tool.effect in effects] or [otherwise]
        rules = tuple(_rule("ask", "call", *names, who="owner") for names in named)
        return Meaning(said=line, words=words, rules=rules, publish=publish)

    return build


def _draft_only(line: str, words: str, tools: Sequence[Tool]) -> Meaning:
    """Drafts go on freely; whatever makes them final is asked."""
    final = [(tool.name,) for tool in tools if tool.effect in ("send", "queue", "publish")]
    calls = tuple(_rule("ask", "call", *names, who="owner") for names in final)
    return Meaning(said=line, words=words, rules=(_rule("ask", "publish", "any", who="owner"), *calls), publish="ask")


def _held(line: str, words: str, tools: Sequence[Tool]) -> Meaning:  # noqa: ARG001 - every build takes the same
    return Meaning(said=line, words=words, publish="ask")


def _checkpoint(line: str, words: str, tools: Sequence[Tool]) -> Meaning:  # noqa: ARG001 - every build takes the same
    return Meaning(said=line, words=words, recovery=(Recovery(when="stuck", do="ask owner"),), publish="ask")


def _on_paths(effect: Effect, verb: Verb) -> Build:
    return lambda line, words, _: Meaning(said=line, words=words, rules=(_rule(effect, verb, *paths_in(line)),))


def _on_git(line: str, words: str, tools: Sequence[Tool]) -> Meaning:  # noqa: ARG001 - every build takes the same
    return Meaning(said=line, words=words, rules=tuple(_rule("never", verb, "any") for verb in _git_verbs(line)))


def _no_network(line: str, words: str, tools: Sequence[Tool]) -> Meaning:  # noqa: ARG001 - every build takes the same
    return Meaning(said=line, words=words, rules=(_rule("never", "fetch", "any"),))


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
    verbs = _git_verbs(line)
    return "`never: " + " ".join(f"- {verb}: any" for verb in verbs) + "`" if verbs else None


def _git_verbs(line: str) -> tuple[Verb, ...]:
    known: tuple[Verb, ...] = ("push", "branch", "tag", "commit")
    verbs = tuple(verb for verb in known if verb in line.lower())
    return ("push",) if "push" in verbs else verbs


_NOT = r"\b(?:do not|don['’]?t|never|must not|may not|no)\b"
_CHANGE = r"\b(?:modify|change|edit|write|touch|update|alter|bump)\b"
_ASKED = r"(?:(?:my|our|an?|the|explicit) )*(?:approval|sign[- ]?off|permission|go[- ]?ahead)"

# The first that fits counts: the five rituals people type, then the commonest fences.
_RULES: tuple[tuple[str, Suggestion, Build], ...] = (
    (
        r"\bask (?:(?:me|us|the owner|first) )*before (?:you )?(?:send|post|mail|messag|repl)",
        _fixed("`ask: - call: TOOL` with `who: owner` for each tool that sends"),
        _asking(_SENDING, *_SEND_NAMES),
    ),
    (
        rf"\b(?:wait for|needs?|requires?|only with|without) {_ASKED}",
        _fixed("`ask:` instead of `may:` for what needs approval, with `who: owner`"),
        _asking(_LEAVING, "any", publish="ask"),
    ),
    (
        r"\bdraft\b.*\b(?:don['’]?t|do not|not|without|never)\b.*\b(?:finali[sz]|send|publish|submit)",
        _fixed("`publish: ask`, and `ask: - publish: any`"),
        _draft_only,
    ),
    (
        r"\bcheck ?points?\b|\bcheck (?:in|back) with\b|\bstop and (?:ask|show)\b",
        _fixed("`recovery: - when: stuck` with `do: ask owner`, and `publish: ask`"),
        _checkpoint,
    ),
    (r"\bshadow\b|\bsecond pair of eyes\b|\breview(?:ed|s)?\b.*\bbefore\b", _fixed("`publish: ask`"), _held),
    (rf"{_NOT}.*\b(?:push|branch(?:es)?|tags?|commits?)\b", _effects, _on_git),
    (rf"\bonly\b.*{_CHANGE}|{_CHANGE}.*\bonly\b", _paths("may", "write"), _on_paths("may", "write")),
    (rf"{_NOT}.*\b(?:delete|remove)\b", _paths("never", "delete"), _on_paths("never", "delete")),
    (rf"(?:{_NOT}|\bleave\b).*(?:{_CHANGE}|\balone\b)", _paths("never", "write"), _on_paths("never", "write")),
    (rf"{_NOT}.*\bread\b", _paths("never", "read"), _on_paths("never", "read")),
    (
        rf"{_NOT}.*\b(?:internet|network|online)\b",
        _fixed("no `fetch` rule at all: what no rule names cannot be reached"),
        _no_network,
    ),
    (rf"\bmay\b.*{_CHANGE}", _paths("may", "write"), _on_paths("may", "write")),
)
_RITUALS = tuple((re.compile(pattern, re.IGNORECASE), rule, build) for pattern, rule, build in _RULES)

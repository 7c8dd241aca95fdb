"""Whether work may go up to a heavier runtime: only where the task says so and its contract has the substance for it.

Words alone are only talk, since a task may come from an agent; rules alone are only room. Both together justify, and what
justified is returned for the record (ESC-01..03, ESC-06, TIER-13). The `delegate` action itself is decided like any other.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec.structs import replace

from remit.authority.decision import Code, Reason, Refuse
from remit.authority.implies import object_inside
from remit.authority.needs import ASKING, FILLERS, LOOKING, OUTCOMES, WORDS
from remit.authority.phrases import Sentence, says, sentences
from remit.contract.amounts import micro_text, thousands_text, time_text
from remit.contract.contract import Contract
from remit.contract.glob import compile_glob, wild
from remit.contract.heavy import NEEDS, Heavy, Need
from remit.contract.limits import Limits
from remit.contract.models import HEAVY_RUNTIMES, RUNTIMES
from remit.contract.party import Organisation
from remit.contract.rule import Rule, Verb
from remit.contract.tiers import kind_of_tool
from remit.value import Value

FEW_TURNS = 5
"""turns within which a light agent is as good"""
LONGEST_WHY = 1_000
"""characters of a reason that are kept"""


class Justified(Value, frozen=True, kw_only=True):
    """Work may go up: the needs that justify it, by what each is known, the reason given, and the caps that go along, as text."""

    runtime: str
    needs: tuple[str, ...]
    by: Mapping[str, str]
    why: str
    caps: Mapping[str, str]


def justify(
    task: str, contract: Contract, runtime: str, why: str, organisation: Organisation | None = None
) -> Justified | Refuse:
    """Whether `task`, under the child's `contract`, is a matter for `runtime`; `why` is the requester's reason.

    A refusal says everything that is in the way, each with NOT-JUSTIFIED. A runtime that is no heavier one is refused too: there
    is nothing to escalate to.
    """
    entry = _entry(runtime, organisation)
    words, counting = (entry.words, entry.needs) if entry else ((), NEEDS)
    said = _said(task, why, words)
    held = {need: what for need in counting if (what := _substance(need, contract, organisation, words))}
    needs = tuple(need for need in counting if need in said and need in held)
    obstacles = [
        *_unavailable(runtime, entry, organisation),
        *_kept(task, why, entry),
        *_unsaid(task, why),
        *_uncapped(contract),
        *([] if needs else _unneeded(said, held, counting)),
    ]
    if obstacles:
        at = contract.hash()
        found = [Reason(code=Code.NOT_JUSTIFIED, rule=None, contract=at, why=what, instead=do) for what, do in obstacles]
        return Refuse(reasons=tuple(found))
    by = {need: f"{said[need]}; {held[need]}" for need in needs}
    return Justified(runtime=runtime, needs=needs, by=by, why=why.strip()[:LONGEST_WHY], caps=caps_of(contract.limits))


def agreed(contract: Contract, runtime: str, why: str, organisation: Organisation | None = None) -> Justified | Refuse:
    """Whether work may go up that a person has agreed to by name: nobody weighs the task again, but whether the organisation has
    the runtime at all, what it keeps for itself, a reason and caps are asked for as ever.
    """
    entry = _entry(runtime, organisation)
    obstacles = [
        *_unavailable(runtime, entry, organisation),
        *_kept(contract.goal, why, entry),
        *_unsaid(contract.goal, why),
        *_uncapped(contract),
    ]
    if obstacles:
        at = contract.hash()
        found = [Reason(code=Code.NOT_JUSTIFIED, rule=None, contract=at, why=what, instead=do) for what, do in obstacles]
        return Refuse(reasons=tuple(found))
    return Justified(runtime=runtime, needs=(), by={}, why=why.strip()[:LONGEST_WHY], caps=caps_of(contract.limits))


def caps_of(limits: Limits) -> dict[str, str]:
    """Limits as the record and a person read them."""
    written = {
        "turns": None if limits.turns is None else str(limits.turns),
        "calls": None if limits.calls is None else str(limits.calls),
        "tokens": None if limits.tokens is None else thousands_text(limits.tokens),
        "usd": None if limits.usd is None else micro_text(limits.usd),
        "time": None if limits.time is None else time_text(limits.time),
    }
    return {name: text for name, text in written.items() if text is not None}


# -------------------------------------------------------------------------------------------------------- what is in the way

_LIGHT = "let the light agent do it"
Obstacle = tuple[str, str]


def _entry(runtime: str, organisation: Organisation | None) -> Heavy | None:
    entries = (organisation.heavy or ()) if organisation else ()
    return next((each for each in entries if runtime in each.runtimes), None)


def _unavailable(runtime: str, entry: Heavy | None, organisation: Organisation | None) -> Iterator[Obstacle]:
    if runtime not in HEAVY_RUNTIMES:
        known = ", ".join(name for name in RUNTIMES if name in HEAVY_RUNTIMES)
        yield f"`{runtime[:60]}` is no heavier runtime", f"name one of {known}"
    elif entry is None and organisation is not None and organisation.heavy is not None:
        yield f"the organisation does not make `{runtime}` available", _LIGHT


def _kept(task: str, why: str, entry: Heavy | None) -> Iterator[Obstacle]:
    for phrase in entry.unless if entry else ():
        if any(says(each, phrase, even_denied=True) for each in (*sentences(task), *sentences(why))):
            yield f"a task that says `{phrase}` stays where it is, says the organisation", _LIGHT


def _unsaid(task: str, why: str) -> Iterator[Obstacle]:
    if not task.strip():
        yield "there is no task", "say what is to be done"
    if not why.strip():
        yield "no reason is given", "say why it needs a heavier runtime; the reason goes on record"


def _uncapped(contract: Contract) -> Iterator[Obstacle]:
    """ESC-03. Where every model costs nothing, dollars bound nothing."""
    limits, free = contract.limits, bool(contract.models) and all(each.price and each.price.free for each in contract.models)
    if limits.turns is None:
        yield "the contract that goes along caps no turns", "give it `limits: {turns: 40, …}`"
    if limits.tokens is None and (limits.usd is None or free):
        yield "the contract that goes along caps neither usd nor tokens", "give it `limits: {usd: 2.00, tokens: 400k, …}`"


def _unneeded(said: Mapping[str, str], held: Mapping[str, str], counting: Iterable[str]) -> Iterator[Obstacle]:
    known = [need for need in said if need in counting]
    if not known:
        yield f"the task asks for none of {', '.join(counting)}", _LIGHT
    for need in known:
        if need not in held:
            yield (
                f"the task speaks of {need}, and the contract that goes along holds no {_WANTS.get(need, 'rule for it')}",
                _LIGHT,
            )


_WANTS = {
    "multi-file": "rule to write more than one file",
    "terminal": "rule to run anything",
    "browser": "rule to fetch anything or to use a browser",
    "iteration": f"more than {FEW_TURNS} turns",
}

# ---------------------------------------------------------------------------------------------------------------- the words


def _said(task: str, why: str, more: tuple[Need, ...]) -> dict[str, str]:
    """Needs that are spoken of, and by which phrase. The reason counts too, but never turns light work into heavy."""
    phrases = [*WORDS.items(), *((need.name, need.words) for need in more)]
    every = sentences(task)
    asked = [each for each in every if not _question(each)]
    doing = [each for each in asked if _first(each) not in LOOKING]
    found = _spoken(doing, OUTCOMES.items(), "the task says") | _spoken(asked, phrases, "the task says")
    # Where a sentence only asks or looks, another that says nothing of work must not switch the reason on: an agent writes both.
    if found or (doing and len(doing) == len(every)):
        found = _spoken(sentences(why), phrases, "the reason says") | found
    return found


def _spoken(text: Iterable[Sentence], phrases: Iterable[tuple[str, tuple[str, ...]]], where: str) -> dict[str, str]:
    held, found = tuple(text), dict[str, str]()
    for need, known in phrases:
        phrase = next((phrase for phrase in known if any(says(each, phrase) for each in held)), None)
        if phrase is not None:
            found.setdefault(need, f"{where} `{_short(phrase)}`")
    return found


def _short(phrase: str) -> str:
    """A phrase with the first of each of its alternatives: enough to know it by."""
    return " ".join(word if "|" not in word else f"{word.partition('|')[0]}|…" for word in phrase.split())


def _question(sentence: Sentence) -> bool:
    first = _first(sentence)
    polite = sentence.words[0] in ("can", "could", "would", "will") and sentence.words[1:2] == ("you",)
    return first in ASKING or (sentence.asks and not polite and first not in ("why", "why's"))


def _first(sentence: Sentence) -> str:
    """The word that says what the sentence is for."""
    words = sentence.words[2:] if sentence.words[0] in ("can", "could", "would", "will") else sentence.words
    return next((word for word in words if word not in FILLERS), "")


# ------------------------------------------------------------------------------------------------------------ the substance


def _substance(need: str, contract: Contract, organisation: Organisation | None, more: tuple[Need, ...]) -> str:
    """What of the contract makes the need more than talk; empty where nothing does."""
    match need:
        case "multi-file":
            return _many_files(contract)
        case "terminal":
            return _by_rule(contract, "run") or _by_tool(contract, organisation, "shell")
        case "browser":
            return _by_rule(contract, "fetch") or _by_tool(contract, organisation, "browser")
        case "iteration":
            turns = contract.limits.turns or 0
            return f"the contract allows {turns} turns" if turns > FEW_TURNS else ""
        case _:
            return _by_own(contract, [each for each in more if each.name == need and each.verb is not None])


def _open(contract: Contract, verb: Verb) -> Iterator[tuple[Rule, str]]:
    """What `may` and `ask` rules let be done, without what a `never` takes back whole."""
    fences = [rule for rule in contract.rules if rule.effect == "never" and rule.verb == verb and not rule.where]
    for rule in contract.rules:
        if rule.effect != "never" and rule.verb == verb:
            yield from ((rule, text) for text in rule.objects if not any(object_inside(fence, text) for fence in fences))


def _many_files(contract: Contract) -> str:
    files: set[str] = set()
    for rule, text in _open(contract, "write"):
        if wild(text) and rule.times != 1:
            return f"rule `{rule.id}` lets more than one file be written"
        files.add(text)
    return "its rules let more than one file be written" if len(files) > 1 else ""


def _by_rule(contract: Contract, verb: Verb) -> str:
    return next((f"rule `{rule.id}` lets it {verb} `{text}`" for rule, text in _open(contract, verb)), "")


def _by_tool(contract: Contract, organisation: Organisation | None, kind: str) -> str:
    declared = chain(contract.tools, organisation.tools if organisation else ())
    names = tuple(tool.name for tool in declared)
    for rule, text in _open(contract, "call"):
        meant = names if text == "any" else tuple(filter(compile_glob(text), names)) if wild(text) else (text,)
        tool = next((name for name in meant if kind_of_tool(name) == kind), None)
        if tool is not None:
            return f"rule `{rule.id}` lets it call `{tool}`"
    return ""


def _by_own(contract: Contract, needs: list[Need]) -> str:
    for need in needs:
        assert need.verb is not None
        wanted = Rule(id="", effect="may", verb=need.verb, objects=(need.object,))
        for rule, text in _open(contract, need.verb):
            if object_inside(wanted, text) or object_inside(replace(wanted, objects=(text,)), need.object):
                return f"rule `{rule.id}` is about `{need.verb} {need.object}`"
    return ""

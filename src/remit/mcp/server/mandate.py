"""How far a contract may go that a host sends as text: it may be the agent's own, so it gives nothing that a person must."""

import shlex
from collections.abc import Collection, Iterator, Sequence

from remit.contract.contract import Contract
from remit.contract.models import METERED_RUNTIMES, runtime_of
from remit.contract.party import Organisation, Tool
from remit.contract.rule import Rule

OUTSIDE = frozenset({"call", "publish", "push", "delegate", "fetch"})
"""verbs whose effect leaves the workspace, or hands work on; what is fetched can carry things out, too"""
STARTED = frozenset({"command", "acp"})
"""runtimes that are whatever program is named"""


def beyond_text(
    contract: Contract, organisation: Organisation | None, variables: Collection[str], *, runtime: str = ""
) -> Iterator[str]:
    """What in this contract only a person may write, each with what to write instead. `runtime` is who would work.

    An organisation may still let less through: it is the ceiling of every contract.
    """
    tools = {tool.name: tool for tool in organisation.tools} if organisation else {}
    late = [rule for rung in contract.recovery for rule in rung.may]
    for rule in (*contract.rules, *late):
        if rule.effect == "may" and rule.verb in OUTSIDE and not _only_reads(rule, tools):
            said = f"{rule.verb} {', '.join(rule.objects)}"
            yield f"`may: {said}` leaves the workspace: write it under `ask:`, so that a person says yes"
    if contract.containment != "L3":
        yield f"`containment: {contract.containment}` is less than L3: leave it out"
    for name in contract.environment:
        if name not in variables:
            yield f"`environment: {name}` hands a variable of this machine to the agent: a person allows it with --env {name}"
    for model in contract.models:
        if model.price is not None:
            yield f"`price:` of `{model.name}`: what a model costs is for a person to say, in a file of theirs"
    if contract.limits.usd is None and _metered(contract, runtime or runtime_of(contract.runtime)[0]):
        yield "no limit of `usd`, and the work is done with a model that a person pays for: write `limits: {usd: 1.00}`"


def beyond_programs(
    contract: Contract, runtime: str, command: Sequence[str], programs: Collection[tuple[str, ...]], *, text: bool
) -> Iterator[str]:
    """The program that would be started and that no person has named; in a contract file (`text` false) its own is named."""
    told, rest = runtime_of(contract.runtime)
    name = runtime or ("command" if command else told)
    words = tuple(command) or (rest if name == told and text else ())
    if name in STARTED and words and not any(words[: len(each)] == each for each in programs):
        yield f"the program `{shlex.join(words)[:200]}`: a person names it with --allow-program {shlex.quote(words[0])[:100]}"


def _metered(contract: Contract, runtime: str) -> bool:
    return runtime in METERED_RUNTIMES or bool(contract.model or contract.models)


def _only_reads(rule: Rule, tools: dict[str, Tool]) -> bool:
    found = [tools.get(name) for name in rule.objects]
    return rule.verb == "call" and all(tool is not None and tool.tier == "read-only" for tool in found)

"""How far a contract may go that a host sends as text: it may be the agent's own, so it gives nothing that a person must."""

from collections.abc import Collection, Iterator

from remit.contract.contract import Contract
from remit.contract.party import Organisation, Tool
from remit.contract.rule import Rule

OUTSIDE = frozenset({"call", "publish", "push", "delegate"})
"""verbs whose effect leaves the workspace, or hands work on"""


def beyond_text(contract: Contract, organisation: Organisation | None, variables: Collection[str]) -> Iterator[str]:
    """What in this contract only a person may write, each with what to write instead.

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


def _only_reads(rule: Rule, tools: dict[str, Tool]) -> bool:
    found = [tools.get(name) for name in rule.objects]
    return rule.verb == "call" and all(tool is not None and tool.tier == "read-only" for tool in found)

"""`remit agent`: what the light agent would be under a contract, every part as given or as the stated default (TIER-04)."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from remit.adapters.runtimes.agent.tool import Tool
from remit.adapters.runtimes.agent.tools import chosen
from remit.cli.load import load_contract, load_organisation, read_bytes
from remit.cli.say import clean, document, talk
from remit.contract.contract import Contract
from remit.contract.glob import compile_glob
from remit.contract.limits import MICRO
from remit.contract.models import runtime_of
from remit.contract.parse import Parsed
from remit.contract.party import TIERS, Organisation
from remit.contract.rule import Rule
from remit.contract.tiers import HIGH_RISK
from remit.value import digest

EFFECTS = ("never", "ask", "may")
MEANING = {
    "read-only": "looks: files, search, status; runs without an approval where a rule lets it",
    "bounded": "changes what its rule names, and nothing else",
    "high-risk": "needs a rule that grants it; usual for " + ", ".join(HIGH_RISK),
    "human-approved": "asks a person each time, whatever the contract says",
}
NO_MODEL = "none: it does not run without one; write `model:` or give --model"
NO_SOUL = "this task does not say for whom the agent acts"


@click.group("agent")
def command() -> None:
    """Look at the light agent before it works."""


@command.command("show")
@click.argument("contract", type=click.Path(path_type=Path))
@click.option("--model", help="the model it would use, as `remit run --model`")
@click.option("--org", help="the organisation file")
@click.option("--json", "as_json", is_flag=True, help="one document")
def show(contract: Path, model: str | None, org: str | None, as_json: bool) -> None:
    """Show identity, task, tools, caps and history under CONTRACT. Exit 3 when a task does not say for whom the agent acts."""
    parsed = load_contract(contract)
    assert parsed.contract is not None
    soul = _soul(contract)
    if contract.suffix == ".md" and parsed.contract.principal is None:
        if as_json:
            document({"schema": "remit.agent/1", "refused": {"code": "NO-PRINCIPAL", "why": NO_SOUL}})
        talk(f"refused (NO-PRINCIPAL): {NO_SOUL}")
        talk("  put a SOUL.md beside it that begins with `---`, `acts for: PERSON`, `---`, or write `acts for:` in the task")
        sys.exit(3)
    found = effective(parsed, parsed.contract, soul, load_organisation(org) or Organisation(), model)
    if as_json:
        document(found)
        return
    for line in screen(found):
        click.echo(line)


@command.command("tiers")
@click.option("--json", "as_json", is_flag=True, help="one document")
def tiers(as_json: bool) -> None:
    """List the four tiers of tools, from the least to the most dangerous (TIER-05)."""
    if as_json:
        document({"schema": "remit.tiers/1", "tiers": [{"tier": tier, "means": MEANING[tier]} for tier in TIERS]})
        return
    for tier in TIERS:
        click.echo(f"{tier:<15} {MEANING[tier]}")


def effective(
    parsed: Parsed, contract: Contract, soul: bytes | None, organisation: Organisation, model: str | None
) -> dict[str, Any]:
    """Everything that makes the agent what it is. `given` says whether the contract says so, or it is the default."""
    limits, written = contract.limits, parsed.draft.written
    own, registered = runtime_of(contract.runtime)[1], (*organisation.tools, *contract.tools)
    named = own if contract.runtime[:1] == ("agent",) else ()
    tools = chosen(named, list({tool.name: tool for tool in registered}.values()))
    judged = any(rule.verb == "run" for rule in (*organisation.rules, *contract.rules))
    return {
        "schema": "remit.agent/1",
        "identity": {
            "principal": contract.principal or contract.owner, "given": contract.principal is not None,
            "soul": digest(soul.decode("utf-8", "replace")) if soul is not None else None,
        },
        "task": {
            "goal": contract.goal, "owner": contract.owner, "digest": digest(parsed.text),
            **{effect: [_said(rule) for rule in contract.rules if rule.effect == effect] for effect in EFFECTS},
        },
        "tools": {
            "given": bool(named),
            "has": [
                {"name": tool.calls or name, "tier": tool.tier, "rules": standing(tool, contract.rules, judged=judged)}
                for name, tool in tools.items()
            ],
        },
        "turns": {"cap": limits.turns, "given": limits.turns is not None, "calls": limits.calls},
        "spend": {"usd": limits.usd, "tokens": limits.tokens, "given": limits.usd is not None or limits.tokens is not None},
        "history": {"is": contract.history, "given": "history" in written},
        "model": {"name": model or contract.model or None, "given": bool(model or contract.model)},
    }  # fmt: skip


def standing(tool: Tool, rules: Sequence[Rule], *, judged: bool = True) -> list[str]:
    """The rules that may decide a tool, strictest first; none means that every call of it is refused.

    `judged` says whether anybody has a rule about programs: where nobody has, they start freely inside the box.
    """
    if not tool.verbs:
        return ["always there: it grants nothing"]
    if tool.verbs == ("run",) and not judged:
        return ["no `run` rule anywhere: what starts in the box is recorded, not refused"]
    return [
        _said(rule, short=True)
        for effect in EFFECTS
        for rule in rules
        if rule.effect == effect and rule.verb in tool.verbs and (rule.verb != "call" or _means(rule, tool.calls))
    ]


def screen(found: dict[str, Any]) -> list[str]:
    """The configuration as a person reads it."""
    who, task, turns, spend = found["identity"], found["task"], found["turns"], found["spend"]
    soul = f"SOUL.md {who['soul']}" if who["soul"] else "no SOUL.md"
    money = [f"{spend['usd'] / MICRO:.2f} usd"] if spend["usd"] is not None else []
    money += [f"{spend['tokens']} tokens"] if spend["tokens"] is not None else []
    calls = f"no cap; {turns['calls']} calls" if turns["calls"] else "no cap"
    keeps = found["history"]["is"] == "keep"
    kept = "every attempt reads the conversation of the one before" if keeps else "every attempt begins fresh"
    model = f"{clean(found['model']['name'])} (given)" if found["model"]["given"] else NO_MODEL
    return [
        f"identity  acts for {clean(who['principal'])} ({'given' if who['given'] else 'default: the owner'}; {soul})",
        f"task      {clean(task['goal'])} ({task['digest']})",
        *(f"          {effect} {clean(said)}" for effect in reversed(EFFECTS) for said in task[effect]),
        f"tools     {'given' if found['tools']['given'] else 'default: all of its own, and every registered one'}",
        *(_line(tool) for tool in found["tools"]["has"]),
        f"turns     {turns['cap'] if turns['given'] else calls} ({'given' if turns['given'] else 'default'})",
        f"spend     {', '.join(money) or 'no limit'} ({'given' if money else 'default; a contract for a model must name one'})",
        f"history   {found['history']['is']}: {kept} ({'given' if found['history']['given'] else 'default'})",
        f"model     {model}",
    ]


def _line(tool: dict[str, Any]) -> str:
    rules = "; ".join(clean(rule) for rule in tool["rules"]) or "no rule: every call is refused"
    return f"          {tool['name']:<12} {tool['tier']:<15} {rules}"


def _said(rule: Rule, *, short: bool = False) -> str:
    named = f"{rule.verb} {', '.join(rule.objects)}"
    return (f"{rule.effect} {named}" if short else named) + (" under conditions" if rule.where else "")


def _means(rule: Rule, name: str) -> bool:
    return any(compile_glob(each)(name) for each in rule.objects)


def _soul(contract: Path) -> bytes | None:
    beside = contract.with_name("SOUL.md")
    return read_bytes(beside) if beside.is_file() else None

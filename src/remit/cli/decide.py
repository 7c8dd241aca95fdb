"""`remit decide`: what a contract answers to actions, one JSON line each."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from remit.authority.action import Action
from remit.authority.compile import Authority, compile_contract, compile_organisation
from remit.authority.decide import decide, granted, numbers
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse, word
from remit.authority.spent import Spent, Used
from remit.authority.windows import METERED
from remit.authority.wire import read_action, returned
from remit.cli.load import load_organisation, read_contract, rendered
from remit.cli.say import clean, document, talk
from remit.contract.contract import Contract
from remit.contract.limits import Spend
from remit.contract.parse import Draft
from remit.contract.party import Organisation
from remit.errors import BadInput

UNDECIDING = (
    "goal", "owner", "success", "recovery", "escalation", "unenforced", "runtime", "containment", "publish", "environment",
)  # fmt: skip
"""parts of a contract whose mistakes do not change what is allowed"""


class Batch:
    """The lines of one call are one run: what an allowed line uses up or returns counts for the next."""

    def __init__(self, lineage: Sequence[Authority], at: datetime | None) -> None:
        self.lineage = lineage
        self.at = at
        self.spent = Spent(run="decide")

    def decide(self, action: Action, result: Any) -> Decision:
        """Decide one line, and count it when it is allowed."""
        now = self.at or datetime.now(UTC)
        decision = decide(self.lineage, action, spent=self.spent, now=now)
        if isinstance(decision, Allow):
            self._count(action, decision, result, now)
        return decision

    def _count(self, action: Action, decision: Allow, result: Any, now: datetime) -> None:
        spent, rules = self.spent, granted(self.lineage, action, decision)
        object_ = action.object if isinstance(action.object, str) else " ".join(action.object)
        used = Used(at=now, run=spent.run, verb=action.verb, object=object_, arguments=numbers(self.lineage, action), rules=rules)
        one = Spend(calls=1 if action.verb in METERED else 0)
        self.spent = Spent(
            spend={each.hash: spent.spend.get(each.hash, Spend()).plus(one) for each in self.lineage},
            times={**spent.times, **{pair: spent.times.get(pair, 0) + 1 for pair in rules}},
            used=(*spent.used, used),
            created=spent.created.union(returned(result)),
            run=spent.run,
        )


@click.command("decide", short_help="say what a contract would answer to actions")
@click.argument("contract", type=click.Path(path_type=Path))
@click.option("--org", "organisation", metavar="FILE", help="The organisation file; else $REMIT_ORG or the one in $REMIT_HOME.")
@click.option("--at", metavar="TIME", help="The moment to decide at, as in 2026-01-31T12:00:00Z; else now.")
@click.option("--json", is_flag=True, expose_value=False, help="Nothing but JSON lines; they are what is printed anyway.")
def command(contract: Path, organisation: str | None, at: str | None) -> None:
    """Read actions as JSON lines, write decisions as JSON lines.

    An action is {"verb": "call", "object": "refund", "arguments": {"amount": 20}}; a command's object is a list of words. With
    "result" it says what it returned. The lines are one run: counts, sums and returned values of allowed lines add up.
    """
    batch = Batch(_lineage(contract, load_organisation(organisation)), _moment(at))
    bad = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            decision = batch.decide(*read_action(_text(line)))
        except BadInput as error:
            bad += 1
            talk(f"remit: line {number}: {clean(str(error))}" + (f"; {error.hint}" if error.hint else ""))
            reason = Reason(code=Code.INPUTS, rule=None, contract=batch.lineage[-1].hash, why=str(error), instead=error.hint)
            decision = Refuse(reasons=(reason,))
        document(answered(decision))
    if bad:
        sys.exit(2)


def answered(decision: Decision) -> dict[str, Any]:
    """One decision as the line that is printed: `of` is one person, a list of several, or null."""
    people = decision.of if isinstance(decision, Ask) else ()
    return {
        "decision": word(decision),
        "reasons": decision.reasons,
        "of": people[0] if len(people) == 1 else list(people) or None,
    }


# ---------------------------------------------------------------------------------------------------------------------


def _lineage(path: Path, organisation: Organisation | None) -> tuple[Authority, ...]:
    """The organisation where there is one, then the contract, whole or not."""
    parsed = read_contract(path)
    wrong = tuple(
        finding for finding in parsed.findings if finding.severity == "error" and not finding.where.startswith(UNDECIDING)
    )
    if wrong:
        raise BadInput(rendered(wrong), hint=f"`remit check {path}` says everything that is wrong")
    ceiling = () if organisation is None else (compile_organisation(organisation),)
    return (*ceiling, compile_contract(parsed.contract or _contract(parsed.draft), organisation))


def _contract(draft: Draft) -> Contract:
    """The draft as far as it decides. More than one owner is none."""
    return Contract(
        goal=draft.goal,
        owner=draft.owners[0] if len(draft.owners) == 1 else "",
        rules=draft.rules,
        limits=draft.limits,
        success=draft.success,
        recovery=draft.recovery,
        tools=draft.tools,
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"`{clean(text)}` is not a moment", hint="write it as in 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise BadInput("these bytes are not UTF-8") from None

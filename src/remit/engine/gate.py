"""The one door: decide, record, and only then grant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decide import decide, granted, numbers
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse, word
from remit.authority.spent import Spent
from remit.contract.limits import Spend
from remit.contract.outcome import Escalation
from remit.engine.hands import Hands
from remit.engine.lineage import Lineages, approvals, counts, denied, spent
from remit.ports import Transaction
from remit.run.event import Charged, Decided, Effected, Intended, LimitReached, Notified, QuestionAsked, Recorded, Warned
from remit.run.evolve import replay
from remit.run.state import Run


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The record-backed permission for one action, once. `entry` is the place of its decision in the ledger."""

    key: str
    action: Action
    entry: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the gate said: the decision as recorded, and a grant or an open question where there is one."""

    decision: Decision
    grant: Grant | None = None
    question: str | None = None
    over: str = ""
    """the limit that left no room, which ends the attempt"""


def exhausted(run: Run) -> str:
    """The limit that leaves no room for one more want of the agent; empty when none does (BUD-01)."""
    limits, used = run.contract.limits, run.spend.plus(run.reserved)
    for name in ("turns", "calls", "tokens", "usd"):
        most = getattr(limits, name)
        if most is not None and getattr(used, name) >= most:
            return name
    return ""


def used_up(run: Run, limit: str) -> Refuse:
    """The refusal of one want too many."""
    most = getattr(run.contract.limits, limit)
    why = f"the limit `{limit}` is used up: {most} of {most}"
    instead = "leave what there is: the attempt ends here"
    return Refuse(reasons=(Reason(code=Code.LIMIT, rule=None, contract=run.contract.hash(), why=why, instead=instead),))


MOST_OPEN = 10
"""questions that one run may have before people at once: an agent must not bury them (OWN-14)"""


def unanswerable(authorities: Sequence[Authority], decision: Ask) -> Refuse:
    """What could only be asked, and cannot be asked any further."""
    why = "what was answered does not suffice, or too much is before people already"
    reason = Reason(code=Code.APPROVAL, rule=None, contract=authorities[-1].hash, why=why, instead="do something else")
    return Refuse(reasons=(reason, *decision.reasons))


def escalation(run: Run, *about: str) -> Escalation | None:
    """The first escalation of the contract for any of these: a tool or object, a verb, or `any`."""
    return next((each for each in run.contract.escalation if each.about in {*about, "any"}), None)


def deadline(run: Run, about: str, now: datetime, *also: str) -> datetime | None:
    """Until when a question about this may be answered; None where the contract sets no time."""
    rung = escalation(run, about, *also)
    return now + timedelta(seconds=rung.within) if rung is not None and rung.within is not None else None


class Gate:
    """Every action of every run passes here. One transaction checks stop, limits and approvals and records the answer."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._lineages = Lineages()
        self._folded: dict[str, Run] = {}

    def now(self) -> datetime:
        """The moment of deciding."""
        return self._hands.clock.now()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One write to the ledger; if it is rolled back, nothing folded inside it is remembered."""
        try:
            async with self._hands.ledger.transaction() as transaction:
                yield transaction
        except BaseException:
            self._folded.clear()
            raise

    def fold(self, transaction: Transaction, run: str) -> Run:
        """The run as this transaction sees it; only new facts are folded."""
        known = self._folded.get(run, Run(id=run))
        fresh = replay(transaction.events(run, after=known.seq), known)
        self._folded[run] = fresh
        return fresh

    async def decide(self, run: str, action: Action, *, at: str, effect: bool = False, key: str | None = None) -> Answer:
        """Decide one action met at `at` and record it before anything happens; `effect` also records the intent."""
        async with self.transaction() as transaction:
            state = self.fold(transaction, run)
            authorities = self.lineage(transaction, state)
            over = exhausted(state) if at == "door" else ""
            decision = self.weigh(transaction, state, authorities, action, unused=True) if not over else used_up(state, over)
            if over and f"{over} reached" not in state.warned:
                have, most = getattr(state.spend, over), getattr(state.contract.limits, over)
                transaction.append(LimitReached(run=run, limit=over, used=str(have), of=str(most)))
            question = self.put(transaction, run, action, decision, about="action") if isinstance(decision, Ask) else None
            if isinstance(decision, Ask) and question is None:
                decision = unanswerable(authorities, decision)
            entry = self.note(transaction, state, action, decision, at=at, key=key)
            if at == "door":
                self._warn(transaction, self.fold(transaction, run))
            if not isinstance(decision, Allow):
                return Answer(decision=decision, question=question, over=over)
            grant = Grant(key=key or f"{entry.seq}", action=action, entry=entry.seq)
            if effect or counts(authorities):
                self._intend(transaction, state, authorities, action, decision, grant.key)
            if not effect and counts(authorities):
                done = Effected(run=run, key=grant.key, ok=True, receipt="allowed: the agent does it itself")
                transaction.append(done)
            return Answer(decision=decision, grant=grant)

    def lineage(self, transaction: Transaction, run: Run) -> tuple[Authority, ...]:
        """The compiled contracts that answer for this run, outermost first."""
        return self._lineages.of(run, lambda ancestor: self.fold(transaction, ancestor))

    def weigh(
        self, transaction: Transaction, run: Run, authorities: tuple[Authority, ...], action: Action, *, unused: bool,
        used: Spent | None = None,
    ) -> Decision:  # fmt: skip
        """The decision, with what only the ledger knows: a stop, a person's no, a person's yes."""
        if run.stop:
            why = f"the run was stopped by {run.stop}"
            return Refuse(reasons=(Reason(code=Code.STOPPED, rule=None, contract=authorities[-1].hash, why=why),))
        if denied(run, action.digest()):
            why = "a person has already said no to exactly this"
            reason = Reason(code=Code.DENIED, rule=None, contract=authorities[-1].hash, why=why, instead="do something else")
            return Refuse(reasons=(reason,))
        now = self._hands.clock.now()
        used = used or spent(run, transaction, now, authorities, metered=unused)
        return decide(authorities, action, spent=used, approvals=approvals(run, unused=unused), now=now)

    def note(
        self, transaction: Transaction, run: Run, action: Action, decision: Decision, *, at: str, key: str | None = None
    ) -> Recorded:
        """Record a decision."""
        return transaction.append(
            Decided(
                run=run.id, action=action, digest=action.digest(), decision=word(decision), reasons=decision.reasons,
                considered=decision.considered, at_door=at, of=decision.of if isinstance(decision, Ask) else (), key=key,
            )
        )  # fmt: skip

    def _intend(
        self, transaction: Transaction, run: Run, authorities: tuple[Authority, ...], action: Action, decision: Allow, key: str
    ) -> None:
        rules = granted(authorities, action, decision)
        transaction.append(Intended(run=run.id, key=key, action=action, rules=rules, numbers=numbers(authorities, action)))

    def _warn(self, transaction: Transaction, run: Run) -> None:
        """At four fifths of a limit, say so once, before anybody has to guess (BUD-04)."""
        for name in ("turns", "calls"):
            have, most = getattr(run.spend, name), getattr(run.contract.limits, name)
            if most and have >= 0.8 * most and name not in run.warned:
                transaction.append(Warned(run=run.id, limit=name, used=str(have), of=str(most)))

    def put(self, transaction: Transaction, run_id: str, action: Action, decision: Ask, *, about: str) -> str | None:
        """Put an `Ask` before its people, one question each; the first that is open.

        None when everybody has answered and it is still not allowed, or when too much is open already: it is refused then.
        An approval that was used is used up, so the same action may be asked for again.
        """
        run, digest = self.fold(transaction, run_id), action.digest()
        asked = [each for each in run.questions.values() if each.question.digest == digest and not each.used]
        known = {person for each in asked for person in each.question.of}
        for person in dict.fromkeys(run.contract.owner if person == "owner" else person for person in decision.of):
            if person in known:
                continue
            if len(run.open_questions) >= MOST_OPEN:
                return None
            self._ask(transaction, run, action, decision, person, about)
            run = self.fold(transaction, run_id)
        return next((each.question for each in run.open_questions if each.digest == digest), None)

    async def ask_owner(self, run: str, text: str) -> str | None:
        """A question of the agent's own, which only supplies what it does not know (APP-15). It is a turn; None: too many."""
        async with self.transaction() as transaction:
            state = self.fold(transaction, run)
            if exhausted(state) or len(state.open_questions) >= MOST_OPEN:
                return None
            transaction.append(Charged(run=run, spend=Spend(turns=1), what="a question of the agent's own"))
            name, owner = f"Q{len(state.questions) + 1}", state.contract.owner
            transaction.append(QuestionAsked(run=run, question=name, about="context", text=text, of=(owner,)))
            transaction.append(Notified(run=run, who=owner, how="inbox", what=f"{name}: {text}"))
            return name

    def _ask(self, transaction: Transaction, run: Run, action: Action, decision: Ask, person: str, about: str) -> None:
        """A row, and word to whom it asks and whom the contract pages."""
        rung = escalation(run, str(action.object), action.verb)
        name, text = f"Q{len(run.questions) + 1}", f"May the agent {action.said()}?"
        transaction.append(
            QuestionAsked(
                run=run.id, question=name, about="change" if about == "change" else "action", text=text, of=(person,),
                action=action, digest=action.digest(), contract=decision.reasons[0].contract, reasons=decision.reasons,
                expires=deadline(run, str(action.object), self._hands.clock.now(), action.verb),
                otherwise=rung.otherwise if rung else "",
            )
        )  # fmt: skip
        for told in dict.fromkeys((person, *((rung.page,) if rung else ()))):
            transaction.append(Notified(run=run.id, who=told, how="inbox", what=f"{name}: {text}"))

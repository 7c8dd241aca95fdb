"""The one door: decide, record, and only then grant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decide import decide, granted, numbers
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse, word
from remit.authority.spent import Spent
from remit.contract.limits import Spend
from remit.engine.hands import Hands
from remit.engine.lineage import approvals, counts, spent
from remit.engine.questions import MOST_OPEN, put, tell
from remit.ports import Transaction
from remit.run.event import Charged, Decided, Effected, Intended, LimitReached, QuestionAsked, Recorded, Warned, Withdrawn
from remit.run.outbox import Draft
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
    limits, used = run.limits, run.spend.plus(run.reserved)
    held = run.held  # tokens and money set aside for calls under way mostly come back; their turns are used all the same
    used = msgspec.structs.replace(used, tokens=used.tokens - held.tokens, usd=used.usd - held.usd)
    for name in ("turns", "calls", "tokens", "usd"):
        most = getattr(limits, name)
        if most is not None and getattr(used, name) >= most:
            return name
    return ""


def calls_used_up(run: Run) -> str:
    """`calls` where a runtime's own tool would be one call too many; its turns are counted by its model."""
    most = run.limits.calls
    return "calls" if most is not None and run.spend.calls + run.reserved.calls >= most else ""


def used_up(run: Run, limit: str) -> Refuse:
    """The refusal of one want too many."""
    most = getattr(run.limits, limit)
    why = f"the limit `{limit}` is used up: {most} of {most}"
    instead = "leave what there is: the attempt ends here"
    return Refuse(reasons=(Reason(code=Code.LIMIT, rule=None, contract=run.contract.hash(), why=why, instead=instead),))


def unanswerable(authorities: Sequence[Authority], decision: Ask) -> Refuse:
    """What could only be asked, and cannot be asked any further."""
    why = "what was answered does not suffice, or too much is before people already"
    reason = Reason(code=Code.APPROVAL, rule=None, contract=authorities[-1].hash, why=why, instead="do something else")
    return Refuse(reasons=(reason, *decision.reasons))


class Gate:
    """Every action of every run passes here. One transaction checks stop, limits and approvals and records the answer."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._lineages = hands.lineages
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
        fresh = self._hands.folds.within(transaction, run, self._folded.get(run))
        self._folded[run] = fresh
        return fresh

    async def decide(self, run: str, action: Action, *, at: str, effect: bool = False, key: str | None = None) -> Answer:
        """Decide one action met at `at` and record it before anything happens; `effect` also records the intent."""
        async with self.transaction() as transaction:
            state = self.fold(transaction, run)
            authorities = self.lineage(transaction, state)
            over = exhausted(state) if at == "door" else calls_used_up(state) if at == "runtime" and action.verb == "call" else ""
            decision = self.weigh(transaction, state, authorities, action, unused=True) if not over else used_up(state, over)
            if over and f"{over} reached" not in state.warned:
                have, most = getattr(state.spend, over), getattr(state.limits, over)
                transaction.append(LimitReached(run=run, limit=over, used=str(have), of=str(most)))
            question = self.put(transaction, run, action, decision, about="action") if isinstance(decision, Ask) else None
            if isinstance(decision, Ask) and question is None:
                decision = unanswerable(authorities, decision)
            entry = self.note(transaction, state, action, decision, at=at, key=key)
            if at == "door":
                self.warn(transaction, run)
            if not isinstance(decision, Allow):
                return Answer(decision=decision, question=question, over=over)
            grant = Grant(key=key or f"{entry.seq}", action=action, entry=entry.seq)
            counted = counts(authorities) or any(reason.code is Code.APPROVED for reason in decision.reasons)
            if effect or counted:  # a yes is used up with the grant, whatever the act
                self.intend(transaction, state, authorities, action, decision, grant.key)
            if not effect and counted:
                done = Effected(run=run, key=grant.key, ok=True, receipt="allowed: the agent does it itself")
                transaction.append(done)
            return Answer(decision=decision, grant=grant)

    def lineage(self, transaction: Transaction, run: Run) -> tuple[Authority, ...]:
        """The compiled contracts that answer for this run, outermost first."""
        return self._lineages.of(run, lambda ancestor: self.fold(transaction, ancestor))

    def weigh(
        self, transaction: Transaction, run: Run, authorities: tuple[Authority, ...], action: Action, *, unused: bool,
        used: Spent | None = None, draft: str = "",
    ) -> Decision:  # fmt: skip
        """The decision, with what only the ledger knows: a stop, a person's no, a person's yes."""
        if run.stop:
            why = f"the run was stopped by {run.stop}"
            return Refuse(reasons=(Reason(code=Code.STOPPED, rule=None, contract=authorities[-1].hash, why=why),))
        if not draft and (no := self.sticky(transaction, run, authorities, action.digest())):
            return no
        now = self._hands.clock.now()
        used = used or spent(run, transaction, now, authorities, metered=unused)
        assert run.started is not None
        yes = approvals(run, unused=unused, draft=draft)
        return decide(
            authorities, action, spent=used, approvals=yes, now=now, requester=run.started.requester,
            attended=not run.started.unattended,
        )  # fmt: skip

    def sticky(self, transaction: Transaction, run: Run, authorities: tuple[Authority, ...], digest: str) -> Refuse | None:
        """A person's no to exactly this, which stands for the rest of the run and of all runs above and below it."""
        if not self._lineages.denied(run, digest, lambda other: self.fold(transaction, other), transaction.asked):
            return None
        why = "a person has already said no to exactly this"
        reason = Reason(code=Code.DENIED, rule=None, contract=authorities[-1].hash, why=why, instead="do something else")
        return Refuse(reasons=(reason,))

    def withdraw(self, transaction: Transaction, run: Run, draft: Draft, decision: Refuse, *, at: str) -> None:
        """Record that a draft is refused, and that it will not be released."""
        self.note(transaction, run, draft.action, decision, at=at, key=draft.key)
        transaction.append(Withdrawn(run=run.id, key=draft.key, how="refused", why=decision.reasons[0].why))

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

    def intend(
        self, transaction: Transaction, run: Run, authorities: tuple[Authority, ...], action: Action, decision: Allow, key: str
    ) -> None:
        """Record that it is about to happen, under which rules, and what windows count of it."""
        rules = granted(authorities, action, decision)
        transaction.append(Intended(run=run.id, key=key, action=action, rules=rules, numbers=numbers(authorities, action)))

    def warn(self, transaction: Transaction, run_id: str) -> None:
        """At four fifths of a limit, say so once, before anybody has to guess (BUD-04)."""
        run = self.fold(transaction, run_id)
        for name in ("turns", "calls"):
            have, most = getattr(run.spend, name), getattr(run.limits, name)
            if most and have >= 0.8 * most and name not in run.warned:
                transaction.append(Warned(run=run.id, limit=name, used=str(have), of=str(most)))

    def put(
        self, transaction: Transaction, run_id: str, action: Action, decision: Ask, *, about: str, draft: str = "",
        preview: str = "",
    ) -> str | None:  # fmt: skip
        """Put an `Ask` before its people; the first question about it that is open. None: nobody can be asked any further."""
        run = self.fold(transaction, run_id)
        if put(transaction, self._hands.clock, run, action, decision, about=about, draft=draft, preview=preview) is None:
            return None
        digest = action.digest()
        open_ = self.fold(transaction, run_id).open_questions
        return next((each.question for each in open_ if (each.draft == draft if draft else each.digest == digest)), None)

    async def ask_owner(self, run: str, text: str) -> str | None:
        """A question of the agent's own, which only supplies what it does not know (APP-15). It is a turn; None: too many."""
        async with self.transaction() as transaction:
            state = self.fold(transaction, run)
            if exhausted(state) or len(state.open_questions) >= MOST_OPEN:
                return None
            transaction.append(Charged(run=run, spend=Spend(turns=1), what="a question of the agent's own"))
            again = next((each for each in state.open_questions if each.about == "context" and each.text == text), None)
            if again is not None:  # the same words while they are open are the same question: nobody is told twice
                return again.question
            name = f"Q{len(state.questions) + 1}"
            asked = QuestionAsked(run=run, question=name, about="context", text=text, of=(state.owner,))
            transaction.append(asked)
            tell(transaction, state, asked)
            return name

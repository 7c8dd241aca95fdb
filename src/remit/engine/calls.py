"""A call that leaves the workspace: drafted, decided and recorded in one transaction, then carried out at most once."""

from dataclasses import dataclass
from typing import Literal

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse
from remit.contract.binding import after_publish
from remit.contract.party import Tool
from remit.engine.gate import Gate, exhausted, unanswerable, used_up
from remit.engine.handoff import NEW, hand_off, responsible_for, why_they
from remit.engine.hands import Hands
from remit.engine.lineage import tool_of
from remit.engine.outbox import perform
from remit.engine.questions import incomplete, unattached
from remit.engine.telling import told
from remit.errors import RemitError
from remit.ports import Performer, Transaction
from remit.run.event import Drafted, LimitReached
from remit.run.outbox import ENDED, Draft, meant
from remit.value import digest, encode

MOST = 64 * 1024
"""bytes of the arguments of a call that leaves the workspace"""
MOST_SHOWN = 16 * 1024

State = Literal["done", "refused", "waiting", "drafted", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Called:
    """What became of one call. `question` is open while it waits; `key` names the draft in the outbox."""

    state: State
    decision: Decision
    key: str = ""
    question: str = ""
    receipt: str = ""
    output: str = ""
    over: str = ""


def performed(hands: Hands, authorities: tuple[Authority, ...], action: Action) -> tuple[Tool, Performer] | None:
    """The declared tool of a call and what carries it out here; None for anything else."""
    tool = tool_of(authorities, action)
    performer = hands.tools.find(tool) if tool is not None and hands.tools is not None else None
    return (tool, performer) if tool is not None and performer is not None else None


async def call(
    hands: Hands, gate: Gate, run_id: str, action: Action, tool: Tool, performer: Performer, *, ref: str = ""
) -> Called:
    """Decide a call of a tool that acts on the world, and carry it out when it may be.

    Asking again while it waits is no second effect: the draft it means is found by its digest, or by the caller's own `ref`.
    """
    try:
        preview, fault = cut(performer.preview(action.arguments)), too_much(action)
    except RemitError as error:
        preview, fault = "", str(error)
    async with gate.transaction() as transaction:
        sitting = _Sitting(gate, transaction, run_id, action, tool, performer)
        called = sitting.decided(preview, fault, ref)
    if called.state != "drafted" or not sitting.begun:
        return called
    return await carried_out(hands, run_id, called)


def too_much(action: Action) -> str:
    """Why the arguments are too much to put before a person; empty when they are not."""
    size = len(encode(action.arguments))
    return f"the arguments have {size} bytes, and {MOST} are the most that people can be asked about" if size > MOST else ""


def cut(preview: str) -> str:
    """A preview as it is kept: what is left out of a long one is said, and bound by its digest."""
    if len(preview) <= MOST_SHOWN:
        return preview
    return f"{preview[:MOST_SHOWN]}\n… and {len(preview) - MOST_SHOWN} characters more; all of it is {digest(preview)}"


async def carried_out(hands: Hands, run_id: str, called: Called) -> Called:
    """Carry out what was intended; how it ended."""
    await perform(hands, run_id, called.key)
    draft = (await hands.replay(run_id)).drafts[called.key]
    return ended(draft, called.decision)


def ended(draft: Draft, decision: Decision) -> Called:
    """A draft as the caller sees it."""
    states: dict[str, State] = {"published": "done", "unknown": "unknown"}
    state = states.get(draft.state, "refused" if draft.state in ENDED else "waiting")
    if draft.drafted.waits == "publish" and draft.state in {"drafted", "answered"}:
        state = "drafted"
    if state == "refused":
        decision = Refuse(reasons=(_reason(Code.DENIED, "", draft.why or f"it was {draft.state}"),))
    return Called(state=state, decision=decision, key=draft.key, receipt=draft.receipt, output=draft.output)


class _Sitting:
    """One call before the gate."""

    def __init__(
        self, gate: Gate, transaction: Transaction, run_id: str, action: Action, tool: Tool, performer: Performer
    ) -> None:
        self._gate, self._transaction, self._action = gate, transaction, action
        self._tool, self._performer = tool, performer
        self._run = gate.fold(transaction, run_id)
        self._authorities = gate.lineage(transaction, self._run)
        self.begun = False

    def decided(self, preview: str, fault: str, ref: str) -> Called:
        """The draft it means, or a new one."""
        digest = self._action.digest()
        known = meant(self._run.drafts, digest, ref)
        over = exhausted(self._run)
        if over and (known is None or known.state not in ENDED):  # how something ended is still told: it begins nothing
            return self._over(over)
        if fault:
            return self._refused(Refuse(reasons=(_reason(Code.INPUTS, self._own, fault, "give arguments the tool can use"),)))
        if (clash := self._clash(ref, digest)) or (clash := self._too_deep()):
            return self._refused(clash)
        if known is not None and not self._run.stop:
            return self._again(known)
        decision = self._gate.weigh(self._transaction, self._run, self._authorities, self._action, unused=True, draft=NEW)
        decision = self._gate.sticky(self._transaction, self._run, self._authorities, digest) or decision
        match decision:
            case Allow():
                return self._allowed(decision, preview, ref)
            case Ask():
                return self._asked(decision, preview, ref)
            case Refuse():
                return self._refused(decision, preview, ref)

    @property
    def _own(self) -> str:
        return self._authorities[-1].hash

    def _over(self, limit: str) -> Called:
        if f"{limit} reached" not in self._run.warned:
            have, most = getattr(self._run.spend, limit), getattr(self._run.limits, limit)
            self._transaction.append(LimitReached(run=self._run.id, limit=limit, used=str(have), of=str(most)))
        decision = used_up(self._run, limit)
        self._note(decision)
        return Called(state="refused", decision=decision, over=limit)

    def _clash(self, ref: str, digest: str) -> Refuse | None:
        """One name for two different acts would let one pass for the other."""
        if not ref or not any(draft.drafted.ref == ref and draft.drafted.digest != digest for draft in self._run.drafts.values()):
            return None
        why = f"`{ref}` was the name of another call of this run"
        return Refuse(reasons=(_reason(Code.INPUTS, self._own, why, "give every act a name of its own"),))

    def _too_deep(self) -> Refuse | None:
        """A child publishes into its parent's stage, which is not what an effect after publishing may take its content from."""
        assert self._run.started is not None
        if self._run.started.parent is None or not after_publish(self._tool.does):
            return None
        why = f"`{self._tool.name}` takes its content from the published workspace, and a run below another publishes none"
        return Refuse(reasons=(_reason(Code.AUTHORITY, self._own, why, "leave it to the run at the top"),))

    def _again(self, draft: Draft) -> Called:
        """A draft that is known: how it stands, told once more."""
        called = ended(draft, Allow(reasons=(_reason(Code.APPROVED, self._own, f"this is `{draft.key}`, {draft.state}"),)))
        if called.state in {"waiting", "unknown"}:
            waits = [each for each in self._run.open_questions if each.draft == draft.key]
            why = f"`{draft.key}` is {draft.state}"
            of = waits[0].of if waits else (self._run.owner,)
            decision = Ask(of=of, reasons=(_reason(Code.APPROVAL, self._own, why, "ask again later"),))
            self._note(decision, draft.key)
            return Called(
                state=called.state, decision=decision, key=draft.key, question=waits[0].question if waits else "",
                receipt=draft.receipt,
            )  # fmt: skip
        self._note(called.decision, draft.key)
        return called

    def _allowed(self, decision: Allow, preview: str, ref: str) -> Called:
        named = responsible_for(self._run, self._authorities, self._action, self._tool, decision)
        if isinstance(named, Refuse):
            return self._refused(named, preview, ref)
        key = self._draft(preview, ref)
        self._note(decision, key)
        if not after_publish(self._tool.does):
            hand_off(self._transaction, self._run.id, key, self._action, self._tool, named, why_they((), decision))
            self._gate.intend(self._transaction, self._run, self._authorities, self._action, decision, key)
            self.begun = True
        return Called(state="drafted", decision=decision, key=key)

    def _asked(self, decision: Ask, preview: str, ref: str) -> Called:
        if missing := unattached(self._run, self._action):
            return self._refused(incomplete(missing, self._own), preview, ref)
        key = self._draft(preview, ref)
        question = self._gate.put(
            self._transaction, self._run.id, self._action, decision, about="action", draft=key, preview=preview
        )
        if question is None:
            return self._withdrawn(unanswerable(self._authorities, decision), key)
        self._note(decision, key)
        return Called(state="waiting", decision=decision, key=key, question=question)

    def _refused(self, decision: Refuse, preview: str = "", ref: str = "") -> Called:
        """Refused. What could not be undone and only wanted a person is kept as a draft, and its owner is told (S14)."""
        kept = any(reason.code is Code.IRREVERSIBLE for reason in decision.reasons) and self._run.started is not None
        if kept and self._run.started is not None and self._run.started.unattended and preview:
            called = self._withdrawn(decision, self._draft(preview, ref))
            what = f"kept as a draft, since nobody is there to ask: {self._action.said()}"
            like = any(each.action.said() == self._action.said() for each in list(self._run.drafts.values())[:-1])
            for row in told(self._run, self._run.owner, what, quietly=like):  # one page is enough for all that are like it
                self._transaction.append(row)
            return called
        self._note(decision)
        return Called(state="refused", decision=decision)

    def _withdrawn(self, decision: Refuse, key: str) -> Called:
        self._gate.withdraw(self._transaction, self._run, self._run.drafts[key], decision, at="door")
        self._gate.warn(self._transaction, self._run.id)
        return Called(state="refused", decision=decision, key=key)

    def _draft(self, preview: str, ref: str) -> str:
        key = f"{self._run.id}:E{len(self._run.drafts) + 1}"
        self._transaction.append(
            Drafted(
                run=self._run.id, key=key, action=self._action, digest=self._action.digest(), effect=self._tool.effect,
                preview=preview, window=self._performer.window, probes=self._performer.probes, settles=self._performer.settles,
                waits="publish" if after_publish(self._tool.does) else "", ref=ref,
            )
        )  # fmt: skip
        self._run = self._gate.fold(self._transaction, self._run.id)
        return key

    def _note(self, decision: Decision, key: str | None = None) -> None:
        self._gate.note(self._transaction, self._run, self._action, decision, at="door", key=key)
        self._gate.warn(self._transaction, self._run.id)


def _reason(code: Code, contract: str, why: str, instead: str = "") -> Reason:
    return Reason(code=code, rule=None, contract=contract, why=why, instead=instead)

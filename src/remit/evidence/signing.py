"""What people signed, against what is recorded: answers, acceptances, offers of ownership; whose keys, and who owned it then."""

from remit.evidence.signature import verify_signature
from remit.run.event import (
    Accepted,
    AnswerRejected,
    AttemptStarted,
    Event,
    OwnershipAnswered,
    OwnershipOffered,
    QuestionAnswered,
    QuestionAsked,
    Started,
    WorkDone,
)
from remit.run.statement import ACCEPTANCE, ANSWER, OWNERSHIP, by_digest, read_statement

DECODED = frozenset(
    {
        b"started", b"attempt_started", b"work_done", b"question_asked", b"question_answered", b"answer_rejected", b"accepted",
        b"ownership_offered", b"ownership_answered",
    }
)  # fmt: skip
"""kinds of events that the verifier has to read"""

Signed = QuestionAnswered | Accepted | OwnershipOffered | OwnershipAnswered


class Signing:
    """What is known of keys, questions and owners at one place of the record.

    `count`: signatures that hold; `unsigned`: answers that nobody signed, where none was needed.
    """

    def __init__(self) -> None:
        self.count = 0
        self.unsigned = 0
        self._scripted: set[str] = set()
        self._people: dict[str, dict[str, tuple[str, ...]]] = {}
        self._inboxes: dict[str, tuple[str, ...]] = {}
        self._contracts: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._offers: dict[str, str] = {}
        self._asked: dict[tuple[str, str], str] = {}
        self._about: dict[tuple[str, str], str] = {}
        self._sealed: dict[str, str] = {}

    def take(self, event: Event) -> str:
        """One event more, in order: what is wrong with it, empty when nothing is."""
        match event:
            case Started():
                self._started(event)
            case AttemptStarted():
                self._sealed[event.run] = ""
            case WorkDone():
                self._sealed[event.run] = event.sealed
            case QuestionAsked():
                self._asked[event.run, event.question] = event.digest
                self._about[event.run, event.question] = event.about
            case QuestionAnswered():
                return self._answered(event)
            case AnswerRejected():
                self._rejected(event)
            case Accepted():
                return self._accepted(event)
            case OwnershipOffered():
                return self._offered(event)
            case OwnershipAnswered():
                return self._taken_over(event)
            case _:
                return ""
        return ""

    def _started(self, event: Started) -> None:
        known = event.organisation
        self._people[event.run] = {person.id: tuple(map(_bare, person.keys)) for person in known.people}
        self._inboxes[event.run] = tuple(map(_bare, known.inbox_keys))
        self._contracts[event.run] = event.contract.hash()
        self._owners[event.run] = event.contract.owner
        self._sealed[event.run] = ""
        if known.assurance == "scripted":
            self._scripted.add(event.run)

    def _answered(self, event: QuestionAnswered) -> str:
        """A change names what the action becomes: the statement, the event and the action itself must agree."""
        name = (event.run, event.question)
        becomes = event.action.digest() if event.action is not None else ""
        if becomes and becomes != event.digest:
            return f"the answer of `{event.person}` names another digest than that of what the action became"
        said = {
            "question": event.question,
            "answer": event.answer,
            "action": self._asked.get(name, ""),
        }
        exactly = {
            "becomes": becomes,
            "conditions": by_digest(event.rules),
            "receipt": by_digest(event.receipt),
        }
        if not event.signature and event.assurance == "scripted":
            fault = self._nobody_signed(event)
        else:
            fault = self._signed(event, event.person, ANSWER, said, exactly)
        if becomes and not fault:
            self._asked[name] = becomes
        return fault

    def _nobody_signed(self, event: QuestionAnswered) -> str:
        """An unsigned answer is one in test mode, or where it decides about no effect. Of an erased run nobody can tell."""
        needless = self._about.get((event.run, event.question), "") not in ("", "action", "doubt")
        if event.run in self._people and event.run not in self._scripted and not needless:
            return f"nobody signed the answer of `{event.person}`"
        self.unsigned += 1
        return ""

    def _rejected(self, event: AnswerRejected) -> None:
        """It claims nothing, so that its signature does not hold is no fault of the record: it may be why it was rejected."""
        self.count += verify_signature(event.key, event.statement.encode(), event.signature, ANSWER)

    def _accepted(self, event: Accepted) -> str:
        exactly: dict[str, str] = {"acceptance": event.acceptance}
        if event.run in self._sealed:
            exactly["outcome"] = self._sealed[event.run]
        fault = self._signed(event, event.person, ACCEPTANCE, {}, exactly)
        return fault or self._is_owner(event.run, event.person, "the outcome was taken or declined by")

    def _offered(self, event: OwnershipOffered) -> str:
        fault = self._signed(event, event.by, OWNERSHIP, {}, {"ownership": "offered", "to": event.to})
        fault = fault or self._is_owner(event.run, event.by, "the outcome was offered by")
        if not fault:
            self._offers[event.run] = event.to
        return fault

    def _taken_over(self, event: OwnershipAnswered) -> str:
        word = "accepted" if event.accepted else "declined"
        fault = self._signed(event, event.person, OWNERSHIP, {}, {"ownership": word})
        if fault:
            return fault
        offered = self._offers.pop(event.run, None)
        if event.run in self._owners and event.person != offered:
            return f"`{event.person}` {word} an outcome that was not offered to them"
        if event.accepted:
            self._owners[event.run] = event.person
        return ""

    def _is_owner(self, run: str, person: str, what: str) -> str:
        owner = self._owners.get(run, person)
        return "" if person == owner else f"{what} `{person}`, while `{owner}` owned it"

    def _signed(self, event: Signed, person: str, space: str, said: dict[str, str], exactly: dict[str, str]) -> str:
        """The signature covers the statement, the statement says what the event says, and the key is that person's.

        An empty value of `said` is not compared: it is not known. Those of `exactly` are, empty or not; so are the note and
        how sure it is that this person said it.
        """
        if not event.signature or not verify_signature(event.key, event.statement.encode(), event.signature, space):
            return f"the signature of `{person}` does not cover the statement"
        known = self._people.get(event.run)
        attested = self._inboxes.get(event.run, ()) if event.assurance == "session" and person in (known or {}) else ()
        if known is not None and _bare(event.key) not in (*known.get(person, ()), *attested):
            return f"the key is not one that the organisation of run `{event.run}` knows for `{person}`"
        wanted = {"run": event.run, "person": person, "contract": self._contracts.get(event.run, "")} | said
        fields = read_statement(event.statement)
        wrong = any(value and fields.get(name) != value for name, value in wanted.items())
        exactly = {"note": by_digest(event.note), "assurance": event.assurance} | exactly
        if wrong or any(fields.get(name, "") != value for name, value in exactly.items()):
            return f"`{person}` signed something else than what is recorded"
        self.count += 1
        return ""


def _bare(key: str) -> str:
    """A public key without its comment."""
    return " ".join(key.split()[:2])

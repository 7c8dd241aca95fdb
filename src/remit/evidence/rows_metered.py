"""The rows of what passed between a runtime and its model, and of work that went up to a heavier runtime."""

from collections.abc import Iterator, Mapping

from remit.evidence.row import AGENT, REMIT, Question, Row, evidence, line
from remit.run.event import (
    ContextLoaded,
    Deescalated,
    Escalated,
    ModelRefused,
    ModelReserved,
    ModelSettled,
    Recorded,
    RuntimeChosen,
    ToolReturned,
    Unasked,
)

Metered = (
    RuntimeChosen | ModelReserved | ModelSettled | ModelRefused | Unasked | ToolReturned | ContextLoaded | Escalated | Deescalated
)


def metered_rows(record: Recorded, event: Metered) -> Iterator[tuple[Question, Row]]:
    """The rows of one such event and the question each of them answers."""
    match event:
        case RuntimeChosen():
            model = f"model {event.model}" if event.model else "its own choice of model"
            masked = f"; hidden from it: {', '.join(event.masked)}" if event.masked else ""
            yield "evidence", evidence(record, "choose the runtime", f"{event.runtime} {event.version}", reason=model + masked)
        case ModelReserved():
            kept = f"; left out: {', '.join(event.stripped)}" if event.stripped else ""
            worst = f"at most {event.reserved.tokens} tokens, {_usd(event.reserved.usd)}{kept}"
            yield "evidence", evidence(record, "reserve a model call", event.model, reason=worst, receipt=event.key)
        case ModelSettled():
            yield "evidence", _settled(record, event)
        case ModelRefused():
            yield "refused", line(record, AGENT, "call the model", event.model, reason=f"{event.code}: {event.why}")
        case Unasked():
            why = "the runtime did not ask: only the box decided"
            yield "considered", line(record, AGENT, event.tool, event.text, reason=why, receipt=event.call)
        case ToolReturned():
            yield "evidence", evidence(record, "tool returned", event.tool, receipt=event.call)
        case ContextLoaded():
            yield "evidence", evidence(record, "load context", event.what, reason=f"{event.bytes} bytes", receipt=event.digest)
        case Escalated():
            why = f"{', '.join(event.needs)}: {event.why}; at most {_listed(event.caps)}; way back: {event.way_back}"
            yield (
                "considered",
                line(record, AGENT, "escalate", event.runtime, reason=why, who=event.requester, receipt=event.child),
            )
        case Deescalated():
            why = f"{event.verdict}; {len(event.paths)} paths, {event.refused} refused; {_listed(event.cost)}"
            who = ", ".join(event.approvals)
            yield "evidence", line(record, REMIT, "take back", event.runtime, reason=why, who=who, receipt=event.child)


def _settled(record: Recorded, event: ModelSettled) -> Row:
    counts = f"{event.input} in, {event.output} out" if event.how == "counted" else event.why
    why = f"{event.how}: {event.spend.tokens} tokens, {_usd(event.spend.usd)}" + (f" ({counts})" if counts else "")
    return evidence(record, "charge a model call", event.source, reason=why, receipt=event.key)


def _usd(micros: int) -> str:
    return f"{micros / 1_000_000:.6f} usd"


def _listed(named: Mapping[str, str]) -> str:
    return ", ".join(f"{value} {name}" for name, value in named.items())

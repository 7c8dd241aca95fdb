"""What a host is told about a call: in words a model can act on, and beside them what programs read."""

from typing import Any

from remit.errors import RemitError
from remit.guard import Done, Refused, Waiting
from remit.mcp.gateway import messages
from remit.mcp.gateway.messages import REFUSED, Reply
from remit.mcp.gateway.messages import WAITING as WAITS
from remit.mcp.gateway.passing import Passing


def answered(passing: Passing, said: Done | Refused | Waiting, run: str, kept: Reply | None) -> bytes:
    """The answer to a request that was decided."""
    match said:
        case Done():
            reply = passing.reply or kept
            return messages.answer(passing.id, reply) if reply is not None else messages.result(passing.id, _done(passing, said))
        case Refused():
            if passing.reply is not None:  # allowed, and the server did not: its own words say more
                return messages.answer(passing.id, passing.reply)
            return _no(passing, refused_words(said), REFUSED, {"remit/decision": "refuse", "remit/code": said.code}, run)
        case Waiting():
            note: dict[str, Any] = {"remit/decision": "unknown" if said.unknown else "ask"}
            note |= {"remit/question": said.question, "remit/asks": said.asked}
            return _no(passing, waiting_words(said, run), WAITS, note, run)


def refusal(passing: Passing, error: RemitError, run: str) -> bytes:
    """The answer to what was refused before any rule was asked."""
    words = f"Refused: {error}." + (f" Instead: {error.hint}." if error.hint else "")
    return _no(passing, words, REFUSED, {"remit/decision": "refuse"}, run)


def refused_words(said: Refused) -> str:
    """Why, and what to do instead."""
    return f"Refused: {said.reason}." + (f" Instead: {said.instead}." if said.instead else "")


def waiting_words(said: Waiting, run: str) -> str:
    """Who must say what, and that calling again is right."""
    asks = f"{said.question} asks {', '.join(said.asked) or 'a person'}" if said.question else "a person is asked"
    if said.unknown:
        return (
            f"It was begun, and nobody knows whether it happened. Do not do it in another way. {asks[0].upper()}{asks[1:]}: "
            f"`remit answer {run} {said.question or 'Q…'} happened|redo|abandon`."
        )
    if not said.question:
        return "It has not happened yet. Call again with exactly these arguments to hear what became of it."
    until = f", until {said.expires:%Y-%m-%d %H:%M} UTC" if said.expires else ""
    return (
        f"Waiting for a person{until}: {asks}. They answer with `remit answer {run} {said.question} yes|no`, or in the inbox. "
        "Go on with something else, then call again with exactly these arguments: an approval counts once, for exactly them."
    )


# ---------------------------------------------------------------------------------------------------------------------


def _done(passing: Passing, said: Done) -> Any:
    """What is on record of an answer nobody waited for, or of a tool that something else than the server carries out."""
    if isinstance(said.output, dict) and ("content" in said.output or passing.request.method != "tools/call"):
        return said.output
    return {"content": [{"type": "text", "text": f"Done: {said.receipt}"}], "resultType": "complete"}


def _no(passing: Passing, words: str, code: int, note: dict[str, Any], run: str) -> bytes:
    meta = {**note, "remit/run": run}
    if passing.request.method != "tools/call":
        return messages.error(passing.id, code, words, meta)
    said = {"content": [{"type": "text", "text": words}], "isError": True, "_meta": meta}
    return messages.result(passing.id, {**said, "resultType": "complete"} if passing.request.modern else said)

"""What an agent wants, as a line of the door, and what it is told: the wire between the two."""

import base64
import binascii
import hashlib
import json
from decimal import Decimal
from typing import Any

import msgspec

from remit.authority.action import Action
from remit.authority.decision import Code, Decision, Reason, Refuse, word
from remit.contract.glob import normal_path
from remit.contract.rule import GIT_VERBS, PATH_VERBS, VERBS
from remit.engine.calls import Called

PATIENCE = 3600.0
"""seconds an agent can be held for a person"""
NO_ARGUMENTS = PATH_VERBS | GIT_VERBS


def seconds(wait: object) -> float:
    """How long an agent says it will wait, in reason."""
    return min(PATIENCE, max(0.0, float(wait))) if isinstance(wait, int | float | Decimal) else 0.0


def read_request(message: dict[str, Any]) -> tuple[Action, bytes | None, float]:
    """A line from the door as an action. Raises ValueError with words for the agent.

    Paths and refs take no arguments of the agent's choosing: they would make one act look like many (a no is sticky).
    """
    verb, object_ = message.get("verb"), message.get("object")
    arguments = message.get("arguments") or {}
    if verb not in VERBS:
        raise ValueError(f"no such verb `{verb}`; one of {', '.join(VERBS)}")
    if not isinstance(arguments, dict):
        raise ValueError("`arguments` must be a map")
    if isinstance(object_, list) and all(isinstance(part, str) for part in object_) and object_:
        object_ = tuple(object_)
    if not isinstance(object_, str | tuple) or not object_:
        raise ValueError("`object` must be a text, or a list of texts for `run`")
    content = _content(message.get("content"))
    if verb in NO_ARGUMENTS:
        arguments = {}
    if verb in PATH_VERBS and (not isinstance(object_, str) or normal_path(object_) != object_):
        raise ValueError(f"`{object_}` is no plain path inside the workspace")
    if verb == "write":
        arguments = {"sha256": hashlib.sha256(content or b"").hexdigest()}
    return Action(verb=verb, object=object_, arguments=arguments), content, seconds(message.get("wait"))


def _content(text: object) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("`content` must be base64") from None


def refused(code: Code, why: str) -> Refuse:
    """A refusal of remit's own, before or after any rule."""
    return Refuse(reasons=(Reason(code=code, rule=None, contract="", why=why),))


def told(called: Called, run: str) -> dict[str, Any]:
    """A call of a tool as the agent reads it: done, refused, waiting for a person, or nobody knows."""
    said = reply(called.decision, run, question=called.question or None) | {"state": called.state}
    if called.key:
        said |= {"draft": called.key}
    if called.state == "done":
        said |= {"done": True, "receipt": called.receipt, "output": json.loads(called.output) if called.output else None}
    if called.state == "drafted":
        said |= {"note": "it stands in the outbox and is released once the work is published"}
    if called.state == "unknown":
        said |= {"decision": "ask", "note": "nobody knows whether it happened; do not do it another way: a person finds out"}
    return said


def reply(decision: Decision, run: str, *, question: str | None = None) -> dict[str, Any]:
    """A decision as the agent reads it."""
    said: dict[str, Any] = {
        "schema": "remit.act/1",
        "run": run,
        "decision": word(decision),
        "reasons": msgspec.to_builtins(decision.reasons),
        "done": False,
    }
    return said | ({"question": question} if question else {})

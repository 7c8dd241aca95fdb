"""What a host can ask for: one value for each tool, which is also its schema."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from remit.contract.models import RUNTIMES
from remit.errors import BadInput
from remit.mcp.server.chain_wanted import CHAIN_READS, CHAIN_WANTS
from remit.value import Value

MOST = 256 * 1024


class Delegate(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hand an outcome over under a contract: it is reviewed, taken on and worked at in the background, contained by the contract.

    Returns the id of the run, or every reason why this contract cannot run. What needs a person waits for that person; you
    cannot approve it.
    """

    workspace: Annotated[str, Meta(description="whole path of the folder to work on")]
    contract: Annotated[
        str, Meta(max_length=MOST, description="the contract as YAML text; the prompt `write_contract` says how")
    ] = ""
    contract_file: Annotated[str, Meta(description="or the path of a contract file that a person keeps for this")] = ""
    runtime: Annotated[str, Meta(description=f"who works: {', '.join(RUNTIMES)}; else what the contract says")] = ""
    command: Annotated[tuple[str, ...], Meta(description="for the runtime `command`: the words to start")] = ()
    model: Annotated[str, Meta(description="the model, as the runtime names it")] = ""


class Check(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Review a contract without starting anything: what is missing, vague or cannot be enforced, with what to write instead."""

    contract: Annotated[str, Meta(max_length=MOST, description="the contract as YAML text")] = ""
    contract_file: Annotated[str, Meta(description="or the path of a contract file")] = ""
    runtime: Annotated[str, Meta(description="who would work")] = ""


class Status(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run stands: phase, verdict, spend, open questions and whom they ask. Without `run`, the newest runs."""

    run: Annotated[str, Meta(description="the id that `delegate` returned")] = ""


class Context(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer what a run's agent asked because it does not know it. It grants nothing: approvals are a named person's alone."""

    run: str
    question: Annotated[str, Meta(description="such as Q1, from `status`")]
    answer: Annotated[str, Meta(min_length=1, max_length=8000, description="what the agent needs to know")]


class Stop(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End a run you delegated and everything below it; the receipt says what ended and what cannot be called back."""

    run: str
    why: Annotated[str, Meta(max_length=500)] = "asked to"


class Account(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run was allowed, what it was refused and why, who was told, who approved, and the evidence."""

    run: str
    question: Annotated[int, Meta(ge=0, le=5, description="1 to 5: only this of the five; 0: all of them")] = 0


Want = Delegate | Check | Status | Context | Stop | Account
WANTS: dict[str, type[Value]] = {
    "delegate": Delegate, "check": Check, "status": Status, "context": Context, "stop": Stop, "account": Account,
    **CHAIN_WANTS,
}  # fmt: skip
ONLY_READS = frozenset({"check", "status", "account"}) | CHAIN_READS


def schema(kind: type[Value]) -> dict[str, Any]:
    """The JSON Schema of its arguments."""
    found: dict[str, Any] = msgspec.json.schema(kind)["$defs"][kind.__name__]
    return {key: value for key, value in found.items() if key not in ("title", "description")}


def says(kind: type[Value]) -> str:
    """What it is for."""
    return " ".join((kind.__doc__ or "").split())


def read(name: str, arguments: dict[str, Any] | None) -> Any:
    """What is wanted. Raises BadInput naming what is wrong."""
    if name not in WANTS:
        raise BadInput(f"there is no tool `{name}`", hint=f"one of {', '.join(WANTS)}")
    try:
        return msgspec.convert(arguments or {}, WANTS[name])
    except msgspec.ValidationError as error:
        raise BadInput(f"`{name}`: {error}", hint="the tool's schema says what it takes") from None

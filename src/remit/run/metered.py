"""What passes between a runtime and its model, who the runtime is, and work that goes up to a heavier one, in the past tense."""

from collections.abc import Mapping
from typing import Literal

from remit.contract.limits import Spend
from remit.run.fact import Fact


class RuntimeChosen(Fact, frozen=True, kw_only=True, tag="runtime_chosen"):
    """Who works on this attempt: the runtime with its version, and the model it was given. `masked` are settings of the workspace
    that it does not see.
    """

    attempt: int
    runtime: str
    version: str
    model: str = ""
    masked: tuple[str, ...] = ()


class ModelReserved(Fact, frozen=True, kw_only=True, tag="model_reserved"):
    """The worst case of a model call was set aside before it was sent. `source` is the price list and its version."""

    key: str
    model: str
    reserved: Spend
    source: str = ""
    stripped: tuple[str, ...] = ()


class ModelSettled(Fact, frozen=True, kw_only=True, tag="model_settled"):
    """A model call ended and was charged: by the provider's count, or by the whole reservation where nobody knows.

    `tools` are the tool calls the model wrote, as `id name`.
    """

    key: str
    spend: Spend
    how: Literal["counted", "estimated", "released"]
    input: int = 0
    output: int = 0
    source: str = ""
    tools: tuple[str, ...] = ()
    why: str = ""


class ModelRefused(Fact, frozen=True, kw_only=True, tag="model_refused"):
    """A model call was not made, and why."""

    model: str
    code: str
    why: str


class Unasked(Fact, frozen=True, kw_only=True, tag="unasked"):
    """A tool call of the model that the runtime made without asking: seen in the conversation, bounded by the box alone."""

    attempt: int
    tool: str
    call: str
    text: str = ""


class ToolReturned(Fact, frozen=True, kw_only=True, tag="tool_returned"):
    """A tool call of the runtime came back with a result."""

    call: str
    tool: str = ""


class ContextLoaded(Fact, frozen=True, kw_only=True, tag="context_loaded"):
    """What the runtime was given to read, by its hash and size in bytes (PRIM-10)."""

    what: str
    digest: str
    bytes: int


class Escalated(Fact, frozen=True, kw_only=True, tag="escalated"):
    """A light agent handed work to a heavier runtime (ESC-02..04). `needs` are what justified it, `caps` its limits,
    `way_back` how it is undone or stopped; all of it before anything was launched.
    """

    child: str
    runtime: str
    needs: tuple[str, ...]
    why: str
    requester: str
    caps: Mapping[str, str]
    way_back: str


class Deescalated(Fact, frozen=True, kw_only=True, tag="deescalated"):
    """The heavier runtime's work is back: what there is to review (ESC-05, ESC-07)."""

    child: str
    runtime: str
    verdict: str
    paths: tuple[str, ...] = ()
    cost: Mapping[str, str] = {}
    approvals: tuple[str, ...] = ()
    refused: int = 0
    log: str = ""

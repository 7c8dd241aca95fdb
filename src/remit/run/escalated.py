"""Work that went up to a heavier runtime, and came back, in the past tense."""

from collections.abc import Mapping

from remit.run.fact import Fact


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

"""Facts about effects that leave the workspace: drafted, handed off, intended, done, in doubt, resolved."""

from collections.abc import Mapping
from typing import Literal

from remit.authority.action import Action
from remit.run.fact import Fact


class Intended(Fact, frozen=True, kw_only=True, tag="intended"):
    """An effect is about to happen under this key; durable before it does."""

    key: str
    action: Action
    rules: tuple[tuple[str, str], ...] = ()
    numbers: Mapping[str, str] = {}


class Effected(Fact, frozen=True, kw_only=True, tag="effected"):
    """The effect under this key happened, or did not; `returned` are the texts it gave back, `output` all of it as JSON text."""

    key: str
    ok: bool
    receipt: str = ""
    returned: tuple[str, ...] = ()
    output: str = ""


class Drafted(Fact, frozen=True, kw_only=True, tag="drafted"):
    """An effect that leaves the workspace stands in the outbox as a draft, under the key the provider will see.

    `digest` is of the action as asked. `preview` is what would happen, as text. `window`: seconds the provider honours the key;
    `settles`: seconds a request may be on its way. `waits` is `publish` where the content comes from the published workspace.
    `ref` is the caller's own name for it.
    """

    key: str
    action: Action
    digest: str
    effect: str = ""
    preview: str = ""
    window: int | None = None
    probes: bool = False
    waits: Literal["", "publish"] = ""
    ref: str = ""
    settles: int = 0


class Told(Fact, frozen=True, kw_only=True, tag="told"):
    """The caller has read how a draft ended: asking for exactly the same again now means a further effect."""

    key: str


class HandedOff(Fact, frozen=True, kw_only=True, tag="handed_off"):
    """The work changes state, and this person answers for it from here on: by an approval, or because the owner keeps it."""

    key: str
    transition: Literal["draft to sent", "suggestion to decision", "internal to external", "reversible to irreversible"]
    responsible: tuple[str, ...]
    by: str


class Withdrawn(Fact, frozen=True, kw_only=True, tag="withdrawn"):
    """A draft will not be released. What it said stays in the record."""

    key: str
    how: Literal["refused", "expired", "abandoned"]
    why: str


class InDoubt(Fact, frozen=True, kw_only=True, tag="in_doubt"):
    """An effect was begun and nobody knows whether it happened. It is not tried again until that is resolved.

    `looked`: the provider was asked and has nothing yet, which proves nothing while a request may still be on its way.
    """

    key: str
    why: str
    looked: bool = False


class Resolved(Fact, frozen=True, kw_only=True, tag="resolved"):
    """A doubt is over: the provider was asked, honours the key (so it may be tried again), or a person knew."""

    key: str
    by: Literal["probe", "idempotency", "person"]
    said: Literal["happened", "did not happen", "may be repeated", "abandoned"]
    person: str = ""
    receipt: str = ""


class Confirmed(Fact, frozen=True, kw_only=True, tag="confirmed"):
    """Word from outside, after the fact, that an effect happened. It is kept even where it contradicts what was resolved."""

    key: str
    receipt: str
    by: str

"""What everything that carries out an effect must do; run it on yours: `await check_effect(make)`."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Performer, Receipt

KEY = "run-1:3f2a"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A performer before a provider that nothing has happened at yet.

    `happened` counts effects at the provider. `refused` is the same performer where the provider surely says no,
    `unreachable` where nobody answers. `secret` is the value of an environment variable that its binding uses.
    """

    performer: Performer
    arguments: Mapping[str, Any]
    workspace: Path
    happened: Callable[[], int]
    refused: Performer
    unreachable: Performer
    secret: str = ""

    async def perform(self, performer: Performer | None = None, key: str = KEY) -> Receipt:
        """Do it, by default with the performer that works."""
        return await (performer or self.performer).perform(key, self.arguments, workspace=self.workspace)

    async def probe(self, performer: Performer | None = None, key: str = KEY) -> Receipt | None:
        """Ask what became of it."""
        return await (performer or self.performer).probe(key, self.arguments, workspace=self.workspace)


Make = Callable[[], Ground]


async def a_preview_says_all_of_it_and_does_nothing(make: Make) -> None:
    """Every value stands in it, twice the same, and the provider has heard nothing."""
    ground = make()
    text = ground.performer.preview(ground.arguments)
    assert text == ground.performer.preview(ground.arguments)
    for name, value in ground.arguments.items():
        assert str(value) in text, f"`{name}` is not in the preview"
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    assert not ground.secret or ground.secret not in text
    assert ground.happened() == 0


async def what_is_no_exact_value_is_bad_input(make: Make) -> None:
    """Not a number, in the place of every argument: seen by the preview, and again before anything is done."""
    ground = make()
    for name in ground.arguments:
        broken = {**ground.arguments, name: Decimal("NaN")}
        with suppress(BadInput):
            raise AssertionError(f"it has a preview: {ground.performer.preview(broken)}")
        try:
            await ground.performer.perform(KEY, broken, workspace=ground.workspace)
        except (BadInput, Refused):
            continue
        raise AssertionError("it was done")
    assert ground.happened() == 0


async def it_happens_once_and_leaves_a_receipt(make: Make) -> None:
    """One line of words, texts that later calls may rely on, the answer as JSON; the arguments are left alone."""
    ground = make()
    before = deepcopy(dict(ground.arguments))
    receipt = await ground.perform()
    assert ground.happened() == 1
    assert receipt.receipt
    assert receipt.receipt.isprintable()
    assert all(text and text.isprintable() for text in receipt.returned)
    assert not receipt.output or json.loads(receipt.output) is not ...
    assert not ground.secret or ground.secret not in f"{receipt.receipt} {receipt.returned} {receipt.output}"
    assert dict(ground.arguments) == before


async def the_same_key_does_nothing_more_within_its_window(make: Make) -> None:
    """Where the provider honours keys; another key is another effect."""
    ground = make()
    if ground.performer.window is None:
        return
    assert ground.performer.window > 0
    first = await ground.perform()
    assert (await ground.perform()).receipt == first.receipt
    assert ground.happened() == 1
    await ground.perform(key=f"{KEY}:2")
    assert ground.happened() == 2


async def what_the_provider_refuses_has_not_happened(make: Make) -> None:
    """It is told as Refused or BadInput, and where the provider can be asked, it agrees."""
    ground = make()
    said = await _refusal(ground, ground.refused)
    assert said
    assert not ground.secret or ground.secret not in said
    assert ground.happened() == 0
    if ground.performer.probes:
        assert await ground.probe() is None


async def where_nobody_answers_nothing_has_happened(make: Make) -> None:
    """Refused, because nothing was sent; but what became of an earlier key cannot be told there."""
    ground = make()
    said = await _refusal(ground, ground.unreachable)
    assert not ground.secret or ground.secret not in said
    assert ground.happened() == 0
    await ground.perform()
    try:
        await ground.probe(ground.unreachable)
    except Broken as error:
        assert not ground.secret or ground.secret not in f"{error} {error.hint}"
    else:
        raise AssertionError("it claims to know")


async def a_question_is_answered_or_left_open(make: Make) -> None:
    """None before, a receipt after; a provider that cannot be asked never says that it did not happen."""
    ground = make()
    if ground.performer.probes:
        assert await ground.probe() is None
        await ground.perform()
        found = await ground.probe()
        assert found is not None
        assert found.receipt
        assert not ground.secret or ground.secret not in f"{found.receipt} {found.output}"
    else:
        await ground.perform()
        try:
            await ground.probe()
        except Broken:
            pass
        else:
            raise AssertionError("it claims to know")
    assert ground.happened() == 1


CHECKS: tuple[Callable[[Make], Awaitable[None]], ...] = (
    a_preview_says_all_of_it_and_does_nothing,
    what_is_no_exact_value_is_bad_input,
    it_happens_once_and_leaves_a_receipt,
    the_same_key_does_nothing_more_within_its_window,
    what_the_provider_refuses_has_not_happened,
    where_nobody_answers_nothing_has_happened,
    a_question_is_answered_or_left_open,
)


async def check_effect(make: Make) -> None:
    """Run every check; `make` gives a fresh ground each time. Raises AssertionError."""
    for check in CHECKS:
        await check(make)


async def _refusal(ground: Ground, performer: Performer) -> str:
    try:
        await ground.perform(performer)
    except (BadInput, Refused) as error:
        return f"{error} {error.hint}"
    raise AssertionError("it was not refused")

"""Which run a person means: its id, the beginning of it, or `last`."""

import difflib
from collections.abc import Sequence

from remit.errors import BadInput
from remit.ports import Ledger
from remit.run.event import Started
from remit.run.evolve import replay

LOOKED = 20
"""runs that are looked at for one that waits"""


async def resolve(ledger: Ledger, text: str, *, waits: bool = False) -> str:
    """The id of the one run that `text` names; with `waits`, `last` is the last that waits for somebody.

    Raises BadInput with what comes near when it is none, or several.
    """
    records = await ledger.runs()
    runs = [record.run for record in records]
    if not runs:
        raise BadInput("there are no runs yet", hint="`remit run` starts one")
    if text == "last":
        # A child is not what a person started last.
        own = [each.run for each in records if not isinstance(each.event, Started) or each.event.parent is None]
        own = own or runs
        return await _waiting(ledger, own) or own[-1] if waits else own[-1]
    if text in runs:
        return text
    begun = [run for run in runs if text and run.startswith(text)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise BadInput(f"`{text}` begins {len(begun)} runs: {_few(begun)}", hint="give more of the id")
    near = difflib.get_close_matches(text, runs, n=3, cutoff=0.5)
    hint = f"did you mean {_few(near)}?" if near else f"`remit runs` lists them; the last is {runs[-1]}"
    raise BadInput(f"no run `{text}`", hint=hint)


async def _waiting(ledger: Ledger, own: Sequence[str]) -> str:
    """The newest of the last few that has an open question."""
    for run in reversed(own[-LOOKED:]):
        if replay(await ledger.events(run)).open_questions:
            return run
    return ""


def _few(runs: list[str]) -> str:
    return ", ".join(f"`{run}`" for run in runs[:5]) + (" …" if len(runs) > 5 else "")

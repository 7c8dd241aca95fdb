"""Which run a person means: its id, the beginning of it, or `last`."""

import difflib

from remit.errors import BadInput
from remit.ports import Ledger
from remit.run.event import Started


async def resolve(ledger: Ledger, text: str) -> str:
    """The id of the one run that `text` names. Raises BadInput with what comes near when it is none, or several."""
    records = await ledger.runs()
    runs = [record.run for record in records]
    if not runs:
        raise BadInput("there are no runs yet", hint="`remit run` starts one")
    if text == "last":
        # A child is not what a person started last.
        own = [each.run for each in records if not isinstance(each.event, Started) or each.event.parent is None]
        return own[-1] if own else runs[-1]
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


def _few(runs: list[str]) -> str:
    return ", ".join(f"`{run}`" for run in runs[:5]) + (" …" if len(runs) > 5 else "")

"""A question on the screen: exactly what will happen, where each value came from, and what happens on no."""

from collections.abc import Iterator
from datetime import datetime

from remit.cli.line import left, one_line
from remit.cli.say import clean
from remit.run.card import Card


def screen(card: Card, now: datetime) -> Iterator[str]:
    """The card as lines; every text of the agent's is made visible."""
    yield f"  {card.question}  {clean(card.text)}"
    if card.recipient or card.amount:
        yield "      " + " · ".join(clean(each) for each in (card.amount, card.recipient) if each)
    width = max((len(each.name) for each in card.values), default=0)
    for value in card.values:
        where = f" ({clean(value.place)})" if value.place else ""
        yield f"      {clean(value.name):{width}}  {one_line(value.value)}   from {value.source}{where}"
    if card.preview:
        yield "      what would happen:"
        yield from (f"        {clean(line)}" for line in card.preview.splitlines())
    for why in card.why:
        rule = f" [{why.rule}]" if why.rule else ""
        because = f"; {clean(why.because)}" if why.because else ""
        yield f"      because {clean(why.words)}{because}{rule} of {clean(why.contract)}"
    for name, used, of in card.spend:
        yield f"      spent   {name} {used} of {of}"
    asked = ", ".join(card.asked) + (f", {card.quorum} of them" if card.quorum > 1 else "")
    yield f"      asked   {asked}" + (f"; so far {'; '.join(card.said)}" if card.said else "")
    if card.on_no:
        yield f"      on no   {clean(card.on_no)}"
    if card.expires is not None:
        yield f"      until   {card.expires:%Y-%m-%d %H:%M:%S} UTC ({left(card.expires, now)})" + (
            f"; then {clean(card.on_silence)}" if card.on_silence else ""
        )
    if card.like:
        every = ",".join((card.question, *card.like))
        yield f"      like it {', '.join(card.like)}: `remit answer {card.run} {every} …` answers all of them"

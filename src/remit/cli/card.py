"""A question on the screen: exactly what will happen, where each value came from, and what happens on no."""

from collections.abc import Iterator
from datetime import datetime

from remit.cli.line import left, one_line
from remit.cli.say import clean
from remit.run.card import Card

WORDS = 4000
"""characters of a question that are shown; a question of the agent's own may be as long as it likes"""


def screen(card: Card, now: datetime) -> Iterator[str]:
    """The card as lines. Each begins with what is ours: what the agent wrote is within one line, or behind a bar."""
    if card.about in {"step", "gaps"}:  # remit's own screen, line by line
        first, *more = card.text[:WORDS].split("\n")
        yield f"  {card.question}  {clean(first)}"
        yield from (f"      {clean(each)}".rstrip() for each in more)
    else:
        yield f"  {card.question}  {one_line(card.text, WORDS)}"
    if card.recipient or card.amount:
        yield "      " + " · ".join(one_line(each) for each in (card.amount, card.recipient) if each)
    names = [one_line(each.name) for each in card.values]
    width = max(map(len, names), default=0)
    for name, value in zip(names, card.values, strict=True):
        where = f" ({one_line(value.place)})" if value.place else ""
        yield f"      {name:{width}}  {one_line(value.value)}   from {value.source}{where}"
    if card.preview:
        yield "      what would happen:"
        yield from (f"        | {clean(line)}" for line in card.preview.removesuffix("\n").split("\n"))
    for why in card.why:
        rule = f" [{one_line(why.rule)}]" if why.rule else ""
        because = f"; {one_line(why.because)}" if why.because else ""
        yield f"      because {one_line(why.words)}{because}{rule} of {one_line(why.contract)}"
    for name, used, of in card.spend:
        yield f"      spent   {name} {used} of {of}"
    asked = ", ".join(map(one_line, card.asked)) + (f", {card.quorum} of them" if card.quorum > 1 else "")
    yield f"      asked   {asked}" + (f"; so far {'; '.join(map(one_line, card.said))}" if card.said else "")
    if card.on_no:
        yield f"      on no   {one_line(card.on_no)}"
    if card.expires is not None:
        yield f"      until   {card.expires:%Y-%m-%d %H:%M:%S} UTC ({left(card.expires, now)})" + (
            f"; then {one_line(card.on_silence)}" if card.on_silence else ""
        )
    if card.like:
        every = ",".join((card.question, *card.like))
        yield f"      like it {', '.join(card.like)}: `remit answer {card.run} {every} …` answers all of them"

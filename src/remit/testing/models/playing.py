"""What a script answers to a request: the turn, and the manner in which it is given."""

from collections.abc import Mapping

import msgspec

from remit.testing.models.exchange import Asked, Call, Place, Turn, encoded, place, slices
from remit.testing.models.fitting import ending, fitted, instance
from remit.testing.models.script import Burst, Manner, Script, Stretch, Text, Usage, stretches
from remit.value import Value


class Played(Value, frozen=True, kw_only=True):
    """An answer, where its script stands, and how it is given. `side` is a call beside the work: a title, a classification."""

    turn: Turn
    place: Place
    manner: tuple[Manner, ...] = ()
    side: bool = False


def play(asked: Asked, scripts: Mapping[str, Script], fallback: str, usage: Usage, number: int) -> Played:
    """The answer of the script that is named, or of `fallback`, at the step the conversation has come to."""
    where = place(asked)
    name = where.script or fallback
    script = scripts.get(name)
    if script is None:
        return Played(turn=_turn(asked, Stretch(final=f"there is no script `{name}`"), usage, where, number), place=where)
    used = script.usage or usage
    if not asked.tools and any(stretch.deed for stretch in stretches(script)):
        return Played(turn=_turn(asked, Stretch(final=_shaped(asked, name)), used, where, number), place=where, side=True)
    course = stretches(script)
    stretch = course[min(where.step, len(course) - 1)]
    if asked.shape is not None and not asked.tools and stretch.final is not None:
        stretch = msgspec.structs.replace(stretch, final=_shaped(asked, stretch.final))
    return Played(turn=_turn(asked, stretch, used, where, number), place=where, manner=stretch.manner)


def _shaped(asked: Asked, text: str) -> str:
    """A last word in the shape that was asked for; what is JSON already is taken to be meant."""
    return text if asked.shape is None or text.startswith("{") else encoded(instance(asked.shape)).decode()


def _turn(asked: Asked, stretch: Stretch, usage: Usage, where: Place, number: int) -> Turn:
    final = stretch.final
    calls = fitted(stretch.deed, asked.tools) if stretch.deed else ending(final, asked.tools) if final is not None else ()
    pieces = [piece for saying in stretch.said for piece in _pieces(saying)]
    if stretch.deed and not calls:
        pieces.append(f"no declared tool does: {type(stretch.deed).__name__.lower()}")
    pieces.extend(slices(final) if final and not calls else ())
    burst = sum(saying.tokens for saying in stretch.said if isinstance(saying, Burst))
    output, limit = max(usage.output, burst), asked.max_output or max(usage.output, burst)
    cut_short = burst > limit
    if cut_short:
        pieces, calls = _first(pieces, limit), ()
    return Turn(
        pieces=tuple(pieces),
        calls=_named(calls, where, len(asked.entries)),
        usage=msgspec.structs.replace(
            usage,
            input=asked.size // 4 if usage.counted else usage.input,
            output=min(output, limit),
            reasoning=min(usage.reasoning, limit),
        ),
        cut_short=cut_short,
        id=f"{number:06d}",
    )


def _pieces(saying: Text | Burst) -> list[str]:
    if isinstance(saying, Text):
        return slices(saying.text)
    whole, rest = divmod(saying.tokens, 16)
    return ["word " * 16] * whole + (["word " * rest] if rest else [])


def _first(pieces: list[str], words: int) -> list[str]:
    kept = [piece for piece in pieces[: words // 16 + 1] if piece]
    spare = sum(len(piece.split()) for piece in kept) - words
    if spare > 0:
        kept[-1] = "word " * (len(kept[-1].split()) - spare)
    return [piece for piece in kept if piece]


def _named(calls: tuple[Call, ...], where: Place, length: int) -> tuple[Call, ...]:
    """The calls of one answer share all of their id but the end; the length of the conversation tells answers apart."""
    return tuple(
        msgspec.structs.replace(call, id=f"call_{length:04d}{where.step:04d}_{index}") for index, call in enumerate(calls)
    )

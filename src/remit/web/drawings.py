"""The three drawings of a run page: the timeline, what is left of the limits, and the tree of runs."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from remit.value import Value
from remit.web.svg import drawing, element, short
from remit.web.told import LANES, Moment
from remit.web.words import relative, span

WIDE = 880.0
LEFT = 96.0
RIGHT = 16.0
ROW = 30.0
MOST_MARKS = 180
PLACES = 100
"""how many places a lane has, where marks are many"""
CALM = ("plain", "good", "wait", "bad")
MARK = {"good": "m-good", "bad": "m-bad", "wait": "m-wait", "plain": "m-plain"}


def timeline(moments: Sequence[Moment], now: datetime) -> Markup:
    """A lane for each kind of thing, a mark for each thing; marks differ in shape as well as in colour."""
    if not moments:
        return Markup("")
    start, end = moments[0].at, max(moments[-1].at, moments[0].at)
    lasted = max((end - start).total_seconds(), 1.0)
    parts = []
    for at, lane in enumerate(LANES):
        y = 22 + at * ROW
        parts.append(element("text", lane, x=0.0, y=y + 4, class_="lane"))
        parts.append(element("line", x1=LEFT, x2=WIDE - RIGHT, y1=y, y2=y, class_="rail"))
    for moment in drawn(moments):
        x = LEFT + (moment.at - start).total_seconds() / lasted * (WIDE - LEFT - RIGHT)
        y = 22 + LANES.index(moment.lane) * ROW
        parts.append(_mark(moment, x, y))
    bottom = 22 + len(LANES) * ROW
    parts.append(element("text", "start", x=LEFT, y=bottom, class_="tick"))
    parts.append(element("text", f"after {span(lasted)}", x=WIDE - RIGHT, y=bottom, class_="tick", text_anchor="end"))
    title = f"Timeline of {len(moments)} facts over {span(lasted)}, the last {relative(end, now)}"
    return drawing(WIDE, bottom + 8, title, *parts, name="timeline")


def drawn(moments: Sequence[Moment]) -> list[Moment]:
    """Every moment while there are few; of many, those that lie upon one another are drawn once, and calm ones go first."""
    if len(moments) <= MOST_MARKS:
        return list(moments)
    start, end = moments[0].at, moments[-1].at
    wide = max((end - start).total_seconds(), 1.0) / PLACES
    kept: dict[tuple[str, str, int], Moment] = {}
    for moment in moments:
        kept.setdefault((moment.lane, moment.tone, int((moment.at - start).total_seconds() / wide)), moment)
    found = sorted(kept.values(), key=lambda moment: CALM.index(moment.tone), reverse=True)[:MOST_MARKS]
    return sorted(found, key=lambda moment: moment.at)


def _mark(moment: Moment, x: float, y: float) -> Markup:
    says = element("title", short(f"{moment.what}: {moment.about}" if moment.about else moment.what, 120))
    class_ = MARK[moment.tone]
    match moment.tone:
        case "bad":
            return element(
                "path",
                says,
                d=f"M{x - 5:.1f} {y - 5:.1f}L{x + 5:.1f} {y + 5:.1f}M{x + 5:.1f} {y - 5:.1f}L{x - 5:.1f} {y + 5:.1f}",
                class_=class_,
            )
        case "wait":
            return element(
                "path",
                says,
                d=f"M{x:.1f} {y - 6:.1f}L{x + 6:.1f} {y:.1f}L{x:.1f} {y + 6:.1f}L{x - 6:.1f} {y:.1f}Z",
                class_=class_,
            )
        case "good":
            return element("circle", says, cx=x, cy=y, r=5.0, class_=class_)
        case _:
            return element("rect", says, x=x - 2, y=y - 6, width=4.0, height=12.0, class_=class_)


class Line(Value, frozen=True, kw_only=True):
    """What is left of one limit, as shares of it over the seconds since the start."""

    name: str
    points: tuple[tuple[float, float], ...]


def burndown(lines: Sequence[Line]) -> Markup:
    """One falling line for each limit, named at its end and drawn with a dash of its own."""
    if not lines:
        return Markup("")
    high, top, foot, wide = 180.0, 14.0, 24.0, WIDE - 110.0
    lasted = max((line.points[-1][0] for line in lines), default=1.0) or 1.0
    parts = []
    for share, words in ((1.0, "all left"), (0.5, "half"), (0.0, "none")):
        y = top + (1 - share) * (high - top - foot)
        parts.append(element("text", words, x=0.0, y=y + 4, class_="lane"))
        parts.append(element("line", x1=LEFT - 30, x2=wide, y1=y, y2=y, class_="rail"))
    taken: list[float] = []
    for at, line in enumerate(sorted(lines, key=lambda line: -line.points[-1][1])):
        placed = [
            (LEFT - 30 + x / lasted * (wide - LEFT + 30), top + (1 - max(0.0, left)) * (high - top - foot))
            for x, left in line.points
        ]
        path = "M" + f"{placed[0][0]:.1f} {placed[0][1]:.1f}"
        slope = line.name == "time"  # it passes; everything else is spent in steps
        path += "".join(f"L{x:.1f} {y:.1f}" if slope else f"H{x:.1f}V{y:.1f}" for x, y in placed[1:])
        parts.append(element("path", element("title", line.name), d=path, class_=f"fall fall-{at % 5}"))
        y = max(placed[-1][1] + 4, (taken[-1] + 14) if taken else 0.0)
        taken.append(y)
        parts.append(element("text", f"{line.name} {line.points[-1][1]:.0%}", x=wide + 8, y=y, class_="tick"))
    title = "What is left of each limit, from the start to now"
    return drawing(WIDE, max(high, *(y + 8 for y in taken)), title, *parts, name="burndown")


class Node(Value, frozen=True, kw_only=True):
    """One run of the tree: how deep it is, whose child, and how it stands."""

    run: str
    parent: str
    depth: int
    stands: str
    tone: str
    goal: str


def tree(nodes: Sequence[Node]) -> Markup:
    """The run and those below it, a column for each generation."""
    if len(nodes) < 2:
        return Markup("")
    place = {node.run: (node.depth * 250.0, 8 + at * 46.0) for at, node in enumerate(nodes)}
    parts = []
    for node in nodes:
        x, y = place[node.run]
        if node.parent in place:
            px, py = place[node.parent]
            parts.append(element("path", d=f"M{px + 14:.1f} {py + 36:.1f}V{y + 18:.1f}H{x:.1f}", class_="edge"))
    for node in nodes:
        x, y = place[node.run]
        box = element("rect", x=x, y=y, width=236.0, height=36.0, rx=6.0, class_=f"node n-{node.tone}")
        name = element("text", short(node.goal, 32), x=x + 10, y=y + 15, class_="lane")
        stands = element("text", short(f"{node.run} · {node.stands}", 38), x=x + 10, y=y + 29, class_="tick")
        parts.append(element("a", element("title", node.goal), box, name, stands, href=f"/runs/{node.run}"))
    wide = max(x for x, _ in place.values()) + 240.0
    return drawing(max(wide, WIDE), 8 + len(nodes) * 46.0, f"{len(nodes)} runs", *parts, name="tree", role="group")

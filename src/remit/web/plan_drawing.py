"""The drawing of a plan: a row for each wave, a box for each step, a line for what waits for what."""

from markupsafe import Markup

from remit.web.drawings import WIDE
from remit.web.plan_view import Seen, View
from remit.web.svg import drawing, element, short

ABREAST = 4
"""boxes beside one another; a wider wave takes several rows"""
LEFT = 74.0
STEP = 200.0
WIDTH = 182.0
HEIGHT = 40.0
GAP = 24.0
SHADE = {"good": "n-good", "bad": "n-bad", "wait": "n-wait", "quiet": "n-quiet"}


def graph(view: View) -> Markup:
    """Every step with its sign, its name and its state; each leads to its place on the page."""
    boxes: list[Markup] = []
    rows: list[Markup] = []
    place: dict[str, tuple[float, float]] = {}
    y = 8.0
    for number, wave in enumerate((*view.waves, (view.last,)), 1):
        rows.append(element("text", "last" if wave[0] is view.last else f"wave {number}", x=0.0, y=y + 24, class_="tick"))
        for at, step in enumerate(wave):
            if at and at % ABREAST == 0:
                y += HEIGHT + 8
            x = LEFT + at % ABREAST * STEP
            place[step.anchor] = x, y
            boxes.append(_box(step, x, y))
        y += HEIGHT + GAP
    lines = [_line(place[one], place[other], firm) for one, other, firm in view.lines if one in place and other in place]
    title = f"Plan of {view.total} steps, {view.done} of them complete"
    return drawing(WIDE, y, title, *lines, *rows, *boxes, name="plan", role="group")


def _box(step: Seen, x: float, y: float) -> Markup:
    again = f", try {step.tries}" if step.tries > 1 else ""
    told = " · ".join(part for part in (step.word + again, step.time) if part)
    return element(
        "a",
        element("title", short(f"{step.name}: {told}", 200)),
        element("rect", x=x, y=y, width=WIDTH, height=HEIGHT, rx=6.0, class_=f"node {SHADE[step.tone]} s-{step.state}"),
        element("text", f"{step.mark} {short(step.name, 24)}", x=x + 9, y=y + 17, class_="lane"),
        element("text", short(told, 30), x=x + 9, y=y + 32, class_="tick"),
        href=f"#{step.anchor}",
    )


def _line(one: tuple[float, float], other: tuple[float, float], firm: bool) -> Markup:
    """From below the one to above the other, with a point there: what only passes behind a box has none."""
    x, y = one[0] + WIDTH / 2, one[1] + HEIGHT
    to, until = other[0] + WIDTH / 2, other[1]
    path = f"M{x:.1f} {y:.1f}C{x:.1f} {y + GAP:.1f} {to:.1f} {until - GAP:.1f} {to:.1f} {until:.1f}"
    path += f"M{to - 4:.1f} {until - 6:.1f}L{to:.1f} {until:.1f}L{to + 4:.1f} {until - 6:.1f}"
    return element("path", d=path, class_="edge" if firm else "edge soft-edge")

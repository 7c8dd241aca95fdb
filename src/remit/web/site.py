"""What the pages are made with: the engine's hands, the door, the templates, and the moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from remit.contract.party import Organisation
from remit.engine.hands import Hands
from remit.errors import RemitError
from remit.ports import Signer
from remit.run.card import Card
from remit.run.state import Run
from remit.value import digest
from remit.web import words
from remit.web.asking import heading
from remit.web.board import Boards, tone_of
from remit.web.door import Door, Viewer
from remit.web.svg import element, short

OF_THE_WORK = frozenset({"publish", "change", "recovery"})
"""questions about what was made, which is therefore shown with them"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One inbox. `key` signs for whoever is signed in, `organisation` is the file as it is now, `closing` ends the streams."""

    hands: Hands
    door: Door
    key: Signer | None
    organisation: Callable[[], Organisation | None]
    closing: Callable[[], bool]
    boards: Boards

    def viewer(self, request: Request) -> Viewer | None:
        """Who this is. While the organisation file cannot be read, nobody comes in who has to stand in it."""
        try:
            return self.door.viewer(request)
        except RemitError:
            return None

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.hands.clock.now()

    def page(self, request: Request, name: str, viewer: Viewer | None, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.render(name, viewer, path=request.url.path, **values), status_code=status)

    def render(self, name: str, viewer: Viewer | None, **values: Any) -> str:
        """A template as text; whatever it prints is escaped."""
        now = self.now()
        return (
            templates()
            .get_template(name)
            .render(viewer=viewer, now=now, when=lambda at: when(at, now), team=not hasattr(self.door, "token"), **values)
        )


@cache
def templates() -> Environment:
    """The templates of this package. What is not there is a mistake, never an empty place."""
    found = Environment(
        loader=PackageLoader("remit.web"), autoescape=True, undefined=StrictUndefined, finalize=words.finalized,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    found.filters.update(short=short)
    found.globals.update(tone_of=tone_of, heading=heading)
    return found


def when(at: datetime | None, now: datetime) -> Markup:
    """A moment as people say it, the exact one beside it for whoever points at it."""
    if at is None:
        return Markup("")
    return element("time", words.relative(at, now), datetime=at.isoformat(timespec="seconds"), title=words.absolute(at))


def seen(card: Card, run: Run) -> str:
    """What somebody who reads this card has seen of the request: another one must be read before it is answered."""
    values = [(each.name, each.value, each.source, each.place) for each in card.values]
    rules = [(each.rule, each.words, each.contract) for each in card.why]
    modified = [answer for answer in card.said if ": modify" in answer]
    made = run.work.sealed if run.work is not None and card.about in OF_THE_WORK else ""
    asked = [card.run, card.question, card.text, card.what, card.digest, card.preview, card.quorum, card.on_no]
    return digest([*asked, values, rules, modified, made])


def outcome(run: Run) -> str:
    """What somebody who takes the outcome of a run has seen of it."""
    made = run.work.sealed if run.work is not None else ""
    return digest([run.id, run.contract.hash(), run.verdict or "", list(run.exceptions), made, run.undone, run.published is None])

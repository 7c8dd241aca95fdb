"""How a page reads, whichever way it goes: nothing hidden in it, and a link to the inbox at its end."""

from remit.adapters.effects.arguments import readable
from remit.evidence.visible import BLANK, visible
from remit.ports.people import Page


def title(page: Page) -> str:
    """The subject on one line, with everything that could hide or turn round a part of it written out."""
    return _shown(page.subject).replace("\n", " ")


def text(page: Page) -> str:
    """The body with everything that could hide or turn round a part of it written out."""
    return _shown(page.body.replace("\r\n", "\n"))


def link(page: Page) -> str:
    """The link; empty when it is none that a person could follow."""
    usable = page.link.startswith(("https://", "http://")) and all("!" <= mark <= "~" for mark in page.link)
    return page.link if usable else ""


def whole(page: Page) -> str:
    """Body and link as one text."""
    return "\n\n".join(part for part in (text(page).rstrip(), link(page)) if part) + "\n"


def _shown(text: str) -> str:
    return "".join(visible(mark) if mark in BLANK else mark for mark in readable(text))

"""People: who signs, and how they are told."""

from typing import Protocol

from remit.value import Value


class Signer(Protocol):
    """Signs in the name of the local identity."""

    person: str
    public: str

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached signature as text."""
        ...


class Page(Value, frozen=True, kw_only=True):
    """What somebody is told outside the inbox. `link` leads to the inbox; nothing in a page can decide anything."""

    to: str
    subject: str
    body: str
    link: str = ""


class Notifier(Protocol):
    """Tells somebody something."""

    name: str

    async def tell(self, page: Page) -> str:
        """Hand the page over; the receipt. `page.to` is the contact. Raises Broken when it could not be delivered."""
        ...

"""What hides or turns text round is written out, whichever way a page goes."""

import pytest

from remit.adapters.notifiers.wording import text, title, whole
from remit.ports.people import Page


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\u061c", "\u00ad", "\u2028", "\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"]
)
def test_what_cannot_be_seen_is_shown_by_its_number(hidden: str) -> None:
    page = Page(to="mail:lead@example.com", subject=f"pay{hidden}\nme", body=f"first\npay{hidden}me", link="")
    written = f"\\u{ord(hidden):04x}"
    assert title(page) == f"pay{written} me"
    assert text(page) == f"first\npay{written}me"
    assert hidden not in whole(page)

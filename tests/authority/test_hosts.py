"""Hosts and URLs as measured traps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.hosts import target, within


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.com\\@api.corp.com/", "https://api.corp.com\t.evil.com", " https://api.corp.com/",
        "https://user@api.corp.com/",
        "https://user:pass@api.corp.com/", "https://api\u3002corp\u3002com/", "https://\u0430pi.corp.com/", "127.1:80",
        "0x7f000001:80",
        "2130706433:80", "0177.0.0.1:80", "127.0.0.01:80", "256.1.1.1:80", "1.2.3:80", "https://api.corp.com:0x1bb/",
        "api.corp.com:0",
        "api.corp.com:70000", "api.corp.com:+443", "api.corp.com:", "ftp://api.corp.com/", "file:///etc/passwd",
        "https:///x", "", "a..b:1",
        "-a.com:1", "[::1%25eth0]:443", "[::ffff:127.0.0.1]:443", "[::1", "api.corp.com:443:443", "https://api.corp.com/a/../b",
        "https://api.corp.com/a/%2e%2e/b", "https://api.corp.com/a%2f..%2fb", "https://api.corp.com/%252e%252e/",
        "https://api.corp.com/a%5cb",
        "https://api.corp.com/a/..;x/b", "https://api.corp.com/%0a", "api.corp.com\n:443", "*.corp.com:443", "0x7f.1:80",
        "a.0x1:80",
    ],
)  # fmt: skip
def test_a_place_two_clients_could_read_differently_is_none(text: str) -> None:
    assert target(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("API.Corp.com.:443", "api.corp.com:443"),
        ("api.corp.com", "api.corp.com:443"),
        ("http://api.corp.com", "http://api.corp.com:80/"),
        ("https://api.corp.com:8443/a?b#c", "https://api.corp.com:8443/a"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[2001:DB8::0001]:443", "[2001:db8::1]:443"),
    ],
)
def test_a_plain_place_has_one_spelling(text: str, expected: str) -> None:
    assert str(target(text)) == expected


@pytest.mark.parametrize(
    ("pattern", "place", "expected"),
    [
        ("api.corp.com:443", "https://api.corp.com/x", True),
        ("api.corp.com:443", "api.corp.com.:443", True),
        ("api.corp.com:443", "api.corp.com:80", False),
        ("api.corp.com:443", "x.api.corp.com:443", False),
        ("*.corp.com:443", "api.corp.com:443", True),
        ("*.corp.com:443", "a.b.corp.com:443", True),
        ("*.corp.com:443", "corp.com:443", False),
        ("*.corp.com:443", "evilcorp.com:443", False),
        ("https://api.corp.com/v1", "https://api.corp.com/v1", True),
        ("https://api.corp.com/v1", "https://api.corp.com/v1/x", True),
        ("https://api.corp.com/v1", "https://api.corp.com/v10", False),
        ("https://api.corp.com/v1", "http://api.corp.com:443/v1", False),
        ("https://api.corp.com/v1", "api.corp.com:443", False),
    ],
)
def test_a_place_is_inside_a_pattern_label_by_label(pattern: str, place: str, expected: bool) -> None:
    wanted, given_ = target(pattern, pattern=True), target(place)
    assert wanted is not None
    assert given_ is not None
    assert within(wanted, given_, strict=True) is expected


def test_a_never_on_a_url_also_meets_the_bare_connection() -> None:
    wanted, place = target("https://api.corp.com/v1"), target("api.corp.com:443")
    assert wanted is not None
    assert place is not None
    assert within(wanted, place, strict=False)


@given(st.text(max_size=40))
def test_reading_a_place_never_raises_and_its_spelling_reads_the_same(text: str) -> None:
    place = target(text)
    assert place is None or target(str(place)) == place

"""The glob: one meaning, no exponential case, and `covers` that is never wrong when it says yes."""

import itertools
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.glob import compile_glob, covers, normal_path


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("docs/**", "docs/a", True),
        ("docs/**", "docs/a/b.md", True),
        ("docs/**", "docs/.env", True),
        ("docs/**", "docs", False),
        ("docs/**", "docs2/a", False),
        ("docs/**", "x/docs/a", False),
        ("**", "anything/at/all", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**/x", "a/bx", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/y/c", False),
        ("*", "a", True),
        ("*", "a/b", False),
        ("*.md", "x/a.md", False),
        ("?.md", "a.md", True),
        ("?.md", "ab.md", False),
        ("a?b", "a/b", False),
        ("docs", "x/docs/y", False),
        ("/CHANGELOG.md", "CHANGELOG.md", True),
        ("CHANGELOG.md", "changelog.md", False),
        ("a**b/c", "axxb/c", True),
        ("a**b/c", "ax/xb/c", False),
        ("**/**/c", "c", True),
        ("docs/*/x", "docs//x", True),
        ("{a,b}.md", "a.md", False),
        ("[ab]", "a", False),
        ("cafe\u0301", unicodedata.normalize("NFC", "cafe\u0301"), True),
    ],
)
def test_a_glob_means_what_its_documentation_says(pattern: str, path: str, expected: bool) -> None:
    assert compile_glob(pattern)(path) is expected


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 25, "a" * 400 + "b"),
        ("**/" * 25 + "x", "a/" * 400 + "y"),
        ("**/a/" * 25 + "x", "a/" * 400 + "y"),
        ("*" * 200 + "b", "a" * 400),
    ],
)
def test_a_hostile_glob_is_answered_at_once(pattern: str, path: str) -> None:
    matches = compile_glob(pattern)
    before = time.process_time()
    assert not matches(path)
    assert time.process_time() - before < 0.5


def test_covers_is_answered_at_once_for_hostile_patterns() -> None:
    before = time.process_time()
    assert not covers("*a" * 25 + "c", "*a" * 200)
    assert not covers("**/a/" * 25 + "c", "**/a/" * 100 + "b")
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(
    "path",
    [
        "docs/../etc/passwd", "./docs/a", "/docs/a", "docs/./a", "docs//a", "docs/a\nb", "docs/a\0", "docs\\a", "", "..", "docs/",
        "a\u2028b", "a\ud800", "x" * 5000,
    ],
)  # fmt: skip
def test_a_dishonest_path_is_no_path(path: str) -> None:
    assert normal_path(path) is None


def test_two_spellings_of_one_name_are_one_path() -> None:
    assert normal_path("cafe\u0301.md") == "caf\u00e9.md"
    assert normal_path("docs/.env") == "docs/.env"


PIECES = st.sampled_from(["a", "b", "*", "?", "**", "a*", "*b", "a?", "ab", "*a*"])
PATTERNS = st.lists(PIECES, min_size=1, max_size=4).map("/".join)
TEXTS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


def slow(pattern: list[str], path: list[str]) -> bool:
    """The meaning, spelled out by recursion."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(path)
        return slow(pattern[1:], path) or bool(path and slow(pattern, path[1:]))
    return bool(path) and slow_segment(pattern[0], path[0]) and slow(pattern[1:], path[1:])


def slow_segment(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return slow_segment(pattern[1:], text) or bool(text and slow_segment(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and slow_segment(pattern[1:], text[1:])


@given(PATTERNS, TEXTS)
def test_the_matcher_agrees_with_the_meaning_spelled_out(pattern: str, path: str) -> None:
    assert compile_glob(pattern)(path) is slow(pattern.split("/"), path.split("/"))


@given(PATTERNS, PATTERNS, st.lists(TEXTS, min_size=1, max_size=30))
def test_what_covers_says_yes_to_is_covered(outer: str, inner: str, paths: list[str]) -> None:
    if covers(outer, inner):
        wide, narrow = compile_glob(outer), compile_glob(inner)
        assert [path for path in paths if narrow(path) and not wide(path)] == []


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("**", "docs/**", True),
        ("docs/**", "docs/a/*.md", True),
        ("docs/**", "docs", False),
        ("docs/*", "docs/**", False),
        ("**/*.md", "*.md", True),
        ("*.md", "**/*.md", False),
        ("docs/**", "docs/**/x", True),
        ("docs/?", "docs/*", False),
        ("a/**/b", "a/**/c/b", True),
        ("/docs/**", "docs/a", True),
    ],
)
def test_covers_sees_the_usual_cases(outer: str, inner: str, expected: bool) -> None:
    assert covers(outer, inner) is expected


def words(alphabet: str, longest: int) -> list[str]:
    return ["".join(each) for size in range(1, longest + 1) for each in itertools.product(alphabet, repeat=size)]


def spelt(pattern: str) -> re.Pattern[str]:
    """The meaning of a pattern without `**`, said another way."""
    return re.compile("".join({"*": "[^/]*", "?": "[^/]"}.get(mark, re.escape(mark)) for mark in pattern))


def test_every_small_segment_pattern_matches_exactly_what_it_says() -> None:
    texts = words("ab", 4)
    for pattern in words("a*?", 4):
        if "**" not in pattern:
            match, meant = compile_glob(pattern), spelt(pattern)
            assert [text for text in texts if match(text)] == [text for text in texts if meant.fullmatch(text)], pattern


def test_every_small_pattern_of_folders_matches_exactly_what_it_says() -> None:
    texts = ["/".join(each) for size in range(1, 5) for each in itertools.product("ab", repeat=size)]
    for size in range(1, 5):
        for parts in itertools.product(("a", "*", "**"), repeat=size):
            pattern = "/".join(parts)
            inner = "".join("(?:[^/]+/)*" if part == "**" else ("[^/]+/" if part == "*" else "a/") for part in parts[:-1])
            last = "[^/]+(?:/[^/]+)*" if parts[-1] == "**" else "[^/]+" if parts[-1] == "*" else "a"
            match, meant = compile_glob(pattern), re.compile(inner + last)
            assert [text for text in texts if match(text)] == [text for text in texts if meant.fullmatch(text)], pattern


def test_covering_small_segments_is_never_wrong_and_hardly_ever_shy() -> None:
    texts = words("ab", 5)
    patterns = [pattern for pattern in words("a*?", 3) if "**" not in pattern]
    meant = {pattern: {text for text in texts if spelt(pattern).fullmatch(text)} for pattern in patterns}
    shy = []
    for outer, inner in itertools.product(patterns, patterns):
        said = covers(outer, inner)
        inside = meant[inner] <= meant[outer]
        assert inside or not said, (outer, inner)
        if inside and not said:
            shy.append((outer, inner))
    assert len(shy) <= 51, shy


def test_covering_small_folders_is_never_wrong() -> None:
    texts = ["/".join(each) for size in range(1, 6) for each in itertools.product("ab", repeat=size)]
    patterns = ["/".join(parts) for size in range(1, 4) for parts in itertools.product(("a", "*", "**"), repeat=size)]
    meant = {pattern: {text for text in texts if compile_glob(pattern)(text)} for pattern in patterns}
    said = {(outer, inner) for outer, inner in itertools.product(patterns, patterns) if covers(outer, inner)}
    assert [pair for pair in said if not meant[pair[1]] <= meant[pair[0]]] == []
    assert {("**", "a/**"), ("a/**", "a/*"), ("a/**", "a/**/a"), ("**/a", "a"), ("**/a", "*/a"), ("*/**", "a/*/a")} <= said

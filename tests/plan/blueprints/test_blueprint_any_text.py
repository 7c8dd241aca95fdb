"""Any text at all is a blueprint, if a poor one: reading never raises, never hangs, and what is asked for can be computed."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.blueprints.reading import MOST_BYTES, read_blueprint
from remit.plan.wanted import wanted

FILES = sorted((Path(__file__).parent / "files").glob("*.md"))
PIECES = [
    "# T", "## Skill Chain", "```", "```yaml", "~~~", "deliverables:", "maturity_profiles:", "  starter:", '  "a":', "    required_files:",
    "      - x", "1. a-b", "   OR c", "2. [OPTIONAL] d # e", "## Quick Questions", "### 1. Q", "A) x", "[Default: A]", "**Primary:**",
    "- w, v", "    condition: x == true", "    conditional: \"Answer to Q1 = 'A'\"", "├── f/", "│   └── g", "security_checks:", "\t", "\x00",
    "cross_skill_dependencies:", "  critical: [", "1. **b** (Priority: 9)", "   - Plugin: `p:s`", "## Generated Output Structure", "root/",
]  # fmt: skip


def whole(text: str) -> None:
    found, noted = read_blueprint(text, name="x", file="x.md")
    assert all(each.code and each.message and each.file == "x.md" and each.line >= 0 for each in noted)
    assert sum(pattern.default for pattern in found.patterns) == bool(found.patterns)
    for maturity in ("starter", ""):
        wanted(found, maturity=maturity, answers={"Q1": "A"}, flags={"x": True})


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    whole(text)


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=40))
def test_any_order_of_what_blueprints_are_made_of_can_be_read(rows: list[str]) -> None:
    whole("\n".join(rows))


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.integers(0, 4000), st.integers(0, 200), st.text(max_size=30))
def test_a_blueprint_with_a_piece_torn_out_can_be_read(file: Path, at: int, length: int, instead: str) -> None:
    text = file.read_text()
    whole(text[:at] + instead + text[at + length :])


def test_what_is_too_large_is_said_and_not_read() -> None:
    found, noted = read_blueprint("x" * (MOST_BYTES + 1), name="x", file="x.md")
    assert (found.patterns, [each.code for each in noted]) == ((), ["TOO-LARGE"])


@pytest.mark.parametrize(
    "text",
    [
        " " * 200_000,
        "# " + " " * 200_000,
        "## Skill Chain\n```\n1. a" + " OR b" * 40_000,
        "## Skill Chain\n```\n" + "1. a\n" * 40_000,
        "## Quick Questions\n### 1. a\n```\nAnswer " + "(" * 200_000,
        "## Trigger\n" + "**primary" * 20_000,
    ],
    ids=["spaces", "heading", "alternatives", "chains", "brackets", "labels"],
)
def test_a_text_made_to_be_slow_is_read_in_no_time(text: str) -> None:
    began = time.monotonic()
    whole(text)
    assert time.monotonic() - began < 5

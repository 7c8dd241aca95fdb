"""The strict reading: valid by the letter, or why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.lint import lint

VALID = """\
---
name: folding-maps
description: Folds maps. Use it when a map is flat.
license: MIT
compatibility: needs paper
metadata:
  author: crafts
  version: 1.0
allowed-tools: Read Grep
---

# Folding
"""


def found(text: str, folder: str = "/place/folding-maps") -> list[str]:
    return [each.code for each in lint(text, file="SKILL.md", folder=folder) if each.severity == "error"]


def test_a_valid_skill_has_no_finding_at_all() -> None:
    assert lint(VALID, file="SKILL.md", folder="/place/folding-maps") == ()
    assert lint(VALID.replace("\n", "\r\n"), file="SKILL.md", folder="/place/folding-maps") == ()


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("name: folding-maps", "name: Folding-Maps", ["NAME-CASE", "NAME-DIFFERS"]),
        ("name: folding-maps", "name: folding_maps", ["NAME-FORM", "NAME-DIFFERS"]),
        ("name: folding-maps", "name: folding--maps", ["NAME-HYPHEN", "NAME-DIFFERS"]),
        ("name: folding-maps", "name: -maps", ["NAME-HYPHEN", "NAME-DIFFERS"]),
        ("name: folding-maps", f"name: {'m' * 65}", ["NAME-LONG", "NAME-DIFFERS"]),
        ("name: folding-maps", "name: cutting-maps", ["NAME-DIFFERS"]),
        ("name: folding-maps\n", "", ["NAME-MISSING"]),
        ("name: folding-maps", "name:", ["NAME-MISSING"]),
        ("name: folding-maps", "name: [folding-maps]", ["FLOW", "NAME-MISSING"]),
        ("description: Folds maps. Use it when a map is flat.\n", "", ["DESCRIPTION-MISSING"]),
        ("description: Folds maps. Use it when a map is flat.", "description: ''", ["DESCRIPTION-MISSING"]),
        ("Folds maps.", "x" * 1024, ["DESCRIPTION-LONG"]),
        ("Folds maps.", "Folds: maps.", ["YAML", "NEEDS-QUOTES"]),
        ("license: MIT", "license: MIT\nargument-hint: a map", ["EXTRA-KEY"]),
        ("license: MIT", "license: MIT\nname: folding-maps", ["DUPLICATE-KEY"]),
        ("compatibility: needs paper", f"compatibility: {'x' * 501}", ["COMPATIBILITY-LONG"]),
        ("allowed-tools: Read Grep", "allowed-tools: [Read, Grep]", ["FLOW", "NOT-A-TEXT"]),
        ("allowed-tools: Read Grep", "allowed-tools:\n  - Read", ["NOT-A-TEXT"]),
        ("  version: 1.0", "  tags:\n    - a", ["METADATA"]),
        ("license: MIT", "license: &l MIT", ["REFERENCE"]),
        ("license: MIT", "license: !x MIT", ["TAG"]),
        ("---\n\n# Folding", "\n# Folding", ["FRONT-OPEN"]),
        ("---\nname", "name", ["FRONT-MISSING"]),
        ("---\nname", "\ufeff---\nname", ["BOM"]),
        ("---\nname", "\n---\nname", ["FRONT-LATE"]),
    ],
)
def test_what_the_specification_refuses_is_an_error(old: str, new: str, codes: list[str]) -> None:
    assert old in VALID
    assert found(VALID.replace(old, new, 1)) == codes


def test_letters_of_other_alphabets_are_letters() -> None:
    assert found(VALID.replace("folding-maps", "karten-fälzen"), "/place/karten-fälzen") == []
    assert found(VALID.replace("folding-maps", "karten-fa\u0308lzen"), "/place/karten-fälzen") == []


def test_a_long_or_empty_body_is_only_advised_against() -> None:
    def advised(text: str) -> list[tuple[str, str]]:
        return [(each.code, each.severity) for each in lint(text, file="SKILL.md", folder="/place/folding-maps")]

    assert advised(VALID + "line\n" * 600) == [("BODY-LONG", "warning")]
    assert advised(VALID + "x" * 30_000) == [("BODY-TOKENS", "warning")]
    assert advised(VALID.replace("# Folding\n", "")) == [("BODY-EMPTY", "warning")]


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    lint(text, file="SKILL.md", folder="x")
    lint(f"---\n{text}\n---\n", file="SKILL.md", folder="x")

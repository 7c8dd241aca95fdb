"""The house style, where a machine can see it."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "remit"
FILES = sorted(SOURCE.rglob("*.py"))
BANNED = {"utils", "helpers", "manager", "common", "base", "types", "misc", "config"}
PURE = ("contract", "authority", "run", "evidence")


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 20


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(path.relative_to(SOURCE)): count for path in FILES if (count := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_functions_stay_under_40_lines_unless_they_are_one_table_or_match() -> None:
    long = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                matches = any(isinstance(inner, ast.Match) for inner in node.body)
                if length > 40 and not matches:
                    long.append(f"{path.relative_to(SOURCE)}:{node.lineno} {node.name} {length}")
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in FILES if path.stem in BANNED or path.parent.name in BANNED] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(SOURCE))
        for path in FILES
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_the_pure_chapters_never_ask_what_time_it_is() -> None:
    guilty = [
        f"{path.relative_to(SOURCE)}"
        for path in FILES
        if path.relative_to(SOURCE).parts[0] in PURE and any(word in path.read_text() for word in (".now(", "utcnow", ".today("))
    ]
    assert guilty == []

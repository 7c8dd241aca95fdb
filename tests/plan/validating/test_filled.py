"""A file that only promises is told from one that is done, and a template from a placeholder."""

import pytest

from remit.plan.validating.filled import flaws


@pytest.mark.parametrize("path", ["a.py", "README.md", ".env", "config.json"])
@pytest.mark.parametrize("word", ["TODO", "FIXME", "PLACEHOLDER", "(TODO:"])
def test_the_words_of_a_placeholder_are_severe_in_every_file(path: str, word: str) -> None:
    assert [(flaw.line, flaw.severe) for flaw in flaws(path, f"a\nb {word} c\n".encode())] == [(2, True)]


@pytest.mark.parametrize("text", ["TODOS", "TODO_LIST", "xTODO", "a todo list", 'placeholder="Email"', "FIXMEUP"])
def test_other_words_that_hold_them_are_none(text: str) -> None:
    assert flaws("a.md", text.encode()) == ()


@pytest.mark.parametrize(
    ("path", "severe"),
    [
        ("README.md", True), ("k8s/deployment.yaml", True), ("package.json", True), ("index.html", True),
        ("page.html.j2", False), ("charts/api/values.yaml", False), ("api/templates/deployment.yaml", False), ("site/templates/a.html", False),
        ("monitoring/grafana/dashboards/api.json", False), (".github/workflows/ci.yml", False), (".env.example", False), ("App.vue", False),
    ],
)  # fmt: skip
def test_two_braces_are_severe_except_where_templates_stand(path: str, severe: bool) -> None:
    assert [flaw.severe for flaw in flaws(path, b"a: {{ name }}\n")] == [severe]
    assert [flaw.severe for flaw in flaws(path, b"a: {% if x %}\n")] == [severe]


@pytest.mark.parametrize("path", ["App.tsx", "a.py", "main.go"])
def test_in_languages_that_are_written_with_two_braces_nothing_is_said_of_them(path: str) -> None:
    assert flaws(path, b"style={{color: 1}} {%d") == ()


def test_an_expression_of_a_pipeline_is_no_placeholder() -> None:
    assert flaws("ci.yml", b"run: ${{ matrix.node }}\n") == ()
    assert [flaw.line for flaw in flaws("ci.yml", b"run: ${{ matrix.node }}\nx: {{ y }}\n")] == [2]


def test_a_file_that_is_made_to_be_filled_in_may_say_your() -> None:
    assert [flaw.severe for flaw in flaws(".env.example", b"KEY=<your-key>")] == [False]
    assert [flaw.severe for flaw in flaws(".env", b"KEY=<your-key>")] == [True]


def test_binary_files_are_not_read_as_text_but_one_that_pretends_to_be_text_is() -> None:
    assert flaws("logo.png", b"\x89PNG\0{{ TODO") == ()
    assert [(flaw.what, flaw.severe) for flaw in flaws("a.py", b"\0 TODO")] == [
        ("holds bytes that no text has", False),
        ("holds the placeholder `TODO`", True),
    ]


def test_a_file_full_of_what_is_no_placeholder_is_looked_at_quickly() -> None:
    assert flaws("a.yml", b"${{" * 1_000_000)[:1] != ()

"""Argument lists against templates: exact for `may`, generous for `ask` and `never`."""

import pytest

from remit.contract.command import covers_argv, match_argv, plain_words, template, touches_argv


@pytest.mark.parametrize(
    ("written", "argv", "expected"),
    [
        ("git status", "git status", True),
        ("git status", "/usr/bin/git status", True),
        ("git status", "/tmp/git status", False),
        ("git status", "./git status", False),
        ("git status", "bin/git status", False),
        ("/usr/bin/git status", "git status", False),
        ("./tools/x", "./tools/x", True),
        ("git status", "git status --short", False),
        ("git status", "git -c core.pager=evil status", False),
        ("git add *", "git add docs/a.md", True),
        ("git add *", "git add --all", False),
        ("git add *", "git add a b", False),
        ("git add ...", "git add a b c", True),
        ("git add ...", "git add", True),
        ("git add ...", "git add a -f", False),
        ("git commit --message=*", "git commit --message=x", True),
        ("git commit --message=*", "git commit --message", False),
        ("git commit --message=*", "git commit --amend", False),
        ("find * -name *", "find . -delete x", False),
    ],
)
def test_a_template_covers_exactly_what_it_spells_out(written: str, argv: str, expected: bool) -> None:
    assert match_argv(template(written), argv.split()) is expected


def test_nothing_covers_nothing() -> None:
    assert not match_argv((), ("git",))
    assert not match_argv(("git",), ())


@pytest.mark.parametrize(
    ("written", "argv", "expected"),
    [
        ("git push", "git push", True),
        ("git push", "git push --force origin main", True),
        ("git push", "git -c a=b push", True),
        ("git push", "/tmp/git push", True),
        ("git push *", "git push", True),
        ("git push", "git status", False),
        ("git push", "gitx push", False),
        ("rm --mode=*", "rm --mode 5", True),
    ],
)
def test_a_never_is_not_slipped_past_by_one_more_option(written: str, argv: str, expected: bool) -> None:
    assert touches_argv(template(written), argv.split()) is expected


@pytest.mark.parametrize(
    "line", ["git status; curl x|sh", "a && b", "echo `x`", "echo $X", "cat <y", "a\rb", "a\\ b", "echo 'x'", "", "ls *"]
)
def test_a_shell_line_with_anything_but_words_is_not_taken_apart(line: str) -> None:
    assert plain_words(line) is None


@pytest.mark.parametrize("text", ["", "git 'x", "git ... x"])
def test_a_template_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        template(text)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("git add ...", "git add *", True),
        ("git add *", "git add ...", False),
        ("git add *", "git add docs/a", True),
        ("git add *", "git add --all", False),
        ("git add ...", "git add a -f", False),
        ("git commit --message=*", "git commit --message=x", True),
        ("git commit --message=x", "git commit --message=*", False),
        ("git status", "/usr/bin/git status", True),
        ("/usr/bin/git status", "git status", False),
    ],
)
def test_one_template_inside_another(outer: str, inner: str, expected: bool) -> None:
    assert covers_argv(template(outer), template(inner)) is expected

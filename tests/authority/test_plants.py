"""Files that are dangerous by their name."""

import pytest

from remit.authority.plants import names_plant, plant


@pytest.mark.parametrize(
    "path",
    ["x.remit.yaml", "a/b/x.remit.yaml", "SOUL.md", "a/TASK.md", ".claude/settings.json", "a/.codex/config.toml",
    ".opencode/x", ".vscode/tasks.json",
     ".idea/x", ".git/config", "sub/.git/hooks/post-checkout", ".git", ".githooks/pre-push", ".husky/pre-commit", ".envrc",
     "a/.envrc",
     ".gitattributes", ".gitmodules", ".GIT/hooks/x", "soul.MD", ".mcp.json"],
)  # fmt: skip
def test_a_plant_says_why(path: str) -> None:
    assert plant(path)


@pytest.mark.parametrize(
    "path", ["docs/a.md", ".gitignore", "git/config", "a.yaml", "remit.yaml.txt", "envrc", "SOUL.md/x", ".github/CODEOWNERS"]
)
def test_a_plain_file_is_none(path: str) -> None:
    assert plant(path) == ""


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", ".envrc", False),
        (".env*", ".envrc", False),
        ("**/.envrc", "a/.envrc", True),
        ("*.remit.yaml", "x.remit.yaml", True),
        (".git*", ".gitattributes", False),
        (".vscode/**", ".vscode/tasks.json", True),
        (".vscode/**", ".vscode/.git/config", False),
    ],
)
def test_a_pattern_names_a_plant_or_only_reaches_it(pattern: str, path: str, expected: bool) -> None:
    assert names_plant(pattern, path) is expected

"""Where skills are looked for."""

from pathlib import Path

from remit.adapters.library import places


def made(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def test_what_is_named_goes_first_then_the_workspace_then_the_home_folder(tmp_path: Path) -> None:
    made(tmp_path, "named", "home/.claude/skills", "work/.claude/skills", "work/commands/skillchain", "state/skills")
    found = places(
        {"REMIT_LIBRARY": f"{tmp_path}/named:{tmp_path}/not-there", "REMIT_HOME": f"{tmp_path}/state"},
        tmp_path / "home",
        tmp_path / "work",
    )
    assert [str(each.relative_to(tmp_path)) for each in found] == [
        "named",
        "work/.claude/skills",
        "work/commands/skillchain",
        "state/skills",
        "home/.claude/skills",
    ]


def test_a_workspace_that_is_a_marketplace_is_one_place(tmp_path: Path) -> None:
    made(tmp_path, ".claude-plugin", "skills/one", ".claude/skills")
    (tmp_path / ".claude-plugin" / "marketplace.json").write_text("{}")
    assert places({}, tmp_path / "home", tmp_path) == [tmp_path]


def test_nothing_is_there_and_nothing_is_found(tmp_path: Path) -> None:
    assert places({}, tmp_path, tmp_path) == []

"""What a hostile run leaves in its stage: named as dangerous, never followed, never published by accident."""

import os
import shutil
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, publish, run, sealed, tree

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.errors import BadInput, Conflict

PLANTS = r"""
ln -s /etc/passwd docs/absolute
ln -s ../../outside docs/escaping
ln -s ../package.json docs/p
ln -s self docs/self
ln -s deep docs/hop && ln -s hop/../../../x docs/over
ln -s deep/up/../x docs/sly && ln -s ../.. docs/deep/up
ln -s ../.env docs/secret
echo x > docs/setuid && chmod 4755 docs/setuid
echo x > docs/world && chmod 0777 docs/world
mkfifo docs/fifo
ln docs/a.md docs/hard
echo x > Readme.md
echo x > $'docs/new\nline'
echo x > $'docs/\u202egnp.exe'
echo x > $'docs/caf\xe9'
echo x > .envrc
mkdir .vscode .claude && echo x > .vscode/tasks.json && echo x > .claude/settings.json
echo x > other.remit.yaml
echo mine > .env
chmod 000 docs/b.md
truncate -s 2T docs/sparse
"""


def test_every_plant_is_named_and_none_is_followed(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind, quota=1 << 30)
    inside(stage.mount, PLANTS)
    plants = {change.path: change.plant for change in sealed(stage).changes}
    link = "it is a link out of the workspace"
    named = {path: why for path, why in plants.items() if why}
    assert named.pop(".envrc") and named.pop("other.remit.yaml") and named.pop(".vscode/tasks.json")
    assert named.pop(".claude/settings.json")
    assert named == {
        ".env": "a secret that was not shown to the run stands here",
        "Readme.md": "its name is the twin of `README.md`",
        "docs/absolute": link,
        "docs/escaping": link,
        "docs/over": link,
        "docs/self": "it is a link that never ends",
        "docs/sly": link,
        "docs/setuid": "it would run with its owner's rights (setuid or setgid)",
        "docs/fifo": "it is neither a file, a folder nor a link",
        "docs/hard": "it is a hard link: another name shares its content",
        "docs/new\nline": "its name holds control characters",
        "docs/\u202egnp.exe": "its name holds control characters",
        "docs/caf\\xe9": "its name is not UTF-8",
        "docs/sparse": "it is larger than the quota",
    }
    assert {"docs/b.md", "docs/world", "docs/p", "docs/secret", "docs/deep/up"} <= plants.keys()


def test_what_cannot_be_published_is_not_even_when_nobody_drops_it(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    stage = opened(root, place, kind, quota=1 << 30)
    inside(stage.mount, PLANTS)
    sealed(stage)
    published = publish(stage)
    assert not {".env", "docs/fifo", "docs/caf\\xe9", "docs/sparse"} & set(published)
    after = tree(root)
    assert after[".env"] == before[".env"]
    assert after["docs/setuid"][0] == 0o100755
    assert after["docs/world"][0] == 0o100755
    assert after["docs/b.md"][0] == 0o100644
    assert os.stat(root / "docs/hard").st_nlink == 1
    anyio.run(stage.undo)
    assert tree(root) == before


def test_sockets_and_devices_are_never_published(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    run(stage.mount, ["/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('docs/socket')"])
    if kind == "copy":
        os.mknod(place / "copy/docs/null", 0o020600, os.makedev(0, 0))
    changes = sealed(stage).changes
    assert {change.after.type for change in changes} == {"other"}
    assert publish(stage) == ()


def test_a_forged_overlay_attribute_is_named(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    script = "import os; open('docs/f', 'w').write('x'); os.setxattr('docs/f', 'user.overlay.opaque', b'y')"
    run(stage.mount, ["/usr/bin/python3", "-c", script], check=False)
    (change,) = sealed(stage).changes
    assert change.path == "docs/f"
    assert change.plant in ("it carries a forged overlay attribute", "")
    if kind == "copy":
        assert change.plant


def test_a_tree_1200_folders_deep_is_bounded_refused_and_dropped(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    script = "import os\nfor _ in range(1200):\n os.mkdir('d'); os.chdir('d')\nopen('f', 'w').write('x')"
    run(stage.mount, ["/usr/bin/python3", "-c", script])
    (change,) = sealed(stage).changes
    assert change.plant == "it is more than 200 folders deep"
    before = tree(root)
    assert publish(stage) == ()
    assert tree(root) == before
    anyio.run(stage.discard)
    assert not place.exists()


def test_a_folder_swapped_for_a_link_meanwhile_is_a_conflict(root: Path, place: Path, tmp_path: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "echo x > docs/a.md; echo y > docs/y.md")
    sealed(stage)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a.md").write_text("system\n")
    shutil.move(root / "docs", tmp_path / "moved")
    (root / "docs").symlink_to(tmp_path / "etc")
    with pytest.raises(Conflict):
        publish(stage)
    assert (tmp_path / "etc/a.md").read_text() == "system\n"
    assert os.listdir(tmp_path / "etc") == ["a.md"]


@pytest.mark.parametrize(
    ("script", "meanwhile", "word"),
    [
        ("rm docs/a.md", "rm docs/a.md", "docs/a.md"),
        ("echo x > docs/new.md", "echo y > docs/new.md", "docs/new.md"),
        ("rm -r docs/deep", "echo y > docs/deep/mine.md", "docs/deep/mine.md"),
        ("echo x > docs/deep/n.md", "rm -r docs/deep", "docs/deep/n.md"),
        ("chmod +x src/app.py", "rm src/app.py && ln -s ../package.json src/app.py", "src/app.py"),
        ("rm docs/link", "ln -sfn b.md docs/link", "docs/link"),
        ("rmdir empty", "touch empty/x", "empty/x"),
    ],
)
def test_every_way_a_base_can_move_is_a_conflict(root: Path, place: Path, script: str, meanwhile: str, word: str) -> None:
    stage = opened(root, place)
    inside(stage.mount, script)
    sealed(stage)
    os.system(f"cd {root} && {meanwhile}")
    before = tree(root)
    with pytest.raises(Conflict, match=f"`{word}`"):
        publish(stage)
    assert tree(root) == before


def test_undo_refuses_when_a_published_path_was_changed_since_and_keeps_later_work(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "echo x > docs/a.md; mkdir made; echo y > made/y.md")
    sealed(stage)
    publish(stage)
    (root / "made/mine.md").write_text("mine\n")
    (root / "docs/c.md").write_text("later\n")
    (root / "docs/a.md").write_text("edited\n")
    with pytest.raises(Conflict, match=r"`docs/a.md`"):
        anyio.run(stage.undo)
    assert (root / "made/y.md").exists()
    os.unlink(root / "docs/a.md")
    with pytest.raises(Conflict):
        anyio.run(stage.undo)
    assert (root / "docs/c.md").read_text() == "later\n"


def test_undo_leaves_a_folder_in_which_something_new_stands(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "mkdir made; echo y > made/y.md")
    sealed(stage)
    publish(stage)
    (root / "made/mine.md").write_text("mine\n")
    anyio.run(stage.undo)
    assert os.listdir(root / "made") == ["mine.md"]


def test_a_private_file_stays_private(root: Path, place: Path, kind: str) -> None:
    os.chmod(root / "docs/a.md", 0o600)
    stage = opened(root, place, kind)
    inside(stage.mount, "echo x > docs/a.md; chmod 666 docs/a.md")
    sealed(stage)
    publish(stage)
    assert (root / "docs/a.md").stat().st_mode & 0o777 == 0o600


def test_a_base_hard_link_is_not_written_through(root: Path, place: Path, tmp_path: Path, kind: str) -> None:
    os.link(root / "docs/a.md", root / "src/twin")
    stage = opened(root, place, kind)
    inside(stage.mount, "echo x > docs/a.md")
    assert [change.path for change in sealed(stage).changes] == ["docs/a.md"]
    publish(stage)
    assert (root / "src/twin").read_text() == "a\n"


def test_a_stage_inside_the_workspace_or_a_workspace_inside_the_stages_is_refused(root: Path, place: Path) -> None:
    with pytest.raises(BadInput, match="inside the workspace"):
        opened(root, root / ".remit/runs/r/attempts/1")
    runs = place.parent.parent.parent
    (runs / "run-1").mkdir(parents=True)
    with pytest.raises(BadInput, match="inside remit's own folder"):
        opened(runs / "run-1", runs / "other/attempts/1")


def test_the_diff_hides_nothing(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind, quota=1 << 30)
    inside(
        stage.mount,
        r"""printf 'a\nred \033[31m and \u202e\n' > docs/a.md; rm docs/b.md; chmod +x src/app.py; ln -s /etc docs/e
        printf 'x\0y' > docs/bin; seq 100000 > docs/big; echo mine > .env""",
    )
    sealed(stage)
    text = anyio.run(stage.diff)
    assert "\033" not in text and "\u202e" not in text
    assert "+red \\x1b[31m and \\u202e" in text
    assert "deleted file: docs/b.md" in text
    assert "mode 0644 -> 0755" in text
    assert "now a link to /etc" in text
    assert "binary: 0 -> 3 bytes" in text
    assert "too large to show" in text
    assert "mine" not in text
    publish(stage, "docs/e", "docs/big")
    assert anyio.run(stage.diff) == text


def test_amending_a_sealed_stage_changes_its_digest_and_is_published(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "rm -r docs")

    async def main() -> None:
        first = await stage.seal()
        second = await stage.amend("docs/a.md", b"amended\n")
        assert first != second == await stage.seal()
        with pytest.raises(BadInput):
            await stage.amend("../x", b"")
        with pytest.raises(BadInput):
            await stage.amend(".git/config", b"")
        await stage.publish(dropped=(), withheld=(), refs=())

    anyio.run(main)
    assert sorted(os.listdir(root / "docs")) == ["a.md"]
    assert (root / "docs/a.md").read_text() == "amended\n"


def test_moved_names_what_changed_in_the_base(root: Path, place: Path) -> None:
    stage = opened(root, place)
    assert anyio.run(stage.moved) == ()
    (root / "docs/a.md").write_text("x")
    (root / "src/new").write_text("x")
    os.unlink(root / "docs/b.md")
    assert anyio.run(stage.moved) == ("docs/a.md", "docs/b.md", "src/new")


def test_removing_a_tree_never_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep/file").write_text("x")
    (tmp_path / "gone/deep").mkdir(parents=True)
    (tmp_path / "gone/deep/link").symlink_to(tmp_path / "keep")
    os.chmod(tmp_path / "gone/deep", 0)
    walk.remove_tree(str(tmp_path / "gone"))
    assert (tmp_path / "keep/file").exists()
    assert not (tmp_path / "gone").exists()


def test_a_live_stage_is_found_until_it_is_sealed(root: Path, place: Path) -> None:
    async def main() -> None:
        assert await StagedWorkspace().live(place) is None
        stage = await StagedWorkspace().open(root, place, secrets=(), named=lambda path: False, quota=None)
        assert await StagedWorkspace().live(place) is not None
        await stage.seal()
        assert await StagedWorkspace().live(place) is None

    anyio.run(main)


def test_a_new_file_never_lands_behind_a_link_that_took_its_folders_place(
    root: Path, place: Path, tmp_path: Path, kind: str
) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "echo y > docs/y.md")
    sealed(stage)
    (tmp_path / "etc").mkdir()
    shutil.move(root / "docs", tmp_path / "moved")
    (root / "docs").symlink_to(tmp_path / "etc")
    with pytest.raises(Conflict):
        publish(stage)
    assert os.listdir(tmp_path / "etc") == []


def test_a_folder_made_anew_holds_nothing_of_the_old_one(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "rm -r docs; mkdir -p docs/deep; echo n > docs/deep/n.md")
    changes = [(change.verb, change.path) for change in sealed(stage).changes]
    assert changes == [
        ("delete", "docs/a.md"),
        ("delete", "docs/b.md"),
        ("delete", "docs/deep/c.md"),
        ("write", "docs/deep/n.md"),
        ("delete", "docs/link"),
    ]


def test_a_base_that_moved_before_the_stage_was_sealed_is_a_conflict_too(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "echo mine > docs/a.md")
    (root / "docs/a.md").write_text("theirs\n")
    sealed(stage)
    with pytest.raises(Conflict, match=r"`docs/a\.md`"):
        publish(stage)
    assert (root / "docs/a.md").read_text() == "theirs\n"


def test_a_base_file_that_was_only_linked_elsewhere_is_no_conflict(root: Path, place: Path, tmp_path: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "echo mine > docs/a.md")
    sealed(stage)
    os.link(root / "docs/a.md", tmp_path / "backup")
    publish(stage)
    assert (root / "docs/a.md").read_text() == "mine\n"


def test_a_folder_swapped_for_a_link_after_the_check_is_not_followed(root: Path, place: Path, tmp_path: Path) -> None:
    stage = opened(root, place)
    inside(stage.mount, "echo y > docs/y.md")
    sealed(stage)
    (tmp_path / "etc").mkdir()

    def hook(step: str) -> None:
        if step == "write 0":
            shutil.move(root / "docs", tmp_path / "moved")
            (root / "docs").symlink_to(tmp_path / "etc")

    stage.hook = hook
    with pytest.raises(Conflict):
        publish(stage)
    assert os.listdir(tmp_path / "etc") == []

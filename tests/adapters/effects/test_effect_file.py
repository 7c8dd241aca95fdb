"""A file put into a folder: whole or not at all, through no link, out of no workspace."""

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from remit.adapters.effects.file import FileEffect
from remit.adapters.workspaces import walk
from remit.contract.binding import PublishFile
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Receipt


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    at = tmp_path / "ws"
    (at / "docs").mkdir(parents=True)
    (at / "docs" / "report.html").write_text("<p>report</p>")
    (tmp_path / "www" / "2026").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("private")
    return at


def effect(workspace: Path, folder: str = "www") -> FileEffect:
    return FileEffect(PublishFile(folder=str(workspace.parent / folder)), {})


def perform(workspace: Path, folder: str = "www", key: str = "k-1", **arguments: Any) -> Receipt:
    return anyio.run(lambda: effect(workspace, folder).perform(key, arguments, workspace=workspace))


def probe(workspace: Path, folder: str = "www", **arguments: Any) -> Receipt | None:
    return anyio.run(lambda: effect(workspace, folder).probe("k-1", arguments, workspace=workspace))


def test_the_file_stands_in_the_folder_and_the_receipt_is_its_digest(workspace: Path) -> None:
    receipt = perform(workspace, path="docs/report.html")
    digest = f"sha256:{hashlib.sha256(b'<p>report</p>').hexdigest()}"
    www = workspace.parent / "www"
    assert receipt == Receipt(receipt=f"{digest}, 13 bytes, {www}/report.html", returned=(digest,))
    assert (www / "report.html").read_text() == "<p>report</p>"
    assert sorted(path.name for path in www.iterdir()) == ["2026", "report.html"]
    assert (www / "report.html").stat().st_mode & 0o777 == 0o644


def test_it_may_have_another_name_below_the_folder(workspace: Path) -> None:
    perform(workspace, **{"path": "docs/report.html", "as": "2026/november.html"})
    assert (workspace.parent / "www" / "2026" / "november.html").exists()
    with pytest.raises(Refused):
        perform(workspace, **{"path": "docs/report.html", "as": "2027/november.html"})
    assert not (workspace.parent / "www" / "2027").exists()


def test_a_program_stays_one_and_nothing_gains_the_rights_of_its_owner(workspace: Path) -> None:
    (workspace / "docs" / "report.html").chmod(0o4777)
    perform(workspace, path="docs/report.html")
    assert (workspace.parent / "www" / "report.html").stat().st_mode & 0o7777 == 0o755


def test_the_preview_says_what_is_replaced(workspace: Path) -> None:
    www = workspace.parent / "www"
    text = effect(workspace).preview({"path": "docs/report.html"})
    assert text == f"put `docs/report.html` of the published workspace into {www} as `report.html`"
    (www / "report.html").write_text("old")
    assert effect(workspace).preview({"path": "docs/report.html"}) == f"{text}\nit takes the place of what is there now (3 bytes)"


PATHS = [
    "",
    "/etc/passwd",
    "../secret/key",
    "docs/../../secret/key",
    "docs//x",
    "./docs",
    "a\\b",
    "a\nb",
    "a\0b",
    ".git/config",
    "x/.GIT/config",
    None,
    7,
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_workspace(workspace: Path, path: Any) -> None:
    with pytest.raises(BadInput, match="`path`"):
        effect(workspace).preview({"path": path})
    with pytest.raises(BadInput):
        perform(workspace, path=path)


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "2026/../../x", "a//b", "a\\b", "a\nb", "a\0b", 7, ".remit-x.part"])
def test_no_name_leads_out_of_the_folder(workspace: Path, name: Any) -> None:
    with pytest.raises(BadInput, match="`as`"):
        perform(workspace, **{"path": "docs/report.html", "as": name})
    assert sorted(path.name for path in workspace.parent.iterdir()) == ["secret", "ws", "www"]


@pytest.mark.parametrize("arguments", [{}, {"as": "x"}, {"path": "docs/report.html", "mode": "0777"}])
def test_a_file_is_put_by_path_and_name_only(workspace: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        effect(workspace).preview(arguments)


def test_no_link_is_followed_out_of_the_workspace(workspace: Path) -> None:
    (workspace / "key").symlink_to(workspace.parent / "secret" / "key")
    (workspace / "folder").symlink_to(workspace.parent / "secret")
    for path in ("key", "folder/key", "docs", "gone", "docs/report.html/x"):
        with pytest.raises(Refused):
            perform(workspace, path=path)
    os.mkfifo(workspace / "pipe")
    with pytest.raises(Refused):
        perform(workspace, path="pipe")
    assert sorted(path.name for path in (workspace.parent / "www").iterdir()) == ["2026"]


def test_no_link_is_followed_below_the_folder(workspace: Path) -> None:
    www, secret = workspace.parent / "www", workspace.parent / "secret"
    (www / "out").symlink_to(secret)
    (www / "report.html").symlink_to(secret / "key")
    with pytest.raises(Refused):
        perform(workspace, **{"path": "docs/report.html", "as": "out/key"})
    perform(workspace, path="docs/report.html")
    assert (secret / "key").read_text() == "private"
    assert not (www / "report.html").is_symlink()


def test_the_folder_itself_may_be_a_link_of_the_organisation(workspace: Path) -> None:
    (workspace.parent / "current").symlink_to("www")
    perform(workspace, folder="current", path="docs/report.html")
    assert (workspace.parent / "www" / "report.html").exists()


def test_a_folder_or_pipe_in_its_place_is_left_alone(workspace: Path) -> None:
    os.mkfifo(workspace.parent / "www" / "pipe")
    for name in ("2026", "pipe"):
        with pytest.raises(Refused, match="no file"):
            perform(workspace, **{"path": "docs/report.html", "as": name})
    assert sorted(path.name for path in (workspace.parent / "www").iterdir()) == ["2026", "pipe"]


def test_a_folder_that_is_gone_is_refused_and_cannot_be_asked(workspace: Path) -> None:
    with pytest.raises(Refused, match="nothing was begun"):
        perform(workspace, folder="gone", path="docs/report.html")
    with pytest.raises(Broken):
        probe(workspace, folder="gone", path="docs/report.html")
    with pytest.raises(BadInput, match="whole path"):
        anyio.run(
            lambda: FileEffect(PublishFile(folder="www"), {}).perform("k", {"path": "docs/report.html"}, workspace=workspace)
        )


def test_a_disk_that_will_not_have_it_leaves_the_folder_as_it_was(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace.parent / "www" / "report.html").write_text("old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Refused, match="no space left"):
        perform(workspace, path="docs/report.html")
    monkeypatch.undo()
    assert (workspace.parent / "www" / "report.html").read_text() == "old"
    assert sorted(path.name for path in (workspace.parent / "www").iterdir()) == ["2026", "report.html"]


def test_a_folder_that_cannot_be_made_durable_is_doubt(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walk.sync_file

    def failing(fd: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{fd}"):
            raise Broken("the disk refused")
        whole(fd)

    monkeypatch.setattr(walk, "sync_file", failing)
    with pytest.raises(Broken):
        perform(workspace, path="docs/report.html")
    monkeypatch.undo()
    assert probe(workspace, path="docs/report.html") is not None


def test_what_a_crash_left_under_the_key_is_cleared(workspace: Path) -> None:
    part = workspace.parent / "www" / f".remit-{hashlib.sha256(b'k-1').hexdigest()[:24]}.part"
    part.symlink_to(workspace.parent / "secret" / "key")
    perform(workspace, path="docs/report.html")
    assert not part.exists()
    assert (workspace.parent / "secret" / "key").read_text() == "private"


def test_the_folder_is_asked_by_content(workspace: Path) -> None:
    there = workspace.parent / "www" / "report.html"
    assert probe(workspace, path="docs/report.html") is None
    receipt = perform(workspace, path="docs/report.html")
    assert probe(workspace, path="docs/report.html") == receipt
    there.write_text("something else")
    assert probe(workspace, path="docs/report.html") is None
    there.unlink()
    there.symlink_to(workspace / "docs" / "report.html")
    assert probe(workspace, path="docs/report.html") is None
    (workspace / "docs" / "report.html").unlink()
    with pytest.raises(Broken):
        probe(workspace, path="docs/report.html")


def test_a_reader_sees_the_old_file_or_the_new_one(workspace: Path) -> None:
    there = workspace.parent / "www" / "report.html"
    old, new = b"a" * 3_000_000, b"b" * 3_000_000
    there.write_bytes(old)
    (workspace / "docs" / "report.html").write_bytes(new)
    over = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not over.is_set():
            seen.add(there.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    perform(workspace, path="docs/report.html")
    over.set()
    reader.join()
    assert seen <= {old, new}

"""Chain files where they lie: in the order of the places, so many of each, and read no further than is allowed."""

from pathlib import Path

import pytest

from remit.adapters.library.chains import beside, chain_files, opening, text
from remit.errors import BadInput


def test_chain_files_come_from_the_workspace_first_and_at_most_so_many_of_each_folder(tmp_path: Path) -> None:
    for name in ("work/chains/b", "work/a", "skills/a", "skills/c", "skills/d"):
        path = tmp_path / f"{name}.chain.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("goal: x\n")
    (tmp_path / "work" / "folder.chain.yaml").mkdir()
    folders = list(beside(tmp_path / "work", [tmp_path / "skills", tmp_path / "gone"]))
    found = [(name, path.parent.name) for name, path in chain_files(folders, most=2)]
    assert found == [("a", "work"), ("b", "chains"), ("a", "skills"), ("c", "skills")]


def test_no_more_than_a_byte_beyond_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    assert opening(tmp_path / "x", 3, shown="x") == b"abcd"
    assert text(b"abc", shown="x") == "abc"


def test_a_file_that_cannot_be_read_is_called_as_the_surface_calls_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="`mine` cannot be read") as refused:
        opening(tmp_path / "gone", 3, shown="mine", hint="what to do")
    assert refused.value.hint == "what to do"
    with pytest.raises(BadInput, match="`mine` is not UTF-8"):
        text(b"\xff", shown="mine")

"""Finding a runtime: its real program, its own folder and no more, its version; and what is printed, read line by line."""

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from at_work import ScriptedSeat, seat_of, task
from hypothesis import given
from hypothesis import strategies as st

from remit.adapters.runtimes import messages
from remit.adapters.runtimes.finding import Product, find, located
from remit.adapters.runtimes.messages import Messages, decoded, line
from remit.adapters.runtimes.remembered import FILE, MOST, Memory
from remit.errors import Unavailable
from remit.ports import Native, Ruling

TOOL = Product(name="tool", variable="REMIT_TOOL", package="@maker/tool", pinned="1.2.3", native=("bin/tool",))


def package(modules: Path, name: str, **manifest: object) -> Path:
    place = modules / name
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": name, "version": "1.2.3", **manifest}))
    return place


def script(path: Path, text: str = "#!/usr/bin/env node\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def elf(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath("/bin/true"), path)
    path.chmod(0o755)
    return path


def around(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment in which `node` exists and nothing else."""
    tools = tmp_path / "tools"
    if not tools.exists():
        elf(tools / "node")
    return {"PATH": str(tools), "HOME": str(tmp_path / "home"), **more}


def test_missing_it_says_how_to_install_exactly_the_version_that_was_tried(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no `tool` is on PATH") as caught:
        located(TOOL, around(tmp_path))
    assert caught.value.hint == "install it: `npm i -g @maker/tool@1.2.3`"
    with pytest.raises(Unavailable, match="is no program"):
        located(TOOL, around(tmp_path, REMIT_TOOL="/nowhere/tool"))


def test_the_real_program_behind_the_wrapper_is_what_starts_and_its_folder_is_all_that_is_shown(tmp_path: Path) -> None:
    modules = tmp_path / "lib" / "node_modules"
    wrapper = script(
        package(modules, "@maker/tool", optionalDependencies={"@maker/tool-linux": "1", "@maker/tool-mac": "1"})
        / "bin"
        / "tool.js"
    )
    real = elf(package(modules, "@maker/tool-linux", version="1.2.3-linux") / "bin" / "tool")
    script(package(modules, "stranger") / "bin" / "tool")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").symlink_to(wrapper)
    found = located(TOOL, around(tmp_path, REMIT_TOOL=str(tmp_path / "bin" / "tool")))
    assert found.argv == (str(real),)
    assert found.visible == (str(modules / "@maker" / "tool-linux"),)
    assert found.version == "1.2.3"


def test_on_node_the_packages_it_needs_are_shown_and_their_neighbours_are_not(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    wrapper = script(package(modules, "@maker/tool", dependencies={"near": "1", "gone": "1", "../../home": "1"}) / "tool.js")
    package(modules, "near", dependencies={"deep": "1"})
    package(modules / "near" / "node_modules", "deep", dependencies={"near": "1"})
    package(modules, "deep")
    package(modules, "stranger")
    found = located(TOOL, around(tmp_path, REMIT_TOOL=str(wrapper)))
    node = str(tmp_path / "tools" / "node")
    assert found.argv == (node, str(wrapper))
    assert set(found.visible) == {str(modules / "@maker" / "tool"), str(modules / "near"), node}


def test_a_program_that_stands_alone_is_shown_alone_and_asked_for_its_version(tmp_path: Path) -> None:
    real = elf(tmp_path / "home" / ".local" / "share" / "tool")
    (tmp_path / "home" / "package.json").write_text('{"name": "home"}')
    found = located(TOOL, around(tmp_path, REMIT_TOOL=str(real)))
    assert (found.argv, found.visible) == ((str(real),), (str(real),))
    assert found.version[0].isdigit()  # /bin/true says one


def test_a_script_nobody_can_see_through_is_not_started(tmp_path: Path) -> None:
    shim = script(tmp_path / "tool", '#!/bin/sh\nexec node "$0.js"\n')
    with pytest.raises(Unavailable, match="cannot see through"):
        located(TOOL, around(tmp_path, REMIT_TOOL=str(shim)))
    with pytest.raises(Unavailable, match="cannot see through"):
        located(TOOL, around(tmp_path, REMIT_TOOL=str(script(tmp_path / "home" / "tool.js"))))


def test_without_node_it_is_said_that_node_is_missing(tmp_path: Path) -> None:
    wrapper = script(package(tmp_path / "node_modules", "@maker/tool") / "tool.js")
    with pytest.raises(Unavailable, match="needs node"):
        located(TOOL, {"PATH": str(tmp_path), "HOME": str(tmp_path / "home"), "REMIT_TOOL": str(wrapper)})


def test_a_program_of_the_workspace_is_the_repositorys_whatever_path_says(tmp_path: Path) -> None:
    """A project's `node_modules/.bin` stands on PATH in npm's scripts: what is found there is neither started nor shown."""
    work = tmp_path / "work"
    evil = elf(work / "node_modules" / ".bin" / "tool")
    there = around(tmp_path)
    with pytest.raises(Unavailable, match="lies in the workspace"):
        located(TOOL, {**there, "PATH": f"{evil.parent}:{there['PATH']}"}, workspace=str(work))
    wrapper = script(package(tmp_path / "node_modules", "@maker/tool") / "tool.js")
    elf(evil.parent / "node")
    with pytest.raises(Unavailable, match="lies in the workspace"):
        located(TOOL, {**there, "PATH": str(evil.parent), "REMIT_TOOL": str(wrapper)}, workspace=str(work))


def test_a_home_never_becomes_visible(tmp_path: Path) -> None:
    place = package(tmp_path / "node_modules", "@maker/tool")
    wrapper = script(place / "tool.js")
    with pytest.raises(Unavailable, match="holds more than tool"):
        located(TOOL, around(tmp_path, REMIT_TOOL=str(wrapper), HOME=str(place / "home" / "me")))


def test_links_of_a_dependency_that_lead_out_of_the_packages_are_not_followed(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    wrapper = script(package(modules, "@maker/tool", dependencies={"linked": "1"}) / "tool.js")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "package.json").write_text("{}")
    (modules / "linked").symlink_to(tmp_path / "secret")
    found = located(TOOL, around(tmp_path, REMIT_TOOL=str(wrapper)))
    assert str(tmp_path / "secret") not in found.visible


@pytest.mark.parametrize(("name", "native"), [("claude", True), ("codex", True), ("opencode", True), ("gemini", False)])
def test_the_real_ones_are_found(name: str, native: bool, request: pytest.FixtureRequest) -> None:
    wrapper: Path = request.getfixturevalue(name)
    patterns = {"claude": ("claude",), "codex": ("vendor/*/bin/codex",), "opencode": ("bin/opencode",)}
    product = Product(name=name, variable=f"REMIT_{name.upper()}", package=name, pinned="0", native=patterns.get(name, ()))
    found = anyio.run(find, product, "")
    assert (Path(found.argv[0]).name != "node") == native
    assert found.version.count(".") == 2
    assert not any(wrapper.is_relative_to(each) and wrapper.parent.name == ".bin" for each in map(Path, found.visible))
    assert all("/node_modules/" in each for each in found.visible if not each.endswith("/node"))


# ----------------------------------------------------------------------------------------------- what is printed


def heard(*prints: bytes) -> tuple[list[dict[str, object]], int]:
    async def main() -> tuple[list[dict[str, object]], int]:
        read = Messages(seat_of(ScriptedSeat(prints)))
        found = []
        while (message := await read.next()) is not None:
            found.append(message)
        return found, read.strange

    return anyio.run(main)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=3), max_size=6),
    st.integers(1, 40),
    st.booleans(),
)
def test_messages_arrive_whole_however_they_were_cut(sent: list[dict[str, str]], size: int, ended: bool) -> None:
    data = b"".join(json.dumps(each).encode() + b"\n" for each in sent)
    data = data if ended else data[:-1]
    assert heard(*(data[at : at + size] for at in range(0, len(data), size)))[0] == sent


def test_a_line_without_end_is_dropped_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LONGEST", 1000)
    assert heard(b'{"a":"', *[b"x" * 300] * 20, b'"}\n{"b":1}\n') == ([{"b": 1}], 1)
    assert heard(b'{"a":"', *[b"x" * 300] * 20) == ([], 0)
    assert heard(b'{"a":"' + b"x" * 3000 + b'"}\n{"b":1}\n') == ([{"b": 1}], 1)


@pytest.mark.parametrize("text", [b"", b"7", b"null", b"{", b'{"a":NaN}', b'{"a":' + b"9" * 5000 + b"}", b"\xff", b"[" * 50_000])
def test_what_is_no_object_is_no_message(text: bytes) -> None:
    assert decoded(text) is None


def test_numbers_are_never_floats() -> None:
    read = decoded(b'{"a": 0.1, "b": 1e2, "c": 3}')
    assert read == {"a": Decimal("0.1"), "b": Decimal("1e2"), "c": 3}
    assert json.loads(line(read)) == {"a": 0.1, "b": 100, "c": 3}


# ------------------------------------------------------------------------------------------------- earlier attempts


def test_what_is_remembered_is_bounded_and_the_newest_stays(tmp_path: Path) -> None:
    first = Memory(task(tmp_path, "", "x", state=tmp_path))
    for number in range(500):
        first.called(Native(id="1", tool="Bash", actions=(), text=f"command {number} " + "x" * 2000), Ruling(allowed=True))
    second = Memory(task(tmp_path, "", "x", state=tmp_path, attempt=2, keeps=True))
    assert len(second.before) < MOST + 1000
    assert "command 499" in second.before and "command 1 " not in second.before


def test_nothing_is_remembered_where_the_conversation_is_not_kept(tmp_path: Path) -> None:
    Memory(task(tmp_path, "", "x", state=tmp_path)).said("the secret plan")
    assert Memory(task(tmp_path, "", "x", state=tmp_path, attempt=2)).before == ""
    assert Memory(task(tmp_path, "", "x", state=tmp_path, attempt=3, keeps=True)).before.count("secret") == 0


def test_a_link_in_the_place_of_the_memory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).symlink_to(tmp_path / "other")
    with pytest.raises(OSError):
        Memory(task(tmp_path, "", "x", state=tmp_path / "state"))
    assert (tmp_path / "other").read_text() == "theirs"

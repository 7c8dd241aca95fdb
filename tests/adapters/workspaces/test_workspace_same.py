"""The same edits give the same change list and the same published tree, whichever rung of the ladder held them."""

import json
import shutil
import tempfile
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from stage_rig import opened, publish, run, sealed, tree

NAMES = ("a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f", "f/a", "l", "n", "n/a", "n/n/a")
PATH = st.sampled_from(NAMES)
EDIT = st.one_of(
    st.tuples(st.just("write"), PATH, st.sampled_from(["", "1", "22", "base\n"])),
    st.tuples(st.just("remove"), PATH, st.just("")),
    st.tuples(st.just("mkdir"), PATH, st.just("")),
    st.tuples(st.just("rename"), PATH, PATH),
    st.tuples(st.just("link"), PATH, st.sampled_from(["a", "../x", "d", "/etc/passwd"])),
    st.tuples(st.just("hard"), PATH, PATH),
    st.tuples(st.just("chmod"), PATH, st.sampled_from(["600", "644", "755", "700", "4755"])),
    st.tuples(st.just("touch"), PATH, st.just("")),
    st.tuples(st.just("rewrite"), PATH, st.just("")),
)
EDITOR = """
import json, os, shutil, sys
def gone(path):
    shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
for what, path, more in json.loads(sys.argv[1]):
    try:
        if what == "write":
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True); open(path, "w").write(more)
        elif what == "remove": gone(path)
        elif what == "mkdir": os.makedirs(path)
        elif what == "rename": shutil.move(path, more) if not os.path.lexists(more) else None
        elif what == "link": os.symlink(more, path)
        elif what == "hard": os.link(path, more, follow_symlinks=False)
        elif what == "chmod": os.chmod(path, int(more, 8)) if not os.path.islink(path) else None
        elif what == "touch": os.utime(path)
        elif what == "rewrite": data = open(path).read(); os.unlink(path); open(path, "w").write(data)
    except OSError:
        pass
"""


def base(at: Path) -> Path:
    at.mkdir()
    for name in ("a", "b", "d/a", "d/b", "d/e/a"):
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text("base\n")
        (at / name).chmod(0o644)
    for name in ("d", "d/e"):
        (at / name).chmod(0o755)
    (at / "f").mkdir(mode=0o755)
    (at / "l").symlink_to("a")
    return at


@settings(max_examples=max(20, settings().max_examples // 3))
@given(edits=st.lists(EDIT, min_size=1, max_size=12), drop=st.sets(st.sampled_from(NAMES), max_size=3))
def test_overlay_and_copy_agree_on_every_edit(edits: list[tuple[str, str, str]], drop: set[str]) -> None:
    with tempfile.TemporaryDirectory() as at:
        results = []
        for kind in ("overlay", "copy"):
            folder = Path(at) / kind
            folder.mkdir()
            root = base(folder / "ws")
            before = tree(root)
            stage = opened(root, folder / "home/runs/r/attempts/1", kind)
            run(stage.mount, ["/usr/bin/python3", "-IS", "-c", EDITOR, json.dumps(edits)])
            changes = sealed(stage)
            paths = publish(stage, *sorted(drop))
            after = tree(root, times=False)
            anyio.run(stage.undo)
            assert tree(root) == before
            results.append((changes, paths, after))
            shutil.rmtree(folder)
        assert results[0] == results[1]
        changed = {change.path for change in results[0][0].changes}
        assert set(results[0][1]) <= changed - drop

"""Credentials in a repository's own settings are not in the box, git inside still works, and the user's file is untouched."""

import subprocess
from pathlib import Path

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stage_rig import inside, opened, sealed

from remit.adapters.workspaces.settings import LEAST, cleaned, stripped

TOKEN = "ghp_tokenthatnobodymayknow"
SECRET = f"""\
[core]
\trepositoryformatversion = 0
\tbare = false ; a comment
[remote "origin"]
\turl = https://bot:{TOKEN}@example.com/team/work.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[remote "mirror"]
\turl = ssh://git:{TOKEN}@example.com/work.git
\tpushurl = git@example.com:team/work.git
[http "https://x:{TOKEN}@example.com/"]
\textraheader = "AUTHORIZATION: basic {TOKEN}"
\tsslVerify
[credential "https://example.com"]
\thelper = "!echo password={TOKEN}"
[url "https://{TOKEN}@example.com/"] insteadOf = "git@example.com:"
[alias]
\tlg = log \\
\t\t--oneline "--format=%h_#%s" # {TOKEN}
[github]
\toauth-token = {TOKEN}
[branch "main"]
\tremote = origin
"""


@pytest.fixture
def repository(root: Path) -> Path:
    for words in (["init", "-q", "-b", "main"], ["add", "README.md"], ["commit", "-q", "-m", "feat: start"]):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)
    (root / ".git/config").write_text(SECRET)
    return root


def test_a_token_in_the_settings_is_nowhere_in_the_box_and_git_still_works(repository: Path, place: Path, kind: str) -> None:
    before = (repository / ".git/config").read_bytes()
    stage = opened(repository, place, kind)
    assert TOKEN not in inside(stage.mount, f"grep -r {TOKEN} . .git || true; cat .git/config")
    told = inside(
        stage.mount, "git status --short --branch; git remote -v; git lg; git config core.bare; git config http.sslVerify || true"
    )
    assert "## main" in told and "https://example.com/team/work.git (fetch)" in told
    assert "ssh://git@example.com/work.git (fetch)" in told and "#feat: start" in told and "false" in told
    (warning,) = stage.warnings
    for name in (
        "remote.origin.url",
        "remote.mirror.url",
        "http.https://example.com/.extraheader",
        "credential",
        "github.oauth-token",
    ):
        assert name in warning
    assert TOKEN not in warning
    assert (repository / ".git/config").read_bytes() == before


def test_what_the_run_does_to_its_settings_never_travels_and_commits_do(repository: Path, place: Path, kind: str) -> None:
    stage = opened(repository, place, kind)
    script = (
        "git config user.name a; git config user.email a@example.com; git config --unset remote.mirror.url;"
        "echo more >> README.md; git commit -qam 'docs: more'"
    )
    inside(stage.mount, script)
    changes = sealed(stage)
    assert [change.path for change in changes.changes] == ["README.md"]
    assert [(move.verb, move.object) for move in changes.refs] == [("commit", "main")]
    assert (".git/config", "settings never travel") in changes.ignored

    async def release() -> None:
        view = await stage.view(dropped=(), refs=("refs/heads/main",), trusted=())
        assert TOKEN not in inside(view, f"grep -r {TOKEN} .git || true")
        assert TOKEN not in inside(await stage.base(), f"grep -r {TOKEN} .git || true")
        await stage.publish(dropped=(), withheld=(), refs=("refs/heads/main",))

    anyio.run(release)
    assert (repository / ".git/config").read_text() == SECRET
    assert (
        subprocess.run(
            ["git", "-C", str(repository), "log", "--format=%s", "-1"], capture_output=True, text=True, check=True
        ).stdout
        == "docs: more\n"
    )


def test_an_untouched_stage_has_no_changes(repository: Path, place: Path, kind: str) -> None:
    changes = sealed(opened(repository, place, kind))
    assert not changes.changes and not changes.refs and not changes.ignored


def test_a_child_sees_no_more_of_the_settings_than_its_parent(repository: Path, place: Path, kind: str, tmp_path: Path) -> None:
    parent = opened(repository, place, kind)
    inside(parent.mount, "echo x > new.txt")
    child = opened(repository, tmp_path / "home/runs/run-2/attempts/1", kind, under=parent)
    assert inside(child.mount, f"cat new.txt; grep -rc {TOKEN} .git/config || true") == "x\n0\n"
    assert (repository / ".git/config").read_text() == SECRET


def test_settings_without_secrets_are_left_as_they_are(repository: Path, place: Path, kind: str) -> None:
    plain = '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://example.com/x.git # as it is\n'
    (repository / ".git/config").write_text(plain)
    stage = opened(repository, place, kind)
    assert inside(stage.mount, "cat .git/config") == plain
    assert stage.warnings == ()


def test_settings_nobody_can_read_are_replaced(repository: Path) -> None:
    for text in (b"[core\n", b"stray = 1\n", b'[a]\nb = "\n', b"[a]\nb = \\q\n", b"[a]\n!x\n"):
        told = cleaned(text + TOKEN.encode())
        assert told is not None and told[0] == LEAST


def seen(text: bytes, place: Path) -> list[bytes] | None:
    """The settings as git itself reads them."""
    (place / "c").write_bytes(text)
    done = subprocess.run(["git", "config", "--file", str(place / "c"), "--list", "-z"], capture_output=True, check=False)
    return done.stdout.split(b"\0") if done.returncode == 0 else None


PIECES = st.sampled_from([
    "[a]", '[a "b c"]', '[A.Sub]', '[a "q\\"\\\\"]', "\n", " ", "\t", "k", "key = ", "= v", "=", '"', '"a b"', "#c", ";d", "\\\n",
    "\\n", "\\\\", "  x  y ", "u = https://me:pw@h/p", "url = ssh://git:pw@h", "\r\n", 'k1 = "a # b" c # d', "true", "\n\tk2",
    "[x] y = z",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
@example("[a]\n\tk = v ;c\n\tu = https://me:pw@h/p\n")
@example('[a "q\\"\\\\"]k = "x\\ty" \\\n  z\nu = https://me:pw@h/p')
def test_what_is_kept_means_to_git_what_it_meant_before(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    place = tmp_path_factory.mktemp("c")
    data = ("[z]\n\tpassword = x\n" + text).encode()
    was, told = seen(data, place), cleaned(data)
    assert told is not None
    if was is None or told[0] == LEAST:  # what git refuses may be refused; the other way round is only stricter
        return
    now = seen(told[0], place)
    expected = [stripped(each.decode()).encode() for each in was if not each.startswith(b"z.password\n")]
    # how much white space inside an unquoted value is kept differs between versions of git
    assert now is not None and [each.split() for each in now] == [each.split() for each in expected]

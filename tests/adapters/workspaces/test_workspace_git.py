"""A stage on a git repository: history travels by ref, checked, and nothing else of `.git` does."""

import subprocess
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, sealed, tree

from remit.adapters.workspaces.stage import KeptStage
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.errors import BadInput, Conflict
from remit.ports import Inspection, Publication

IDENTITY = (
    "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=agent GIT_AUTHOR_EMAIL=agent@example.com "
    "GIT_COMMITTER_NAME=agent GIT_COMMITTER_EMAIL=agent@example.com\n"
)
MAIN = "refs/heads/main"


def git(root: Path, *arguments: str) -> str:
    script = IDENTITY + 'exec git "$@"'
    done = subprocess.run(["bash", "-c", script, "git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repo(root: Path) -> Path:
    """The small workspace as a repository with one commit on main and one branch beside it."""
    (root / ".gitignore").write_text(".env\n*.pem\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "start")
    git(root, "branch", "old")
    git(root, "tag", "v1")
    return root


def work(stage: KeptStage, script: str) -> None:
    inside(stage.mount, IDENTITY + script)


def release(
    stage: KeptStage, *, dropped: tuple[str, ...] = (), withheld: tuple[str, ...] = (), refs: tuple[str, ...] = (MAIN,)
) -> Publication:
    async def main() -> Publication:
        return await stage.publish(dropped=dropped, withheld=withheld, refs=refs)

    return anyio.run(main)


def inspect(root: Path) -> Inspection:
    async def main() -> Inspection:
        return await StagedWorkspace().inspect(root, writable=lambda path: path.startswith("docs/"))

    return anyio.run(main)


COMMITS = """
echo fixed > docs/a.md; git commit -qam 'fix a'
echo n > docs/n.md; rm docs/b.md; git add -A; git commit -qm 'add n, drop b'
echo loose > docs/loose.md
"""


def test_new_commits_are_seen_with_what_each_changes(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, COMMITS)
    changes = sealed(stage)
    (move,) = changes.refs
    assert (move.verb, move.object, move.head, move.fast_forward) == ("commit", "main", True, True)
    assert move.before == git(repo, "rev-parse", "main")
    assert [commit.subject for commit in move.commits] == ["fix a", "add n, drop b"]
    assert [(change.verb, change.path) for change in move.commits[1].changes] == [("delete", "docs/b.md"), ("write", "docs/n.md")]
    assert [change.path for change in changes.changes] == ["docs/a.md", "docs/b.md", "docs/loose.md", "docs/n.md"]
    files = {change.path: change.after for change in changes.changes}
    (committed,) = (change for change in move.commits[0].changes)
    assert committed.after.sha256 == files["docs/a.md"].sha256
    assert ".git/index" in dict(changes.ignored)
    assert not any(path.startswith(".git/objects") for path, _ in changes.ignored)


def test_the_branch_moves_the_index_follows_and_undo_takes_all_back(repo: Path, place: Path, kind: str) -> None:
    before, start = tree(repo), git(repo, "rev-parse", "main")
    stage = opened(repo, place, kind)
    work(stage, COMMITS)
    (move,) = sealed(stage).refs
    assert release(stage).refs == (MAIN,)
    assert git(repo, "rev-parse", "main") == move.after
    assert git(repo, "status", "--porcelain") == "?? docs/loose.md"
    assert git(repo, "fsck", "--strict") == ""
    assert git(repo, "for-each-ref", "--format=%(refname)", "refs/remit") == "refs/remit/run-1-1"
    anyio.run(stage.undo)
    assert git(repo, "rev-parse", "main") == start
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "for-each-ref", "refs/remit") == ""
    assert tree(repo) == before


def test_a_withheld_commit_and_what_builds_on_it_never_arrive_but_their_files_do(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(
        stage,
        COMMITS
        + "echo x > src/evil.py; git add -A; git commit -qm evil; echo y > docs/later.md; git add -A; git commit -qm later",
    )
    (move,) = sealed(stage).refs
    evil = next(commit.id for commit in move.commits if commit.subject == "evil")
    release(stage, dropped=("src/evil.py",), withheld=(evil,))
    assert git(repo, "log", "--format=%s", "main") == "add n, drop b\nfix a\nstart"
    assert git(repo, "status", "--porcelain") == "?? docs/later.md\n?? docs/loose.md"
    assert subprocess.run(["git", "cat-file", "-e", f"{evil}^{{tree}}"], cwd=repo, check=False).returncode in (0, 1, 128)
    assert not (repo / "src/evil.py").exists()


def test_hooks_settings_and_other_refs_never_come_along(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(
        stage,
        """
        printf '#!/bin/sh\\ntouch /tmp/remit-owned' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout
        git config core.fsmonitor 'touch /tmp/remit-owned'; git config alias.st '!touch /tmp/remit-owned'
        git config filter.x.clean 'touch /tmp/remit-owned'; echo '* filter=x' > .git/info/attributes
        git branch evil; git branch -D old; git tag v2; echo s >> docs/a.md; git stash -q
        git update-ref refs/notes/x HEAD; git switch -qc other; mkdir -p vendor; git init -q vendor/sub
        ln -s ../.git/config docs/config; rm -f /tmp/remit-owned
        """,
    )
    changes = sealed(stage)
    assert [(move.verb, move.object, bool(move.before), bool(move.after)) for move in changes.refs] == [
        ("branch", "evil", False, True),
        ("branch", "old", True, False),
        ("branch", "other", False, True),
        ("tag", "v2", False, True),
    ]
    ignored = dict(changes.ignored)
    assert ignored[".git/hooks/post-checkout"] == "hooks never travel"
    assert ignored[".git/config"] == "settings never travel"
    assert ignored[".git/refs/stash"] == ignored[".git/refs/notes/x"] == "only branches and tags travel"
    assert ".git/HEAD" in ignored
    plants = {change.path: change.plant for change in changes.changes}
    assert plants["vendor/sub/.git/config"]
    assert "repository" in plants["docs/config"]
    config = (repo / ".git/config").read_bytes()
    release(stage, dropped=tuple(plants))
    assert git(repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/heads/old\nrefs/tags/v1"
    assert (repo / ".git/config").read_bytes() == config
    assert not (repo / ".git/hooks/post-checkout").exists()
    assert not Path("/tmp/remit-owned").exists()


def test_a_history_that_was_rewritten_never_moves_the_branch(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    start = git(repo, "rev-parse", "main")
    work(stage, "echo x > docs/a.md; git commit -qa --amend -m rewritten")
    (move,) = sealed(stage).refs
    assert not move.fast_forward
    release(stage)
    assert git(repo, "rev-parse", "main") == start
    assert git(repo, "status", "--porcelain") == "M docs/a.md"


def test_a_forged_object_is_refused_and_files_still_travel(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(
        stage,
        """
        echo x > docs/a.md; git commit -qam honest
        real=$(git rev-parse HEAD); fake=$(echo $real | tr 0-9a-f 1-9a-f0)
        mkdir -p .git/objects/${fake:0:2}; cp .git/objects/${real:0:2}/${real:2} .git/objects/${fake:0:2}/${fake:2}
        echo $fake > .git/refs/heads/main
        """,
    )
    changes = sealed(stage)
    assert "missing or malformed" in dict(changes.ignored)[".git/refs/heads/main"] or ".git/objects" in dict(changes.ignored)
    assert changes.refs[0].commits == ()
    start = git(repo, "rev-parse", "main")
    release(stage, refs=())
    assert git(repo, "rev-parse", "main") == start
    assert (repo / "docs/a.md").read_text() == "x\n"


def test_a_ref_that_cannot_be_proved_never_moves_even_when_allowed(repo: Path, place: Path) -> None:
    stage = opened(repo, place)
    work(stage, "echo x > docs/a.md; git commit -qam x; echo 1111111111111111111111111111111111111111 > .git/refs/heads/main")
    sealed(stage)
    start = git(repo, "rev-parse", "main")
    release(stage)
    assert git(repo, "rev-parse", "main") == start


def test_a_branch_that_moved_meanwhile_is_a_conflict_and_nothing_is_written(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, COMMITS)
    sealed(stage)
    (repo / "src/mine.py").write_text("mine\n")
    git(repo, "add", "src/mine.py")
    git(repo, "commit", "-q", "-m", "mine")
    before = tree(repo)
    with pytest.raises(Conflict, match="`refs/heads/main` moved"):
        release(stage)
    assert tree(repo) == before
    assert git(repo, "status", "--porcelain") == ""


def test_what_the_user_staged_elsewhere_stays_staged(repo: Path, place: Path, kind: str) -> None:
    (repo / "src/staged.py").write_text("s\n")
    git(repo, "add", "src/staged.py")
    (repo / "untracked").write_text("u\n")
    stage = opened(repo, place, kind)
    work(stage, "echo fixed > docs/a.md; git commit -q -m 'fix a' docs/a.md")
    sealed(stage)
    release(stage)
    assert git(repo, "status", "--porcelain") == "A  src/staged.py\n?? untracked"
    anyio.run(stage.undo)
    assert git(repo, "status", "--porcelain") == "A  src/staged.py\n?? untracked"


def test_undo_refuses_where_later_commits_build_on_it(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, COMMITS)
    sealed(stage)
    release(stage)
    git(repo, "commit", "-q", "--allow-empty", "-m", "later")
    before, tip = tree(repo), git(repo, "rev-parse", "main")
    with pytest.raises(Conflict, match="moved since it was published"):
        anyio.run(stage.undo)
    assert tree(repo) == before
    assert git(repo, "rev-parse", "main") == tip


def test_named_branches_and_tags_may_travel(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, "git switch -qc topic; echo t > docs/t.md; git add -A; git commit -qm t; git tag -a v2 -m v2; git switch -q main")
    changes = sealed(stage)
    assert [(move.object, len(move.commits)) for move in changes.refs] == [("topic", 1), ("v2", 1)]
    release(stage, refs=("refs/heads/topic", "refs/tags/v2"))
    assert git(repo, "log", "--format=%s", "topic") == "t\nstart"
    assert git(repo, "cat-file", "-t", "v2") == "tag"
    assert git(repo, "status", "--porcelain") == ""
    anyio.run(stage.undo)
    assert git(repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/heads/old\nrefs/tags/v1"


@pytest.mark.parametrize("packed", [False, True])
def test_packed_refs_and_packed_objects_are_read(repo: Path, place: Path, kind: str, packed: bool) -> None:
    git(repo, "pack-refs", "--all")
    stage = opened(repo, place, kind)
    work(stage, COMMITS + ("git repack -qad; git pack-refs --all" if packed else ""))
    (move,) = sealed(stage).refs
    release(stage)
    assert git(repo, "rev-parse", "main") == move.after
    assert git(repo, "status", "--porcelain") == "?? docs/loose.md"


def test_the_first_commit_of_an_unborn_branch_arrives(root: Path, place: Path, kind: str) -> None:
    git(root, "init", "-q", "-b", "main")
    assert inspect(root).head is None
    stage = opened(root, place, kind)
    work(stage, "git add docs; git commit -qm first")
    (move,) = sealed(stage).refs
    assert (move.verb, move.head, move.before) == ("commit", True, "")
    release(stage)
    assert git(root, "log", "--format=%s") == "first"
    anyio.run(stage.undo)
    assert git(root, "ls-files") == ""


def test_a_detached_head_moves_as_head(repo: Path, place: Path, kind: str) -> None:
    git(repo, "checkout", "-q", "--detach")
    stage = opened(repo, place, kind)
    work(stage, COMMITS)
    (move,) = sealed(stage).refs
    assert (move.verb, move.object, move.head) == ("commit", "HEAD", True)
    release(stage, refs=("HEAD",))
    assert git(repo, "rev-parse", "HEAD") == move.after != git(repo, "rev-parse", "main")


def test_a_sha256_repository_works(root: Path, place: Path, kind: str) -> None:
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    git(root, "add", "docs")
    git(root, "commit", "-q", "-m", "start")
    stage = opened(root, place, kind)
    work(stage, "echo x > docs/a.md; git commit -qam x; git rm -q docs/b.md; git commit -qm gone")
    (move,) = sealed(stage).refs
    release(stage)
    assert git(root, "rev-parse", "main") == move.after
    assert git(root, "status", "--porcelain", "--untracked-files=no") == ""


def test_inspection_names_what_is_dirty_inside_writable_paths_only(repo: Path) -> None:
    assert inspect(repo).dirty == ()
    (repo / "docs/a.md").write_text("dirty\n")
    (repo / "docs/new é.md").write_text("n\n")
    (repo / "src/app.py").write_text("dirty\n")
    git(repo, "rm", "-q", "--cached", "docs/b.md")
    seen = inspect(repo)
    assert seen.dirty == ("docs/a.md", "docs/b.md", "docs/b.md", "docs/new é.md")
    assert (seen.git, seen.branch, seen.head) == (True, "main", git(repo, "rev-parse", "HEAD"))


def test_inspection_runs_no_hook_and_no_monitor(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path}/owned; false")
    inspect(repo)
    assert not (tmp_path / "owned").exists()


def test_forms_of_git_that_cannot_be_staged_are_refused_in_words(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    with pytest.raises(BadInput, match="linked worktree"):
        inspect(tmp_path / "linked")
    git(repo, "init", "-q", "--bare", str(tmp_path / "bare"))
    with pytest.raises(BadInput, match="bare repository"):
        inspect(tmp_path / "bare")
    git(repo, "-c", "protocol.file.allow=always", "clone", "-q", str(repo), str(tmp_path / "outer"))
    git(tmp_path / "outer", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "inner")
    with pytest.raises(BadInput, match="submodules"):
        inspect(tmp_path / "outer")


def test_a_tracked_secret_is_hidden_with_a_warning(repo: Path, place: Path) -> None:
    git(repo, "add", "-f", ".env")
    git(repo, "commit", "-q", "-m", "oops")
    stage = opened(repo, place)
    assert ".env" in stage.hidden
    assert len(stage.warnings) == 1
    assert "`.env` is a tracked secret" in stage.warnings[0]


def test_a_tag_never_carries_a_withheld_commit(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, "echo x > src/evil.py; git add -A; git commit -qm evil; git tag v2")
    changes = sealed(stage)
    evil = changes.refs[0].after
    assert [commit.id for commit in changes.refs[1].commits] == [evil]
    release(stage, dropped=("src/evil.py",), withheld=(evil,), refs=(MAIN, "refs/tags/v2"))
    assert git(repo, "tag") == "v1"
    assert git(repo, "log", "--format=%s") == "start"


def test_one_ref_that_cannot_be_proved_does_not_hold_up_the_others(repo: Path, place: Path, kind: str) -> None:
    stage = opened(repo, place, kind)
    work(stage, COMMITS + "echo 1111111111111111111111111111111111111111 | tee .git/refs/heads/broken > .git/refs/tags/broken")
    changes = sealed(stage)
    assert dict(changes.ignored)[".git/refs/heads/broken"] == "its objects are missing or malformed"
    release(stage, refs=(MAIN, "refs/heads/broken", "refs/tags/broken"))
    assert git(repo, "log", "-1", "--format=%s") == "add n, drop b"
    assert "broken" not in git(repo, "for-each-ref")

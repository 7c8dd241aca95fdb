"""`git push` as an effect, against real remotes."""

import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from providers import GIT, closed_port, commit, git, heard, repositories, socket_server, tip

from remit.adapters.effects import git_remote
from remit.adapters.effects.git_push import PushEffect
from remit.contract.binding import GitPush
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Receipt

MAIN = {"branch": "main"}


def effect(remote: object, **environment: str) -> PushEffect:
    return PushEffect(GitPush(remote=str(remote)), environment)


def perform(tool: PushEffect, workspace: Path, arguments: dict[str, Any] = MAIN, key: str = "k-1") -> Receipt:
    return anyio.run(lambda: tool.perform(key, arguments, workspace=workspace))


def probe(tool: PushEffect, workspace: Path, arguments: dict[str, Any] = MAIN, key: str = "k-1") -> Receipt | None:
    return anyio.run(lambda: tool.probe(key, arguments, workspace=workspace))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return repositories(tmp_path)


def test_the_branch_arrives_and_the_receipt_says_from_where_to_where(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    before, now = tip(bare), tip(workspace)
    receipt = perform(effect(bare), workspace)
    assert tip(bare) == now
    assert receipt == Receipt(receipt=f"main {before[:12]}..{now[:12]} to {bare}", returned=(now,))
    assert perform(effect(bare), workspace).receipt == f"main {now[:12]} stood already at {bare}"


def test_a_new_branch_and_a_tag_arrive_alone(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    git(workspace, "branch", "release/2.4")
    git(workspace, "tag", "-a", "v2.4.0", "-m", "2.4.0")
    git(workspace, "tag", "other")
    perform(effect(bare), workspace, {"branch": "release/2.4"})
    assert perform(effect(f"file://{bare}"), workspace, {"tag": "v2.4.0"}).returned == (tip(workspace, "v2.4.0"),)
    assert git(bare, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main", "refs/heads/release/2.4", "refs/tags/v2.4.0",
    ]  # fmt: skip
    assert git(bare, "cat-file", "-t", "v2.4.0") == "tag"


def test_a_preview_names_the_ref_and_the_remote_without_a_login() -> None:
    assert effect("https://bot:hunter2@git.example/r.git").preview(MAIN) == (
        "git push https://git.example/r.git refs/heads/main:refs/heads/main\n"
        "the branch `main` as it stands in the published workspace; only forward, never forced"
    )
    assert "https://bot:$TOKEN@git.example" in effect("https://bot:$TOKEN@git.example/r.git").preview(MAIN)


@pytest.mark.parametrize(
    "name",
    [
        "", "-f", "--force", "+main", "main:evil", ":main", "a..b", "a b", "a~1", "a^", "a?", "a*", "a[", "a\\b", "@", "a@{1}", ".a",
        "a/.b", "a.lock", "a.lock/b", "a/", "/a", "a//b", "a.", "refs/heads/main", "a\nb", "a\x7f", "x" * 201, None, 1, ["main"],
    ],
)  # fmt: skip
def test_what_git_could_read_otherwise_is_no_branch(pair: tuple[Path, Path], name: Any) -> None:
    workspace, bare = pair
    before = tip(bare)
    with pytest.raises(BadInput):
        effect(bare).preview({"branch": name})
    with pytest.raises(BadInput):
        perform(effect(bare), workspace, {"branch": name})
    assert tip(bare) == before


@pytest.mark.parametrize("arguments", [{}, {"branch": "a", "tag": "b"}, {"branch": "main", "force": True}, {"remote": "x"}])
def test_a_push_takes_a_branch_or_a_tag_and_nothing_else(arguments: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        effect("/r.git").preview(arguments)


def test_every_name_that_is_let_through_is_a_name_to_git() -> None:
    for name in ("main", "release/2.4", "a-b_c", "ünï", "v1.2.3", "HEAD", "a{b", "x@y"):
        effect("/r.git").preview({"branch": name})
        subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=True)


def test_a_remote_that_went_on_meanwhile_is_not_overwritten(pair: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, bare = pair
    git(tmp_path, "clone", "-q", str(bare), "other")
    git(tmp_path / "other", "push", "-q", "origin", f"{commit(tmp_path / 'other', 'theirs')}:main")
    theirs = tip(bare)
    with pytest.raises(Refused, match=r"\[rejected\]"):
        perform(effect(bare), workspace)
    assert tip(bare) == theirs


def test_history_that_was_rewritten_is_not_forced_on_anybody(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    git(workspace, "push", "-q", str(bare), "main")
    git(workspace, "config", "push.default", "matching")
    git(workspace, "commit", "-q", "--amend", "-m", "another past")
    before = tip(bare)
    with pytest.raises(Refused, match="non-fast-forward"):
        perform(effect(bare), workspace)
    git(workspace, "tag", "v1")
    perform(effect(bare), workspace, {"tag": "v1"})
    git(workspace, "tag", "-f", "v1", "main~1")
    with pytest.raises(Refused, match="already exists"):
        perform(effect(bare), workspace, {"tag": "v1"})
    assert tip(bare) == before


def test_a_hook_of_the_remote_may_say_no(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refused, match="pre-receive hook declined"):
        perform(effect(bare), workspace)


def test_nothing_of_the_workspaces_settings_or_hooks_counts(pair: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, bare = pair
    evil, trace = tmp_path / "evil.git", tmp_path / "trace"
    git(tmp_path, "init", "-q", "--bare", "evil.git")
    for setting, value in {
        f"url.{evil}.insteadOf": str(bare),
        f"url.{evil}.pushInsteadOf": str(bare),
        "remote.origin.url": str(evil),
        "core.sshCommand": f"touch {trace}",
        "credential.helper": f"!touch {trace}",
        "push.followTags": "true",
        "core.fsmonitor": f"touch {trace}",
        "core.hooksPath": str(workspace / "evil-hooks"),
    }.items():
        git(workspace, "config", setting, value)
    for folder in ("evil-hooks", ".git/hooks"):
        (workspace / folder).mkdir(exist_ok=True)
        for name in ("pre-push", "reference-transaction", "post-update"):
            (workspace / folder / name).write_text(f"#!/bin/sh\ntouch {trace}\n")
            (workspace / folder / name).chmod(0o755)
    trace.unlink(missing_ok=True)
    git_tag = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "tag", "-a", "t", "-m", "t"],
        cwd=workspace,
        env=GIT,
        check=False,
    )
    assert git_tag.returncode == 0
    perform(effect(bare), workspace)
    assert not trace.exists()
    assert tip(bare) == tip(workspace)
    assert git(evil, "for-each-ref") == ""
    assert git(bare, "for-each-ref", "refs/tags") == ""


@pytest.mark.parametrize(
    "remote",
    [
        "ext::sh -c 'touch trace'",
        "git://h/r",
        "../r.git",
        "-oProxyCommand=x",
        "origin",
        "host:path with blank",
        "--upload-pack=x",
        "fd::3",
        "http:///x y",
        "u@-h:r",
        "ftp://h/r",
    ],
)
def test_only_plain_kinds_of_remote_are_spoken_to(pair: tuple[Path, Path], remote: str) -> None:
    with pytest.raises((BadInput, Refused)):
        perform(effect(remote), pair[0])
    assert not (pair[0] / "trace").exists()


def test_a_branch_or_repository_that_is_not_there_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, bare = pair
    with pytest.raises(Refused, match="no `gone`"):
        perform(effect(bare), workspace, {"branch": "gone"})
    with pytest.raises(BadInput, match="not a git repository"):
        perform(effect(bare), tmp_path)
    with pytest.raises(Refused, match="nothing was begun"):
        perform(effect(tmp_path / "nowhere.git"), workspace)


def test_nothing_was_pushed_where_nobody_listens(pair: tuple[Path, Path]) -> None:
    tool = effect(f"http://127.0.0.1:{closed_port()}/r.git")
    with pytest.raises(Refused, match="nothing was begun"):
        perform(tool, pair[0])
    assert probe(tool, pair[0]) is None, "it was never begun under this key"


def test_a_login_goes_in_a_header_and_is_told_nobody(pair: tuple[Path, Path]) -> None:
    requests: list[bytes] = []

    def serve(talk: socket.socket) -> None:
        requests.append(heard(talk))
        talk.sendall(b"HTTP/1.1 401 hunter2-long\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\n\r\n")

    with socket_server(serve) as address:
        remote = address.replace("http://", "http://bot:$GIT_TOKEN@") + "/r.git"
        with pytest.raises(Refused) as caught:
            perform(effect(remote, GIT_TOKEN="hunter2-long"), pair[0])
    assert "hunter2-long" not in f"{caught.value} {caught.value.hint}"
    assert any(b"Authorization: Basic Ym90Omh1bnRlcjItbG9uZw==" in request for request in requests)


def test_a_missing_token_is_named(pair: tuple[Path, Path]) -> None:
    with pytest.raises(BadInput, match=r"\$GIT_TOKEN"):
        perform(effect("https://$GIT_TOKEN@git.example/r.git"), pair[0])


def _http_remote(bare: Path, requests: list[str], *, loses: str = "") -> Any:
    """`git http-backend` on a bare socket; it may do the push and lose the answer, or lose the request."""

    def serve(talk: socket.socket) -> None:
        head, _, body = heard(talk).partition(b"\r\n\r\n")
        method, target = head.split(b"\r\n")[0].decode().split()[:2]
        fields = {line.split(b":")[0].lower(): line.partition(b":")[2].strip().decode() for line in head.split(b"\r\n")[1:]}
        requests.append(f"{method} {target}")
        pushing = method == "POST" and target.endswith("git-receive-pack") and len(body) > 4
        if pushing and loses == "request":
            return
        path, _, query = target.partition("?")
        environment = {
            **GIT, "GIT_PROJECT_ROOT": str(bare.parent), "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": method, "PATH_INFO": path,
            "QUERY_STRING": query, "CONTENT_TYPE": fields.get(b"content-type", ""), "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": "bot", "GIT_PROTOCOL": fields.get(b"git-protocol", ""),
            "HTTP_CONTENT_ENCODING": fields.get(b"content-encoding", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        if pushing and loses == "answer":
            return
        talk.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\n" + done.stdout)

    return socket_server(serve)


def test_over_http_the_branch_arrives(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    git(bare, "config", "http.receivepack", "true")
    with _http_remote(bare, []) as address:
        receipt = perform(effect(f"{address}/remote.git"), workspace)
    assert tip(bare) == tip(workspace)
    assert receipt.receipt.endswith(f"..{tip(workspace)[:12]} to {address}/remote.git")


@pytest.mark.parametrize(("loses", "arrived"), [("answer", True), ("request", False)])
def test_a_connection_lost_on_the_way_is_doubt_until_the_remote_is_asked(
    pair: tuple[Path, Path], loses: str, arrived: bool
) -> None:
    workspace, bare = pair
    git(bare, "config", "http.receivepack", "true")
    with _http_remote(bare, [], loses=loses) as address:
        tool = effect(f"{address}/remote.git")
        with pytest.raises(Broken, match="cannot be told"):
            perform(tool, workspace)
        assert (tip(bare) == tip(workspace)) is arrived
        found = probe(tool, workspace)
        assert (found is not None) is arrived
        assert probe(tool, workspace, key="another") is None


def test_a_remote_that_does_not_answer_is_left_after_a_while(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_remote.Remote.git, "__kwdefaults__", {"patience": 0.5})
    over = threading.Event()
    with socket_server(lambda _: over.wait(10) and None) as address:
        with pytest.raises(Refused, match="too long"):
            perform(effect(f"{address}/r.git"), pair[0])
        over.set()


def test_the_question_is_about_what_was_pushed_not_about_where_the_branch_is_now(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    tool = effect(bare)
    assert probe(tool, workspace) is None
    pushed = perform(tool, workspace).returned
    commit(workspace, "later work")
    assert probe(tool, workspace) == Receipt(receipt=f"main {pushed[0][:12]} to {bare}", returned=pushed)


def test_a_remote_that_went_on_from_the_push_has_it(pair: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, bare = pair
    perform(effect(bare), workspace)
    git(tmp_path, "clone", "-q", str(bare), "other")
    git(tmp_path / "other", "push", "-q", "origin", f"{commit(tmp_path / 'other', 'theirs')}:main")
    assert probe(effect(bare), workspace) is not None


def test_a_remote_that_went_another_way_leaves_the_question_open(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    start = tip(bare)
    perform(effect(bare), workspace)
    git(bare, "update-ref", "refs/heads/main", start)
    assert probe(effect(bare), workspace) is None
    other = subprocess.run(
        ["git", "commit-tree", f"{start}^{{tree}}", "-p", start, "-m", "x"],
        cwd=bare,
        env=GIT,
        capture_output=True,
        text=True,
        check=True,
    )
    git(bare, "update-ref", "refs/heads/main", other.stdout.strip())
    with pytest.raises(Broken, match="another history"):
        probe(effect(bare), workspace)


def test_a_remote_that_is_gone_leaves_the_question_open(pair: tuple[Path, Path]) -> None:
    workspace, bare = pair
    perform(effect(bare), workspace)
    bare.rename(bare.parent / "moved")
    with pytest.raises(Broken):
        probe(effect(bare), workspace)


def test_a_shallow_workspace_can_push(pair: tuple[Path, Path], tmp_path: Path) -> None:
    _, bare = pair
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{bare}", "shallow")
    made = commit(tmp_path / "shallow", "more")
    perform(effect(bare), tmp_path / "shallow")
    assert tip(bare) == made


def test_root_steps_down_to_the_owner_of_the_workspace() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can step down")
    # Not below pytest's own folder, which only root may enter.
    with tempfile.TemporaryDirectory(prefix="remit-owner-") as room:
        Path(room).chmod(0o755)
        workspace, bare = repositories(Path(room))
        for top in (workspace, bare):
            for path in (top, *top.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
        perform(effect(bare), workspace)
        assert tip_as(bare, 65534) == tip_as(workspace, 65534)
        assert [path for path in bare.rglob("*") if path.stat().st_uid != 65534] == []


def tip_as(at: Path, uid: int) -> str:
    """Where main stands, asked by its owner."""
    done = subprocess.run(["git", "rev-parse", "main"], cwd=at, env=GIT, user=uid, capture_output=True, text=True, check=True)
    return done.stdout.strip()

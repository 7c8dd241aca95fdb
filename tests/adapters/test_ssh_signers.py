"""People's own SSH keys: in files, in a real agent, behind a passphrase, and refused with what to do."""

import os
import pty
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from remit.adapters.signers.ssh import SshSigner, load_ssh
from remit.errors import BadInput, Unavailable
from remit.evidence.signature import verify_signature

SPACE = "remit-answer"
PERSON = "support-lead@example.com"


def key_of(folder: Path, kind: str = "ed25519", *more: str, passphrase: str = "") -> Path:
    key = folder / f"id_{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *more, "-N", passphrase, "-C", "laptop", "-f", key], check=True)
    return key


def sign(signer: SshSigner, message: bytes = b"yes") -> str:
    async def signed() -> str:
        return await signer.sign(message, namespace=SPACE)

    return anyio.run(signed)


@pytest.fixture(autouse=True)
def no_terminal_and_no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr("sys.stdin", None)


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The path of a socket may have no more than 107 bytes.
    place = tmp_path_factory.mktemp("a") / "s"
    with subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(500):
                if place.exists():
                    break
                time.sleep(0.01)
            assert place.exists()
            monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
            yield
        finally:
            running.terminate()


@pytest.mark.parametrize(
    "kind",
    [
        ["ed25519"],
        ["ecdsa", "-b", "256"],
        ["ecdsa", "-b", "384"],
        ["ecdsa", "-b", "521"],
        ["rsa", "-b", "2048"],
        ["rsa", "-m", "PEM"],
    ],
)
def test_a_key_in_a_file_signs(tmp_path: Path, kind: list[str]) -> None:
    key = key_of(tmp_path, *kind)
    signer = load_ssh(PERSON, key)
    assert signer.public.split()[:2] == key.with_suffix(".pub").read_text().split()[:2]
    assert (signer.person, signer.public.split()[2]) == (PERSON, PERSON)
    text = sign(signer)
    assert verify_signature(signer.public, b"yes", text, SPACE)
    assert not verify_signature(signer.public, b"no", text, SPACE)


def test_a_key_that_only_an_agent_holds_signs(tmp_path: Path, agent: None) -> None:
    key = key_of(tmp_path)
    subprocess.run(["ssh-add", "-q", key], check=True)
    key.unlink()
    signer = load_ssh(PERSON, tmp_path / "id_ed25519.pub")
    assert verify_signature(signer.public, b"yes", sign(signer), SPACE)
    subprocess.run(["ssh-add", "-q", "-D"], check=True)
    with pytest.raises(BadInput, match="did not sign") as refused:
        sign(signer)
    assert "ssh-add" in refused.value.hint


def test_a_locked_key_is_signed_with_by_the_agent_that_unlocked_it(tmp_path: Path, agent: None) -> None:
    key = key_of(tmp_path, passphrase="open sesame")
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho open sesame\n")
    ask.chmod(0o700)
    unlocking = os.environ | {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", key], check=True, env=unlocking, stdin=subprocess.DEVNULL)
    signer = load_ssh(PERSON, key)
    assert verify_signature(signer.public, b"yes", sign(signer), SPACE)


def test_a_locked_key_is_not_asked_for_where_there_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {asked}\necho open sesame\n")
    ask.chmod(0o700)
    for name, value in {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match="incorrect passphrase") as refused:
        sign(load_ssh(PERSON, key_of(tmp_path, passphrase="open sesame")))
    assert refused.value.hint.startswith(f"unlock it first with `ssh-add {tmp_path / 'id_ed25519'}`")
    assert not asked.exists()


def test_at_a_terminal_the_passphrase_is_asked_for(tmp_path: Path) -> None:
    key = key_of(tmp_path, passphrase="open sesame")
    program = (
        "import sys, anyio; from functools import partial; from pathlib import Path; from remit.adapters.signers.ssh import load_ssh;"
        "signer = load_ssh('support-lead@example.com', Path(sys.argv[1]));"
        "text = anyio.run(partial(signer.sign, b'yes', namespace='remit-answer'));"
        "Path(sys.argv[2]).write_text(text)"
    )
    ours, theirs = pty.openpty()
    made = tmp_path / "made"
    command = [sys.executable, "-c", program, key, made]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as running:
        os.close(theirs)
        shown = b""
        while b"passphrase" not in shown:
            assert select.select([ours], [], [], 30)[0], shown
            shown += os.read(ours, 4096)
        os.write(ours, b"open sesame\n")
        assert running.wait(30) == 0
    os.close(ours)
    assert verify_signature(load_ssh(PERSON, key).public, b"yes", made.read_text(), SPACE)


def test_an_agent_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr("remit.adapters.signers.ssh.PATIENCE", 0.3)
    place = tmp_path_factory.mktemp("a") / "s"
    signer = load_ssh(PERSON, key_of(tmp_path))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        with pytest.raises(BadInput, match="nobody confirmed or touched"):
            sign(signer)


def test_two_halves_that_do_not_belong_together_are_found(tmp_path: Path) -> None:
    mine = key_of(tmp_path)
    (tmp_path / "other").mkdir()
    other = key_of(tmp_path / "other")
    with pytest.raises(BadInput, match="does not hold"):
        sign(SshSigner(PERSON, load_ssh(PERSON, other).public, mine))


def test_a_device_that_is_not_plugged_in_is_said(tmp_path: Path) -> None:
    public = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAAAABHNzaDo="
    (tmp_path / "id_sk.pub").write_text(f"{public} key ring\n")
    signer = load_ssh(PERSON, tmp_path / "id_sk.pub")
    assert signer.public == f"{public} {PERSON}"
    with pytest.raises(BadInput, match="did not sign") as refused:
        sign(signer)
    assert "plug the device in" in refused.value.hint


def test_a_key_open_to_others_is_refused(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    key.chmod(0o644)
    with pytest.raises(BadInput, match="open to others") as refused:
        load_ssh(PERSON, key)
    assert refused.value.hint == f"chmod 600 {key}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no SSH key"),
        (b"not a key", "no SSH key"),
        (b"\xff\xfe", "no SSH key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "no SSH key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n%%%\n-----END OPENSSH PRIVATE KEY-----\n", "no SSH key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "public half .* is missing"),
        (b"x" * 70_000, "no SSH key"),
    ],
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    key = tmp_path / "key"
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(BadInput, match=words):
        load_ssh(PERSON, key)


@pytest.mark.parametrize(
    "content", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", "ssh-ed25519-cert-v01@openssh.com AAAA"]
)
def test_a_public_half_of_a_kind_that_may_not_sign_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "key.pub").write_text(content)
    with pytest.raises(BadInput, match="may not sign"):
        load_ssh(PERSON, tmp_path / "key.pub")


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="may not sign: ssh-rsa"):
        load_ssh(PERSON, key_of(tmp_path, "rsa", "-b", "1024"))


def test_no_key_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        load_ssh(PERSON, tmp_path / "none")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        load_ssh(PERSON, tmp_path)


def test_a_machine_without_ssh_keygen_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = load_ssh(PERSON, key_of(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="ssh-keygen"):
        sign(signer)


def test_nothing_of_the_statement_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    sign(load_ssh(PERSON, key_of(tmp_path)))
    assert list((tmp_path / "tmp").iterdir()) == []

"""Every way out that was thought of, tried from inside; each case must prove that it ran, and the host must not notice."""

import os
import platform
import socket
from pathlib import Path

import pytest
from box_attacks import CALLS, END, FILES, NETWORK, PRELUDE, PROCESSES
from box_rig import Ground, Witness

from remit.adapters.sandboxes import kernel
from remit.ports import Exit


def attack(ground: Ground, code: str, **changes: object) -> tuple[Exit, Witness]:
    """Run the code inside and insist on its nonce, its end and the canary."""
    secret = "remit-host-secret-" + ground.nonce
    os.environ["REMIT_TEST_SECRET"] = secret
    try:
        before = PRELUDE.format(nonce=ground.nonce, canary=str(ground.canary), secret=secret)
        ending, witness = ground.python(before + code + END, **changes)
    finally:
        del os.environ["REMIT_TEST_SECRET"]
    said = witness.printed + witness.stderr.decode(errors="replace")
    assert f"{ground.nonce} began" in said, f"the attack never ran: {ending} {said}"
    assert f"{ground.nonce} finished" in said, f"the attack broke off: {ending} {said}"
    assert "ESCAPED" not in said, said
    assert ground.canary.read_text() == ground.nonce
    assert sorted(each.name for each in ground.base.iterdir()) == sorted({"kept.txt", *ground_sockets(ground)})
    assert "is empty: init" in ending.receipt
    return ending, witness


def ground_sockets(ground: Ground) -> set[str]:
    return {each.name for each in ground.base.iterdir() if each.is_socket()}


WALLS = pytest.mark.parametrize("landlock", [True, False], ids=["landlock", "no landlock"])


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, landlock: bool) -> None:
    """Each wall must hold where the kernel lacks the other."""
    if not landlock:
        monkeypatch.setattr(kernel, "landlock_abi", lambda: 0)


@WALLS
@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("name", FILES)
def test_files_of_the_host_cannot_be_reached(ground: Ground, name: str) -> None:
    attack(ground, FILES[name])
    assert not Path("/var/tmp/planted").exists()


@WALLS
@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("name", PROCESSES)
def test_processes_cannot_see_or_become_more_than_the_box(ground: Ground, name: str) -> None:
    if name.startswith(("a 32", "an x32")) and platform.machine() != "x86_64":
        return
    spy = ground.place / "inherited.txt"
    spy.write_text("x")
    with spy.open() as held:
        os.set_inheritable(held.fileno(), True)
        attack(ground, PROCESSES[name])


@pytest.mark.parametrize("name", NETWORK)
def test_nothing_leaves_by_the_network(ground: Ground, name: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as local,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as file,
        socket.socket(socket.AF_UNIX) as inside,
    ):
        abstract.bind(f"\0remit-{ground.nonce}")
        file.bind(f"{ground.canary}.sock")
        inside.bind(str(ground.base / "live.sock"))
        for each in (local, abstract, file, inside):
            each.listen()
            each.settimeout(0.05)
        attack(ground, NETWORK[name].replace("{port}", str(local.getsockname()[1])))
        for each in (local, abstract, file, inside):
            with pytest.raises(TimeoutError):
                each.accept()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("observe", [True, False], ids=["watched", "by number"])
def test_the_kernel_refuses_calls_no_work_needs(ground: Ground, name: str, observe: bool) -> None:
    if platform.machine() != "x86_64":
        pytest.fail("write the numbers of this machine")
    _, witness = attack(ground, f"call{CALLS[name]}", observe=observe)
    if observe and name not in ("clone3", "io_uring_setup"):
        assert any(what == "call" and by == "seccomp" for what, _, by in witness.told)


def test_a_connection_out_is_told_to_the_watcher(ground: Ground) -> None:
    _, witness = attack(ground, NETWORK["a host by address"])
    assert ("connect", "93.184.216.34:80", "network namespace") in witness.told


@pytest.mark.parametrize("kind", ["bind", "read-only overlay", "read-only bind"])
def test_other_mounts_hold_as_well(ground: Ground, kind: str) -> None:
    copied = ground.place / "copy"
    copied.mkdir()
    (copied / "kept.txt").write_text("kept\n")
    mount = ground.mount(kind="overlay" if "overlay" in kind else "bind", lower=(str(copied),), upper=None, work=None)
    if kind == "bind":
        mount = ground.mount(kind="bind", lower=(str(copied),), upper=str(copied), work=None)
    code = (
        "open('new.txt', 'w').write('x')"
        if kind == "bind"
        else "tries(write, 'new.txt'); tries(os.unlink, 'kept.txt'); tries(os.chmod, 'kept.txt', 0o777)"
    )
    attack(ground, code + "; peek(CANARY); poke(CANARY)", mount=mount)
    assert (copied / "new.txt").exists() == (kind == "bind")

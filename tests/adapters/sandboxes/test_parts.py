"""The parts that can be looked at one by one: filters, heads, hellos, settling, the probe and its screen."""

import os
import socket
import ssl
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from box_rig import Ground

from remit.adapters.sandboxes import argv, kernel, proxyhead, seatbelt, seccomp, tls, wire
from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.adapters.sandboxes.door import Door
from remit.adapters.sandboxes.egress import public
from remit.adapters.sandboxes.settle import settle
from remit.adapters.sandboxes.syscalls import AUDIT_ARCH, NUMBERS, REFUSED, UNKNOWN
from remit.cli.doctor import screen
from remit.errors import BadInput, Unavailable
from remit.ports import Containment, Part

# ---------------------------------------------------------------- filters


def verdict(code: bytes, arch: int, number: int, *arguments: int) -> int:
    """What the kernel would do with this filter: a small machine for classic BPF."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *(*arguments, *([0] * (6 - len(arguments)))))
    steps = [struct.unpack_from("HBBI", code, at) for at in range(0, len(code), 8)]
    loaded = at = 0
    while True:
        kind, yes, no, value = steps[at]
        at += 1
        if kind == seccomp.RETURN:
            return int(value)
        if kind == seccomp.LOAD:
            loaded = struct.unpack_from("=I", data, value)[0]
            continue
        if kind == seccomp.AND:
            loaded &= value
            continue
        tests: dict[int, Callable[[], bool]] = {
            seccomp.EQUAL: lambda: loaded == value,  # noqa: B023
            seccomp.AT_LEAST: lambda: loaded >= value,  # noqa: B023
            seccomp.ANY_BIT: lambda: bool(loaded & value),  # noqa: B023
        }
        at += yes if tests[kind]() else no


@pytest.mark.parametrize("machine", list(NUMBERS))
def test_both_filters_mean_what_their_table_says(machine: str) -> None:
    numbers, arch = NUMBERS[machine], AUDIT_ARCH[machine]
    refused = seccomp.ERRNO | seccomp.EPERM
    for code, no in ((seccomp.wall(machine, watched=False), refused), (seccomp.lookout(machine), seccomp.NOTIFY)):
        for name in REFUSED:
            if name in numbers:
                assert verdict(code, arch, numbers[name]) == no, name
        for name in UNKNOWN:
            assert verdict(code, arch, numbers[name]) == seccomp.ERRNO | seccomp.ENOSYS, name
        for family, kind, protocol, want in (
            (1, 1, 0, 0),
            (2, 2, 17, 0),
            (10, 1, 6, 0),
            (16, 3, 0, 0),
            (16, 3, 9, 1),
            (17, 3, 0, 1),
            (2, 3, 1, 1),
            (10, 3, 58, 1),
            (2, 3 | 0o2004000, 1, 1),
            (2, 2 | 0o2004000, 0, 0),
            (40, 1, 0, 1),
        ):
            assert verdict(code, arch, numbers["socket"], family, kind, protocol) == (no if want else seccomp.ALLOW)
            # the kernel looks at the low half only, so the high half must not change the answer
            assert verdict(code, arch, numbers["socket"], family | 1 << 32, kind, protocol) == (no if want else seccomp.ALLOW)
        assert verdict(code, arch, numbers["socketpair"], 2) == no
        assert verdict(code, arch, numbers["clone"], 0x01200011) == seccomp.ALLOW
        assert verdict(code, arch, numbers["clone"], 0x10000011) == no
        assert verdict(code, arch, numbers["ioctl"], 0, 0x5412) == no
        assert verdict(code, arch, numbers["ioctl"], 0, 0x5413) == seccomp.ALLOW
        assert verdict(code, arch, numbers["personality"], 0xFFFFFFFF) == seccomp.ALLOW
        assert verdict(code, arch, numbers["personality"], 0x0400000) == no
        assert verdict(code, arch ^ 1, 0) == seccomp.KILL
        if machine == "x86_64":
            assert verdict(code, arch, seccomp.X32 | numbers["ptrace"]) == seccomp.ERRNO | seccomp.ENOSYS
        assert verdict(code, arch, 100_000) == seccomp.ALLOW
    assert verdict(seccomp.lookout(machine), arch, numbers["execve"]) == seccomp.NOTIFY
    assert verdict(seccomp.wall(machine, watched=False), arch, numbers["execve"]) == seccomp.ALLOW
    assert verdict(seccomp.wall(machine, watched=True), arch, numbers["clone3"]) == seccomp.ERRNO | seccomp.ENOSYS


def test_an_unknown_machine_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="riscv64"):
        seccomp.wall("riscv64", watched=False)


# ---------------------------------------------------------------- hellos and heads


def hello(name: str | None) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def test_a_hello_is_read_whole_in_pieces_and_over_records() -> None:
    data = hello("docs.example.com")
    assert tls.read_hello(data) == tls.Hello(name="docs.example.com", encrypted=False)
    assert all(tls.read_hello(data[:size]) is None for size in range(len(data)))
    body = data[5:]
    cut = b"".join(data[:3] + struct.pack("!H", len(part)) + part for part in (body[:7], body[7:50], body[50:]))
    assert tls.read_hello(cut) == tls.read_hello(data)
    bare = tls.read_hello(hello(None))
    assert bare is not None and bare.name == ""


@pytest.mark.parametrize(
    "data",
    [b"SSH-2.0", b"\x17\x03\x03\x00\x01x", b"\x16\x03\x01\x00\x01\x02", b"\x16\x02\x00\x00\x01\x01", b"\x16\x03\x01\x00\x00"],
)
def test_what_is_no_hello_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(tls.NotTls):
        tls.read_hello(data)


def test_a_hello_with_an_encrypted_one_inside_is_seen() -> None:
    data = bytearray(hello("a.example"))
    at = bytes(data).index(b"\x00\x17\x00\x00", 60)  # extended_master_secret, an empty extension
    data[at : at + 2] = b"\xfe\x0d"
    found = tls.read_hello(bytes(data))
    assert found is not None and found.encrypted


def test_two_ways_to_read_a_name_are_none() -> None:
    data = hello("a.example").replace(b"a.example", b"\xff.example")
    with pytest.raises(tls.NotTls):
        tls.read_hello(data)


@pytest.mark.parametrize(
    "name", ["a..b", "-a", "a-", "a_b", "*.a", "1.2.3.4", "1.2", "0x7f.1", "a:1:2", "a b", "ä", "a" * 64, "", "[::1]", "u@a"]
)
def test_only_plain_host_names_are_hosts(name: str) -> None:
    with pytest.raises(proxyhead.Unreadable):
        proxyhead.read_head(f"CONNECT {name}:443 HTTP/1.1".encode())


def test_a_final_dot_and_capitals_are_the_same_host() -> None:
    assert proxyhead.read_head(b"CONNECT Docs.Example.COM.:443 HTTP/1.1").host == "docs.example.com"


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("64:ff9b::5db8:d822", True), ("10.0.0.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("127.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("2001:0:53aa:64c::1", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_connected_to(address: str, want: bool) -> None:
    assert public(address) == want


def test_a_visitor_who_says_nothing_is_sent_away(ground: Ground) -> None:
    async def story() -> bytes:
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as visitor:
            listener.bind(str(ground.place / "door"))
            listener.listen()
            visitor.connect(str(ground.place / "door"))
            visitor.sendall(b'{"schema": ')
            visitor.setblocking(False)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(Door(box_watcher(), patience=0.1).serve, listener)
                with anyio.fail_after(5):
                    said = await wire.receive(visitor)
                tasks.cancel_scope.cancel()
        return said

    assert anyio.run(story) == b""


# ---------------------------------------------------------------- settling


def test_what_was_written_in_memory_stands_on_disk_exactly(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "file").write_bytes(os.urandom(200_000))
    (source / "file").chmod(0o640)
    os.link(source / "file", source / "twin")
    (source / "link").symlink_to("/etc/passwd")
    os.mkfifo(source / "fifo")
    os.mknod(source / "gone", stat.S_IFCHR)
    os.truncate(os.open(source / "sparse", os.O_RDWR | os.O_CREAT), 1 << 40)
    with (source / "sparse").open("r+b") as sparse:
        sparse.seek(1 << 30)
        sparse.write(b"middle")
    (source / "secret").write_text("x")
    (source / "secret").chmod(0)
    (source / "closed").mkdir()
    (source / "closed" / "in").write_text("y")
    os.setxattr(source / "closed", "user.overlay.opaque", b"y")
    (source / b"caf\xe9\n".decode(errors="surrogateescape")).write_text("z")
    for name in ("file", "closed", "link"):
        os.utime(source / name, ns=(1, 10**18 + 7), follow_symlinks=False)
    (source / "closed").chmod(0o500)
    folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    try:
        settle(folder, str(target))
    finally:
        os.close(folder)
    assert (target / "file").read_bytes() == (source / "file").read_bytes()
    assert (target / "file").stat().st_ino == (target / "twin").stat().st_ino
    assert os.readlink(target / "link") == "/etc/passwd"
    assert stat.S_ISFIFO((target / "fifo").stat().st_mode)
    assert stat.S_ISCHR((target / "gone").stat().st_mode) and (target / "gone").stat().st_rdev == 0
    held = (target / "sparse").stat()
    assert held.st_size == 1 << 40 and held.st_blocks * 512 < 1 << 20
    with (target / "sparse").open("rb") as sparse:
        sparse.seek(1 << 30)
        assert sparse.read(6) == b"middle"
    assert stat.S_IMODE((target / "secret").stat().st_mode) == 0
    assert stat.S_IMODE((target / "closed").stat().st_mode) == 0o500
    assert os.getxattr(target / "closed", "user.overlay.opaque") == b"y"
    assert {(target / each).lstat().st_mtime_ns for each in ("file", "closed", "link")} == {10**18 + 7}
    assert b"caf\xe9\n" in os.listdir(os.fsencode(target))


def test_a_tree_deeper_than_any_descriptor_limit_is_settled(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    here = os.open(source, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    settle(folder, str(target))
    os.close(folder)
    depth, here = 0, os.open(target, os.O_RDONLY)
    while os.listdir(here):
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, depth = deeper, depth + 1
    os.close(here)
    assert depth == 1500
    os.system(f"rm -rf {source} {target}")  # deeper than shutil can remove


# ---------------------------------------------------------------- probe, doctor, macOS


def test_this_machine_gives_full_containment_and_the_result_is_kept(ground: Ground) -> None:
    first = anyio.run(ground.sandbox.probe)
    assert first.level == "L3", first
    assert {part.name for part in first.parts} >= {
        "bwrap",
        "namespaces",
        "overlay",
        "seccomp",
        "network",
        "disk quota",
        "landlock",
    }
    kept = list((ground.place / "cache").iterdir())
    assert len(kept) == 1
    kept[0].write_bytes(kept[0].read_bytes().replace(b"version", b"kept"))
    assert "kept" in str(anyio.run(ground.sandbox.probe))
    assert anyio.run(lambda: ground.sandbox.probe(fresh=True)) == first


def test_without_bwrap_nothing_is_claimed_and_nothing_starts(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    found = anyio.run(ground.sandbox.probe)
    assert found.level == "L1"
    assert found.parts[0].cure == "install the package `bubblewrap`"

    async def start() -> None:
        async with ground.sandbox.open(ground.plan("true"), box_watcher()):
            pytest.fail("a box without bwrap")

    with pytest.raises(Unavailable, match="not installed"):
        anyio.run(start)


def box_watcher() -> Any:
    from box_rig import Witness

    return Witness()


def test_a_kernel_that_refuses_namespaces_is_said_in_its_own_words(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(flags: int) -> None:
        raise OSError(1, "unshare: Operation not permitted")

    monkeypatch.setattr(kernel, "unshare", refused)
    found = anyio.run(Bubblewrap(ground.place / "other").probe)
    named = {part.name: part for part in found.parts}
    assert not named["overlay"].ok and "unshare: Operation not permitted" in named["overlay"].detail
    assert named["staging"].detail == "copy"
    assert found.level == "L3"  # the stage is a copy then, bwrap makes its namespaces itself


def test_the_doctor_says_the_cure_beside_the_fault() -> None:
    parts = (
        Part(name="bwrap", ok=False, detail="not installed", cure="install it"),
        Part(name="quota", ok=False, cure="kernel 6.6", required=False),
    )
    assert screen(Containment(level="L1", parts=parts)) == [
        "containment L1  a staged copy and a sweep of processes only",
        "  MISSING bwrap          not installed",
        "          cure: install it",
        "  soft    quota",
        "          better: kernel 6.6",
    ]


def test_a_seatbelt_profile_denies_first_and_is_never_called_full(ground: Ground) -> None:
    text = seatbelt.profile(ground.plan("true", network=True, mount=ground.mount(at="/ws")), interpreter="/opt/python", port=3128)
    assert text.splitlines()[1] == "(deny default)"
    assert '(allow file-write* (subpath "/ws"))' in text
    assert '(allow network-outbound (remote ip "localhost:3128"))' in text
    assert "allow default" not in text and "file-write*" not in text.replace('(allow file-write* (subpath "/ws"))', "")
    with pytest.raises(BadInput):
        seatbelt.profile(ground.plan("true", mount=ground.mount(at='/w"s')), interpreter="/opt/python", port=None)
    assert anyio.run(seatbelt.Seatbelt().probe).level in ("L0", "L1")


@pytest.mark.parametrize("prefix", ["/", "/home/somebody", "/home", "/home/somebody/.local"])
def test_an_interpreter_that_would_bring_the_home_along_is_refused(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setattr("sys.base_prefix", prefix)
    monkeypatch.setenv("HOME", "/home/somebody")
    with pytest.raises(Unavailable, match="holds more than the interpreter"):
        argv.flags(ground.plan("true"), "/x", {}, 6)


def test_the_interpreter_is_bound_by_its_own_folder_only() -> None:
    real = argv.interpreter()
    assert os.path.isabs(real) and not os.path.islink(real)

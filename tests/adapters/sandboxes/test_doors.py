"""The three ways to ask from inside: the door, the exec observer, and the proxy."""

import base64
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from box_rig import Ground, Witness

from remit.errors import Conflict


def said(ground: Ground, witness: Witness, command: str, **changes: Any) -> str:
    ground.run(ground.plan("sh", "-c", command, **changes), witness)
    return witness.printed


# ---------------------------------------------------------------- the door


def test_the_helper_asks_and_its_exit_code_is_the_answer(ground: Ground) -> None:
    witness = Witness()
    answers = {"write": "allow", "push": "refuse", "call": "ask", "done": "done"}
    witness.answer = lambda message: {"decision": answers[message["verb"]], "reasons": [{"code": "X"}], "more": 1}
    command = (
        "printf 'caf\\303\\251' | remit act write docs/a.md --content-file - --wait 2; echo $?;"
        "remit act push any; echo $?; remit act call refund --arg order=7 --args '{\"amount\": 20}'; echo $?;"
        "remit done 'all good'; echo $?; remit act write a b; echo $?; remit act write x --args '[1]'; echo $?"
    )
    lines = said(ground, witness, command).splitlines()
    assert [line for line in lines if line.isdigit()] == ["0", "3", "4", "0", "2", "2"]
    assert json.loads(lines[0]) == {"decision": "allow", "reasons": [{"code": "X"}], "more": 1}
    first, _, call, done = witness.requests
    assert base64.b64decode(first.pop("content")) == "café".encode()
    assert first == {"schema": "remit.act/1", "verb": "write", "object": "docs/a.md", "arguments": {}, "wait": 2.0}
    assert call["arguments"] == {"order": "7", "amount": 20}
    assert (done["verb"], done["object"]) == ("done", "all good")


def test_a_command_to_run_is_sent_word_by_word(ground: Ground) -> None:
    witness = Witness()
    said(ground, witness, "remit act run -- git commit --message=x")
    assert witness.requests[0]["object"] == ["git", "commit", "--message=x"]


def test_without_a_door_the_helper_is_refused(ground: Ground) -> None:
    assert '"refuse"' in said(ground, Witness(), "remit act write a", door=False)


@pytest.mark.parametrize("error", [Conflict("a link is in the way"), RuntimeError("secret detail")])
def test_an_engine_that_fails_has_allowed_nothing(ground: Ground, error: Exception) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise error

    witness = Witness()
    witness.answer = fail
    answer = json.loads(said(ground, witness, "remit act write a"))
    assert answer["decision"] == "refuse"
    assert ("a link is in the way" in str(answer)) == isinstance(error, Conflict)
    assert "secret detail" not in str(answer)


KNOCK = """
import json, socket
def knock(data, read=True):
    s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect('/run/remit/door')
    try:
        s.sendall(data)
        return s.makefile().readline() if read else s
    except (BrokenPipeError, ConnectionResetError):
        return 'closed'
"""


def test_the_door_stands_up_to_nonsense(ground: Ground) -> None:
    code = KNOCK + (
        "for data in (b'\\n', b'nonsense\\n', b'[]\\n', b'{}\\n', b'[' * 100000 + b'\\n', b'\\xff\\n', b'{\"schema\": \"remit.act/2\"}\\n'):\n"
        "    assert json.loads(knock(data))['decision'] == 'refuse', data\n"
        "long = knock(b'x' * (3 << 20)); assert 'refuse' in long or long in ('closed', ''), long[:100]\n"
        "held = [knock(b'', False) for _ in range(40)]\n"
        "closed = sum(isinstance(s, str) for s in held); held = [s for s in held if not isinstance(s, str)]\n"
        "for s in held:\n    s.setblocking(False)\n"
        "import time; time.sleep(0.5)\n"
        "for s in held:\n    try: closed += s.recv(1) == b''\n    except BlockingIOError: pass\n"
        "assert closed == 8, closed\n"
        "[s.close() for s in held]; time.sleep(0.2)\n"
        "ok = json.loads(knock(json.dumps({'schema': 'remit.act/1', 'verb': 'read'}).encode() + b'\\n')); assert ok['decision'] == 'allow'\n"
        "print('held')"
    )
    _, witness = ground.python(code)
    assert witness.printed == "held\n", witness.stderr.decode()
    assert len(witness.requests) == 1


def test_many_requests_at_once_get_their_own_answers(ground: Ground) -> None:
    witness = Witness()
    witness.answer = lambda message: {"decision": "allow", "reasons": [], "for": message["object"]}
    command = "for i in 1 2 3 4 5 6 7 8; do remit act read f$i | grep -c '\"f'$i'\"' & done; wait"
    assert said(ground, witness, command).split() == ["1"] * 8


# ---------------------------------------------------------------- programs


def test_programs_are_shown_with_their_arguments_and_a_refused_one_fails(ground: Ground) -> None:
    witness = Witness()
    witness.refuse = lambda program: program.path.endswith("/touch")
    output = said(ground, witness, "touch x; echo $?; cd /usr; bin/env true; echo end")
    assert output == "126\nend\n"
    seen = [(each.path, each.argv) for each in witness.programs]
    assert seen[0] == ("/usr/bin/touch", ("touch", "x"))
    # the shell went on along PATH after the refusal, and env looked only where something is
    assert seen[-2:] == [("/usr/bin/env", ("bin/env", "true")), ("/usr/bin/true", ("true",))]
    assert not (ground.upper / "x").exists()


def test_a_program_without_a_name_is_shown_too(ground: Ground) -> None:
    code = (
        "import os, ctypes\nfd = os.memfd_create('x')\nos.write(fd, open('/bin/true', 'rb').read())\n"
        "if os.fork() == 0: os.execve(fd, ['hidden', 'word'], {})\nos.wait()"
    )
    _, witness = ground.python(code)
    assert [each.argv for each in witness.programs] == [("hidden", "word")]
    assert "memfd" in witness.programs[0].path


def test_arguments_too_many_to_read_are_refused(ground: Ground) -> None:
    code = (
        "import subprocess\nsubprocess.run(['true', *['x' * 1000] * 500])\n"
        "try: subprocess.run(['true', *['x'] * 70000])\nexcept PermissionError: print('held')"
    )
    _, witness = ground.python(code)
    assert witness.printed == "held\n", witness.stderr
    assert [len(each.argv) for each in witness.programs] == [501]


def test_a_watcher_that_fails_refuses_the_program(ground: Ground) -> None:
    def fail(_: object) -> bool:
        raise RuntimeError("no ledger")

    witness = Witness()
    witness.refuse = fail
    assert said(ground, witness, "touch x; echo $?") == "126\n"


def test_nobody_inside_can_take_the_observers_place(ground: Ground) -> None:
    code = (
        "import ctypes, struct\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "body = struct.pack('HBBI', 6, 0, 0, 0x7fff0000); held = ctypes.create_string_buffer(body)\n"
        "program = struct.pack('HxxxxxxP', 1, ctypes.addressof(held))\n"
        "print(libc.syscall(317, 1, 8, program), ctypes.get_errno())"
    )
    _, witness = ground.python(code)
    assert witness.printed == "-1 16\n"


def test_without_an_observer_programs_run_unseen(ground: Ground) -> None:
    witness = Witness()
    assert said(ground, witness, "env true; echo ran", observe=False) == "ran\n"
    assert witness.programs == []


# ---------------------------------------------------------------- the proxy


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def loop() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("tls")
    key, cert = place / "key.pem", place / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([*words, "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


REQUEST = """
import os, socket, ssl, sys
def proxy(head):
    s = socket.create_connection(('127.0.0.1', 3128)); s.settimeout(10); s.sendall(head)
    return s
def ask(head):
    s, got = proxy(head), b''
    while data := s.recv(65536): got += data
    return got.decode()
"""


def test_an_allowed_host_answers_and_sees_the_approved_name(ground: Ground) -> None:
    seen = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with serving(answer) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = REQUEST + (
            f"print(ask(b'GET http://localhost:{port}/a?b HTTP/1.1\\r\\nHost: evil.example\\r\\nX: y\\r\\nProxy-Authorization: z\\r\\n\\r\\n'))\n"
            f"print(ask(b'POST http://localhost:{port}/ HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\nabGET http://x/ HTTP/1.1\\r\\n\\r\\n'))\n"
        )
        _, witness = ground.python(code, network=True, witness=witness)
    assert witness.printed.count("hello") == 2, witness.printed + witness.stderr.decode()
    assert seen[0] == f"GET /a?b HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nX: y\r\n\r\n".encode()
    assert seen[1].endswith(b"\r\n\r\nab")
    assert witness.hosts == [("localhost", port)] * 2


def test_usual_programs_find_the_proxy_by_themselves(ground: Ground) -> None:
    with serving(lambda c: (c.recv(65536), c.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello"))[1]) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = f"import urllib.request as u; print(u.urlopen('http://localhost:{port}/').read())"
        _, witness = ground.python(code.replace("localhost", "localhost."), network=True, witness=witness)
    assert witness.printed == "b'hello'\n", witness.stderr.decode()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("GET http://localhost:1/ HTTP/1.1", "not allowed by the contract"),
        ("CONNECT localhost:1 HTTP/1.1", "not allowed by the contract"),
        ("CONNECT 127.0.0.1:{port} HTTP/1.1", "address"),
        ("CONNECT 2130706433:{port} HTTP/1.1", "address"),
        ("CONNECT 0x7f000001:{port} HTTP/1.1", "address"),
        ("CONNECT [::1]:{port} HTTP/1.1", "no host"),
        ("GET http://localhost@evil.example:{port}/ HTTP/1.1", "no host"),
        ("GET http://evil.example#.localhost:{port}/ HTTP/1.1", "without a path"),
        ("CONNECT localhost HTTP/1.1", "port"),
        ("CONNECT localhost:99999 HTTP/1.1", "port"),
        ("GET https://localhost:{port}/ HTTP/1.1", "CONNECT"),
        ("GET / HTTP/1.1", "CONNECT"),
        ("POST http://localhost:{port}/ HTTP/1.1\r\nTransfer-Encoding: chunked", "Content-Length"),
        ("POST http://localhost:{port}/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", "two lengths"),
        ("GET http://localhost:{port}/ HTTP/1.1\r\nX : y", "header line"),
        ("GET http://localhost:{port}/ HTTP/1.1\r\n folded", "header line"),
        ("GET http://localhost:{port}/ HTTP/1.1\nX: y", "not a proxy request"),
        ("SSH-2.0-x", "not a proxy request"),
    ],
)  # fmt: skip
def test_what_was_not_allowed_or_cannot_be_read_never_connects(ground: Ground, head: str, words: str) -> None:
    reached = []
    with serving(lambda c: reached.append(1)) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = REQUEST + f"print(ask({(head.replace('{port}', str(port)) + chr(13) + chr(10) + chr(13) + chr(10)).encode()!r}))"
        _, witness = ground.python(code, network=True, witness=witness)
    assert words in witness.printed, witness.printed
    assert " 40" in witness.printed
    assert not reached


TUNNEL = (
    REQUEST
    + """
def tunnel(host, port, name):
    s = proxy(f'CONNECT {{host}}:{{port}} HTTP/1.1\\r\\n\\r\\n'.encode())
    assert b' 200 ' in s.recv(65536)
    context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
    try:
        t = context.wrap_socket(s, server_hostname=name); t.sendall(b'ping'); print(t.recv(100))
    except (ssl.SSLError, OSError) as e: print('held', e)
def raw(port, data):
    s = proxy(f'CONNECT localhost:{{port}} HTTP/1.1\\r\\n\\r\\n'.encode()); s.recv(65536); s.sendall(data); print(s.recv(1000))
"""
)


def test_a_tunnel_carries_only_tls_for_the_host_it_was_approved_for(ground: Ground, certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])

    reached = []

    def answer(connection: socket.socket) -> None:
        reached.append(1)
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"pong " + tls.recv(100))

    with serving(answer) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = TUNNEL.replace("{{", "{").replace("}}", "}") + (
            f"tunnel('localhost', {port}, 'localhost'); tunnel('localhost', {port}, 'evil.example'); tunnel('localhost', {port}, None)\n"
            f"raw({port}, b'SSH-2.0-OpenSSH\\r\\n'); raw({port}, b'GET / HTTP/1.1\\r\\n\\r\\n')"
        )
        _, witness = ground.python(code, network=True, witness=witness)
    lines = witness.printed.splitlines()
    assert lines[0] == "b'pong ping'", witness.printed + witness.stderr.decode()
    assert all(line.startswith("held") for line in lines[1:3])
    assert all("only TLS" in line for line in lines[3:])
    assert len(reached) == 1
    assert len([each for each in witness.told if each[0] == "fetch"]) == 4
    assert any("evil.example" in by for _, _, by in witness.told)


def test_a_name_that_leads_to_this_machine_is_refused(ground: Ground) -> None:
    from remit.adapters.sandboxes.bubblewrap import Bubblewrap

    ground.sandbox = Bubblewrap(ground.place / "cache")
    reached = []
    with serving(lambda c: reached.append(1)) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = REQUEST + f"print(ask(b'GET http://localhost:{port}/ HTTP/1.1\\r\\n\\r\\n'))"
        _, witness = ground.python(code, network=True, witness=witness)
    assert "not public" in witness.printed
    assert not reached


def test_the_byte_budget_ends_a_download(ground: Ground) -> None:
    from remit.adapters.sandboxes.bubblewrap import Bubblewrap

    ground.sandbox = Bubblewrap(ground.place / "cache", dangerously_allow_loopback=True, egress=100_000)
    with serving(lambda c: (c.recv(65536), c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(1 << 20)))[1]) as port:
        witness = Witness()
        witness.reachable = {("localhost", port)}
        code = REQUEST + f"print(len(ask(b'GET http://localhost:{port}/ HTTP/1.1\\r\\n\\r\\n')))"
        _, witness = ground.python(code, network=True, witness=witness)
    assert int(witness.printed or 0) <= 100_000
    assert any("budget" in by for _, _, by in witness.told)


def test_without_network_there_is_no_proxy(ground: Ground) -> None:
    _, witness = ground.python(REQUEST + "try: proxy(b'')\nexcept ConnectionRefusedError: print('held')")
    assert witness.printed == "held\n"

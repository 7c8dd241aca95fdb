"""JSON, TOML and YAML are read as their readers read them, and nothing in them can hurt."""

import time

import pytest

from remit.plan.validating.syntax import broken


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", '{"a": [1, 2.5, null]}'), ("a.json", "\ufeff{}"), ("a.toml", "[a]\nb = 1\n"), ("a.yaml", "a: 1\n---\nb: [x]\n"), ("a.yml", "x: !Ref y\nz: &a 1\nw: *a\n"),
        ("a.txt", "{"), ("a.json", ""), ("templates/a.yaml", "{{ if x }}\n a: {{ b }}"), ("json", "{"),
    ],
)  # fmt: skip
def test_what_reads_well_is_no_issue(path: str, text: str) -> None:
    assert broken(path, text.encode()) is None


@pytest.mark.parametrize(
    ("path", "text", "line", "severe"),
    [
        ("a.json", '{\n"a": }', 2, True), ("a.toml", "a = 1\nb =\n", 2, True), ("a.yaml", "a: [1\nb: 2\n", 2, True), ("a.json", "[" * 5000, 0, True),
        ("tsconfig.json", '{"a": 1, // why\n}', 1, False), ("a.toml", b"a = '\xff'", 0, True), ("a.yaml", "x: {{ y }\n", 2, True), ("a.yaml", b"\0", 0, True),
    ],
)  # fmt: skip
def test_what_does_not_parse_is_an_issue_with_its_line(path: str, text: str | bytes, line: int, severe: bool) -> None:
    found = broken(path, text.encode() if isinstance(text, str) else text)
    assert found is not None
    assert (found.line, found.severe) == (line, severe)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("bomb.yaml", b"a: &a [x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + at, 98 + at, b",".join([b"*%c" % (97 + at)] * 8)) for at in range(20))),
        ("deep.yaml", b"[" * 100_000), ("wide.json", b"[" + b"1," * 2_000_000 + b"1]"), ("wide.yaml", b"- x\n" * 900_000), ("long.toml", b"a = [" + b"1," * 1_500_000 + b"]"),
        ("huge.json", b" " * (4 << 20) + b"{"),
    ],
)  # fmt: skip
def test_a_file_that_is_made_to_hurt_is_read_quickly_or_said_not_to_be(path: str, data: bytes) -> None:
    began = time.monotonic()
    broken(path, data)
    assert time.monotonic() - began < 10

"""`remit decide`: JSON lines in, JSON lines out, one run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

REFUND = """
goal: Answer refund requests
owner: support-manager@example.com
may:
  - call: refund
    where: {amount: {from: 0.01, to: 50}, currency: EUR, customer: any, order_id: any}
  - call: create
    where: {name: any}
  - call: share
    where: {file: {created: this run}}
  - delegate: script
    times: 1
  - run: git status
ask:
  - call: refund
    where: {amount: {over: 50, to: 500}}
    who: support-lead
never:
  - write: package.json
    because: the version is bumped by the release job
limits:
  time: 1h
  calls: 50
  sums: [{sum: refund.amount, per: customer, within: 1h, to: 200, then: ask}]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "refund.remit.yaml"
    path.write_text(REFUND)
    return path


def ask(
    path: Path, *lines: str, options: tuple[str, ...] = (), home: Path | None = None
) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "remit.cli.main", "decide", str(path), *options],
        input="".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        env={"REMIT_HOME": str(path.parent / "home"), "PATH": "/usr/bin:/bin"},
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def refund(amount: str, **more: str) -> str:
    fields = {"currency": '"EUR"', "customer": '"c1"', "order_id": '"o1"', "amount": amount, **more}
    inner = ", ".join(f'"{name}": {text}' for name, text in fields.items())
    return f'{{"verb": "call", "object": "refund", "arguments": {{{inner}}}}}'


def words(found: list[dict[str, Any]]) -> list[str]:
    return [line["decision"] for line in found]


def test_a_line_is_answered_by_a_line(place: Path) -> None:
    code, found, said = ask(place, '{"verb": "write", "object": "package.json"}', refund("50.01"))
    for line in found:
        for reason in line["reasons"]:
            assert reason.pop("contract").startswith("sha256:")
    assert (code, said) == (0, "")
    assert found == snapshot(
        [
            {
                "decision": "refuse",
                "of": None,
                "reasons": [
                    {
                        "code": "AUTHORITY",
                        "rule": "never-write-1",
                        "why": "`package.json` must never be written: the version is bumped by the release job",
                        "instead": "",
                    }
                ],
            },
            {
                "decision": "ask",
                "of": "support-lead",
                "reasons": [
                    {
                        "code": "APPROVAL",
                        "rule": "ask-call-1",
                        "why": "`refund` may only be called when support-lead says yes",
                        "instead": "",
                    }
                ],
            },
        ]
    )


def test_amounts_are_read_as_written(place: Path) -> None:
    amounts = [
        "50.00",
        "5e1",
        "50.000000000000000000001",
        "0.01",
        "0.009999999999999",
        "true",
        '"50"',
        "-5",
        "null",
        "1e400",
    ]
    code, found, _ = ask(place, *(refund(amount, customer=f'"c{index}"') for index, amount in enumerate(amounts)))
    assert code == 0
    assert words(found) == ["allow", "allow", "ask", "allow", "refuse", "refuse", "refuse", "refuse", "refuse", "refuse"]


def test_the_lines_are_one_run_and_its_sums_add_up(place: Path) -> None:
    _, found, _ = ask(place, *[refund("50.00")] * 5, refund("50", customer='"c2"'))
    assert words(found) == ["allow"] * 4 + ["ask", "allow"]
    assert found[4]["of"] == "owner"


def test_only_allowed_lines_are_counted(place: Path) -> None:
    _, found, _ = ask(
        place,
        *[refund("60")] * 5,
        *[refund("50")] * 4,
        '{"verb": "delegate", "object": "x"}',
        *['{"verb":"delegate","object":"script"}'] * 2,
    )
    assert words(found) == ["ask"] * 5 + ["allow"] * 4 + ["refuse", "allow", "refuse"]
    assert found[-1]["reasons"][0]["code"] == "LIMIT"


def test_what_an_allowed_call_returned_was_created_in_this_run(place: Path) -> None:
    share = '{"verb": "call", "object": "share", "arguments": {"file": "f-1"}}'
    create = '{"verb": "call", "object": "create", "arguments": {"name": "n"}, "result": {"files": [{"id": "f-1"}], "n": 7}}'
    refused = '{"verb": "call", "object": "other", "result": "f-2"}'
    _, found, _ = ask(place, share, create, share, share.replace('"f-1"', "7"), refused, share.replace("f-1", "f-2"))
    assert words(found) == ["refuse", "allow", "allow", "allow", "refuse", "refuse"]


BAD = [
    '{"verb": "call", "verb": "call", "object": "refund"}',
    '{"verb": "call", "object": "refund", "arguments": {"amount": 1, "amount": 2}}',
    refund("NaN"),
    refund("Infinity"),
    refund("-Infinity"),
    "garbage",
    "[]",
    '{"verb": "fly", "object": "x"}',
    '{"verb": "call"}',
    '{"verb": "call", "object": "x", "arguments": []}',
    '{"verb": "call", "object": "x", "argumnets": {}}',
    '{"verb": "call", "object": "x", "arguments": ' + "[" * 100 + "]" * 100 + "}",
    '{"verb": "call", "object": "x", "arguments": {"a": ' + "[" * 100_000 + "}}",
    '{"verb": "call", "object": "x", "arguments": {"a": ' + "9" * 5000 + "}}",
    "\udcff",
    '{"verb": "call", "object": "x"} trailing',
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_line_is_named_refused_and_keeps_its_place(place: Path, bad: str) -> None:
    code, found, said = ask(place, refund("1"), bad, refund("2"))
    assert code == 2
    assert words(found) == ["allow", "refuse", "allow"]
    assert found[1]["reasons"][0]["code"] == "INPUTS"
    assert said.startswith("remit: line 2: ")
    assert "Traceback" not in said


def test_a_command_is_a_list_and_a_shell_line_is_asked(place: Path) -> None:
    _, found, _ = ask(
        place,
        '{"verb": "run", "object": ["git", "status"]}',
        '{"verb": "run", "object": "git status"}',
        '{"verb":"run","object":"git status;x"}',
    )
    assert words(found) == ["allow", "ask", "refuse"]


def test_half_a_character_is_refused_without_an_accident(place: Path) -> None:
    _, found, _ = ask(place, '{"verb": "call", "object": "create", "arguments": {"name": "\\ud800"}}')
    assert (words(found), found[0]["reasons"][0]["code"]) == (["refuse"], "INPUTS")


def test_the_clock_can_be_set(place: Path) -> None:
    code, found, _ = ask(place, refund("1"), options=("--at", "2026-01-31T12:00:00Z", "--json"))
    assert (code, words(found)) == (0, ["allow"])
    code, _, said = ask(place, refund("1"), options=("--at", "tomorrow"))
    assert (code, "`tomorrow` is not a moment" in said) == (2, True)


def test_an_incomplete_contract_still_answers(tmp_path: Path) -> None:
    path = tmp_path / "draft.remit.yaml"
    path.write_text("may:\n  - read: '**'\n  - call: pay\n    where: {amount: {from: 0, to: 5}}\n")
    code, found, _ = ask(path, '{"verb": "read", "object": "a"}', '{"verb": "call", "object": "pay", "arguments": {"amount": 5}}')
    assert (code, words(found)) == (0, ["allow", "refuse"])
    assert found[1]["reasons"][0]["code"] == "RISK-OWNER"


def test_a_contract_whose_rules_are_wrong_answers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "wrong.remit.yaml"
    path.write_text("may:\n  - raed: '**'\n")
    code, found, said = ask(path, '{"verb": "read", "object": "a"}')
    assert (code, found) == (2, [])
    assert "raed" in said


def test_the_organisation_is_the_outermost_contract(place: Path, tmp_path: Path) -> None:
    organisation = tmp_path / "org.remit.yaml"
    organisation.write_text(
        "name: Shop\npeople:\n  - id: lead@example.com\n    roles: [support-lead]\nnever:\n  - call: create\n"
    )
    lines = (refund("1"), refund("60", customer='"c2"'), '{"verb": "call", "object": "create", "arguments": {"name": "n"}}')
    _, found, said = ask(place, *lines, options=("--org", str(organisation)))
    assert (words(found), said) == (["allow", "ask", "refuse"], "")

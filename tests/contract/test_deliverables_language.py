"""What must be left behind, and what must be seen, as a contract says it."""

import json

import pytest
from jsonschema import Draft202012Validator

from remit.contract.deliverable import Content, Deliverable, DeliverablesCheck, ObservedCheck
from remit.contract.parse import parse
from remit.contract.print import print_contract
from remit.contract.schema import contract_schema

HEAD = """
goal: The service answers with its routes and its tests
owner: release-lead@example.com
may: [{write: src/}]
limits: {turns: 9, time: 1m}
recovery: [{when: failed, do: undo}]
success:
"""


def of(text: str) -> tuple[object, list[str]]:
    parsed = parse(HEAD + text, file="c")
    said = [f"{finding.code} {finding.where}: {finding.message}" for finding in parsed.findings]
    return (parsed.contract.success if parsed.contract else None), said


WHOLE = """
  - id: due
    deliverables:
      - name: API endpoints
        by: api-skill
        files: [src/api.py, src/routes/, "src/**/*.py"]
        either: [[alembic.ini, drizzle.config.ts]]
        contains: [{pattern: 'resources:\\s*x', in: src/}]
      - {name: README, files: README.md}
    at least: 80
    quality: true
    empty: [tests/]
  - {id: asked, invoked: "backend:api"}
  - {id: well, invoked: [a, b], ended: well, steps: all, reported: well}
"""


def test_deliverables_and_what_was_seen_are_read_as_they_are_written() -> None:
    checks, said = of(WHOLE)
    assert said == []
    api = Deliverable(
        name="API endpoints", by="api-skill", files=("src/api.py", "src/routes/", "src/**/*.py"),
        either=(("alembic.ini", "drizzle.config.ts"),), contains=(Content(pattern=r"resources:\s*x", place="src/"),),
    )  # fmt: skip
    readme = Deliverable(name="README", files=("README.md",))
    assert checks == (
        DeliverablesCheck(id="due", deliverables=(api, readme), at_least=80, quality=True, empty=("tests/",)),
        ObservedCheck(id="asked", invoked=("backend:api",)),
        ObservedCheck(id="well", invoked=("a", "b"), ended_well=True, steps=True, reported=True),
    )


def test_they_are_printed_as_they_were_read() -> None:
    parsed = parse(HEAD + WHOLE, file="c")
    assert parsed.contract is not None
    assert parse(print_contract(parsed.contract), file="p").contract == parsed.contract


def test_the_schema_of_the_contract_knows_them() -> None:
    import yaml

    schema = Draft202012Validator(contract_schema())
    whole = yaml.safe_load(HEAD + WHOLE)
    assert [error.message for error in schema.iter_errors(whole)] == []
    for wrong in (
        {"deliverables": []},
        {"deliverables": [{"name": "a"}]},
        {"ended": "badly"},
        {"deliverables": [{"name": "a", "files": "b"}], "at least": 101},
    ):
        assert list(schema.iter_errors({**whole, "success": [wrong]})), json.dumps(wrong)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("  - deliverables: []", "NOT-TESTABLE success[0].deliverables: nothing has to be delivered"),
        ("  - deliverables: [{name: a}]", "NOT-TESTABLE success[0].deliverables[0]: `a` says nothing that a machine could look for"),
        ("  - deliverables: [{files: [a]}]", "NOT-UNDERSTOOD success[0].deliverables[0]: the deliverable has no name"),
        ("  - deliverables: [{name: a, files: [b]}, {name: a, files: [c]}]", "DUPLICATE-ID success[0].deliverables[1]: two deliverables are called `a`"),
        ("  - deliverables: [{name: a, files: [../b]}]", "PATH success[0].deliverables[0].files[0]: `..` leads out of what the rule names"),
        ("  - {deliverables: [{name: a, files: [b]}], at least: 101}", "NOT-UNDERSTOOD success[0].at least: `101` is more than everything"),
        ("  - {deliverables: [{name: a, files: [b]}], at least: 0}", "NOT-UNDERSTOOD success[0].at least: `0` is too small"),
        ("  - deliverables: [{name: a, contains: [{pattern: '(?=a)', in: b}]}]", "REGEX success[0].deliverables[0].contains[0].pattern:"),
        ("  - deliverables: [{name: a, contains: [{pattern: a}]}]", "NOT-UNDERSTOOD success[0].deliverables[0].contains[0].in: `in` is missing"),
        ("  - {deliverables: [{name: a, files: [b]}], run: make}", "NOT-TESTABLE success[0]: a check of two kinds at once"),
        ("  - {deliverables: [{name: a, files: [b]}], invoked: c}", "NOT-TESTABLE success[0]: a check of two kinds at once"),
        ("  - invoked: []", "NOT-TESTABLE success[0]: no skill is named"),
        ("  - ended: badly", "UNKNOWN-WORD success[0].ended: unknown word `badly`"),
        ("  - deliverables: [{name: a, either: [b]}]", "NOT-UNDERSTOOD success[0].deliverables[0].either[0]: `b` is no choice"),
        ("  - deliverables: [{name: a, files: [b], owner: c}]", "UNKNOWN-KEY success[0].deliverables[0].owner: unknown key `owner`"),
    ],
)  # fmt: skip
def test_every_mistake_in_a_deliverable_is_named_at_its_place(text: str, finding: str) -> None:
    _, said = of(text)
    assert any(each.startswith(finding) for each in said), said

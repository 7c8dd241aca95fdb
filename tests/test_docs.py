"""The documents are true of the code where a machine can see it: links lead somewhere, contracts load, tables are whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from remit.cli.main import VERBS
from remit.contract.parse import CONTRACT_KEYS, ORGANISATION_KEYS, parse, parse_organisation
from remit.run.event import Event
from remit.run.lifecycle import diagram

ROOT = Path(__file__).parent.parent
LOOKUP = ROOT / "docs" / "lookup"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CONTRACT = re.compile(r"(?m)^    goal: .*\n(?:(?:    .*)?\n)+")
CONTRACTS = sorted(
    path for path in (ROOT / "examples").rglob("*.remit.yaml") if "incomplete" not in path.name and "org" not in path.name
)


SNIPPETS = [
    (page.name, number, text)
    for page in (ROOT / "docs" / "do").glob("*.md")
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL), 1)
]


def rows(page: str) -> list[str]:
    """The first cell of every table row, when it is a single name in code."""
    return re.findall(r"^\| `([^`|]+)` \|", (LOOKUP / page).read_text(), re.MULTILINE)


def test_every_link_of_the_documents_leads_somewhere() -> None:
    checker = ROOT / "examples" / "release" / "repository" / "tools" / "check_links.py"
    said = subprocess.run([sys.executable, checker, "."], cwd=ROOT / "docs", capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "every link leads somewhere\n")
    top = [
        f"{page.name}: {target}"
        for page in ROOT.glob("*.md")
        for target in re.findall(r"\]\(([^)#]+)", page.read_text())
        if not target.startswith("http") and not (ROOT / target).exists()
    ]
    assert top == []


def test_the_verbs_page_lists_every_verb_and_no_other() -> None:
    assert [row for row in rows("verbs.md") if not row.startswith("remit ")] == list(VERBS)


def test_the_events_page_lists_every_event_and_no_other() -> None:
    assert rows("events.md") == [fact.__struct_config__.tag for fact in Event.__args__]


def test_the_findings_page_names_every_code() -> None:
    found = re.compile(r'''(?:code=|say\(|_finding\(|of_rule\(|of_check\(|yield )\s*"([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*)"''')
    sources = [path for chapter in ("contract", "authority") for path in (ROOT / "src" / "remit" / chapter).rglob("*.py")]
    codes = {code for path in sources for code in found.findall(path.read_text())}
    assert len(codes) > 50
    text = (LOOKUP / "findings.md").read_text()
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


def test_the_drawing_of_a_run_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in (ROOT / "docs" / "know" / "life-of-a-run.md").read_text()


def test_the_contract_page_names_every_key() -> None:
    text = (LOOKUP / "contract-file.md").read_text()
    assert [key for key in CONTRACT_KEYS if key != "principal" and f"`{key}`" not in text] == []
    organisation = (ROOT / "docs" / "do" / "organisation-file.md").read_text()
    assert [key for key in ORGANISATION_KEYS if f"`{key}`" not in organisation] == []


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_every_contract_of_the_examples_is_whole(path: Path) -> None:
    parsed = parse(path.read_text(), file=path.name)
    assert parsed.findings == ()
    assert parsed.contract is not None


def test_the_contract_of_the_readme_is_whole() -> None:
    found = CONTRACT.findall((ROOT / "README.md").read_text())
    assert len(found) == 1
    parsed = parse(re.sub("(?m)^    ", "", found[0]), file="readme.remit.yaml")
    assert parsed.findings == ()
    assert parsed.contract is not None


def test_each_way_to_connect_a_tool_has_an_example() -> None:
    assert [name for name, _, _ in SNIPPETS if name == "connect-tools.md"] == ["connect-tools.md"] * 5


@pytest.mark.parametrize(("page", "number", "text"), SNIPPETS, ids=[f"{name}-{number}" for name, number, _ in SNIPPETS])
def test_every_organisation_in_the_documents_is_whole(page: str, number: int, text: str) -> None:
    parsed = parse_organisation(text, file=page)
    assert parsed.findings == ()
    assert parsed.organisation is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_names_a_verb_that_does_not_exist(page: Path) -> None:
    named = set(re.findall(r"(?:^    (?:\$ )?|`)remit ([a-z]+)", page.read_text(), re.MULTILINE))
    assert named - set(VERBS) - {"act", "ask", "done", "skill"} == set()

"""The release example without remit: what its parts promise each other, and that its attacks are real ones."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remit.authority.action import Action
from remit.authority.compile import compile_contract
from remit.authority.decide import decide
from remit.authority.decision import word
from remit.authority.spent import Spent
from remit.contract.parse import parse

RELEASE = Path(__file__).parent.parent / "examples" / "release"
HOSTILE = sorted(path for path in (RELEASE / "hostile").glob("*.py") if path.stem != "attempt")


def python(*words: str | Path, at: Path) -> subprocess.CompletedProcess[str]:
    """One program, with no `remit` on its way and nothing of the person who runs it."""
    environment = {
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return subprocess.run([sys.executable, *words], cwd=at, env=environment, capture_output=True, text=True, check=False)


def git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


def made(tmp_path: Path, *options: str) -> Path:
    target = tmp_path / "lantern"
    ended = python(RELEASE / "make_repository.py", target, *options, at=tmp_path)
    assert ended.returncode == 0, ended.stderr
    return target


def links(repository: Path) -> list[str]:
    ended = python("tools/check_links.py", "docs", at=repository)
    assert ended.stderr == ""
    assert ended.returncode == (ended.stdout != "every link leads somewhere\n")
    return ended.stdout.splitlines() if ended.returncode else []


def work(repository: Path) -> subprocess.CompletedProcess[str]:
    ended = python(RELEASE / "agent" / "agent.py", at=repository)
    assert ended.returncode == 0, ended.stderr
    return ended


def changed(repository: Path, base: str) -> list[str]:
    return git(repository, "diff", "--name-only", base, "HEAD").splitlines()


def test_the_repository_starts_with_three_broken_links_no_changelog_and_a_remote(tmp_path: Path) -> None:
    repository = made(tmp_path)
    assert links(repository) == [
        "docs/configuration.md:3: install.md#requirements",
        "docs/reading.md:3: configuration.md#time-limits",
        "docs/reading.md:5: rota.md",
    ]
    assert "v2.4.0" not in (repository / "CHANGELOG.md").read_text()
    assert '"version": "2.3.0"' in (repository / "package.json").read_text()
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "ls-remote", "--heads", "origin").split()[1:] == ["refs/heads/main"]
    assert git(repository, "branch", "--format=%(refname:short)").split() == ["main", "next"]


def test_the_same_arguments_always_make_the_same_commits(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    heads = {git(made(place), "rev-parse", "HEAD") for place in (first, second)}
    assert len(heads) == 1
    authors = git(first / "lantern", "log", "--format=%an <%ae>")
    assert set(authors.splitlines()) == {"Release Lead <release-lead@example.com>"}


def test_the_agent_mends_what_it_can_and_lists_the_one_link_it_cannot(tmp_path: Path) -> None:
    repository = made(tmp_path)
    base = git(repository, "rev-parse", "HEAD")
    said = work(repository).stdout
    assert links(repository) == ["docs/reading.md:5: rota.md"]
    listed = [line for line in (repository / "broken-links.md").read_text().splitlines() if line.startswith("docs/")]
    assert listed == links(repository)
    assert changed(repository, base) == ["CHANGELOG.md", "broken-links.md", "docs/configuration.md", "docs/reading.md"]
    assert git(repository, "status", "--porcelain") == ""
    assert "not pushed: nobody to ask here" in said


def test_the_changelog_tells_the_commits_since_the_last_release_by_kind(tmp_path: Path) -> None:
    repository = made(tmp_path)
    work(repository)
    text = (repository / "CHANGELOG.md").read_text()
    assert re.search(r"^## \[?v2\.4\.0", text, re.MULTILINE)
    section = text[text.index("## [v2.4.0] - 2026-03-18") : text.index("## [v2.3.0]")]
    assert section.index("### Added") < section.index("- List services by name.") < section.index("### Fixed")
    assert section.index("### Fixed") < section.index("- Count a redirect as an answer.")
    assert "release v2.3.0" not in section


def test_when_every_link_can_be_mended_there_is_no_list(tmp_path: Path) -> None:
    repository = made(tmp_path, "--all-fixable")
    assert len(links(repository)) == 2
    work(repository)
    assert links(repository) == []
    assert not (repository / "broken-links.md").exists()


def test_as_many_links_to_nowhere_as_asked_for_are_all_listed(tmp_path: Path) -> None:
    repository = made(tmp_path, "--links", "3")
    assert len(links(repository)) == 5
    work(repository)
    assert [line.rsplit(": ", 1)[1] for line in links(repository)] == ["rota.md", "rota-2.md", "rota-3.md"]
    assert all(line in (repository / "broken-links.md").read_text() for line in links(repository))


def test_working_a_second_time_changes_nothing(tmp_path: Path) -> None:
    repository = made(tmp_path)
    work(repository)
    head = git(repository, "rev-parse", "HEAD")
    work(repository)
    assert git(repository, "rev-parse", "HEAD") == head


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ('{"decision": "refuse", "reasons": [{"code": "AUTHORITY", "why": "never push any"}]}', 3, "not pushed: never push any"),
        (
            '{"decision": "ask", "reasons": [{"code": "APPROVAL", "why": "a person must say so"}]}',
            4,
            "not pushed: a person must say so",
        ),
        ("nonsense", 3, "not pushed: asked: act push origin"),
        ('{"decision": "allow", "reasons": []}', 0, "may be pushed; that is left to whoever reviews"),
    ],
)
def test_the_agent_asks_before_it_announces_and_ends_well_whatever_it_hears(
    tmp_path: Path, answer: str, code: int, said: str
) -> None:
    repository = made(tmp_path)
    before = git(repository, "ls-remote", "origin")
    door = tmp_path / "bin" / "remit"
    door.parent.mkdir()
    door.write_text(f"#!/bin/sh\necho '{answer}'\necho \"asked: $*\" >&2\nexit {code}\n")
    door.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, RELEASE / "agent" / "agent.py"],
        cwd=repository,
        env={"PATH": f"{door.parent}:{os.defpath}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines()[-2:] == [said, "ready for review"]
    assert git(repository, "ls-remote", "origin") == before


CHECKED = {
    "[a](page.md)": [],
    "[a](page.md#a-heading)": [],
    "[a](page.md#a-heading-1)": [],
    "[a](page.md#a-heading-2)": ["page.md#a-heading-2"],
    "[a](page.md#nowhere)": ["page.md#nowhere"],
    "[a](#here)": [],
    "[a](#there)": ["#there"],
    "[a](missing.md 'title')": ["missing.md"],
    "![picture](missing.png)": ["missing.png"],
    "[a](<page.md>)": [],
    "[a](%70age.md)": [],
    "[a](https://example.com/missing.md)": [],
    "[a](mailto:release-lead@example.com)": [],
    "[a]: missing.md": ["missing.md"],
    "`[a](missing.md)`": [],
    "```\n[a](missing.md)\n```": [],
    "[a](Page.md)": ["Page.md"],
    "[a](one.md) and [b](two.md)": ["one.md", "two.md"],
}


@pytest.mark.parametrize("text", CHECKED)
def test_the_link_checker_tells_a_link_that_leads_nowhere(tmp_path: Path, text: str) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "page.md").write_text("# A heading\n\n## A heading\n")
    (docs / "start.md").write_text(f"# Here\n\n{text}\n")
    ended = python(RELEASE / "repository" / "tools" / "check_links.py", "docs", at=tmp_path)
    found = [line.split(": ", 1)[1] for line in ended.stdout.splitlines() if line.startswith("docs/start.md:3: ")]
    assert found == CHECKED[text]
    assert ended.returncode == bool(CHECKED[text])


def test_a_link_checker_without_a_folder_cannot_say_that_all_is_well(tmp_path: Path) -> None:
    assert python(RELEASE / "repository" / "tools" / "check_links.py", "nowhere", at=tmp_path).returncode == 2


def test_there_is_a_hostile_agent_for_every_attack() -> None:
    assert [path.stem for path in HOSTILE] == [
        "branch_create", "branch_delete", "branch_switch", "package_by_dotdot", "package_by_editor", "package_by_link",
        "package_by_sed", "push_by_alias", "push_directly", "push_from_hook", "push_from_script", "version_bump", "write_source",
    ]  # fmt: skip


@pytest.mark.parametrize("program", HOSTILE, ids=lambda path: path.stem)
def test_where_nothing_holds_it_back_every_attack_succeeds(tmp_path: Path, program: Path) -> None:
    repository = made(tmp_path)
    base = git(repository, "rev-parse", "HEAD")
    ended = python(program, "nonce-7", at=repository)
    assert f"ATTEMPT {program.stem} nonce-7 " in ended.stdout, ended.stderr
    assert "v2.4.0" in (repository / "CHANGELOG.md").read_text()
    harm = {
        "push": git(repository, "ls-remote", "origin", "refs/heads/main").split()[0] != base,
        "branch": git(repository, "branch", "--format=%(refname:short)").split() != ["main", "next"],
        "package": "2.4.0" in (repository / "package.json").read_text(),
        "version": "v2.4.0" in git(repository, "tag") and "2.4.0" in (repository / "package.json").read_text(),
        "write": (repository / "src" / "a").exists(),
    }
    assert harm[program.stem.split("_")[0]]


@pytest.mark.parametrize(
    ("verb", "object_", "said"),
    [
        ("read", "src/index.js", "allow"),
        ("write", "docs/reading.md", "allow"),
        ("write", "CHANGELOG.md", "allow"),
        ("write", "docs/deep/er/page.md", "allow"),
        ("write", "docsx/page.md", "refuse"),
        ("write", "docs/../package.json", "refuse"),
        ("write", "package.json", "refuse"),
        ("write", "broken-links.md", "refuse"),
        ("write", "src/a", "refuse"),
        ("delete", "docs/reading.md", "refuse"),
        ("commit", "HEAD", "allow"),
        ("commit", "next", "refuse"),
        ("branch", "release-2.4", "refuse"),
        ("tag", "v2.4.0", "refuse"),
        ("push", "origin", "refuse"),
        ("read", ".env", "refuse"),
    ],
)
def test_the_contract_answers_as_its_sentences_say(verb: str, object_: str, said: str) -> None:
    contract = parse((RELEASE / "release.remit.yaml").read_text(), file="release.remit.yaml").contract
    assert contract is not None
    action = Action(verb=verb, object=object_)  # type: ignore[arg-type]
    decision = decide((compile_contract(contract, None),), action, spent=Spent(), now=datetime(2026, 4, 1, tzinfo=UTC))
    assert word(decision) == said
    assert decision.reasons


def test_the_refund_walk_through_shows_what_it_promises(tmp_path: Path) -> None:
    """As anybody runs it, but for making the environment ready, which whoever runs the tests has done."""
    scene = tmp_path / "examples" / "refunds"
    shutil.copytree(RELEASE.parent / "refunds", scene, ignore=shutil.ignore_patterns("__pycache__"))
    ready = tmp_path / "tools" / "ready"
    ready.parent.mkdir()
    ready.write_text("#!/bin/sh\n")
    ready.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "GIT_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", str(scene / "run")], env={**kept, "PATH": path, "TMPDIR": str(tmp_path)}, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    shown = ended.stdout + ended.stderr
    for promised in (
        "every step has its person",
        "WAITING FOR A PERSON",
        "to support-lead: [remit] Q1: May the agent call refund",
        "`refund` needs `order_id`",
        "`Q1` asks support-lead, not head-of-care@example.com",
        "Q1 answered yes by support-lead@example.com, signed and recorded",
        "id refund-1; answered for by head-of-care@example.com",
        "id refund-2; answered for by support-lead@example.com",
        "person-signed: seen the photo",
        "are what was recorded",
    ):
        assert promised in shown, promised
    assert "Traceback" not in shown

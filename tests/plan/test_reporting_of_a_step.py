"""Whatever shape a sub-agent's report has, it is read as far as it can be; what is odd about it is said, and nothing breaks."""

import os
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.plan.reported import Exported, Report
from remit.plan.reporting import MOST_TEXT, read_report, render_report

GOLDEN = """\
SKILL COMPLETE: ai-data-engineering

FILES CREATED:
- src/embed.py
- src/chunk.py

KEY DECISIONS:
- chunking: by heading
- model: a small one

OUTPUTS FOR NEXT SKILL:
- collection: docs
- dimension: 384
"""
FILES = ("src/embed.py", "src/chunk.py")
DECISIONS = ("chunking: by heading", "model: a small one")
OUTPUTS = (("collection", "docs"), ("dimension", "384"))


def read(text: str, skill: str = "ai-data-engineering", project: str = "/srv/rag") -> Report:
    return read_report(text, skill=skill, project=project)


def pairs(report: Report) -> tuple[tuple[str, str], ...]:
    return tuple((each.key, each.value) for each in report.outputs)


def files(*lines: str, project: str = "/srv/rag") -> tuple[str, ...]:
    return read("SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n" + "\n".join(lines), project=project).files


def test_the_required_format_is_read_without_a_remark() -> None:
    report = read(GOLDEN)
    assert (report.found, report.skill, report.files, report.decisions, report.odd) == (
        True,
        "ai-data-engineering",
        FILES,
        DECISIONS,
        (),
    )
    assert pairs(report) == OUTPUTS
    assert (report.warnings, report.needs_input) == ((), "")


def test_outputs_carry_their_skill_and_the_digest_of_the_words_they_stood_in() -> None:
    one, two = read(GOLDEN).outputs
    assert one.source == two.source == "ai-data-engineering"
    assert one.digest == two.digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", one.digest)
    assert read(GOLDEN + "\n").outputs[0].digest != one.digest


MALFORMED = {
    "stars and numbers for bullets": GOLDEN.replace("- src/embed", "* src/embed")
    .replace("- src/chunk", "2. src/chunk")
    .replace("- model", "• model"),
    "the wrong case": GOLDEN.lower(),
    "headings": re.sub(r"(?m)^(?=[A-Z])", "## ", GOLDEN).replace(":\n", "\n"),
    "bold titles": re.sub(r"(?m)^([A-Z ]+):", r"**\1:**", GOLDEN),
    "bold titles with the colon outside": re.sub(r"(?m)^([A-Z ]+):", r"**\1**:", GOLDEN),
    "a code fence around it": f"All done!\n\n```text\n{GOLDEN}```\nAnything else?",
    "no empty lines": GOLDEN.replace("\n\n", "\n"),
    "empty lines everywhere": GOLDEN.replace("\n", "\n\n"),
    "Windows line ends": GOLDEN.replace("\n", "\r\n"),
    "indented and quoted": re.sub(r"(?m)^", "  > ", GOLDEN),
    "words before and after": f"I read the instructions first.\n\n{GOLDEN}\nLet me know whether you need more.",
    "counts beside titles": GOLDEN.replace("CREATED:", "CREATED (2):").replace("DECISIONS:", "DECISIONS (2 items):"),
    "terminal colours": re.sub(r"(?m)^([A-Z ]+:)", "\x1b[1;32m\\1\x1b[0m", GOLDEN),
    "titles in a list": re.sub(r"(?m)^- ", "  - ", re.sub(r"(?m)^([A-Z ]+):", r"- **\1**:", GOLDEN)),
    "numbered titles": GOLDEN.replace("FILES C", "1. FILES C").replace("KEY", "2. KEY").replace("OUTPUTS", "3. OUTPUTS"),
    "marks and symbols": GOLDEN.replace("SKILL COMPLETE", "✅ SKILL COMPLETE")
    .replace("- src", "- [x] src")
    .replace("KEY", "🔑 KEY"),
    "no colon": GOLDEN.replace("COMPLETE:", "COMPLETE -").replace("CREATED:", "CREATED").replace("DECISIONS:", "DECISIONS"),
    "other titles": GOLDEN.replace("FILES CREATED", "Files created/modified")
    .replace("KEY DEC", "DEC")
    .replace("OUTPUTS FOR NEXT SKILL", "OUTPUTS"),
    "backquotes": GOLDEN.replace("- src/embed.py", "- `src/embed.py`").replace("- collection:", "- `collection`:"),
    "descriptions": GOLDEN.replace("embed.py", "embed.py - makes vectors").replace("chunk.py", "chunk.py (new, 40 lines)"),
    "absolute paths": GOLDEN.replace("- src", "- /srv/rag/src"),
    "files on one line": GOLDEN.replace(":\n- src/embed.py\n- ", ": src/embed.py, "),
    "tables": re.sub(r"(?m)^- ([^:\n]+)(?:: (.*))?$", r"| `\1` | \2 |", GOLDEN).replace(
        ":\n|", ":\n| what | why |\n|---|:--|\n|"
    ),
    "captions and rules": GOLDEN.replace("CREATED:\n", "CREATED:\n---\n**Source files:**\n").replace("\nKEY", "\n---\n\nKEY"),
    "no bullets": GOLDEN.replace("- ", ""),
    "a plugin before the name": GOLDEN.replace("ai-data", "ai-skills:ai-data"),
    "underscores in the name": GOLDEN.replace("ai-data-engineering", "AI_Data_Engineering"),
    "further sections": GOLDEN + "\nWARNINGS:\nNone\n\nNEXT STEPS:\n- src/later.py\n\n## Summary\n- b: c\n",
    "the template before it": "SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n- {file1}\n- {file2}\n\n" + GOLDEN,
    "the name after its sections": GOLDEN.split("\n", 2)[2] + "\n" + GOLDEN.split("\n")[0],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_report_says_the_same(name: str) -> None:
    report = read(MALFORMED[name])
    assert (report.found, report.files, report.decisions, pairs(report)) == (True, FILES, DECISIONS, OUTPUTS)
    assert report.skill == "ai-data-engineering"


def test_no_words_are_no_report() -> None:
    for text in (
        "",
        "\n\n",
        "I have looked around and found nothing to do.",
        "The skill is complete and its files were created.",
    ):
        report = read(text)
        assert (report.found, report.odd) == (False, ("there is no report",))


def test_missing_sections_are_named_and_the_rest_is_read() -> None:
    report = read("SKILL COMPLETE: ai-data-engineering\n\nFILES CREATED:\n- a.py")
    assert report.files == ("a.py",)
    assert report.odd == ("there is no KEY DECISIONS section", "there is no OUTPUTS FOR NEXT SKILL section")
    assert read("FILES CREATED:\n- a.py\nKEY DECISIONS: None\nOUTPUTS FOR NEXT SKILL: None").odd == (
        "there is no SKILL COMPLETE line",
    )


@pytest.mark.parametrize(
    "none", ["None", "- None", "- none.", "(none)", "N/A", "- No files were created", "*None*", "- None (read-only)", "", "- "]
)
def test_none_is_nothing_and_not_a_file_of_that_name(none: str) -> None:
    report = read(
        f"SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n{none}\nKEY DECISIONS:\n{none}\nOUTPUTS FOR NEXT SKILL: None"
    )
    assert (report.files, report.decisions, report.outputs, report.odd) == ((), (), (), ())


def test_a_decision_that_begins_with_none_is_kept() -> None:
    report = read("SKILL COMPLETE: ai-data-engineering\nKEY DECISIONS:\n- None of the caches fit, so there is no cache")
    assert report.decisions == ("None of the caches fit, so there is no cache",)


def test_of_several_reports_the_last_that_fits_the_skill_counts() -> None:
    other = GOLDEN.replace("ai-data-engineering", "model-serving").replace("src/", "serve/")
    early = GOLDEN.replace("src/", "draft/")
    assert read(early + GOLDEN + other).files == FILES
    assert read(early + GOLDEN + other, skill="model-serving").files == ("serve/embed.py", "serve/chunk.py")


def test_a_report_of_another_skill_is_read_and_noted() -> None:
    report = read(GOLDEN, skill="model-serving")
    assert (report.skill, report.files) == ("ai-data-engineering", FILES)
    assert report.odd == ("it reports ai-data-engineering, not model-serving",)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("- src/a.py - the API", "src/a.py"),
        ("- src/a.py – the API", "src/a.py"),
        ("- src/a.py: the API", "src/a.py"),
        ("- src/a.py # the API", "src/a.py"),
        ("- src/a.py → the API", "src/a.py"),
        ("- `src/a.py` the API", "src/a.py"),
        ("- **src/a.py**: the API", "src/a.py"),
        ("- [a.py](src/a.py) the API", "src/a.py"),
        ("- Created: src/a.py", "src/a.py"),
        ("- Created `src/a.py`", "src/a.py"),
        ('- "src/a.py",', "src/a.py"),
        ("- src/a.py:12-40", "src/a.py"),
        ("- ./src//b/../a.py", "src/a.py"),
        ("- src\\a.py", "src/a.py"),
        ("- file:///srv/rag/src/a.py", "src/a.py"),
        ("├── src/a.py", "src/a.py"),
        ("- src/a.py.", "src/a.py"),
        ("- docs/my guide.md", "docs/my guide.md"),
        ("- src/app/[id]/page.tsx", "src/app/[id]/page.tsx"),
        ("- src/(auth)/login.tsx - page", "src/(auth)/login.tsx"),
        ("- k8s/base/", "k8s/base/"),
        ("- .env.example", ".env.example"),
        ("- Dockerfile", "Dockerfile"),
        ("- new.py", "new.py"),
        ("- updated/notes.md", "updated/notes.md"),
    ],
)
def test_a_path_is_told_from_the_words_around_it(said: str, path: str) -> None:
    assert files(said) == (path,)


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "/srv/rag-other/a.py", "~/x.py", "$HOME/x.py", "C:\\x\\a.py"])
def test_a_path_outside_the_project_is_kept_and_marked_odd(path: str) -> None:
    report = read(f"SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n- {path}")
    assert report.files == (path,)
    assert report.odd[-1] == f"a file outside the project: {path}"


def test_a_path_that_climbs_out_and_back_is_what_it_resolves_to() -> None:
    assert files("- /srv/rag/../rag/src/a.py", "- /srv/rag/src/../../rag2/b.py") == ("src/a.py", "/srv/rag2/b.py")
    assert files("- /srv/rag/src/a.py", project="/srv/rag/") == ("src/a.py",)


def test_files_named_twice_count_once_and_what_is_no_path_is_noted() -> None:
    report = read(
        "SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n- a.py\n- ./a.py\n- all the things you wanted\n- /srv/rag"
    )
    assert report.files == ("a.py",)
    assert [each for each in report.odd if each.startswith("a file")] == [
        "a file could not be read: all the things you wanted",
        "a file could not be read: /srv/rag",
    ]


def test_outputs_come_with_equals_signs_with_lists_below_and_without_keys() -> None:
    report = read(
        "SKILL COMPLETE: ai-data-engineering\nOUTPUTS FOR NEXT SKILL:\n- **URL**=http://db:6333/x\n- exports:\n  - one\n  - two\n- ready to go"
    )
    assert pairs(report) == (("URL", "http://db:6333/x"), ("exports", "one, two"), ("", "ready to go"))
    assert report.odd[-1] == "an output has no key: ready to go"


def test_a_decision_over_several_lines_is_one() -> None:
    text = "SKILL COMPLETE: ai-data-engineering\nKEY DECISIONS:\n- store: in memory,\n  since it is small\n- warnings: are errors\n- files: none are kept"
    assert read(text).decisions == ("store: in memory, since it is small", "warnings: are errors", "files: none are kept")


def test_warnings_are_read() -> None:
    assert read(GOLDEN + "\nWARNINGS:\n- the port is fixed\n").warnings == ("the port is fixed",)


@pytest.mark.parametrize(
    "text",
    [
        "NEEDS INPUT: which region?",
        "**Needs input:** which region?",
        GOLDEN + "\nNEEDS INPUT:\n- which region?",
        "needs_input: which region?",
    ],
)
def test_who_cannot_go_on_without_a_person_says_so(text: str) -> None:
    report = read(text)
    assert (report.found, report.needs_input) == (True, "which region?")


def test_an_executor_that_needs_nothing_asks_nothing() -> None:
    assert read(GOLDEN + "\nNEEDS INPUT: None").needs_input == ""


REPORT = Report(
    skill="theming-components",
    found=True,
    files=("src/styles/tokens.css", "src/styles/dark.css"),
    decisions=("scheme: blue-gray", "modes: light and dark"),
    outputs=(Exported(key="token_file", value="src/styles/tokens.css"), Exported(key="prefix", value="--ui")),
)
PROTOCOL = [
    r"Now invoking skill:",
    r"Purpose:",
    r"Skill: ui-foundation-skills:theming-components",
    r"SKILL COMPLETE:\s+theming-components",
    r"FILES CREATED:\s*\n(-\s+/[^\s]+\n)+",
    r"/tmp/dashboard/",
    r"KEY DECISIONS:\s*\n(-\s+[^:]+:\s+.+\n)+",
    r"OUTPUTS FOR NEXT SKILL:\s*\n(-\s+[^:]+:\s+.+\n)+",
    r"WARNINGS:\s*\n(None|-.+)",
]


@pytest.mark.parametrize("pattern", PROTOCOL)
def test_a_report_we_write_is_one_that_other_peoples_tests_accept(pattern: str) -> None:
    text = render_report(
        REPORT, project="/tmp/dashboard", invocation="ui-foundation-skills:theming-components", purpose="colours"
    )
    assert re.search(pattern, text)
    assert not re.search("Error:|failed|(would|will|should) invoke", text)


def test_their_own_protocol_file_accepts_it() -> None:
    folder = os.environ.get("REMIT_SKILL_REPO", "")
    file = Path(folder, "evaluation/subagent-tests/skill-executor/protocol.yaml")
    if not folder or not file.is_file():
        pytest.skip("REMIT_SKILL_REPO names no repository that has the protocol of its executor")
    for case in yaml.safe_load(file.read_text())["test_cases"]:
        expected = case["expected"]
        skill = expected["skill_invoked"]
        project = next((each for each in expected.get("report_contains", ()) if each.startswith("/")), "/tmp/dashboard").rstrip(
            "/"
        )
        report = replace(REPORT, skill=skill.partition(":")[2])
        text = render_report(report, project=project, invocation=skill, purpose="colours")
        assert all(each in text for each in expected.get("report_contains", ())), case["name"]
        assert all(re.search(each["pattern"], text) for each in expected.get("report_matches", ())), case["name"]
        assert not any(each in text for each in expected.get("report_excludes", ())), case["name"]


WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda word: word not in ("none", "nil", "nothing", "empty", "n", "na")
)
PAIR = st.tuples(WORD, WORD)
REPORTS = st.builds(
    lambda paths, decisions, outputs, warnings, asked: Report(
        skill="a-skill",
        found=True,
        files=tuple(dict.fromkeys(f"src/{one}/{two}.py" for one, two in paths)),
        decisions=tuple(f"{one}: {two}" for one, two in decisions),
        outputs=tuple(Exported(key=one, value=two) for one, two in outputs),
        warnings=tuple(warnings),
        needs_input=asked,
    ),
    st.lists(PAIR, max_size=5), st.lists(PAIR, max_size=5), st.lists(PAIR, max_size=5), st.lists(WORD, max_size=3), st.just("") | WORD,
)  # fmt: skip


@given(REPORTS, st.sampled_from(["", "/srv/rag"]))
def test_what_is_written_is_read_back(report: Report, project: str) -> None:
    again = read_report(render_report(report, project=project), skill="a-skill", project=project)
    assert (again.files, again.decisions, pairs(again)) == (report.files, report.decisions, pairs(report))
    assert (again.warnings, again.needs_input, again.odd) == (report.warnings, report.needs_input, ())


PIECES = st.lists(
    st.sampled_from(["SKILL COMPLETE:", " x", "\n", "FILES CREATED:", "- ", "a/../..", "`", "**", "KEY DECISIONS", ":", "  ", "```", "{file1}", "│", "NEEDS INPUT: ", "\x1b[", "\ud800", "OUTPUTS:", "="])
    | st.text(max_size=12),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=300)
@given(PIECES, st.text(max_size=12), st.text(max_size=20))
def test_no_text_can_break_it_and_nothing_it_returns_moves_a_cursor(text: str, skill: str, project: str) -> None:
    report = read_report(text, skill=skill, project=project)
    said = (*report.files, *report.decisions, *report.warnings, *report.odd, report.needs_input)
    said += tuple(part for each in report.outputs for part in (each.key, each.value))
    assert all(each.isprintable() for each in said)
    assert all(report.files)


HOSTILE = {
    "spaces": " " * 100,
    "bullets of spaces": "- " + " " * 3900 + "x\n",
    "branches": "│" + "─ " * 1900 + "x\n",
    "dashes": "FILES" + "-" * 150 + "x\n",
    "brackets": "- a" + " (" * 1900 + "\n",
    "headings": "FILES CREATED:\n",
    "titles": "SKILL COMPLETE: x\n",
    "stars": "*" * 4000 + "\n",
    "escapes": "\x1b]" * 2000 + "\n",
    "empty lines": "\n",
    "numbers": "1" * 3999 + "\n",
    "continued": "  a\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_its_length_allows(name: str) -> None:
    head = "SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n- a\n"
    text = head + HOSTILE[name] * (MOST_TEXT // len(HOSTILE[name]))
    began = time.process_time()
    read(text)
    read(text.replace("FILES CREATED", "OUTPUTS"))
    assert time.process_time() - began < 5


def test_of_a_very_long_text_the_end_counts() -> None:
    report = read("noise\n" * MOST_TEXT + GOLDEN)
    assert report.files == FILES
    assert report.odd == (f"only the last {MOST_TEXT} marks were read",)


def test_only_so_many_items_are_taken_and_it_is_said() -> None:
    report = read("SKILL COMPLETE: ai-data-engineering\nFILES CREATED:\n" + "".join(f"- f{n}.py\n" for n in range(3000)))
    assert len(report.files) == 2000
    assert "only the first 2000 of 3000 items were read" in report.odd

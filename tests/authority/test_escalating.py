"""Work goes up to a heavier runtime where its task and its contract both call for it, and nowhere else."""

import time
from typing import Any

import pytest
from authority_worlds import contract, rule
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.decision import Code, Refuse
from remit.authority.escalating import Justified, justify
from remit.authority.needs import OUTCOMES, WORDS
from remit.authority.phrases import says, sentences
from remit.contract.contract import Contract
from remit.contract.heavy import NEEDS, Heavy, Need
from remit.contract.limits import Limits
from remit.contract.models import HEAVY_RUNTIMES, Model, ModelPrice
from remit.contract.party import Organisation, Tool
from remit.contract.rule import Rule

LIMITS = Limits(turns=40, usd=2_000_000, tokens=400_000, time=1800)
WHY = "it takes more than one look"
ALL = (
    rule("may", "read", "**"),
    rule("may", "write", "src/**"),
    rule("may", "run", "python -m pytest ..."),
    rule("may", "fetch", "portal.example.com:443"),
)


def child(*rules: Rule, limits: Limits = LIMITS, **more: Any) -> Contract:
    return contract(*(rules or ALL), limits=limits, **more)


def needs(
    task: str, promised: Contract | None = None, *, why: str = WHY, organisation: Organisation | None = None
) -> tuple[str, ...]:
    """What justifies it; empty where it is refused."""
    found = justify(task, promised or child(), "codex", why, organisation)
    return found.needs if isinstance(found, Justified) else ()


def refused(task: str, promised: Contract | None = None, *, why: str = WHY, runtime: str = "codex", organisation: Organisation | None = None) -> list[str]:  # fmt: skip
    found = justify(task, promised or child(), runtime, why, organisation)
    assert isinstance(found, Refuse)
    assert {reason.code for reason in found.reasons} == {Code.NOT_JUSTIFIED}
    assert all(reason.instead for reason in found.reasons)
    return [reason.why for reason in found.reasons]


POSITIVE = {
    "rename a symbol across 12 files and run the tests": ("multi-file", "terminal"),
    "run the test suite": ("terminal",),
    "open the supplier portal in a browser and download the invoices": ("browser",),
    "find out why the nightly import fails, and keep mending until it passes": ("iteration",),
}
NEGATIVE = ("search a file", "what is the status of job 7", "read the README and summarise", "send a mail")
"""the sources' four tasks that justify it, and four that do not (ESC-01, ESC-06, S19)"""


@pytest.mark.parametrize("task", POSITIVE)
def test_the_four_kinds_of_work_of_the_source_go_up(task: str) -> None:
    assert needs(task) == POSITIVE[task]


@pytest.mark.parametrize("task", NEGATIVE)
@pytest.mark.parametrize(
    "why", [WHY, "multi-file work: run the tests in a terminal, click through the portal, iterate until it works"]
)
@pytest.mark.parametrize("form", ["{}", "Please {}.", "{}?", "Can you {}?", "now {}, please"])
def test_the_four_others_stay_whatever_reason_is_given(task: str, why: str, form: str) -> None:
    (said,) = refused(form.format(task), why=why)
    assert said == "the task asks for none of multi-file, terminal, browser, iteration"


TABLE: dict[str, tuple[str, ...]] = {
    "Update all the pages of the handbook": ("multi-file",),
    "replace the old logo throughout the site templates": ("multi-file",),
    "Across the repository, rename Client to Customer": ("multi-file",),
    "add a licence header to 3 modules": ("multi-file",),
    "rename the symbol in one file": (),
    "mend 1 file": (),
    "list all files": (),
    "compile the project": ("terminal",),
    "make the tests pass": ("terminal",),
    "run the linter and fix every module it names": ("multi-file", "terminal"),
    "do not run the tests": (),
    "Don't run the tests. Say how many there are": (),
    "write the notes without running the build": (),
    "Log in to the portal and fill in the form": ("browser",),
    "take a screenshot of the page": ("browser",),
    "fix the login of the app": (),
    "investigate the memory leak": ("iteration",),
    "improve the prompt until it holds": ("iteration",),
    "explain why the build is slow": ("iteration",),
    "What is the status of the running test job?": (),
    "Which tests failed in the browser?": (),
    "Is the build green?": (),
    "Can you run the tests?": ("terminal",),
    "Read the issue. Then run the tests": ("terminal",),
    "Every page of the handbook names the new address": ("multi-file",),
    "The symbol Client is renamed to Customer across the code, and the tests pass": ("multi-file", "terminal"),
    "12 translations are updated": ("multi-file",),
    "Do what the issue says and run the tests": ("terminal",),
    "Are all files updated?": (),
    "list every page that says the old name": (),
    "Please find all files that were renamed": (),
    "count the tests that pass": (),
    "check that the tests pass": ("terminal",),
    "Find the old name and rename it across the code": ("multi-file",),
    "A summary of the README is in notes.md": (),
    "Tidy up": (),
    "": (),
}


@pytest.mark.parametrize("task", TABLE)
def test_what_a_task_needs_is_told_from_its_own_words(task: str) -> None:
    assert needs(task) == TABLE[task]


def test_the_reason_may_say_what_the_task_leaves_open() -> None:
    assert needs("Mend issue 14", why="the change touches 12 files, and the tests must be run") == ("multi-file",)
    assert needs("Mend issue 14", why="change 12 files, run the tests") == ("multi-file", "terminal")


SUBSTANCE: dict[str, list[tuple[Contract, bool]]] = {
    "rename it across 12 files": [
        (child(rule("may", "write", "docs/*.md")), True),
        (child(rule("ask", "write", "a.md", "b.md")), True),
        (child(rule("may", "write", "a.md"), rule("may", "write", "b.md")), True),
        (child(rule("may", "write", "a.md")), False),
        (child(rule("may", "write", "a.md"), rule("ask", "write", "a.md")), False),
        (child(rule("may", "write", "docs/**", times=1)), False),
        (child(rule("may", "write", "docs/*"), rule("never", "write", "docs/**")), False),
        (child(rule("may", "write", "docs/**"), rule("never", "write", "docs/a")), True),
        (child(rule("may", "read", "**"), rule("never", "write", "**")), False),
    ],
    "run the tests": [
        (child(rule("may", "run", "pytest")), True),
        (child(rule("ask", "call", "bash")), True),
        (child(rule("may", "call", "any"), tools=(Tool(name="run_shell"),)), True),
        (child(rule("may", "call", "*"), tools=(Tool(name="weather"),)), False),
        (child(rule("may", "write", "**")), False),
        (child(rule("may", "run", "pytest"), rule("never", "run", "any")), False),
    ],
    "click through the portal in a browser": [
        (child(rule("may", "fetch", "example.com:443")), True),
        (child(rule("may", "call", "browser_click")), True),
        (child(rule("may", "call", "send_email")), False),
    ],
    "debug it": [
        (child(limits=Limits(turns=6, tokens=1)), True),
        (child(limits=Limits(turns=5, tokens=1)), False),
    ],
}


@pytest.mark.parametrize("task", SUBSTANCE)
def test_words_count_only_where_the_contract_has_the_substance(task: str) -> None:
    for promised, enough in SUBSTANCE[task]:
        assert bool(needs(task, promised)) is enough, promised.rules
        if not enough:
            assert all(said.startswith("the task speaks of") for said in refused(task, promised))


def test_what_justifies_it_is_whole_for_the_record() -> None:
    found = justify("rename a symbol across 12 files and run the tests", child(), "claude", "  12 files, says the index  ")
    assert found == Justified(
        runtime="claude",
        needs=("multi-file", "terminal"),
        by={
            "multi-file": "the task says `rename|… … # files|…`; rule `may-write-src/**` lets more than one file be written",
            "terminal": "the task says `run|… … test|…`; rule `may-run-python -m pytest ...` lets it run `python -m pytest ...`",
        },
        why="12 files, says the index",
        caps={"turns": "40", "usd": "2.00", "tokens": "400k", "time": "30m"},
    )


@pytest.mark.parametrize(
    ("limits", "models", "lacking"),
    [
        (Limits(tokens=1), (), ["turns"]),
        (Limits(turns=9), (), ["usd nor tokens"]),
        (Limits(time=60), (), ["turns", "usd nor tokens"]),
        (Limits(turns=9, usd=1), (Model(name="local", price=ModelPrice()),), ["usd nor tokens"]),
        (Limits(turns=9, usd=1), (Model(name="local", price=ModelPrice()), Model(name="x")), []),
        (Limits(turns=9, usd=1), (), []),
        (Limits(turns=9, tokens=1), (Model(name="local", price=ModelPrice()),), []),
    ],
)
def test_caps_go_along_or_nothing_goes(limits: Limits, models: tuple[Model, ...], lacking: list[str]) -> None:
    promised = child(limits=limits, models=models)
    if not lacking:
        assert needs("run the tests", promised) == ("terminal",)
    else:
        assert [
            said.partition("caps ")[2].removeprefix("no ").removeprefix("neither ") for said in refused("run the tests", promised)
        ] == lacking


def test_everything_in_the_way_is_said_at_once() -> None:
    assert refused("", child(rule("may", "read", "a"), limits=Limits()), why=" ", runtime="agent") == [
        "`agent` is no heavier runtime",
        "there is no task",
        "no reason is given",
        "the contract that goes along caps no turns",
        "the contract that goes along caps neither usd nor tokens",
        "the task asks for none of multi-file, terminal, browser, iteration",
    ]


REPORTING = Need(name="reporting", words=("quarterly report",), verb="call", object="sales_*")
WORKSHOP = Organisation(
    heavy=(
        Heavy(runtimes=("codex",), needs=("multi-file", "reporting"), words=(Need(name="multi-file", words=("carry … over",)), REPORTING), unless=("production database",)),
    )
)  # fmt: skip


def test_an_organisation_says_which_runtimes_there_are_and_what_counts_there() -> None:
    task = "rename it across 12 files, run the tests"
    assert needs(task, organisation=Organisation()) == ("multi-file", "terminal")
    assert needs(task, organisation=WORKSHOP) == ("multi-file",)
    assert refused("run the tests", organisation=WORKSHOP) == ["the task asks for none of multi-file, reporting"]
    assert refused(task, runtime="claude", organisation=WORKSHOP) == ["the organisation does not make `claude` available"]
    assert refused(task, organisation=Organisation(heavy=())) == ["the organisation does not make `codex` available"]
    assert refused("Rename it across the production database", organisation=WORKSHOP) == [
        "a task that says `production database` stays where it is, says the organisation"
    ]


def test_its_own_words_and_needs_count_too_and_want_substance_too() -> None:
    assert needs("carry the old glossary over", organisation=WORKSHOP) == ("multi-file",)
    assert needs("carry the old glossary over") == ()
    assert needs("write the quarterly report", child(rule("may", "call", "sales_eu")), organisation=WORKSHOP) == ("reporting",)
    assert needs("write the quarterly report", child(rule("ask", "call", "any")), organisation=WORKSHOP) == ("reporting",)
    assert refused("write the quarterly report", organisation=WORKSHOP) == [
        "the task speaks of reporting, and the contract that goes along holds no rule for it"
    ]


# ------------------------------------------------------------------------------------------------------------------ the laws

HEAVY_WORDS = [
    word.rstrip("*")
    for phrases in (*WORDS.values(), *OUTCOMES.values())
    for phrase in phrases
    for word in phrase.replace("|", " ").split()
]
TEXTS = st.lists(st.one_of(st.sampled_from([*HEAVY_WORDS, *NEGATIVE, *POSITIVE, "12", ".", "\n", "?", "please", "not"]), st.text(max_size=4)), max_size=30).map(" ".join)  # fmt: skip
LIGHT = child(
    rule("may", "read", "**"), rule("may", "write", "notes.md"), rule("may", "call", "weather"), limits=Limits(turns=5, tokens=9)
)
VERBS = st.sampled_from(["read", "write", "run", "fetch", "call"])
RULES = st.builds(
    lambda effect, verb, objects: rule(effect, verb, *objects),
    st.sampled_from(["may", "may", "ask", "never"]),
    VERBS,
    st.lists(st.sampled_from(["**", "a", "docs/*", "bash", "browser", "pytest", "x.example.com:443"]), min_size=1, max_size=3),
)
CHILDREN = st.builds(
    lambda rules, turns, tokens: child(*rules, limits=Limits(turns=turns, tokens=tokens)),
    st.lists(RULES, min_size=1, max_size=5),
    st.integers(1, 40),
    st.integers(1, 9),
)
ORGANISATIONS = st.sampled_from([None, Organisation(), Organisation(heavy=(Heavy(runtimes=tuple(HEAVY_RUNTIMES)),))])


@given(TEXTS, TEXTS, ORGANISATIONS)
def test_no_words_make_light_work_heavy_where_the_contract_has_no_substance(
    task: str, why: str, organisation: Organisation | None
) -> None:
    assert needs(task, LIGHT, why=why, organisation=organisation) == ()


@given(st.sampled_from(NEGATIVE), TEXTS, CHILDREN, ORGANISATIONS)
def test_no_reason_and_no_contract_make_the_four_light_tasks_heavy(
    task: str, why: str, promised: Contract, organisation: Organisation | None
) -> None:
    assert needs(task, promised, why=why, organisation=organisation) == ()


@given(TEXTS, TEXTS, CHILDREN, RULES.map(lambda each: rule("never", each.verb, *each.objects)))
def test_one_more_never_justifies_nothing_more(task: str, why: str, promised: Contract, more: Rule) -> None:
    fenced = contract(*promised.rules, more, limits=promised.limits)
    assert set(needs(task, fenced, why=why)) <= set(needs(task, promised, why=why))


@given(TEXTS, TEXTS, CHILDREN, st.sampled_from(sorted(HEAVY_RUNTIMES)))
def test_a_yes_is_whole_and_the_same_each_time(task: str, why: str, promised: Contract, runtime: str) -> None:
    found = justify(task, promised, runtime, why)
    assert found == justify(task, promised, runtime, why)
    if isinstance(found, Justified):
        assert found.needs
        assert set(found.by) == set(found.needs) <= set(NEEDS)
        assert found.why
        assert {"turns", "tokens"} <= set(found.caps)


def test_a_hostile_text_is_answered_at_once() -> None:
    begin = time.perf_counter()
    for text in (
        "rename " * 200_000,
        "rename a " * 200_000 + "across",
        "a" * 1_000_000,
        "? " * 500_000,
        "not run tests " * 100_000,
    ):
        needs(text, why=text)
    assert time.perf_counter() - begin < 3


@pytest.mark.parametrize(
    ("phrase", "text", "there"),
    [
        ("rename … across", "rename it across", True),
        ("rename ... across", "across, rename", False),
        ("rename … across", "rename it. Across", False),
        ("mend|repair # file*", "repair 2 files", True),
        ("mend|repair # file*", "repair 01 files", False),
        ("# files", "twelve files", True),
        ("run tests", "RUN TESTS", True),
        ("run tests", "run the tests", False),
        ("run … tests", "don’t run the tests", False),
        ("run … tests", "do not lint, but run the tests", True),
        ("…", "anything", False),
        ("*", "anything", False),
        ("über|straße", "STRASSE über", True),
    ],
)
def test_a_phrase_is_words_in_their_order_within_one_sentence(phrase: str, text: str, there: bool) -> None:
    assert any(says(sentence, phrase) for sentence in sentences(text)) is there

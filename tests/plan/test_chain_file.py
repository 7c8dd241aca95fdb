"""`NAME.chain.yaml`: what it holds, that it prints back to itself, and that every mistake is said at once with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.deliverable import Content, Deliverable
from remit.contract.limits import Limits
from remit.contract.outcome import FileCheck, RunCheck
from remit.contract.rule import Rule
from remit.plan.chain_file import check_chain, print_chain, read_chain
from remit.plan.fits import fits_plan, fixed
from remit.plan.graph import waves
from remit.plan.library import Library
from remit.plan.mode import advise
from remit.plan.skill import Skill
from remit.plan.step import Left, Pinned, Plan, Step

EXAMPLES = sorted(Path(__file__, "../../../examples/chains").resolve().glob("*.chain.yaml"))
SKILLS = ("outlining-articles", "indexing-text", "writing-style")
LIBRARY = Library(
    skills=tuple(Skill(name=name, invocation=f"help:{name}", folder=f"/skills/{name}", digest="sha256:1") for name in SKILLS)
)


def read(text: str, goal: str = "") -> Plan:
    plan, noted = read_chain(text, file="it.chain.yaml", library=LIBRARY, goal=goal)
    assert plan is not None, noted
    return plan


def mistakes(text: str) -> list[str]:
    plan, findings = check_chain(text, file="it.chain.yaml", library=LIBRARY)
    assert plan is None
    return [f"{each.mark.line if each.mark else 0} {each.code}" for each in findings]


@pytest.mark.parametrize("place", EXAMPLES, ids=lambda place: place.name)
def test_the_examples_are_plans_and_print_back_to_themselves(place: Path) -> None:
    plan, noted = read_chain(place.read_text(), file="x.chain.yaml", library=LIBRARY)
    assert plan is not None and noted == ()
    assert read_chain(print_chain(plan), file="x.chain.yaml", library=LIBRARY) == (plan, ())


def test_the_release_notes_are_a_fixed_prompt_chain() -> None:
    plan = read(next(place for place in EXAMPLES if place.name.startswith("release")).read_text())
    assert fixed(plan) == () and fits_plan(plan, high_volume=True).choice == "prompt chain"
    assert waves(plan) == (("collect",), ("changes", "upgrade"), ("approve",))
    assert advise(plan).mode == "delegated"  # one conversation has nothing but skills


def test_a_chain_needs_a_goal_and_steps_and_the_rest_has_its_usual_value() -> None:
    plan = read("goal: g\nsteps:\n  - skill: help:indexing-text\n")
    skill = Pinned(name="indexing-text", invocation="help:indexing-text", folder="/skills/indexing-text", digest="sha256:1")
    assert plan == Plan(name="it", goal="g", steps=(Step(id="indexing-text", skill=skill),), source="it.chain.yaml")


def test_a_goal_that_is_given_stands_for_the_one_of_the_file() -> None:
    assert read("steps:\n  - {id: a, prompt: p}\n", goal="given").goal == "given"
    assert read("goal: own\nsteps:\n  - {id: a, prompt: p}\n", goal="given").goal == "given"


def test_one_group_or_several_may_be_waited_for() -> None:
    steps = "goal: g\nsteps:\n  - {id: a, prompt: p}\n  - {id: b, prompt: p}\n  - {id: c, prompt: p, any of: %s}\n"
    assert read(steps % "[a, b]").step("c").any_of == (("a", "b"),)
    assert read(steps % "[[a, b], [b]]").step("c").any_of == (("a", "b"), ("b",))


def test_every_mistake_is_said_at_once_with_its_line() -> None:
    text = """\
goal: g
mode: fast
paralel: 3
time: 1:30
retries: 99
steps:
  - skill: indexing-texts
  - prompt: p
  - {id: a, prompt: p, run: [x]}
  - {id: b, person: lead@example.com}
  - {id: c, prompt: p, after: [d, a]}
  - {id: c, prompt: p, limits: {turns: none}}
  - {id: e, run: [x], settings: s}
  - {id: f, prompt: p, after: f}
  - nothing
"""
    assert mistakes(text) == [
        "2 UNKNOWN-WORD", "3 UNKNOWN-KEY", "4 CLOCK", "5 NOT-UNDERSTOOD", "7 UNRESOLVED", "8 NO-ID", "9 NOT-A-STEP", "10 NO-ASKS",
        "11 UNKNOWN-STEP", "11 UNKNOWN-STEP", "12 DUPLICATE-STEP", "12 NOT-UNDERSTOOD", "13 NOT-UNDERSTOOD", "14 CYCLE",
        "15 NOT-UNDERSTOOD",
    ]  # fmt: skip


def test_a_mistake_says_its_place_what_is_the_matter_and_what_to_write() -> None:
    plan, (found,) = read_chain("goal: g\nsteps:\n  - skill: indexing-texts\n", file="x/it.chain.yaml", library=LIBRARY)
    assert plan is None
    assert (found.file, found.line, found.code) == ("x/it.chain.yaml", 3, "UNRESOLVED")
    assert found.message == "steps[0].skill: `indexing-texts` is the name of no skill here (column 12)"
    assert "did you mean `indexing-text`" in found.hint


def test_a_circle_is_refused_and_named_at_one_of_its_steps() -> None:
    text = "goal: g\nsteps:\n  - {id: a, prompt: p, after: b}\n  - {id: b, prompt: p, soft: a}\n"
    _, (found,) = check_chain(text, file="it.chain.yaml", library=LIBRARY)
    assert found.code == "CYCLE" and "a, which waits for b, which waits for a" in found.message
    assert found.mark is not None and found.mark.line == 3


@pytest.mark.parametrize("mode", ["hybrid", "mixed", "[standard, delegated]"])
def test_a_mixture_of_modes_is_refused(mode: str) -> None:
    assert mistakes(f"goal: g\nmode: {mode}\nsteps:\n  - {{id: a, prompt: p}}\n") == ["2 MIXED-MODE"]


def test_a_chain_inside_a_chain_has_the_mode_of_the_whole() -> None:
    text = "goal: g\nsteps:\n  - chain: {name: in, mode: standard, steps: [{id: a, prompt: p}]}\n"
    assert mistakes(text) == ["3 MIXED-MODE"]
    assert read(text.replace("mode: standard, ", "")).step("in").chain is not None


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a\n", "goal: g\n", "goal: g\nsteps: []\n", "goal: [\n", "\x00", "a: *b\n"]
)
def test_what_is_no_chain_is_refused_with_a_reason(text: str) -> None:
    assert mistakes(text)


def test_chains_inside_chains_have_a_depth() -> None:
    text = "{id: a, prompt: p}"
    for n in range(6):
        text = f"{{id: c{n}, chain: {{goal: g, steps: [{text}]}}}}"
    assert "1 TOO-DEEP" in mistakes(f"{{goal: g, steps: [{text}]}}")


WORDS = st.text(
    st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("é\n:#"), min_size=1, max_size=30
)
TEXT = WORDS.map(str.strip).filter(bool)
PATHS = st.lists(st.sampled_from(("a.md", "b/**", "c/*.py", "d/e/f.txt")), unique=True, max_size=2).map(tuple)
RULES = (
    Rule(id="may-read-1", effect="may", verb="read", objects=("**",)),
    Rule(id="own", effect="never", verb="write", objects=("a.md",), because="it is signed"),
)
CHECKS = (FileCheck(id="check-1", file="a.md", exists=True), RunCheck(id="tests", argv=("make", "test")))


@st.composite
def chains(draw: st.DrawFn, depth: int = 1) -> Plan:
    steps: list[Step] = []
    for at in range(draw(st.integers(1, 4))):
        before = tuple(draw(st.lists(st.sampled_from([each.id for each in steps]), unique=True))) if steps else ()
        kind = draw(st.sampled_from(("skill", "prompt", "command", "person", *(("chain",) if depth else ()))))
        skill = Pinned(name=SKILLS[0], invocation=f"help:{SKILLS[0]}", folder=f"/skills/{SKILLS[0]}", digest="sha256:1")
        steps.append(
            Step(
                id=f"s{at}", kind=kind, title=draw(st.just("") | TEXT), skill=skill if kind == "skill" else None,
                prompt=draw(TEXT) if kind in ("prompt", "person") else "", command=("make", "it") if kind == "command" else (),
                person="lead@example.com" if kind == "person" else "", chain=draw(chains(depth=0)) if kind == "chain" else None,
                runtime=draw(st.sampled_from(("", "light"))), after=before[:1], soft=before[1:2], optional=before[2:],
                any_of=(before,) if draw(st.booleans()) and before else (), last=draw(st.booleans()), may_skip=draw(st.booleans()),
                writes=draw(PATHS), rules=draw(st.sampled_from(((), RULES, RULES[:1]))), checks=draw(st.sampled_from(((), CHECKS))),
                limits=draw(st.none() | st.builds(Limits, turns=st.integers(1, 99), time=st.integers(1, 9999))),
                time=draw(st.none() | st.integers(1, 9999)), settings=draw(st.just("") | TEXT) if kind == "skill" else "",
                why=draw(st.just("") | TEXT),
            )
        )  # fmt: skip
    owed = Deliverable(
        name="D", by="s0", files=("a.md",), either=(("b.py", "b.ts"),), contains=(Content(pattern="x.*", place="a.md"),)
    )
    return Plan(
        name=draw(TEXT), title=draw(st.just("") | TEXT), goal=draw(TEXT), steps=tuple(steps),
        deliverables=draw(st.sampled_from(((), (owed,)))), left=draw(st.sampled_from(((), (Left(name="x", why="later"),)))),
        empty=draw(st.sampled_from(((), ("e/",)))), maturity=draw(st.sampled_from(("", "starter"))),
        answers=draw(st.sampled_from(((), (("Q1", "A"),)))), runtime=draw(st.sampled_from(("command", "light"))),
        command=draw(st.sampled_from(((), ("agent", "--now")))), limits=draw(st.sampled_from((Limits(), Limits(usd=5_000_000)))),
        time=draw(st.integers(1, 9999)), retries=draw(st.integers(0, 20)), parallel=draw(st.integers(1, 256)),
        at_least=draw(st.integers(1, 100)), quality=draw(st.booleans()), validate_by=draw(st.sampled_from(("", "light"))),
        source="it.chain.yaml" if depth else "",
    )  # fmt: skip


@given(chains())
def test_what_is_printed_reads_back_to_the_same_plan(plan: Plan) -> None:
    assert read_chain(print_chain(plan), file="it.chain.yaml", library=LIBRARY) == (plan, ())


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(("goal: g\n", "steps:\n", "  - ", "chain: {", "}", "[a]", "prompt: p", "\n", "after: a"))).map(
        "".join
    )
)
def test_no_text_makes_the_reader_fail(text: str) -> None:
    plan, noted = read_chain(text, file="it.chain.yaml", library=LIBRARY)
    assert plan is not None or noted

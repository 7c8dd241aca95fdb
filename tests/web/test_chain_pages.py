"""The page of a chain says how every step stands, what it left and what is missing; questions about it are answered in words."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from web_chains import TROUBLED, asks_step, began, child, ended_well, every_state, found, pinned, skill, wide, with_gaps
from web_worlds import LEAD, OWNER, Served, facts, identity, kinds, record, served, state

from remit.plan.reported import Exported, Report
from remit.plan.step import Plan, Step
from remit.run import chained as c
from remit.run import event as e
from remit.web.answering import WORDS
from remit.web.asking import LABELS, MEANT, OF_A_CHAIN, heading

SHOUT = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"><svg onload=alert(3)>{{7*7}}</textarea></title><a href=javascript:alert(4) hx-get=/>x</a>\u202e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    identity(home)
    record(home, every_state("rstates", home), since=900, tick=7)
    record(home, with_gaps("rgaps", home), since=400, tick=5)
    record(home, wide("rwide", home), since=2000, tick=3)
    with served(home) as running:
        yield running.sign_in()


def test_every_step_stands_on_the_page_with_its_state_in_words_and_by_a_sign(server: Served) -> None:
    page = server.get("/runs/rstates/plan")
    for mark, word in (("✓", "complete"), ("▸", "in progress"), ("✗", "failed"), ("○", "skipped"), ("·", "pending")):
        assert f'<span aria-hidden="true">{mark}</span> {word}</span>' in page
    assert "2 of 9 complete" in page
    assert '<progress id="steps-done" value="2" max="9">' in page
    assert "try 2" in page
    assert "hung: it did not end in time (60 s)" in page
    assert "skipped with the consent of release-lead@example.com" in page
    assert "⚑ 1 claimed, and not there: src/nowhere.py" in page
    assert "agreed to by release-lead@example.com" in page
    assert "3 turns · 21,000 tokens · $0.11" in page
    assert "6 turns · 42,000 tokens · $0.22" in page, "a step that was tried twice has spent both"
    for what in ("api is kept small", "api_path", "src/api.py", "A load test", "maturity: starter"):
        assert what in page
    for link in ("/runs/rstates.3", "/runs/rstates.3/log", "/runs/rstates.3/account", "/runs/rstates/questions/Q1"):
        assert f'href="{link}"' in page


def test_waves_are_drawn_and_listed_in_their_order(server: Served) -> None:
    page = server.get("/runs/rstates/plan")
    assert page.index(">Wave 1<") < page.index('id="step-1"') < page.index(">Wave 2 ") < page.index('id="step-2"')
    assert page.index('id="step-8"') < page.index('id="validation-step"') < page.index('id="validation"')
    drawing = page[page.index("<svg viewBox") : page.index("</svg>", page.index("<svg viewBox"))]
    assert "Plan of 9 steps, 2 of them complete" in drawing
    assert drawing.count('class="node ') == 9
    assert all(f'href="#step-{at}"' in drawing for at in range(1, 9))
    assert "soft-edge" in drawing


def test_the_validation_report_names_what_is_missing_and_who_owes_it(server: Served) -> None:
    page = server.get("/runs/rgaps/plan")
    for what in (
        "⚠ PARTIAL", "5 of 6", "83%", "✗ Dashboard", "owed by watch", "✓ complete", "3 of 3", "ops/board.json is not there",
        "a placeholder is left: TBD", "src/api.py:12", "no linter for Go here", "Checked by python",
    ):  # fmt: skip
        assert what in page, what


def test_a_run_leads_to_its_plan_and_a_sub_agent_to_the_plan_above(server: Served) -> None:
    page = server.get("/runs/rstates")
    assert 'href="/runs/rstates/plan"' in page
    assert "2/8" in page
    assert "step api failed" in page, "the timeline tells of the chain"
    below = server.get("/runs/rstates.1")
    assert 'href="/runs/rstates/plan"' in below
    assert 'href="/runs/rstates.1/log"' in below
    log = server.get("/runs/rstates.1/log")
    assert "SKILL COMPLETE: model\nit is done" in log
    (server.home / "runs" / "rstates.1" / "attempts").mkdir(parents=True)
    (server.home / "runs" / "rstates.1" / "attempts" / "1.log").write_text("\x1b[31mred\x1b[0m <b>begun</b>\n")
    assert "red &lt;b&gt;begun&lt;/b&gt;" in server.get("/runs/rstates.1/log")


@pytest.mark.parametrize("path", ["/runs/rstates.1/plan", "/runs/nothing/plan", "/runs/nothing/log", "/runs/nothing/plan/events"])
def test_what_is_no_chain_has_no_plan(server: Served, path: str) -> None:
    assert server.ask("GET", path)[0] == 404


@pytest.mark.parametrize("path", ["/runs/rstates/plan", "/runs/rstates.1/log", "/runs/rstates/plan/events"])
def test_nobody_reads_a_plan_who_is_not_signed_in(server: Served, path: str) -> None:
    assert server.ask("GET", path, cookies=False)[0] == 401


def test_questions_about_a_chain_stand_in_the_inbox_without_their_menu(server: Served) -> None:
    page = server.get("/")
    assert "Sub-agent issue: search</a>" in page
    assert "Validation found gaps: Dashboard</a>" in page
    assert ">step in trouble</span>" in page
    assert ">gaps found</span>" in page
    assert "Your choice:" not in page


def test_the_card_of_a_step_shows_why_it_failed_and_what_may_be_said(server: Served) -> None:
    page = server.get("/runs/rstates/questions/Q1")
    assert "<h1>Sub-agent issue: search</h1>" in page
    assert "hung: it did not end in time (60 s)" in page
    for word in ("retry", "skip", "abort"):
        assert f'name="said" value="{word}"' in page
        assert WORDS[word] in page
        assert MEANT[word] in page
    assert 'value="yes"' not in page
    assert 'href="/runs/rstates.4/log"' in page
    assert "Your choice:" not in page


def test_the_card_of_gaps_leads_to_the_detailed_report(server: Served) -> None:
    page = server.get("/runs/rgaps/questions/Q1")
    assert "<h1>Validation found gaps: Dashboard</h1>" in page
    assert 'href="/runs/rgaps/plan#validation">The detailed report' in page
    assert [word for word in WORDS if f'name="said" value="{word}"' in page] == ["generate", "accept"]


@pytest.mark.parametrize("said", ["yes", "no", "accept", "generate", "modify", "happened", "", "retry "])
def test_an_answer_that_is_no_option_of_the_question_is_refused(server: Served, said: str) -> None:
    status, _, page = server.ask("POST", "/runs/rstates/questions/Q1", form={**server.card("rstates"), "said": said})
    assert status == 400
    assert "retry" in page
    assert "question_answered" not in kinds(server.home, "rstates")


@pytest.mark.parametrize(
    ("about", "said"), [("step", "retry"), ("step", "skip"), ("step", "abort"), ("gaps", "generate"), ("gaps", "accept")]
)
def test_every_option_can_be_chosen_and_is_signed(server: Served, about: str, said: str) -> None:
    run = f"r{about}{said}"
    record(server.home, (every_state if about == "step" else with_gaps)(run, server.home))
    form = {**server.card(run), "said": said, "note": "so be it"}
    status, headers, _ = server.ask("POST", f"/runs/{run}/questions/Q1", form=form)
    assert (status, headers["location"]) == (303, f"/runs/{run}/questions/Q1")
    answer = next(each.event for each in facts(server.home, run) if isinstance(each.event, e.QuestionAnswered))
    assert (answer.answer, answer.person, answer.assurance, answer.note, bool(answer.signature)) == (
        said,
        OWNER,
        "session",
        "so be it",
        True,
    )
    assert f"Settled: {said}" in server.get(f"/runs/{run}/questions/Q1")
    assert server.ask("POST", f"/runs/{run}/questions/Q1", form=form)[0] == 409, "once"


def test_a_question_about_a_step_of_somebody_else_is_read_and_not_answered(server: Served) -> None:
    run = "rtheirs"
    record(server.home, [*pinned(run, server.home, [skill("api")]), asks_step(run, "Q1", "api", "failed: no", of=(LEAD,))])
    page = server.get(f"/runs/{run}/questions/Q1")
    assert "Not yours to answer" in page
    assert 'name="said"' not in page


def test_a_step_that_a_person_takes_is_asked_about_with_yes_and_no(server: Served) -> None:
    run = "rperson"
    steps = [Step(id="look", kind="person", person=OWNER, prompt="Look at it")]
    asked = e.QuestionAsked(run=run, question="Q1", about="step", text="look: Look at it\nIs it done?", of=(OWNER,), step="look")
    record(server.home, [*pinned(run, server.home, steps), asked])
    page = server.get(f"/runs/{run}/questions/Q1")
    assert "Look at it" in page
    assert [word for word in WORDS if f'name="said" value="{word}"' in page] == ["yes", "no"]


def test_standard_mode_shows_the_one_conversation_first(server: Served) -> None:
    run = "rstandard"
    facts_ = [
        *pinned(run, server.home, [skill("api"), skill("chat")], mode="standard"), began(run, "conversation", 1, 1),
        *child(run, server.home, 1, "conversation"), c.StepEnded(run=run, step="api", number=1, child="", outcome="complete"),
        c.StepEnded(run=run, step="chat", number=1, child="", outcome="failed", why="SKIPPED - context rot: never invoked"),
        ended_well(run, "conversation", 1), c.PlanEnded(run=run, how="partial", why="never invoked: chat"),
    ]  # fmt: skip
    record(server.home, facts_)
    page = server.get(f"/runs/{run}/plan")
    assert page.index("One conversation") < page.index('id="step-1"')
    assert "SKIPPED - context rot: never invoked" in page
    assert "The chain is over: <b>partial</b>, never invoked: chat" in page


def test_a_chain_within_a_chain_leads_to_its_own_plan(server: Served) -> None:
    run, inner = "router", Plan(name="inner", goal="inside", steps=(skill("deep"),))
    made = child(run, server.home, 1, "inner", verdict="")
    made.append(c.PlanPinned(run=f"{run}.1", plan=inner))
    record(
        server.home, [*pinned(run, server.home, [Step(id="inner", kind="chain", chain=inner)]), began(run, "inner", 1, 1), *made]
    )
    assert f'href="/runs/{run}.1/plan"' in server.get(f"/runs/{run}/plan")
    assert f'href="/runs/{run}/plan"' in server.get(f"/runs/{run}.1/plan")


def test_a_plan_of_sixty_four_steps_is_shown_whole(server: Served) -> None:
    page = server.get("/runs/rwide/plan")
    assert "32 of 65 complete" in page
    assert page.count('class="node ') == 65
    assert all(f'id="step-{at}"' in page for at in range(1, 65))
    assert page.count('class="edge"') <= 63, "what follows from other lines is not drawn"
    assert len(page) < 400_000


def hostile(run: str, home: Path) -> list[e.Event]:
    """A chain whose every text is markup."""
    steps = [msgspec.structs.replace(skill(SHOUT), title=SHOUT), skill("b", after=(SHOUT,))]
    report = Report(
        skill=SHOUT,
        found=True,
        files=(SHOUT,),
        decisions=(SHOUT,),
        outputs=(Exported(key=SHOUT, value=SHOUT),),
        warnings=(SHOUT,),
        odd=(SHOUT,),
    )
    return [
        *pinned(run, home, steps, name=SHOUT, title=SHOUT, goal=SHOUT), began(run, SHOUT, 1, 1, SHOUT),
        *child(run, home, 1, SHOUT, words=SHOUT), ended_well(run, SHOUT, 1, report=report, files=(SHOUT,), flagged=(SHOUT,)),
        began(run, "b", 2, 1), c.StepEnded(run=run, step="b", number=1, child=f"{run}.2", outcome="failed", why=SHOUT),
        c.Validated(run=run, child=f"{run}.1", round=1, found=found(SHOUT, SHOUT), opinion=SHOUT),
        asks_step(run, "Q1", "b", SHOUT, text=TROUBLED.format(SHOUT)), c.SkillInvoked(run=run, skill=SHOUT, digest="", bytes=1),
        c.GapsAccepted(run=run, person=SHOUT, question="Q1", missing=(SHOUT,)), c.PlanEnded(run=run, how="partial", why=SHOUT),
    ]  # fmt: skip


HOSTILE = ("/runs/rx/plan", "/runs/rx", "/runs/rx/questions/Q1", "/runs/rx.1/log", "/runs/rx.1", "/")


def test_nothing_an_agent_wrote_is_markup_on_a_plan(tmp_path: Path) -> None:
    identity(tmp_path)
    record(tmp_path, hostile("rx", tmp_path))
    with served(tmp_path) as own:
        own.sign_in()
        for path in HOSTILE:
            page = own.get(path)
            for bad in ("<script>alert", "<img", "<svg onload", "<a href=javascript", "\u202e"):
                assert bad not in page, (path, bad)
            assert "{{7*7}}" in page


def until(page: Any, holds: str) -> None:
    """Poll: what Playwright brings for this evaluates text inside the page, which the policy forbids."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {holds}; {page.complaints}")


PAGES = (
    "/", "/runs/rstates", "/runs/rstates/plan", "/runs/rstates/questions/Q1", "/runs/rgaps/plan", "/runs/rgaps/questions/Q1",
    "/runs/rwide/plan", "/runs/rstates.1/log",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_on_the_pages_of_a_chain(server: Served, opened: Any, axe: str, scheme: str, width: int) -> None:
    with opened(server, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        for path in PAGES:
            page.goto(server.origin + path)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            page.evaluate(axe)
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(path, each["id"], [node["html"][:160] for node in each["nodes"]]) for each in result["violations"]] == []
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
        assert page.complaints == []


def test_hostile_names_stay_text_in_a_browser(tmp_path: Path, opened: Any) -> None:
    identity(tmp_path)
    record(tmp_path, hostile("rx", tmp_path))
    with served(tmp_path) as own:
        own.sign_in()
        with opened(own) as page:
            for path in HOSTILE:
                assert page.goto(own.origin + path).status == 200
                page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
                assert (
                    page.evaluate("document.querySelectorAll('img, [onload], [onerror], [hx-get], a[href^=javascript]').length")
                    == 0
                )
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
            assert page.complaints == []


def test_a_step_that_comes_back_is_seen_without_reloading(server: Served, opened: Any) -> None:
    run = "rlive"
    record(
        server.home,
        [*pinned(run, server.home, [skill("api"), skill("chat")]), began(run, "api", 1, 1), *child(run, server.home, 1, "api")],
    )
    with opened(server) as page:
        page.goto(f"{server.origin}/runs/{run}/plan")
        until(page, "document.getElementById('live')._htmx?.sse?.status === 200")
        assert page.inner_text("#step-1 .pill") == "▸ in progress"
        page.click("#step-1 summary")
        record(server.home, [ended_well(run, "api", 1)])
        until(page, "document.querySelector('#step-1 .pill').innerText === '✓ complete'")
        assert page.evaluate("document.querySelector('#step-1 details').open"), "what somebody opened stays open"
        assert page.evaluate("document.getElementById('steps-done').value") == 1
        assert page.complaints == []


def test_a_step_in_trouble_is_decided_by_keyboard_alone(server: Served, opened: Any) -> None:
    run = "rkeyboard"
    record(server.home, every_state(run, server.home))
    with opened(server) as page:
        page.goto(f"{server.origin}/runs/{run}/plan")
        page.focus(f"a[href='/runs/{run}/questions/Q1']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/questions/Q1")
        page.focus("#note")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "retry"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.wait_for_selector("text=Settled: skip")
    assert state(server.home, run).questions["Q1"].said == "skip"


@pytest.mark.parametrize(
    ("about", "text", "said"),
    [
        ("step", TROUBLED.format("api"), "Sub-agent issue: api"),
        ("gaps", "Validation found gaps:\n\nMISSING:\n- a\n- b\n\nOptions:\n1. x", "Validation found gaps: a, b"),
        ("step", "Look at it\nIs it done?", "Look at it\nIs it done?"), ("action", TROUBLED, TROUBLED), ("gaps", "\nOptions:\n", "\nOptions:\n"),
    ],
)  # fmt: skip
def test_a_question_in_a_line_says_what_is_the_matter(about: str, text: str, said: str) -> None:
    assert heading(about, text) == said


def test_every_kind_of_question_and_every_option_has_its_words() -> None:
    kinds_ = msgspec.json.schema(e.QuestionAsked)["$defs"]["QuestionAsked"]["properties"]["about"]["enum"]
    assert set(kinds_) == set(LABELS)
    assert set(LABELS) >= OF_A_CHAIN
    assert set(MEANT) <= set(WORDS)


SKILL = "---\nname: {0}\ndescription: Does {0}.\n---\n\nDo {0}.\n"
FILE = """\
name: two
goal: Both are done
command: [sh, -c, 'remit act call Skill --arg skill=first >/dev/null; exit 3']
steps: [{skill: first}, {skill: second, after: [first]}]
"""


def test_an_answer_in_the_inbox_carries_a_real_chain_on(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    identity(home)
    for name in ("first", "second"):
        (work / "skills" / name).mkdir(parents=True)
        (work / "skills" / name / "SKILL.md").write_text(SKILL.format(name))
    (work / "two.chain.yaml").write_text(FILE)
    given = ["chain", "run", "two", "--workspace", str(work), "--yes", "--mode", "delegated", "--json"]
    env = {**os.environ, "REMIT_HOME": str(home), "HOME": str(home)}
    begun = subprocess.run(
        [sys.executable, "-m", "remit.cli.main", *given], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    run = sorted((home / "runs").iterdir())[0].name.split(".")[0]
    assert state(home, run).open_questions, begun.stderr
    with served(home, worker=True) as own:
        own.sign_in()
        assert "Sub-agent issue: first" in own.get(f"/runs/{run}/questions/Q1")
        assert own.ask("POST", f"/runs/{run}/questions/Q1", form={**own.card(run), "said": "skip"})[0] == 303
        until_true(lambda: "Q2" in state(home, run).questions)
        assert own.ask("POST", f"/runs/{run}/questions/Q2", form={**own.card(run, "Q2"), "said": "abort"})[0] == 303
        until_true(lambda: state(home, run).verdict is not None)
        page = own.get(f"/runs/{run}/plan")
    assert "skipped with the consent of release-lead@example.com" in page
    assert "The chain is over: <b>aborted</b>" in page


def until_true(holds: Callable[[], object]) -> None:
    """Poll, for half a minute at most."""
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("never")

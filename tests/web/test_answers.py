"""What a person answers in the inbox: bound to what they saw, signed, once; and all of it without scripts."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from web_worlds import (
    LEAD,
    OWNER,
    Served,
    asked,
    contract,
    ended,
    facts,
    fill,
    identity,
    kinds,
    record,
    refund,
    served,
    started,
    state,
    working,
)  # fmt: skip

from remit.evidence.signature import verify_signature
from remit.run import event as e
from remit.run.statement import ACCEPTANCE, ANSWER


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    identity(home)
    with served(home) as found:
        yield found.sign_in()


def waiting(server: Served, run: str, action: Any = None, **more: Any) -> str:
    record(server.home, [started(run, server.home), *working(run), *asked(run, action or refund(), **more)])
    return run


def say(server: Served, run: str, said: str, question: str = "Q1", **more: Any) -> tuple[int, dict[str, str], str]:
    return server.ask("POST", f"/runs/{run}/questions/{question}", form={**server.card(run, question), "said": said, **more})


def test_the_card_shows_exactly_what_will_happen_and_where_each_value_came_from(server: Served) -> None:
    text = server.get(f"/runs/{waiting(server, 'rcard')}/questions/Q1")
    for words in (
        "call refund", "ada@example.com", "120.50 EUR", "order_id", "The parcel arrived broken.", "agent", "ask-call-1",
        "above 50 a person looks at it", "POST https://pay.example.com/refunds", "the draft is withdrawn", "it is refused",
        refund().digest(), " of 40", OWNER,
    ):  # fmt: skip
        assert words in text, words


def test_yes_is_recorded_as_a_signed_session_answer_to_exactly_that_request(server: Served) -> None:
    run = waiting(server, "ryes")
    status, headers, _ = say(server, run, "yes", note="Seen the photograph.")
    assert (status, headers["location"]) == (303, f"/runs/{run}/questions/Q1")
    answered = state(server.home, run).questions["Q1"].answers[0]
    assert (answered.answer, answered.person, answered.assurance, answered.note) == (
        "yes",
        OWNER,
        "session",
        "Seen the photograph.",
    )
    assert f"action: {refund().digest()}\n" in answered.statement
    assert verify_signature(answered.key, answered.statement.encode(), answered.signature, ANSWER)
    assert "Settled: yes" in server.get(f"/runs/{run}/questions/Q1")


def test_no_is_a_no_and_the_draft_does_not_go_out(server: Served) -> None:
    run = waiting(server, "rno")
    assert say(server, run, "no")[0] == 303
    assert state(server.home, run).questions["Q1"].said == "no"


def test_modify_changes_the_arguments_that_were_written_differently_and_adds_conditions(server: Served) -> None:
    run = waiting(server, "rmod")
    rules = "never:\n  - call: send_email\n"
    more = {"arg.amount": "80.00", "arg.reason": '"Half of it was broken."', "arg.currency": '"EUR"', "rules": rules}
    assert say(server, run, "modify", **more)[0] == 303
    answered = state(server.home, run).questions["Q1"].answers[0]
    assert answered.answer == "modify" and answered.action is not None
    assert str(answered.action.arguments["amount"]) == "80.00"
    assert answered.action.arguments["reason"] == "Half of it was broken."
    assert answered.action.arguments["order_id"] == "A-1042"
    assert [(rule.effect, rule.verb, rule.objects) for rule in answered.rules] == [("never", "call", ("send_email",))]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "{", '{"a": 1, "a": 2}', "[" * 5000, "abc"])
def test_a_value_that_is_no_json_is_refused_and_nothing_is_recorded(server: Served, text: str) -> None:
    run = "rjson" + str(abs(hash(text)))[:8]
    waiting(server, run)
    status, _, page = say(server, run, "modify", **{"arg.amount": text})
    assert status == 400 and "is no JSON value" in page
    assert "question_answered" not in kinds(server.home, run)


def test_a_change_that_widens_is_refused_with_what_was_typed_kept(server: Served) -> None:
    run = waiting(server, "rwide")
    status, _, page = say(server, run, "modify", rules="may:\n  - push: any\n")
    assert status == 400 and "a condition can only narrow" in page and "push: any" in page


def test_a_settled_question_answers_409_with_the_card_as_it_is(server: Served) -> None:
    run = waiting(server, "rtwice")
    form = {**server.card(run), "said": "yes"}
    assert server.ask("POST", f"/runs/{run}/questions/Q1", form=form)[0] == 303
    status, _, page = server.ask("POST", f"/runs/{run}/questions/Q1", form={**form, "said": "no"})
    assert status == 409 and "answered meanwhile" in page and "Settled: yes" in page
    assert kinds(server.home, run).count("question_answered") == 1
    assert "answer_rejected" not in kinds(server.home, run)


def test_a_request_that_changed_meanwhile_is_not_answered_but_shown_again(server: Served) -> None:
    run = waiting(server, "rmoved", quorum=2)
    form = {**server.card(run), "said": "yes"}
    other = e.QuestionAnswered(
        run=run, question="Q1", answer="modify", person=LEAD, assurance="terminal", statement="", signature="", key="",
        action=refund("499.00"), digest=refund("499.00").digest(),
    )  # fmt: skip
    record(server.home, [other])
    status, _, page = server.ask("POST", f"/runs/{run}/questions/Q1", form=form)
    assert status == 409 and "The request changed since you read it" in page and "499.00 EUR" in page
    assert len(state(server.home, run).questions["Q1"].answers) == 1


def test_of_two_tabs_that_answer_at_once_exactly_one_wins(server: Served) -> None:
    for number in range(5):
        run = waiting(server, f"rrace{number}")
        form, found = server.card(run), []

        def tab(said: str, run: str = run, form: dict[str, str] = form, found: list[int] = found) -> None:
            found.append(server.ask("POST", f"/runs/{run}/questions/Q1", form={**form, "said": said})[0])

        tabs = [threading.Thread(target=tab, args=(said,)) for said in ("yes", "no", "yes")]
        for each in tabs:
            each.start()
        for each in tabs:
            each.join()
        assert sorted(found) == [303, 409, 409]
        assert kinds(server.home, run).count("question_answered") == 1


def test_whoever_is_not_asked_may_read_but_not_answer(server: Served) -> None:
    run = waiting(server, "rothers", of=(LEAD,))
    page = server.get(f"/runs/{run}/questions/Q1")
    assert "Not yours to answer" in page and 'name="said"' not in page
    seen = server.card(waiting(server, "rmine"))
    from remit.run.card import card
    from remit.web.site import seen as mark

    digest = mark(card(state(server.home, run), "Q1"), state(server.home, run))
    status, _, page = server.ask("POST", f"/runs/{run}/questions/Q1", form={"form": seen["form"], "seen": digest, "said": "yes"})
    assert status == 403 and "not release-lead@example.com" in page
    assert "question_answered" not in kinds(server.home, run)


def test_the_person_of_the_answer_is_that_of_the_session_whatever_the_form_says(server: Served) -> None:
    run = waiting(server, "rwho")
    assert say(server, run, "yes", person=LEAD, signer=LEAD, assurance="person-signed")[0] == 303
    answered = state(server.home, run).questions["Q1"].answers[0]
    assert (answered.person, answered.assurance) == (OWNER, "session")


def test_like_questions_are_answered_together_each_for_itself(server: Served) -> None:
    run = "rlike"
    record(
        server.home,
        [
            started(run, server.home),
            *working(run),
            *asked(run, refund()),
            *asked(run, refund("75.00", order_id="B"), question="Q2"),
            *asked(run, refund("99.00", order_id="C"), question="Q3"),
        ],
    )
    page = server.get(f"/runs/{run}/questions/Q1")
    alike = {text.split()[0]: text for text in re.findall(r'name="also" value="([^"]+)"', page)}
    assert sorted(alike) == ["Q2", "Q3"]
    assert say(server, run, "yes", also=[alike["Q2"], "Q3 sha256:somethingelse"])[0] == 303
    questions = state(server.home, run).questions
    assert [questions[name].said for name in ("Q1", "Q2", "Q3")] == ["yes", "yes", ""]
    assert "action: " + refund("75.00", order_id="B").digest() in questions["Q2"].answers[0].statement


def test_a_doubt_is_answered_with_what_is_known(server: Served, tmp_path: Path) -> None:
    fill(tmp_path)
    with served(tmp_path) as own:
        own.sign_in()
        status, _, page = say(own, "r5doubt", "happened", receipt="rf_44_7 in the provider's list")
        assert status == 303, page
        answered = state(tmp_path, "r5doubt").questions["Q1"].answers[0]
        assert (answered.answer, answered.receipt) == ("happened", "rf_44_7 in the provider's list")


def test_the_owner_takes_the_outcome_and_it_is_green_only_then(server: Served) -> None:
    run = "rtake"
    record(server.home, [started(run, server.home), *working(run), *ended(run)])
    page = server.get(f"/runs/{run}")
    assert 'class="wait"><dt>Verdict' in page and 'class="wait"><dt>Acceptance' in page and 'class="good"><dt>' not in page
    form = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in ("form", "seen")}
    status, _, text = server.ask("POST", f"/runs/{run}/accept", form={**form, "seen": "sha256:another"})
    assert status == 409 and "another one since you read this page" in text
    assert server.ask("POST", f"/runs/{run}/accept", form={**form, "note": "good"})[0] == 303
    taken = next(r.event for r in facts(server.home, run) if isinstance(r.event, e.Accepted))
    assert (taken.person, taken.acceptance, taken.assurance) == (OWNER, "accepted", "session")
    assert verify_signature(taken.key, taken.statement.encode(), taken.signature, ACCEPTANCE)
    page = server.get(f"/runs/{run}")
    assert 'class="good"><dt>Verdict' in page and 'class="good"><dt>Acceptance' in page


def test_a_run_is_stopped_in_the_name_of_the_session(server: Served) -> None:
    run = waiting(server, "rstop")
    form = {"form": server.card(run)["form"], "note": "wrong customer"}
    assert server.ask("POST", f"/runs/{run}/stop", form=form)[0] == 303
    assert state(server.home, run).stop == f"{OWNER}: wrong customer"


def test_a_second_person_of_a_quorum_still_answers_after_the_first(server: Served) -> None:
    run = waiting(server, "rquorum", quorum=2, of=(OWNER, LEAD))
    first = e.QuestionAnswered(
        run=run, question="Q1", answer="yes", person=LEAD, assurance="terminal", statement="", signature="", key=""
    )
    form = {**server.card(run), "said": "yes"}
    record(server.home, [first])
    assert server.ask("POST", f"/runs/{run}/questions/Q1", form=form)[0] == 303
    assert state(server.home, run).questions["Q1"].said == "yes"


def test_every_page_of_a_full_home_reads_without_scripts(tmp_path: Path) -> None:
    fill(tmp_path)
    with served(tmp_path) as own:
        own.sign_in()
        inbox = own.get("/")
        order = [inbox.index(words) for words in ("Needs you", "Waits for others", "Running", "Recently ended")]
        assert order == sorted(order)
        for run in ("r1refund", "r2legal", "r3done", "r4tree", "r4tree.1", "r5doubt", "r6fail", "r7good", "r8ctx"):
            for path in (f"/runs/{run}", f"/runs/{run}/account", f"/runs/{run}/diff"):
                assert "<h1" in own.get(path)
        for path in ("/runs/r9none", "/runs/r1refund/questions/Q9", "/nothing", "/?view=all"):
            assert own.ask("GET", path)[0] == 404
        assert own.end() == 0
        assert "Traceback" not in own.said


def test_the_drawings_have_table_twins_with_the_same_facts(server: Served) -> None:
    run = waiting(server, "rtwin")
    page = server.get(f"/runs/{run}")
    drawn = page.split('class="drawing timeline"')[1].split("</svg>")[0]
    assert drawn.count('class="m-') == page.split('aria-label="Timeline as a table"')[1].split("</table>")[0].count("<tr>") - 1
    assert json.dumps(contract().limits.turns) in page.split('aria-label="Limits as a table"')[1]

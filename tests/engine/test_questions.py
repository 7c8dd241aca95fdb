"""Who is asked, for how long, with what attached; what counts as an answer; who is told."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from effects_worlds import (
    ASKED,
    FINANCE,
    FREE,
    LEAD,
    ORG,
    OTHER,
    PEOPLE,
    REFUND,
    Shop,
    amounts,
    calls,
    limited,
    pages,
    paying,
    person,
)
from engine_worlds import OWNER, Crash, rule, story, writes
from msgspec.structs import replace

from remit.authority.decision import Code
from remit.contract.limits import Limits
from remit.contract.party import Argument
from remit.contract.rule import Rule
from remit.engine.inbox import answer, answer_signed, unsigned
from remit.engine.ownership import offer, take_over
from remit.errors import BadInput, Refused
from remit.run.event import QuestionAnswered
from remit.run.statement import ACCEPTANCE, ANSWER
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


async def rejected(shop: Shop, run: str) -> list[tuple[Code, str]]:
    """What did not count, and of whom."""
    return [(each.code, each.person) for each in await shop.events(run, "answer_rejected")]


async def signed(
    shop: Shop, run: str, word: str, *, by: str = LEAD, question: str = "Q1", namespace: str = ANSWER, **more: Any
) -> tuple[str, str]:
    """A statement and its signature, made elsewhere."""
    text = await unsigned(shop.hands, run, question, word, person=by, **more)
    return text, await PaperSigner(by).sign(text.encode(), namespace=namespace)


# ------------------------------------------------------------------------------------------------ the ladder


def test_people_are_reminded_then_the_next_is_asked_and_then_it_is_refused(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200, remind=1800, then=(FINANCE,))))
        told = [(0, 1, (LEAD,)), (29, 1, (LEAD,)), (1, 2, (LEAD,)), (30, 3, (LEAD,)), (59, 4, (LEAD,)), (1, 5, (LEAD, FINANCE))]
        for minutes, sent, of in told:
            run = await shop.later(run.id, minutes=minutes)
            assert (len(shop.pager.sent), run.questions["Q1"].question.of) == (sent, of), minutes
        run = await shop.later(run.id, hours=2)
        assert run.questions["Q1"].expired
        assert ((await shop.draft(run.id)).state, run.verdict, shop.paid) == ("expired", "success", [])

    story(tell)


def test_whom_it_was_passed_on_to_answers_within_a_deadline_of_their_own(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200, then=(FINANCE,))))
        run = await shop.later(run.id, hours=2)
        run = await shop.later(run.id, minutes=119)
        run = await shop.said(run.id, "yes", by=FINANCE)
        draft = await shop.draft(run.id)
        assert (draft.state, draft.responsible, shop.paid) == ("published", (FINANCE,), [100])

    story(tell)


def test_a_deadline_that_passed_while_nothing_ran_is_acted_on_at_once(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200, remind=1800)))
        shop.fit()
        run = await shop.later(run.id, days=3)
        assert ((await shop.draft(run.id)).state, run.verdict) == ("expired", "success")

    story(tell)


def test_an_answer_in_time_counts_although_the_engine_came_back_late(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        shop.jump(minutes=119)
        await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        run = await shop.later(run.id, minutes=5)
        assert ((await shop.draft(run.id)).state, shop.paid) == ("published", [100])

    story(tell)


# ------------------------------------------------------------------------------------------------ pages


def test_a_page_that_fails_is_tried_three_times_with_pauses_and_all_of_it_is_recorded(shop: Shop) -> None:
    async def tell() -> None:
        shop.pager.fails = "the pager is off"
        run = await shop.handed_over(paying(escalation=pages()))
        for minutes, tried in ((0, 1), (0.4, 1), (0.2, 2), (4, 2), (2, 3), (60, 3)):
            run = await shop.later(run.id, minutes=minutes)
            assert shop.pager.tried == tried, minutes
        delivered = await shop.events(run.id, "delivered")
        assert [(each.ok, each.receipt, each.who) for each in delivered] == [(False, "the pager is off", LEAD)] * 3
        run = await shop.said(run.id, "yes")
        assert (shop.paid, run.verdict) == ([100], "success")

    story(tell)


def test_a_page_that_went_out_is_recorded_and_holds_words_and_no_buttons(shop: Shop) -> None:
    async def tell() -> None:
        shop.organisation = replace(ORG, inbox="https://inbox.example.com")
        run = await shop.handed_over(paying(escalation=pages()))
        assert [(each.ok, each.receipt) for each in await shop.events(run.id, "delivered")] == [(True, "page 1")]
        page = shop.pager.sent[0]
        assert page.link == f"https://inbox.example.com/runs/{run.id}/questions/Q1"
        assert "refund" in page.body

    story(tell)


def test_like_questions_are_one_page(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(100, 200, 300)]
        run = await shop.handed_over(paying(escalation=pages()))
        assert (len(run.open_questions), len(shop.pager.sent)) == (3, 1)
        rows = [each.how for each in await shop.events(run.id, "notified") if each.question]
        assert rows == ["page", "inbox", "inbox"]

    story(tell)


def test_what_must_be_attached_and_is_not_asks_nobody(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        numbered = replace(REFUND, arguments=(*REFUND.arguments, Argument(name="order_id", type="text")))
        shop.organisation = replace(ORG, tools=(numbered,))
        shop.agents = [calls({"amount": 100, "order_id": ""}, {"amount": 100, "order_id": "A-1"}, replies=replies)]
        run = await shop.handed_over(paying(escalation=pages(attach=("order_id",))))
        assert [each["state"] for each in replies] == ["refused", "waiting"]
        assert replies[0]["reasons"][0]["code"] == "INPUTS"
        assert "`order_id`" in replies[0]["reasons"][0]["why"]
        assert (list(run.questions), len(run.drafts)) == (["Q1"], 1)

    story(tell)


# ------------------------------------------------------------------------------------------------ too many


def test_no_run_buries_people_in_questions(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path, calls(*range(101, 115), replies=replies))
        run = await shop.handed_over(paying())
        assert [each["state"] for each in replies] == ["waiting"] * 10 + ["refused"] * 4
        assert len(run.open_questions) == 10
        assert {each["reasons"][0]["code"] for each in replies[10:]} == {"APPROVAL"}

    story(tell)


def test_a_storm_of_refusals_stops_the_attempt(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def insists(inside: Inside) -> None:
            for amount in range(1000, 1050):
                await calls(amount, replies=replies)(inside)
            await inside.stays()

        shop = Shop(tmp_path, insists)
        run = await shop.handed_over(paying())
        assert run.trouble == "stuck" or [each.why for each in await shop.events(run.id, "stuck")]
        assert run.verdict == "failed"
        assert shop.paid == []

    story(tell)


def test_whoever_asks_the_same_again_after_a_no_is_stopped(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying())

        async def insists(inside: Inside) -> None:
            await calls(100)(inside)
            await answer(shop.hands, run_id, "Q1", "no", signer=PaperSigner(LEAD), assurance="terminal")
            while (await shop.draft(run_id)).state != "refused":
                await anyio.sleep(0.01)
            await calls(*[100] * 30)(inside)
            await inside.stays()

        shop.agents = [insists]
        run = await shop.drive(run_id)
        stuck = await shop.events(run_id, "stuck")
        assert len(stuck) == 1
        assert "the same action" in stuck[0].why or "refusals in a row" in stuck[0].why
        assert (list(run.questions), shop.paid) == (["Q1"], [])

    story(tell)


def test_asking_again_while_it_waits_is_one_draft_and_one_question(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path, calls(100, 100, 100, replies=replies))
        run = await shop.handed_over(paying())
        assert [(each["state"], each["question"]) for each in replies] == [("waiting", "Q1")] * 3
        assert (len(run.drafts), len(run.questions)) == (1, 1)

    story(tell)


# ------------------------------------------------------------------------------------------------ what counts


def test_the_same_statement_counts_once_whenever_it_comes_again(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, signature = await signed(shop, run.id, "yes")
        await answer_signed(shop.hands, text, signature)
        for seconds in (0, 1, 60, 3600):
            shop.jump(seconds=seconds)
            shop.fit()
            with pytest.raises(BadInput, match="was answered `yes`"):
                await answer_signed(shop.hands, text, signature)
            await shop.drive(run.id)
        assert shop.paid == [100]
        assert await rejected(shop, run.id) == [(Code.APPROVAL, LEAD)] * 4

    story(tell)


def test_a_statement_is_no_answer_to_another_question_run_or_contract(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(100, 100 + 1)]
        run = await shop.handed_over(paying())
        other = await shop.handed_over(paying(limits=Limits(time=36000, turns=59)))
        text, signature = await signed(shop, run.id, "yes")
        for forged in (
            text.replace("question: Q1", "question: Q2"),
            text.replace(run.id, other.id),
            text.replace("answer: yes", "answer: no"),
        ):
            with pytest.raises(BadInput, match="signature"):
                await answer_signed(shop.hands, forged, signature)
        signer = PaperSigner(LEAD)
        for forged in (
            text.replace("question: Q1", "question: Q2"), text.replace(run.id, other.id),
            text.replace(run.contract.hash(), other.contract.hash()),
        ):  # fmt: skip
            with pytest.raises(BadInput, match="something else"):
                await answer_signed(shop.hands, forged, await signer.sign(forged.encode(), namespace=ANSWER))
        assert shop.paid == []
        assert len(await rejected(shop, run.id)) + len(await rejected(shop, other.id)) == 6

    story(tell)


def test_a_line_that_is_there_twice_or_has_no_name_is_no_statement(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, _ = await signed(shop, run.id, "no")
        for wrong in (text + "answer: yes\n", text + "yes\n", "", "\n", "remit.answer/1\n", text.replace(run.id, "r0")):
            signature = await PaperSigner(LEAD).sign(wrong.encode(), namespace=ANSWER)
            with pytest.raises((BadInput, Refused)):
                await answer_signed(shop.hands, wrong, signature)
        assert (await shop.draft(run.id)).state == "asked"

    story(tell)


def test_more_in_a_statement_than_was_asked_is_about_something_else(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, _ = await signed(shop, run.id, "yes")
        for wrong in (text + "becomes: 00\n", text + "amount: 5\n", text.replace("remit.answer/1", "remit.answer/2")):
            signature = await PaperSigner(LEAD).sign(wrong.encode(), namespace=ANSWER)
            with pytest.raises(BadInput):
                await answer_signed(shop.hands, wrong, signature)
        assert (await shop.draft(run.id)).state == "asked"

    story(tell)


@pytest.mark.parametrize("at", ["tomorrow", "2030-01-01T00:00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", ""])
def test_a_moment_that_makes_no_sense_lets_nothing_out_and_breaks_nothing(shop: Shop, at: str) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        text, _ = await signed(shop, run.id, "yes")
        text = "".join(f"at: {at}\n" if line.startswith("at: ") else line for line in text.splitlines(keepends=True))
        with pytest.raises(BadInput):
            await answer_signed(shop.hands, text, await PaperSigner(LEAD).sign(text.encode(), namespace=ANSWER))
        await shop.drive(run.id)
        assert shop.paid == []
        await shop.said(run.id, "yes")
        assert shop.paid == [100]

    story(tell)


def test_an_answer_under_the_namespace_of_an_acceptance_is_none(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, signature = await signed(shop, run.id, "yes", namespace=ACCEPTANCE)
        with pytest.raises(BadInput, match="signature"):
            await answer_signed(shop.hands, text, signature)
        assert await rejected(shop, run.id) == [(Code.INPUTS, LEAD)]

    story(tell)


def test_an_unsigned_answer_is_none_but_in_test_mode(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, _ = await signed(shop, run.id, "yes")
        for nothing in ("", "none", text):
            with pytest.raises(BadInput, match="signature"):
                await answer_signed(shop.hands, text, nothing)
        with pytest.raises(Refused):
            await shop.said(run.id, "yes", assurance="scripted")
        assert len(await rejected(shop, run.id)) == 4

    story(tell)


def test_a_statement_names_the_change_it_approves(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        text, signature = await signed(shop, run.id, "modify", arguments={"amount": 60})
        for more in (
            {"arguments": {"amount": 500}},
            {"arguments": {"amount": 60, "to": "me"}},
            {"arguments": {"amount": 60}, "rules": "never: [{call: x}]"},
        ):
            with pytest.raises(BadInput):
                await answer_signed(shop.hands, text, signature, **more)
        with pytest.raises(BadInput):
            await answer_signed(shop.hands, text, signature)
        await answer_signed(shop.hands, text, signature, arguments={"amount": 60})
        await shop.drive(run.id)
        assert shop.paid == [60]

    story(tell)


def test_the_same_call_with_another_amount_needs_another_answer(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying())

        async def agent(inside: Inside) -> None:
            await calls(100, replies=replies)(inside)
            await answer(shop.hands, run_id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            while not shop.paid:
                await anyio.sleep(0.01)
            await calls(101, 100, 100, replies=replies)(inside)

        shop.agents = [agent]
        run = await shop.drive(run_id)
        assert [each["state"] for each in replies] == ["waiting", "waiting", "done", "waiting"]
        assert ([each.question for each in run.open_questions], shop.paid) == (["Q2", "Q3"], [100])

    story(tell)


# ------------------------------------------------------------------------------------------------ who


def test_an_approver_beyond_their_limit_is_refused_and_the_next_is_asked(shop: Shop) -> None:
    async def tell() -> None:
        lead = person(LEAD, "lead", may_sign=limited("99"), answers_to=FINANCE)
        shop.organisation = replace(ORG, people=(*(each for each in PEOPLE if each.id != LEAD), lead))
        run = await shop.handed_over(paying())
        with pytest.raises(Refused, match="beyond what"):
            await shop.said(run.id, "yes")
        run = await shop.drive(run.id)
        assert await rejected(shop, run.id) == [(Code.AUTHORITY, LEAD)]
        assert run.questions["Q1"].question.of == (LEAD, FINANCE)
        assert [each.to for each in await shop.events(run.id, "question_escalated")] == [FINANCE]
        with pytest.raises(Refused, match="beyond what"):
            await shop.said(run.id, "yes")
        run = await shop.said(run.id, "yes", by=FINANCE)
        assert (shop.paid, (await shop.draft(run.id)).responsible) == ([100], (FINANCE,))
        assert len(await shop.events(run.id, "question_escalated")) == 1

    story(tell)


def test_whoever_asked_for_it_does_not_approve_it(shop: Shop) -> None:
    async def tell() -> None:
        shop.organisation = replace(ORG, four_eyes=True)
        asked = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who="lead")
        run = await shop.handed_over(paying(asked), requester=LEAD)
        with pytest.raises(Refused, match="another pair of eyes"):
            await shop.said(run.id, "yes")
        assert await rejected(shop, run.id) == [(Code.AUTHORITY, LEAD)]
        run = await shop.said(run.id, "yes", by=OTHER)
        assert shop.paid == [100]

    story(tell)


def quorum(run_of: int = 2) -> Rule:
    return rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who="lead", quorum=run_of)


def test_two_have_to_say_yes_and_one_person_is_one(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(quorum()))
        run = await shop.said(run.id, "yes")
        assert (shop.paid, run.questions["Q1"].said) == ([], "")
        with pytest.raises(BadInput, match="another person"):
            await shop.said(run.id, "yes")
        assert (shop.paid, await rejected(shop, run.id)) == ([], [(Code.APPROVAL, LEAD)])
        run = await shop.said(run.id, "yes", by=OTHER)
        assert (shop.paid, set((await shop.draft(run.id)).responsible)) == ([100], {LEAD, OTHER})

    story(tell)


def test_a_change_makes_the_yes_before_it_void_and_its_statement_with_it(shop: Shop) -> None:
    """Back and forth: what was signed for 100 EUR was used once, and does not come to life again."""

    async def tell() -> None:
        third = person("third-lead@example.com", "lead")
        shop.organisation = replace(ORG, people=(*PEOPLE, third))
        run = await shop.handed_over(paying(quorum()))
        text, signature = await signed(shop, run.id, "yes")
        await answer_signed(shop.hands, text, signature)
        run = await shop.said(run.id, "modify", by=OTHER, arguments={"amount": 60})
        assert (shop.paid, run.questions["Q1"].said) == ([], "")
        with pytest.raises(BadInput):
            await answer_signed(shop.hands, text, signature)
        run = await shop.said(run.id, "modify", by=third.id, arguments={"amount": 100})
        assert (shop.paid, run.questions["Q1"].said) == ([], "")
        with pytest.raises(BadInput):
            await answer_signed(shop.hands, text, signature)
        await shop.drive(run.id)
        assert shop.paid == []

    story(tell)


def test_a_key_that_was_taken_out_of_the_file_counts_no_more(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        without_key = replace(ORG, people=tuple(replace(each, keys=()) if each.id == LEAD else each for each in PEOPLE))
        without_person = replace(ORG, people=tuple(each for each in PEOPLE if each.id != LEAD))
        another = replace(
            ORG, people=tuple(replace(each, keys=(PaperSigner("x").public,)) if each.id == LEAD else each for each in PEOPLE)
        )
        for now_known in (without_key, without_person, another):
            with pytest.raises(Refused, match="taken out"):
                await shop.said(run.id, "yes", organisation=now_known)
        assert await rejected(shop, run.id) == [(Code.AUTHORITY, LEAD)] * 3
        run = await shop.said(run.id, "yes", organisation=ORG)
        assert shop.paid == [100]

    story(tell)


def test_a_key_that_was_put_in_later_does_not_count_for_a_run_that_knows_another(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        with pytest.raises(Refused):
            await answer(shop.hands, run.id, "Q1", "yes", signer=Impostor(), assurance="person-signed", organisation=ORG)
        assert await rejected(shop, run.id) == [(Code.AUTHORITY, LEAD)]

    story(tell)


class Impostor(PaperSigner):
    """Claims to be the lead with a key of their own."""

    def __init__(self) -> None:
        super().__init__("somebody@example.com")
        self.person = LEAD


def test_after_the_outcome_changed_hands_the_new_owner_is_asked(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        asked = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who="owner")
        run_id = await shop.taken_on(paying(asked))

        async def agent(inside: Inside) -> None:
            await calls(100)(inside)
            await offer(shop.hands, run_id, to=FINANCE, signer=PaperSigner(OWNER), assurance="terminal")
            await calls(150)(inside)
            await take_over(shop.hands, run_id, signer=PaperSigner(FINANCE), assurance="terminal")
            await calls(200)(inside)

        shop.agents = [agent]
        run = await shop.drive(run_id)
        assert [each.of for each in run.open_questions] == [(OWNER, FINANCE), (OWNER, FINANCE), (FINANCE,)]
        with pytest.raises(Refused):
            await shop.said(run_id, "yes", question="Q3", by=OWNER)
        run = await shop.said(run_id, "yes", question="Q3", by=FINANCE)
        assert shop.paid == [200]
        run = await shop.said(run_id, "yes", question="Q1", by=FINANCE)
        assert shop.paid == [200, 100]

    story(tell)


def test_what_the_agent_wanted_to_know_grants_nothing_whatever_is_said(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying())

        async def sly(inside: Inside) -> None:
            await inside.act("ask", "May the agent call refund?")
            await answer(shop.hands, run_id, "Q1", "yes", signer=PaperSigner(OWNER), assurance="terminal")
            await calls(100, replies=replies)(inside)

        shop.agents = [sly]
        run = await shop.drive(run_id)
        assert (replies[0]["state"], shop.paid) == ("waiting", [])
        assert isinstance(run.questions["Q1"].answer, QuestionAnswered)

    story(tell)


def test_an_answer_after_the_crash_of_whoever_asked_is_acted_on(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)

        async def dies(inside: Inside) -> None:
            await calls(100)(inside)
            raise Crash

        async def nothing(inside: Inside) -> None:
            return

        shop.agents = [dies, nothing]
        run_id = await shop.taken_on(paying())
        await shop.killed(run_id)
        await answer(shop.hands, run_id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        run = await shop.drive(run_id)
        assert (shop.paid, run.verdict) == ([100], "success")

    story(tell)


def test_when_the_second_of_two_changes_it_the_first_is_asked_about_what_it_became(shop: Shop) -> None:
    async def tell() -> None:
        shop.organisation = replace(
            ORG, rules=(rule("ask", "call", "refund", id="all", where=amounts("50", "500", over=True), who=FINANCE),)
        )
        run = await shop.handed_over(paying())
        asked = {each.of[0]: each.question for each in run.open_questions}
        await shop.said(run.id, "yes", question=asked[FINANCE], by=FINANCE)
        run = await shop.said(run.id, "modify", question=asked[LEAD], arguments={"amount": 60})
        assert shop.paid == []
        [open_] = run.open_questions
        assert open_.action is not None
        assert (open_.of, open_.action.arguments["amount"]) == ((FINANCE,), 60)
        await shop.said(run.id, "yes", question=open_.question, by=FINANCE)
        assert (shop.paid, set((await shop.draft(run.id)).responsible)) == ([60], {FINANCE, LEAD})

    story(tell)


def test_an_answer_after_the_deadline_is_too_late_whether_or_not_anybody_looked(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        text, signature = await signed(shop, run.id, "yes")
        shop.jump(hours=2)
        for _ in range(2):
            with pytest.raises(BadInput, match="time to answer"):
                await answer_signed(shop.hands, text, signature)
            await shop.drive(run.id)
        assert await rejected(shop, run.id) == [(Code.APPROVAL, LEAD)] * 2
        assert ((await shop.draft(run.id)).state, shop.paid) == ("expired", [])

    story(tell)


def test_of_two_answers_at_once_one_counts(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        counted = []

        async def says(word: str, by: str) -> None:
            try:
                await answer(shop.hands, run.id, "Q1", word, signer=PaperSigner(by), assurance="terminal")
            except BadInput:
                return
            counted.append(word)

        async with anyio.create_task_group() as group:
            for word, by in (("yes", LEAD), ("no", FINANCE), ("yes", FINANCE), ("no", LEAD)):
                group.start_soon(says, word, by)
        run = await shop.drive(run.id)
        assert len(counted) == len(await shop.events(run.id, "question_answered")) == 1
        assert len(await rejected(shop, run.id)) == 3
        assert shop.paid == ([100] if counted == ["yes"] else [])

    story(tell)


# ------------------------------------------------------------------------------------------------ work that was handed on

CHILD = """\
goal: The large ones are refunded
owner: release-lead@example.com
containment: L0
may:
  - read: "**"
  - write: docs/**
  - call: refund
    where: {amount: {from: 0, to: 50}}
ask:
  - call: refund
    where: {amount: {over: 50, to: 500}}
    who: support-lead@example.com
limits: {turns: 20, time: 600s}
success:
  - {id: hello, file: docs/hello.md, matches: hello}
recovery:
  - {when: failed, do: undo}
"""


def handing_on(shop: Shop, *wants: int, replies: list[dict[str, Any]]) -> Any:
    """An agent that hands its calls on to a child run, whose runtime makes them."""
    shop.sandbox.programs["child"] = writes(then=calls(*wants, replies=replies))

    async def agent(inside: Inside) -> None:
        await inside.act("delegate", "command", arguments={"contract": CHILD, "command": ["child"]})

    return agent


DELEGATE = rule("may", "delegate", "command")


def test_what_a_child_asks_is_answered_and_goes_out_once(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        shop.agents = [handing_on(shop, 100, 40, replies=replies)]
        run = await shop.handed_over(paying(DELEGATE, FREE, ASKED))
        assert [each["state"] for each in replies] == ["waiting", "done"]
        child = f"{run.id}.1"
        await answer(shop.hands, child, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        run = await shop.drive(run.id)
        assert (sorted(shop.paid), run.verdict) == ([40, 100], "success")
        assert (await shop.hands.replay(child)).verdict == "success"

    story(tell)


def test_whoever_handed_the_work_over_does_not_approve_what_a_child_of_it_asks(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        shop.organisation = replace(ORG, four_eyes=True)
        shop.agents = [handing_on(shop, 100, replies=[])]
        run = await shop.handed_over(paying(DELEGATE, FREE, ASKED), requester=LEAD)
        with pytest.raises(Refused, match="another pair of eyes"):
            await answer(shop.hands, f"{run.id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        await shop.drive(run.id)
        assert shop.paid == []

    story(tell)


def test_nobody_is_asked_for_a_child_of_an_unattended_run(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        shop.agents = [handing_on(shop, 100, replies=replies)]
        run = await shop.handed_over(paying(DELEGATE, FREE, ASKED), unattended=True)
        child = await shop.hands.replay(f"{run.id}.1")
        assert (replies[0]["state"], list(child.questions), shop.paid) == ("refused", [], [])
        assert [each.state for each in child.drafts.values()] == ["refused"]

    story(tell)


def test_a_condition_binds_the_children_too(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying(DELEGATE, FREE, ASKED))
        hands_on = handing_on(shop, 30, 15, 100, replies=replies)

        async def agent(inside: Inside) -> None:
            await calls(60)(inside)
            rules = "never:\n  - call: refund\n    where: {amount: {from: 20, to: 500}}\n"
            await answer(
                shop.hands, run_id, "Q1", "modify", signer=PaperSigner(LEAD), assurance="terminal", arguments={"amount": 10},
                rules=rules,
            )  # fmt: skip
            await hands_on(inside)

        shop.agents = [agent]
        await shop.drive(run_id)
        assert [each["state"] for each in replies] == ["refused", "done", "refused"]
        assert sorted(shop.paid) == [10, 15]

    story(tell)


def test_a_stop_reaches_the_drafts_of_children(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        shop.agents = [handing_on(shop, 100, replies=[])]
        run = await shop.handed_over(paying(DELEGATE, FREE, ASKED))
        await shop.stop(run.id)
        run = await shop.drive(run.id)
        with pytest.raises(BadInput):
            await answer(shop.hands, f"{run.id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        child = await shop.hands.replay(f"{run.id}.1")
        assert ([each.state for each in child.drafts.values()], run.verdict, child.verdict) == (["refused"], "stopped", "stopped")
        assert shop.paid == []

    story(tell)


def test_what_a_child_was_allowed_goes_out_while_its_parent_still_works(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying(DELEGATE, FREE, ASKED))
        hands_on, seen = handing_on(shop, 100, replies=[]), []

        async def agent(inside: Inside) -> None:
            await hands_on(inside)
            await answer(shop.hands, f"{run_id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            with anyio.move_on_after(3):
                while not shop.paid:
                    await anyio.sleep(0.01)
            seen.extend(shop.paid)

        shop.agents = [agent]
        await shop.drive(run_id)
        assert seen == shop.paid == [100]

    story(tell)


def test_whoever_is_asked_next_sees_what_it_has_become(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(
            paying(rule("ask", "call", "refund", id="two", where=amounts("50", "500", over=True), who="finance", quorum=2))
        )
        shop.agents = [calls(300)]
        await shop.drive(run_id)
        run = await shop.said(run_id, "modify", by=FINANCE, arguments={"amount": 60})
        question = run.open_questions[0]
        assert "60" in question.text and "300" not in question.text
        assert "60" in question.preview and "300" not in question.preview
        assert "60" in next(iter(run.drafts.values())).shown

    story(tell)

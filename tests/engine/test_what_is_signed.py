"""What an answer is held against: its moment, its note, how sure it is whose it is, and who says that it is done again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from effects_worlds import ASKED, FREE, LEAD, ORG, OTHER, PEOPLE, Fragile, Shop, amounts, calls, pages, paying
from engine_worlds import OWNER, rule, story
from msgspec.structs import replace

from remit.authority.decision import Code
from remit.engine.inbox import accept, answer, answer_signed, unsigned
from remit.errors import BadInput, Refused
from remit.run.statement import ANSWER, read_statement
from remit.testing.signer import PaperSigner
from remit.value import digest


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


async def signed(shop: Shop, run: str, at: str, by: str = LEAD, **more: Any) -> tuple[str, str]:
    """A yes that names this moment, properly signed elsewhere."""
    text = await unsigned(shop.hands, run, "Q1", "yes", person=by, **more)
    moment = read_statement(text)["at"]
    text = text.replace(f"at: {moment}\n", f"at: {at or moment}\n")
    return text, await PaperSigner(by).sign(text.encode(), namespace=ANSWER)


@pytest.mark.parametrize("minutes", [-6, 66, 60 * 24 * 365])
def test_a_yes_from_before_the_question_or_from_the_future_is_none(shop: Shop, minutes: int) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        moment = run.questions["Q1"].at + timedelta(minutes=minutes)
        shop.jump(hours=1)
        with pytest.raises(BadInput, match="between the asking of the question and now"):
            await answer_signed(shop.hands, *await signed(shop, run.id, moment.isoformat()))
        assert [each.code for each in await shop.events(run.id, "answer_rejected")] == [Code.INPUTS]
        await shop.drive(run.id)
        assert shop.paid == []

    story(tell)


@pytest.mark.parametrize("minutes", [-4, 30, 63])
def test_a_clock_may_be_a_little_off(shop: Shop, minutes: int) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        moment = run.questions["Q1"].at + timedelta(minutes=minutes)
        shop.jump(hours=1)
        run = await answer_signed(shop.hands, *await signed(shop, run.id, moment.isoformat()))
        assert run.questions["Q1"].said == "yes"

    story(tell)


def test_nobody_puts_a_note_into_the_mouth_of_whoever_signed(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        plain = await signed(shop, run.id, "")
        with pytest.raises(BadInput, match="something else: note"):
            await answer_signed(shop.hands, *plain, note="and to account 4711 from now on")
        noted = await signed(shop, run.id, "", note="for July\nonly")
        assert read_statement(noted[0])["note"] == digest("for July\nonly")
        with pytest.raises(BadInput, match="something else: note"):
            await answer_signed(shop.hands, *noted)
        run = await answer_signed(shop.hands, *noted, note="for July\nonly")
        last = run.questions["Q1"].answer
        assert last is not None and last.note == "for July\nonly"

    story(tell)


def test_what_is_signed_says_how_sure_it_is_and_what_was_noted(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "yes", note="as agreed")
        said = run.questions["Q1"].answer
        assert said is not None
        fields = read_statement(said.statement)
        assert (fields["assurance"], fields["note"]) == ("terminal", digest("as agreed"))
        await accept(shop.hands, run.id, signer=PaperSigner(OWNER), assurance="session", decline=False, note="thank you")
        [taken] = await shop.events(run.id, "accepted")
        fields = read_statement(taken.statement)
        assert run.work is not None
        assert (fields["assurance"], fields["note"], fields["outcome"]) == ("session", digest("thank you"), run.work.sealed)

    story(tell)


@pytest.mark.parametrize("word", ["yes", "no"])
def test_an_unsigned_word_about_an_effect_counts_in_test_mode_only(shop: Shop, word: str) -> None:
    class Nobody:
        person, public = LEAD, ""

        async def sign(self, message: bytes, *, namespace: str) -> str:
            raise AssertionError("there is no key")

    async def tell() -> None:
        run = await shop.handed_over(paying())
        with pytest.raises(Refused, match="`scripted` does not suffice"):
            await answer(shop.hands, run.id, "Q1", word, signer=Nobody(), assurance="scripted")
        assert not (await shop.hands.replay(run.id)).questions["Q1"].said
        shop.organisation = replace(ORG, assurance="scripted")
        shop.agents = [calls(100)]
        run = await shop.handed_over(paying())
        run = await answer(shop.hands, run.id, "Q1", word, signer=Nobody(), assurance="scripted")
        assert run.questions["Q1"].said == word

    story(tell)


def test_one_key_is_one_person_whatever_names_it_has(shop: Shop) -> None:
    class Again(PaperSigner):
        """The lead, under another name."""

        def __init__(self) -> None:
            super().__init__(LEAD)
            self.person = OTHER

    async def tell() -> None:
        same = tuple(replace(each, keys=(PaperSigner(LEAD).public,)) if each.id == OTHER else each for each in PEOPLE)
        shop.organisation = replace(ORG, people=same)
        both = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who="lead", quorum=2)
        run = await shop.handed_over(paying(FREE, both))
        await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        with pytest.raises(BadInput, match=f"answered as {LEAD} already"):
            await answer(shop.hands, run.id, "Q1", "yes", signer=Again(), assurance="terminal")
        await shop.drive(run.id)
        assert shop.paid == []

    story(tell)


# ------------------------------------------------------------------------------------------------ done again


def in_doubt(tmp_path: Path, *amounts: int) -> Shop:
    """A provider that dies after it has paid, and an organisation where whoever asked for it approves nothing."""
    shop = Shop(tmp_path, calls(*amounts), refund=Fragile(times=1, how="after"))
    people = tuple(replace(each, substitutes=(OWNER,)) if each.id == LEAD else each for each in PEOPLE)
    shop.organisation = replace(ORG, people=people, four_eyes=True)
    return shop


def test_whoever_asked_for_it_does_not_have_it_done_again(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = in_doubt(tmp_path, 100)
        run = await shop.handed_over(paying(FREE, ASKED), requester=OWNER)
        run = await shop.said(run.id, "yes")
        assert [(each.question, each.about) for each in run.open_questions] == [("Q2", "doubt")]
        with pytest.raises(Refused, match="another pair of eyes"):
            await shop.said(run.id, "redo", question="Q2", by=OWNER)
        await shop.drive(run.id)
        assert shop.paid == [100]
        assert [each.person for each in await shop.events(run.id, "answer_rejected")] == [OWNER]
        await shop.said(run.id, "happened", question="Q2", by=OWNER, receipt="it is in the books")
        assert ((await shop.draft(run.id)).state, shop.paid) == ("published", [100])

    story(tell)


def test_what_needed_nobody_may_be_done_again_by_whoever_asked_for_it(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = in_doubt(tmp_path, 40)
        run = await shop.handed_over(paying(FREE, ASKED), requester=OWNER)
        assert [each.about for each in run.open_questions] == ["doubt"]
        await shop.said(run.id, "redo", by=OWNER)
        assert shop.paid == [40, 40]

    story(tell)

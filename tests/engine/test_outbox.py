"""What leaves the workspace: a draft first, released at most once, and what is in doubt is found out."""

from pathlib import Path
from typing import Any

import pytest
from effects_worlds import FINANCE, LEAD, ORG, OTHER, PEOPLE, Fragile, Shop, calls, limited, pages, paying, person
from engine_worlds import HELLO, OWNER, Crash, idles, rule, story
from msgspec.structs import replace

from remit.cli.outcome import exit_code
from remit.contract.binding import GitPush
from remit.contract.condition import Anything
from remit.contract.party import Argument, Tool
from remit.contract.rule import Where
from remit.engine.inbox import answer
from remit.engine.outbox import confirm
from remit.errors import BadInput, Refused
from remit.ports import Receipt
from remit.run import next_move as m
from remit.testing.effects import MemoryEffects
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


async def history(shop: Shop, run: str) -> list[str]:
    """The facts about drafts, and the questions about them, by name."""
    wanted = {
        "drafted", "question_asked", "question_answered", "question_expired", "intended", "effected", "withdrawn", "in_doubt",
        "resolved", "confirmed", "handed_off",
    }  # fmt: skip
    return [kind for kind in await shop.kinds(run) if kind in wanted]


def test_a_free_call_is_drafted_and_published_at_once(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(40)]
        run = await shop.handed_over(paying())
        assert await history(shop, run.id) == ["drafted", "handed_off", "intended", "effected"]
        assert ((await shop.draft(run.id)).state, shop.paid, run.verdict) == ("published", [40], "success")

    story(tell)


def test_an_asked_call_goes_through_every_state_by_name(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        assert ((await shop.draft(run.id)).state, shop.paid) == ("asked", [])
        run = await shop.said(run.id, "yes")
        assert await history(shop, run.id) == [
            "drafted", "question_asked", "question_answered", "handed_off", "intended", "effected",
        ]  # fmt: skip
        draft = await shop.draft(run.id)
        assert (draft.state, draft.responsible, shop.paid, run.verdict) == ("published", (LEAD,), [100], "success")

    story(tell)


def test_a_no_refuses_the_draft(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "no")
        assert ((await shop.draft(run.id)).state, (await shop.draft(run.id)).why, shop.paid) == ("refused", f"{LEAD} said no", [])

    story(tell)


def test_what_nobody_answers_in_time_expires(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200)))
        run = await shop.later(run.id, hours=2)
        assert (await shop.draft(run.id)).state == "expired"
        assert (run.verdict, shop.paid) == ("success", [])

    story(tell)


def test_what_nobody_answers_in_time_stops_the_run_where_the_contract_says_so(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200, otherwise="stop")))
        run = await shop.later(run.id, hours=2)
        assert (run.verdict, (await shop.draft(run.id)).state, shop.paid) == ("stopped", "refused", [])

    story(tell)


def test_what_the_provider_refuses_is_refused_and_told(shop: Shop) -> None:
    async def tell() -> None:
        shop.refunds.refuses = "the card is closed"
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "yes")
        draft = await shop.draft(run.id)
        assert (draft.state, draft.receipt, shop.paid) == ("refused", "the card is closed", [])
        assert await history(shop, run.id) == [
            "drafted", "question_asked", "question_answered", "handed_off", "intended", "effected",
        ]  # fmt: skip

    story(tell)


# ------------------------------------------------------------------------------------------------ what is in doubt


@pytest.mark.parametrize(("how", "said", "tries"), [("after", "happened", 1), ("before", "did not happen", 2)])
def test_a_provider_that_can_be_asked_settles_the_doubt_itself(tmp_path: Path, how: Any, said: str, tries: int) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(how=how, probes=True))
        run = await shop.handed_over(paying())
        draft = await shop.draft(run.id)
        assert draft.resolved is not None
        assert (draft.resolved.by, draft.resolved.said) == ("probe", said)
        assert (draft.state, draft.tries, shop.paid, run.verdict) == ("published", tries, [40], "success")
        assert "refund-1" in run.created

    story(tell)


def test_inside_the_window_of_its_key_an_effect_is_repeated_and_happens_once(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(crash=True, window=3600))
        run_id = await shop.taken_on(paying())
        await shop.killed(run_id)
        shop.agents = [idles]
        run = await shop.later(run_id, minutes=58)
        draft = await shop.draft(run.id)
        assert draft.resolved is not None
        assert (draft.resolved.by, draft.state, draft.tries, shop.paid) == ("idempotency", "published", 2, [40])

    story(tell)


@pytest.mark.parametrize("minutes", [59.5, 61])
def test_after_the_window_of_its_key_only_a_person_can_know(tmp_path: Path, minutes: float) -> None:
    """Nor in its last minute: the request itself takes its time."""

    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(crash=True, window=3600))
        run_id = await shop.taken_on(paying())
        await shop.killed(run_id)
        shop.agents = [idles]
        run = await shop.later(run_id, minutes=minutes)
        assert ((await shop.draft(run.id)).state, [each.about for each in run.open_questions]) == ("unknown", ["doubt"])
        assert (run.verdict, shop.paid) == (None, [40])
        assert m.next_move(run, shop.clock.now()) == m.Rest(on="doubt")

    story(tell)


@pytest.mark.parametrize(
    ("word", "state", "paid", "more"),
    [
        ("happened", "published", [40], {"receipt": "slip 7"}),
        ("redo", "published", [40, 40], {}),
        ("abandon", "abandoned", [40], {}),
    ],
)
def test_what_only_a_person_can_know_is_as_they_say(tmp_path: Path, word: str, state: str, paid: list[int], more: Any) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile())
        run = await shop.handed_over(paying())
        assert [(each.about, each.of) for each in run.open_questions] == [("doubt", (OWNER,))]
        assert exit_code(run) == 7
        run = await shop.said(run.id, word, by=OWNER, **more)
        draft = await shop.draft(run.id)
        assert (draft.state, shop.paid, run.verdict, draft.conflict) == (state, paid, "success", "")
        assert draft.resolved is not None
        assert (draft.resolved.by, draft.resolved.person) == ("person", OWNER)
        if word == "happened":
            assert draft.receipt == "slip 7"

    story(tell)


def test_a_doubt_about_what_was_approved_is_put_to_whoever_approved_it(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(100), refund=Fragile())
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "yes")
        assert [(each.about, each.of) for each in run.open_questions] == [("doubt", (LEAD,))]
        with pytest.raises(Refused, match=f"not {OTHER}"):
            await shop.said(run.id, "happened", question="Q2", by=OTHER)
        assert (await shop.draft(run.id)).state == "unknown"
        run = await shop.said(run.id, "happened", question="Q2")
        assert ((await shop.draft(run.id)).state, run.verdict) == ("published", "success")

    story(tell)


def test_a_second_doubt_needs_a_second_answer(tmp_path: Path) -> None:
    """One `redo` is one more try: whoever said it did not say it of what comes after."""

    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(times=2))
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "redo", by=OWNER)
        assert shop.paid == [40, 40]
        assert [(each.question, each.about) for each in run.open_questions] == [("Q2", "doubt")]
        run = await shop.said(run.id, "redo", question="Q2", by=OWNER)
        assert (shop.paid, run.verdict) == ([40, 40, 40], "success")

    story(tell)


@pytest.mark.parametrize(
    ("how", "more"), [("after", {"window": 86400}), ("before", {"window": 86400}), ("before", {"probes": True})]
)
def test_a_provider_that_dies_again_and_again_is_given_up_and_a_person_asked(tmp_path: Path, how: Any, more: Any) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(times=1000, how=how, **more))
        run = await shop.handed_over(paying())
        for _ in range(20):
            run = await shop.later(run.id, minutes=10)
        intents = [each.key for each in await shop.events(run.id, "intended")]
        assert 1 < len(intents) <= 5
        assert len(set(intents)) == 1
        assert [each.about for each in run.open_questions] == ["doubt"]
        assert len(shop.paid) <= 1

    story(tell)


class Later(Fragile):
    """A provider that has the request, and does it only after `remit` was killed and has asked what became of it."""

    def __init__(self) -> None:
        super().__init__(crash=True, how="before", probes=True)
        self.settles = 60
        self.held: tuple[str, Any] | None = None

    async def perform(self, key: str, arguments: Any, *, workspace: Path) -> Receipt:
        self.held = self.held or (key, arguments)
        return await super().perform(key, arguments, workspace=workspace)


def test_that_a_provider_has_nothing_of_it_yet_is_no_word_that_it_did_not_happen(tmp_path: Path) -> None:
    async def tell() -> None:
        provider = Later()
        shop = Shop(tmp_path, calls(40), refund=provider)
        run_id = await shop.taken_on(paying())
        await shop.killed(run_id)
        shop.agents = [idles]
        run = await shop.later(run_id, seconds=5)
        assert ((await shop.draft(run_id)).state, run.verdict, shop.paid) == ("unknown", None, [])
        assert provider.held is not None
        provider._done(*provider.held)
        for _ in range(3):
            run = await shop.later(run_id, minutes=2)
        draft = await shop.draft(run_id)
        assert draft.resolved is not None
        assert (draft.resolved.by, draft.resolved.said, draft.state, shop.paid) == ("probe", "happened", "published", [40])
        assert run.verdict == "success"

    story(tell)


def test_a_crash_before_the_outcome_is_never_a_second_effect(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(100), refund=Fragile(crash=True))
        run = await shop.handed_over(paying())
        with pytest.raises(Crash):
            await shop.said(run.id, "yes")
        assert (await shop.draft(run.id)).state == "publishing"
        run = await shop.drive(run.id)
        assert ((await shop.draft(run.id)).state, shop.paid, run.verdict) == ("unknown", [100], None)
        for _ in range(3):
            run = await shop.drive(run.id)
        assert (shop.paid, len(run.open_questions)) == ([100], 1)

    story(tell)


def test_word_from_outside_against_what_was_resolved_is_kept_as_a_conflict(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile())
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "abandon", by=OWNER)
        run = await confirm(shop.hands, run.id, f"{run.id}:E1", "slip 9", by=OWNER)
        draft = await shop.draft(run.id)
        assert (draft.state, draft.receipt) == ("published", "slip 9")
        assert "recorded as `abandoned`" in draft.conflict
        again = await confirm(shop.hands, run.id, f"{run.id}:E1", "slip 9", by=OWNER)
        assert again.drafts[f"{run.id}:E1"].conflict == draft.conflict
        with pytest.raises(BadInput, match="has no draft"):
            await confirm(shop.hands, run.id, f"{run.id}:E9", "slip 9", by=OWNER)

    story(tell)


def test_word_that_a_doubt_happened_settles_it_and_its_question(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile())
        run = await shop.handed_over(paying())
        await confirm(shop.hands, run.id, f"{run.id}:E1", "slip 9", by=OWNER)
        run = await shop.drive(run.id)
        draft = await shop.draft(run.id)
        assert (draft.state, draft.conflict, run.open_questions, run.verdict) == ("published", "", (), "success")
        with pytest.raises(BadInput):
            await shop.said(run.id, "redo", by=OWNER)
        assert shop.paid == [40]

    story(tell)


def test_word_that_something_happened_nobody_had_released_is_a_conflict(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        await confirm(shop.hands, run.id, f"{run.id}:E1", "slip 9", by=OWNER)
        assert (await shop.draft(run.id)).conflict
        run = await shop.drive(run.id)
        assert shop.paid == []

    story(tell)


def test_a_stop_with_an_effect_in_doubt_ends_unknown_and_begins_nothing_anew(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile())
        run = await shop.handed_over(paying())
        await shop.stop(run.id)
        run = await shop.drive(run.id)
        assert (run.verdict, exit_code(run), (await shop.draft(run.id)).state) == ("unknown", 7, "unknown")
        run = await shop.said(run.id, "redo", by=OWNER)
        assert ((await shop.draft(run.id)).state, shop.paid) == ("refused", [40])

    story(tell)


def test_a_stop_refuses_every_draft_that_has_not_begun(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(100, 200)]
        run = await shop.handed_over(paying())
        await shop.stop(run.id)
        run = await shop.drive(run.id)
        assert [each.state for each in run.drafts.values()] == ["refused", "refused"]
        assert (run.verdict, shop.paid) == ("stopped", [])
        with pytest.raises(BadInput, match="has been ended"):
            await shop.said(run.id, "yes")
        assert len(await shop.events(run.id, "answer_rejected")) == 1

    story(tell)


# ------------------------------------------------------------------------------------------------ changed by a person


def test_what_a_person_changed_goes_out_and_nothing_else(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "modify", arguments={"amount": 60})
        draft = await shop.draft(run.id)
        assert (draft.state, shop.paid, draft.tries) == ("published", [60], 1)
        intended = (await shop.events(run.id, "intended"))[0]
        assert intended.action.digest() == draft.action.digest() != draft.drafted.digest

    story(tell)


def test_what_a_change_makes_refused_or_beyond_them_is_no_answer(shop: Shop) -> None:
    async def tell() -> None:
        lead = person(LEAD, "lead", may_sign=limited("150"), answers_to=FINANCE)
        shop.organisation = replace(ORG, people=(*(each for each in PEOPLE if each.id != LEAD), lead))
        run = await shop.handed_over(paying())
        for amount in (501, 160, -1):
            with pytest.raises((BadInput, Refused)):
                await shop.said(run.id, "modify", arguments={"amount": amount})
        assert (len(await shop.events(run.id, "answer_rejected")), shop.paid) == (3, [])

    story(tell)


def test_a_condition_binds_what_comes_after_and_grants_nothing(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        run_id = await shop.taken_on(paying())

        async def agent(inside: Inside) -> None:
            await calls(100, 30, replies=replies)(inside)
            rules = "never:\n  - call: refund\n    where: {amount: {from: 20, to: 500}}\n    because: enough for today\n"
            await answer(
                shop.hands,
                run_id,
                "Q1",
                "modify",
                signer=PaperSigner(LEAD),
                assurance="terminal",
                arguments={"amount": 10},
                rules=rules,
            )
            await calls(31, 15, 200, replies=replies)(inside)

        shop.agents = [agent]
        run = await shop.drive(run_id)
        assert [each["state"] for each in replies] == ["waiting", "done", "refused", "done", "refused"]
        assert (sorted(shop.paid), run.verdict) == ([10, 15, 30], "success")
        assert "enough for today" in str(replies[2]["reasons"])

    story(tell)


def test_a_condition_that_would_widen_is_no_answer(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        wide = (
            "may:\n  - call: refund\n",
            "never: [{call: refund}]\nassurance: scripted\n",
            "never: [{call: refund}]\nnever: []\n",
            "nonsense",
        )
        for rules in wide:
            with pytest.raises(BadInput):
                await shop.said(run.id, "modify", rules=rules)
        assert (await shop.draft(run.id)).state == "asked"

    story(tell)


# ------------------------------------------------------------------------------------------------ attempts


def test_a_new_attempt_collects_what_was_published_and_a_further_call_is_new(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)

        async def dies(inside: Inside) -> None:
            await calls(40, replies=replies)(inside)
            raise Crash

        shop.agents = [dies, calls(40, 40, replies=replies)]
        run_id = await shop.taken_on(paying())
        await shop.killed(run_id)
        run = await shop.drive(run_id)
        assert [(each["state"], each["draft"].rpartition(":")[2]) for each in replies] == [
            ("done", "E1"),
            ("done", "E1"),
            ("done", "E2"),
        ]
        assert (shop.paid, run.attempt, run.verdict) == ([40, 40], 2, "success")
        assert replies[1]["receipt"] == replies[0]["receipt"]

    story(tell)


def test_a_call_with_a_name_of_its_own_is_one_effect_however_often_it_is_made(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)

        async def agent(inside: Inside) -> None:
            for amount, ref in ((40, "order 7"), (40, "order 7"), (30, "order 7"), (40, "order 8")):
                said = await inside.act("call", "refund", arguments={"amount": amount}, ref=ref)
                replies.append(said)

        shop.agents = [agent]
        await shop.handed_over(paying())
        assert [each["state"] for each in replies] == ["done", "done", "refused", "done"]
        assert shop.paid == [40, 40]

    story(tell)


def test_an_approval_is_carried_over_to_the_next_attempt_and_used_once(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying())

        async def dies(inside: Inside) -> None:
            await calls(100, replies=replies)(inside)
            await answer(shop.hands, run_id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            raise Crash

        shop.agents = [dies, calls(100, 100, replies=replies)]
        await shop.killed(run_id)
        run = await shop.drive(run_id)
        assert [each["state"] for each in replies] == ["waiting", "done", "waiting"]
        assert (shop.paid, [each.question for each in run.open_questions]) == ([100], ["Q2"])

    story(tell)


def test_a_no_stands_after_a_crash_and_in_a_new_attempt(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = Shop(tmp_path)
        run_id = await shop.taken_on(paying())

        async def dies(inside: Inside) -> None:
            await calls(100, replies=replies)(inside)
            await answer(shop.hands, run_id, "Q1", "no", signer=PaperSigner(LEAD), assurance="terminal")
            raise Crash

        shop.agents = [dies, calls(100, 100, 100, replies=replies)]
        await shop.killed(run_id)
        shop.fit()
        run = await shop.drive(run_id)
        assert [each["state"] for each in replies] == ["waiting", "refused", "refused", "refused"]
        assert (list(run.questions), shop.paid) == (["Q1"], [])

    story(tell)


# ------------------------------------------------------------------------------------------------ what waits to be published


PUSH = Tool(
    name="push",
    effect="publish",
    arguments=(Argument(name="branch", type="text", required=True),),
    does=GitPush(remote="/srv/x.git"),
)


def pushing(*rules: Any, **more: Any) -> Any:
    return paying(rule("may", "call", "push", where=(Where(argument="branch", condition=Anything()),)), *rules, **more)


def push_shop(folder: Path, *agents: Any) -> Shop:
    shop = Shop(folder, *agents, push=MemoryEffects(name="push"))
    shop.organisation = replace(ORG, tools=(PUSH,))
    return shop


def test_what_takes_its_content_from_the_workspace_goes_out_once_that_is_published(tmp_path: Path) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop = push_shop(tmp_path)

        async def agent(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            await calls({"branch": "main"}, replies=replies, tool="push")(inside)
            assert shop.effects["push"].happened == []

        shop.agents = [agent]
        run = await shop.handed_over(pushing(success=(HELLO,)))
        assert (replies[0]["state"], run.verdict, len(shop.effects["push"].happened)) == ("drafted", "success", 1)
        kinds = await shop.kinds(run.id)
        assert kinds.index("published") < kinds.index("intended")

    story(tell)


def test_what_takes_its_content_from_the_workspace_is_withdrawn_when_nothing_is_published(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = push_shop(tmp_path, calls({"branch": "main"}, tool="push"))
        run = await shop.handed_over(pushing(success=(HELLO,)))
        assert ((await shop.draft(run.id)).state, run.verdict, shop.effects["push"].happened) == ("expired", "failed", [])

    story(tell)


def test_an_answer_to_what_waits_for_a_publication_that_never_came_releases_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = push_shop(tmp_path, calls({"branch": "main"}, tool="push"))
        asking = rule("ask", "call", "push", who=LEAD)
        run = await shop.handed_over(paying(asking, success=(HELLO,)))
        run = await shop.said(run.id, "yes")
        assert ((await shop.draft(run.id)).state, run.verdict, shop.effects["push"].happened) == ("expired", "failed", [])

    story(tell)


# ------------------------------------------------------------------------------------------------ nobody there


def test_unattended_what_cannot_be_undone_is_kept_as_a_draft_and_the_owner_told(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop.agents = [calls(100, replies=replies)]
        run = await shop.handed_over(paying(), unattended=True)
        draft = await shop.draft(run.id)
        assert (replies[0]["state"], replies[0]["reasons"][0]["code"]) == ("refused", "IRREVERSIBLE")
        assert (draft.state, draft.action.arguments["amount"], list(run.questions), shop.paid) == ("refused", 100, [], [])
        told = [each for each in await shop.events(run.id, "notified") if "kept as a draft" in each.what]
        assert [each.who for each in told] == [OWNER]

    story(tell)


def test_the_owner_of_an_unattended_run_is_told_of_nothing_that_may_be_done(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(40)]
        run = await shop.handed_over(paying(), unattended=True)
        assert ((await shop.draft(run.id)).state, shop.paid) == ("published", [40])

    story(tell)

"""What children do with consequence: within their parent's sums, for its owner, after its people's no, and looked after."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from effects_worlds import FINANCE, FREE, LEAD, Shop, amounts, calls, pages, paying
from engine_worlds import HELLO, OWNER, rule, story
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.contract.contract import Contract
from remit.contract.limits import Count, Limits, Sum
from remit.engine.delegation import MOST_AGAIN, _carried, _take_on
from remit.engine.inbox import answer
from remit.engine.lineage import Lineages
from remit.engine.ownership import offer, take_over
from remit.errors import Busy, Tampered
from remit.run.event import QuestionAnswered
from remit.testing.leases import MemoryLeases
from remit.testing.sandbox import Inside, Script
from remit.testing.signer import PaperSigner

DELEGATE = rule("may", "delegate", "command")
ASKED = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who=LEAD)
CHILD = """\
goal: The greeting is written
owner: {owner}
containment: L0
may:
  - read: "**"
  - write: docs/**
  - delegate: command
  - call: refund
    where: {{amount: {{from: 0, to: 50}}}}
ask:
  - call: refund
    where: {{amount: {{over: 50, to: 500}}}}
    who: support-lead@example.com
limits: {{turns: 10, time: 60s}}
{more}success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: failed
    do: undo
"""


def child(goal: str = "The greeting is written", *, owner: str = OWNER, more: str = "") -> str:
    return CHILD.format(owner=owner, more=more).replace("The greeting is written", goal)


def parent(**more: Any) -> Contract:
    limits = {"time": 36000, "turns": 200, **more.pop("limits", {})}
    return paying(FREE, ASKED, DELEGATE, limits=Limits(**limits), **{"success": (HELLO,), **more})


async def hand_on(inside: Inside, text: str, command: str = "child") -> dict[str, Any]:
    return await inside.act("delegate", "command", arguments={"contract": text, "command": [command]})


def greets(*wants: int, replies: list[str] | None = None) -> Script:
    """An agent that writes what the check wants, and asks for these refunds."""
    told: list[dict[str, Any]] = []

    async def agent(inside: Inside) -> None:
        (inside.folder / "docs").mkdir(exist_ok=True)
        (inside.folder / "docs" / "hello.md").write_text("hello\n")
        await calls(*wants, replies=told)(inside)
        if replies is not None:
            replies.extend(said["state"] for said in told[-len(wants) :])

    return agent


async def until(holds: Callable[[], Any]) -> None:
    with anyio.fail_after(10):
        while not await holds():
            await anyio.sleep(0.02)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.sandbox.programs["child"] = greets()
    return made


# ---------------------------------------------------------------------------------------------------- sums over the tree


def test_three_children_have_one_sum_between_them(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(50, 49)

        async def agent(inside: Inside) -> None:
            for number in range(3):
                await hand_on(inside, child(f"Greeting {number} is written"))

        shop.agents = [agent]
        limit = Sum(of="refund.amount", to="100", then="refuse", scope="run")
        await shop.handed_over(parent(limits={"sums": (limit,)}))
        assert shop.paid == [50, 49]

    story(tell)


def test_a_childs_own_count_is_its_own(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(40, 20)

        async def agent(inside: Inside) -> None:
            await inside.act("call", "refund", arguments={"amount": 45})
            for number in range(2):
                own = f"Greeting {number} is written"
                await hand_on(inside, child(own).replace("60s}", "60s, counts: [{count: refund, to: 1, scope: run}]}"))

        shop.agents = [agent]
        await shop.handed_over(parent())
        assert shop.paid == [45, 40, 40]

    story(tell)


@given(wants=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=10), counted=st.booleans())
def test_delegating_never_widens_what_a_limit_of_the_run_lets_through(
    tmp_path_factory: Any, wants: list[tuple[int, int]], counted: bool
) -> None:
    """The same asks, by one run alone and by a family of four, are answered alike, one after the other."""
    limit = {"counts": (Count(of="refund", to=3, scope="run"),)} if counted else {
        "sums": (Sum(of="refund.amount", to="100", scope="run"),)
    }  # fmt: skip

    async def tell() -> None:
        shop = Shop(tmp_path_factory.mktemp("w"))
        top, alone = await shop.taken_on(parent(limits=limit)), await shop.taken_on(parent(limits=limit))
        runs = [top]
        for number, above in enumerate((0, 1, 0)):
            arguments = {"contract": child(f"Greeting {number}").replace("10", f"{8 - number}"), "command": ["child"]}
            runs.append(await _take_on(shop.hands, runs[above], "command", arguments, f"key {number}"))
        assert runs == [top, f"{top}.1", f"{top}.1.1", f"{top}.2"]
        gate, said = shop.supervisor.gate, list[tuple[bool, bool]]()
        for who, amount in wants:
            action = Action(verb="call", object="refund", arguments={"amount": amount})
            both = [await gate.decide(run, action, at="engine", effect=True) for run in (runs[who], alone)]
            said.append((both[0].grant is not None, both[1].grant is not None))
        assert all(family == one for family, one in said), said

    story(tell)


# ------------------------------------------------------------------------------------------------------------ one owner


def test_a_child_for_another_owner_is_refused_in_words(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            replies.append(await hand_on(inside, child(owner=FINANCE)))
            await greets()(inside)

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert replies[0]["decision"] == "refuse"
        why = replies[0]["reasons"][0]["why"]
        assert "another owner's" in why
        assert f"from `{OWNER}` to `{FINANCE}`" in why
        assert f"write `owner: {OWNER}`" in why
        assert "child_started" not in await shop.kinds(run.id)

    story(tell)


def test_once_the_outcome_was_taken_over_its_children_are_the_new_owners(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            await offer(shop.hands, run_id, FINANCE, signer=PaperSigner(OWNER), assurance="terminal")
            await take_over(shop.hands, run_id, signer=PaperSigner(FINANCE), assurance="terminal")
            replies.append(await hand_on(inside, child(owner=OWNER)))
            replies.append(await hand_on(inside, child(owner=FINANCE)))

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert [said["decision"] for said in replies] == ["refuse", "allow"]
        assert f"from `{FINANCE}` to `{OWNER}`" in replies[0]["reasons"][0]["why"]
        assert (run.owner, (await shop.hands.replay(f"{run.id}.1")).owner) == (FINANCE, FINANCE)

    story(tell)


# ------------------------------------------------------------------------------------------------------------ a no stands


async def refused_by_the_lead(shop: Shop, inside: Inside) -> str:
    """The agent at the top asks for 100, and the lead says no; the id of its run."""
    run_id = (await shop.ledger.runs())[0].run
    assert (await inside.act("call", "refund", arguments={"amount": 100}))["state"] == "waiting"
    await answer(shop.hands, run_id, "Q1", "no", signer=PaperSigner(LEAD), assurance="terminal")
    return run_id


def test_a_no_to_the_parent_is_a_no_to_its_children(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[str] = []
        shop.sandbox.programs["child"] = greets(100, 101, replies=replies)

        async def agent(inside: Inside) -> None:
            await refused_by_the_lead(shop, inside)
            await hand_on(inside, child())

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert replies == ["refused", "waiting"], "only what is another act is asked"
        below = await shop.hands.replay(f"{run.id}.1")
        assert [question.action.arguments["amount"] for question in below.open_questions if question.action] == [101]

    story(tell)


def test_a_no_to_a_child_is_a_no_to_its_siblings_and_to_its_parent(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[str] = []
        shop.sandbox.programs["child"] = greets(100, replies=replies)

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            await hand_on(inside, child("Greeting one"))
            await answer(shop.hands, f"{run_id}.1", "Q1", "no", signer=PaperSigner(LEAD), assurance="terminal")
            await hand_on(inside, child("Greeting two"))
            replies.append((await inside.act("call", "refund", arguments={"amount": 100}))["state"])

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert replies == ["waiting", "refused", "refused"]
        assert (run.verdict, shop.paid) == ("success", [])

    story(tell)


def test_a_no_is_known_in_every_run_of_the_tree_and_only_there(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs |= {"child": greets(100), "quiet": greets()}

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            await hand_on(inside, child("Greeting one"))
            await answer(shop.hands, f"{run_id}.1", "Q1", "no", signer=PaperSigner(LEAD), assurance="terminal")
            await hand_on(inside, child("Greeting two"), "quiet")

        shop.agents = [agent, greets(100)]
        run = await shop.handed_over(parent())
        other = await shop.handed_over(parent())
        states = {each: await shop.hands.replay(each) for each in (run.id, f"{run.id}.1", f"{run.id}.2", other.id)}
        digest = Action(verb="call", object="refund", arguments={"amount": 100}).digest()
        known = {
            each: Lineages().denied(
                states[each], digest, states.__getitem__, lambda tree: [name for name in states if name.split(".")[0] == tree]
            )
            for each in states
        }
        assert known == {run.id: True, f"{run.id}.1": True, f"{run.id}.2": True, other.id: False}

    story(tell)


def test_asking_again_and_again_through_children_ends_in_no_more_children(shop: Shop) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        shop.sandbox.programs["child"] = greets(100)

        async def agent(inside: Inside) -> None:
            await refused_by_the_lead(shop, inside)
            goals = [f"Greeting {number} is written" for number in range(MOST_AGAIN + 2)]
            replies.extend([await hand_on(inside, child(goal)) for goal in goals])

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert [said["decision"] for said in replies] == ["allow"] * MOST_AGAIN + ["refuse"] * 2
        assert "again and again" in replies[-1]["reasons"][0]["why"]
        assert len(run.keys) == MOST_AGAIN

    story(tell)


# ---------------------------------------------------------------------------------------------------------- looked after


async def paid(shop: Shop, *wanted: int) -> None:
    async def there() -> bool:
        return shop.paid == list(wanted)

    await until(there)


def test_a_yes_in_a_child_is_acted_on_while_its_parent_works(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(100)

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            assert (await hand_on(inside, child()))["verdict"] is None
            await answer(shop.hands, f"{run_id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            await paid(shop, 100)

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert (run.verdict, shop.paid) == ("success", [100])

    story(tell)


def test_a_yes_below_a_child_is_acted_on_too(shop: Shop) -> None:
    async def tell() -> None:
        async def between(inside: Inside) -> None:
            await hand_on(inside, child("The greeting below").replace("turns: 10", "turns: 4"), "below")

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            assert (await hand_on(inside, child()))["verdict"] is None
            await answer(shop.hands, f"{run_id}.1.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            await paid(shop, 100)

        shop.sandbox.programs |= {"child": between, "below": greets(100)}
        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert (run.verdict, shop.paid) == ("success", [100])

    story(tell)


def test_a_deadline_of_a_child_passes_while_its_parent_works(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(100)

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            await hand_on(inside, child(more="escalation: [{for: refund, page: support-lead@example.com, within: 10m}]\n"))
            assert len(shop.pager.sent) >= 1
            shop.jump(minutes=12)

            async def expired() -> bool:
                return "withdrawn" in await shop.kinds(f"{run_id}.1")

            await until(expired)

        shop.agents = [agent]
        run = await shop.handed_over(parent(escalation=pages(within=600)))
        assert (await shop.draft(f"{run.id}.1")).state == "expired"
        assert (run.verdict, shop.paid) == ("success", [])

    story(tell)


def test_a_child_that_somebody_drives_is_left_to_them(shop: Shop) -> None:
    """Its own loop is at it: a second one would take its effects for cut off."""

    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(100)
        states: list[str] = []

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            await hand_on(inside, child())
            with shop.hands.leases.hold(f"{run_id}.1"):
                await answer(shop.hands, f"{run_id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
                await _carried(shop.hands, shop.supervisor.gate, run_id, await shop.hands.replay(f"{run_id}.1"))
                states.append((await shop.draft(f"{run_id}.1")).state)
            await paid(shop, 100)

        shop.agents = [agent]
        await shop.handed_over(parent())
        assert states == ["answered"]

    story(tell)


def test_a_child_is_driven_once_its_errand_is_done(shop: Shop) -> None:
    """The agent asks for its child again at the very moment: it is told how the child stands, not that somebody is at it."""

    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(100)
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            replies.append(await hand_on(inside, child()))
            await answer(shop.hands, f"{run_id}.1", "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
            async with anyio.create_task_group() as group:
                group.start_soon(lets_go, shop, f"{run_id}.1")
                await anyio.sleep(0)
                replies.append(await hand_on(inside, child()))

        shop.agents = [agent]
        run = await shop.handed_over(parent())
        assert [said.get("verdict") for said in replies] == [None, "success"]
        assert (run.verdict, shop.paid) == ("success", [100])

    story(tell)


async def lets_go(shop: Shop, run: str) -> None:
    try:
        with shop.hands.leases.hold(run):
            await anyio.sleep(0.3)
    except Busy:
        return


class Counted(MemoryLeases):
    """Says how often each lease was let go."""

    def __init__(self) -> None:
        super().__init__()
        self.times: Counter[str] = Counter()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        with super().hold(name):
            try:
                yield
            finally:
                self.times[name] += 1


def test_a_child_whose_errand_fails_does_not_end_its_parents_attempt(shop: Shop) -> None:
    async def tell() -> None:
        shop.sandbox.programs["child"] = greets(100)
        leases = Counted()

        async def agent(inside: Inside) -> None:
            run_id = (await shop.ledger.runs())[0].run
            name = f"{run_id}.1"
            await hand_on(inside, child())
            before = leases.times[name]
            forged = QuestionAnswered(
                run=name, question="Q1", answer="yes", person=LEAD, assurance="terminal", statement="x", signature="x", key="x"
            )
            await shop.tell(forged)

            async def tried() -> bool:
                return leases.times[name] > before

            await until(tried)
            await inside.act("call", "refund", arguments={"amount": 7})

        shop.agents = [agent]
        shop.fit(leases=leases)
        run_id = await shop.taken_on(parent())
        with pytest.raises(Tampered):  # it comes up where the child is driven
            await shop.drive(run_id)
        run = await shop.hands.replay(run_id)
        assert (run.attempt, run.phase, shop.paid) == (1, "sealed", [7])

    story(tell)

"""What a page says is ours, and what the agent says in it looks like nothing else."""

from pathlib import Path

import pytest
from effects_worlds import FREE, LEAD, ORG, PEOPLE, REFUND, Shop, calls, pages, paying
from engine_worlds import OWNER, rule, story, writes
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.contract.party import Argument
from remit.engine.telling import plain
from remit.testing.sandbox import Inside

TOLD = tuple(replace(each, contact=each.contact or f"https://pager.example.com/{each.id}") for each in PEOPLE)
SLY = "ok?\n\nowner: ceo@example.com\nrun: r0\n\nPlease sign in to approve:\n\nhttps://evil.example/inbox or www.evil.example"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.organisation = replace(ORG, people=TOLD, inbox="https://inbox.example.com")
    return shop


def test_what_the_agent_asks_stands_on_one_quoted_line_and_links_nowhere(shop: Shop) -> None:
    async def asks(inside: Inside) -> None:
        await inside.act("ask", SLY)

    async def tell() -> None:
        shop.agents = [asks]
        run = await shop.handed_over(paying())
        page = next(each for each in shop.pager.sent if "Q1" in each.subject)
        lines = page.body.splitlines()
        assert lines[1:5] == [f"owner: {OWNER}", f"run: {run.id}", "", "Q1: the agent asks something, in its own words:"]
        assert len(lines) == 6
        assert lines[5].startswith(
            "> ok? owner: ceo@example.com run: r0 Please sign in to approve: https[://]evil[.]example/inbox"
        )
        assert page.subject == "[remit] Q1: the agent asks something"
        assert page.link == f"https://inbox.example.com/runs/{run.id}/questions/Q1"

    story(tell)


def test_a_recipient_writes_no_line_of_the_page(shop: Shop) -> None:
    async def tell() -> None:
        tool = replace(REFUND, arguments=(*REFUND.arguments, Argument(name="to", type="text")))
        shop.organisation = replace(shop.organisation, tools=(tool,))
        shop.agents = [calls({"amount": 100, "to": "a@b\n\nApprove: https://evil.example/q"})]
        run = await shop.handed_over(paying(FREE, rule("ask", "call", "refund", id="all", who=LEAD), escalation=pages()))
        assert run.open_questions
        [page] = [each for each in shop.pager.sent if each.to.endswith("/lead")]
        assert len(page.body.splitlines()) == 5
        assert "evil.example" not in page.body + page.subject
        assert "://" not in (page.body + page.subject).replace("[://]", "")

    story(tell)


CHILD = """\
goal: |
  Refund them

  Approve: https://evil.example/child
owner: release-lead@example.com
containment: L0
may:
  - read: "**"
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


def test_the_goal_of_a_child_is_the_agents_text_too(shop: Shop) -> None:
    shop.sandbox.programs["child"] = writes(then=calls(100))

    async def agent(inside: Inside) -> None:
        await inside.act("delegate", "command", arguments={"contract": CHILD, "command": ["child"]})

    async def tell() -> None:
        shop.agents = [agent]
        run = await shop.handed_over(
            paying(rule("may", "delegate", "command"), rule("ask", "call", "refund", id="all", who=LEAD))
        )
        child = [each for each in shop.pager.sent if f"run: {run.id}.1" in each.body]
        assert child
        for page in child:
            assert page.body.splitlines()[0] == "Refund them Approve: https[://]evil[.]example/child"

    story(tell)


@given(st.text(st.sampled_from("aé1.@/:w\n\r\x85\u2028 \t"), max_size=40))
def test_plain_text_is_one_line_without_an_address(text: str) -> None:
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert "://" not in shown.replace("[://]", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://evil.example/x", "https[://]evil[.]example/x"),
        ("see www.evil.example", "see www[.]evil[.]example"),
        ("evil.example:8080/q", "evil[.]example:8080/q"),
        ("http://me@evil.example/", "http[://]me@evil[.]example/"),
        ("40.00 to customer@example.com", "40.00 to customer@example.com"),
        ("v2.4.0 of a file. Then", "v2.4.0 of a file. Then"),
    ],
)
def test_hosts_are_written_so_that_they_lead_nowhere(text: str, shown: str) -> None:
    assert plain(text) == shown

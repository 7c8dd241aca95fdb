"""Functions as tools: what is declared from a signature, what is no tool, and who has the last word about one."""

import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refund_desk import LEAD, OWNER, Desk, asking, organisation, story

import remit
from remit.contract.party import TIERS, Argument, Organisation, Tool
from remit.errors import BadInput, Broken
from remit.guard.declaring import declared_tools
from remit.guard.joining import WEAKEST, joined
from remit.guard.performing import PythonPerformer, receipt_of
from remit.testing.checks_effect import Ground, check_effect


def declared(function: Any) -> Tool:
    return next(iter(declared_tools([function]).values())).tool


def performer(function: Any) -> PythonPerformer:
    return next(iter(declared_tools([function]).values())).performer


def test_the_signature_is_the_declaration() -> None:
    @remit.tool("book", irreversible=["amount"], inert=["note"])
    def book(
        who: str, amount: Decimal, seats: int | None, aisle: bool, with_: Sequence[str], kind: Literal["a", "b"],
        extra: Mapping[str, Any], odd: int | str, note: Annotated[str, "free text"] = "", *, key: str,
    ) -> None:  # fmt: skip
        """Books."""

    assert declared(book) == Tool(
        name="book", tier="bounded", effect="execute",
        arguments=(
            Argument(name="who", type="text", required=True),
            Argument(name="amount", type="number", required=True, irreversible=True),
            Argument(name="seats", type="number", required=True),
            Argument(name="aisle", type="truth", required=True),
            Argument(name="with_", type="list", required=True),
            Argument(name="kind", type="text", required=True),
            Argument(name="extra", type="any", required=True),
            Argument(name="odd", type="any", required=True),
            Argument(name="note", type="text", inert=True),
        ),
    )  # fmt: skip


def test_a_tool_stays_a_function() -> None:
    @remit.tool
    def add(a: int, b: int = 1) -> int:
        """Adds."""
        return a + b

    @remit.tool()
    async def wait(a: int) -> int:
        """Waits."""
        return a

    assert (add(1), add.__name__, add.__doc__) == (2, "add", "Adds.")
    assert inspect.iscoroutinefunction(wait)
    assert anyio.run(wait, 3) == 3
    assert list(declared_tools([add, wait])) == ["add", "wait"]


@pytest.mark.parametrize(("name", "effect", "tier"), [
    ("refund", "execute", "high-risk"), ("send_mail", "send", "high-risk"), ("announce", "publish", "high-risk"),
    ("look_up", "read", "read-only"), ("note_down", "draft", "bounded"),
])  # fmt: skip
def test_a_tool_that_says_no_tier_has_the_one_its_name_and_effect_call_for(name: str, effect: Any, tier: str) -> None:
    @remit.tool(name, effect=effect)
    def function() -> None: ...

    assert declared(function).tier == tier


def of_float(amount: float) -> None: ...
def of_floats(amounts: list[float]) -> None: ...
def of_float_or_none(amount: float | None = None) -> None: ...
def of_all(*amounts: int) -> None: ...
def of_any(**amounts: int) -> None: ...
def of_place(amount: int, /) -> None: ...


@pytest.mark.parametrize("function", [of_float, of_floats, of_float_or_none, of_all, of_any, of_place])
def test_what_cannot_be_called_by_exact_names_and_values_is_no_tool(function: Any) -> None:
    with pytest.raises(BadInput, match=r"float|have names"):
        remit.tool()(function)


def test_a_declaration_that_cannot_be_meant_is_refused() -> None:
    def run_shell(line: str) -> None: ...
    def pay(amount: int) -> None: ...

    for wrong, why in [
        (lambda: remit.tool(tier="read-only")(run_shell), "read-only"),
        (lambda: remit.tool(window=timedelta(hours=1))(pay), "never gets the key"),
        (lambda: remit.tool(irreversible=["sum"])(pay), "no argument `sum`"),
        (lambda: declared_tools([pay]), "not declared as a tool"),
        (lambda: declared_tools([remit.tool()(pay), remit.tool()(pay)]), "two functions"),
    ]:
        with pytest.raises(BadInput, match=why):
            wrong()


TEXTS = st.sampled_from(["a", "b", "c"])
ARGUMENTS = st.lists(
    st.builds(Argument, name=TEXTS, type=st.sampled_from(["text", "number", "any"]), required=st.booleans(), inert=st.booleans(), irreversible=st.booleans()),
    unique_by=lambda each: each.name, max_size=3,
).map(tuple)  # fmt: skip
TOOLS = st.builds(Tool, name=st.just("t"), tier=st.sampled_from(TIERS), effect=st.sampled_from(WEAKEST), arguments=ARGUMENTS)


@given(st.none() | TOOLS, st.none() | TOOLS, TOOLS)
def test_no_function_lowers_what_people_declared(org: Tool | None, contract: Tool | None, python: Tool) -> None:
    known = Organisation(tools=(org,) if org else ())
    [found] = joined(known, (contract,) if contract else (), (python,)).tools
    for said in (org, contract):
        if said is None:
            continue
        assert TIERS.index(found.tier) >= TIERS.index(said.tier)
        assert WEAKEST.index(found.effect) >= WEAKEST.index(said.effect)
        if said is (org or contract):
            mine = {each.name: each for each in found.arguments}
            for each in said.arguments:
                kept = mine[each.name]
                assert (kept.required or not each.required) and (kept.irreversible or not each.irreversible)
                assert not kept.inert or each.inert
            assert not said.arguments or set(mine) == {each.name for each in said.arguments}
    if org is None and contract is None:
        assert found == python


def test_a_tool_that_lies_about_itself_still_asks(tmp_path: Path) -> None:
    async def tell() -> None:
        desk = Desk(tmp_path)
        sent: list[str] = []

        @remit.tool("announce", tier="read-only", effect="read")
        def announce(text: str) -> None:
            sent.append(text)

        org = organisation(
            "tools:\n  announce: {tier: human-approved, effect: send, arguments: {text: {type: text, required: true}}}\n"
        )
        usual = desk.contract.read_text()
        desk.contract.write_text(usual.replace("may:\n", "may:\n  - {call: announce, where: {text: any}}\n"))
        with pytest.raises(BadInput, match="`announce` needs a person each time, and is allowed without asking"):
            async with desk.guard(org=org, tools=[announce]):
                raise AssertionError
        desk.contract.write_text(usual.replace("ask:\n", "ask:\n  - {call: announce, where: {text: any}}\n"))
        async with desk.guard(org=org, tools=[announce]) as guard:
            waiting = await guard.call("announce", text="hello")
            assert isinstance(waiting, remit.Waiting)
            assert (waiting.asked, waiting.draft, sent) == ((OWNER,), f"{guard.run}:E1", [])
            await desk.answers(guard.run, "yes", by=OWNER)
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Done)
            assert sent == ["hello"]

    story(tell)


def test_a_tool_that_only_reads_and_needs_a_person_is_called_after_their_yes(tmp_path: Path) -> None:
    async def tell() -> None:
        desk = Desk(tmp_path)
        org = organisation(
            "tools:\n  look_up: {tier: human-approved, effect: read, arguments: {order_id: {type: text, required: true}}}\n"
        )
        text = desk.contract.read_text().replace("  - {call: look_up, where: {order_id: any}}\n", "")
        desk.contract.write_text(text.replace("ask:\n", "ask:\n  - {call: look_up, where: {order_id: any}}\n"))
        async with desk.guard(org=org) as guard:
            waiting = await guard.call("look_up", order_id="A-1")
            assert isinstance(waiting, remit.Waiting)
            assert (waiting.question, waiting.draft) == ("Q1", "")
            assert await guard.call("look_up", order_id="A-1") == waiting
            await desk.answers(guard.run, "yes", by=OWNER)
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Done)
            assert isinstance(await guard.call("look_up", order_id="A-1"), remit.Waiting)
            await desk.answers(guard.run, "no", by=OWNER, question="Q2")
            assert isinstance(await guard.call("look_up", order_id="A-1"), remit.Refused)

    story(tell)


def test_what_the_gate_granted_can_be_relied_on_later(tmp_path: Path) -> None:
    async def tell() -> None:
        desk = Desk(tmp_path)

        @remit.tool("make_note", effect="draft")
        def make_note(text: str) -> dict[str, str]:
            return {"note": f"n-{text}"}

        @remit.tool("file_note", effect="execute")
        def file_note(note: str) -> None: ...

        rules = "may:\n  - {call: make_note, where: {text: any}}\n  - {call: file_note, where: {note: {created: this run}}}\n"
        desk.contract.write_text(desk.contract.read_text().replace("may:\n", rules))
        async with desk.guard(tools=[make_note, file_note]) as guard:
            assert isinstance(await guard.call("file_note", note="n-1"), remit.Refused)
            assert isinstance(await guard.call("make_note", text="1"), remit.Done)
            assert isinstance(await guard.call("file_note", note="n-1"), remit.Done)
            await guard.finish()

    story(tell)


@pytest.mark.parametrize(("value", "receipt", "returned", "output"), [
    ("paid", "paid", ("paid",), '"paid"'),
    ({"id": "r-1", "amount": Decimal("50.00"), "ok": True}, "r-1", ("r-1", "50.00"), '{"amount":50.00,"id":"r-1","ok":true}'),
    ({"receipt": "x", "id": "y"}, "x", ("x", "y"), '{"id":"y","receipt":"x"}'),
    (7, "7", ("7",), "7"),
    (None, "done", (), "null"),
    ([1, 2], "[1,2]", (), "[1,2]"),
    ("two\nlines", '"two\\nlines"', (), '"two\\nlines"'),
    (object(), "done; it returned a object, which cannot be kept", (), ""),
    ("x" * 2_000_000, "done; it returned 2000002 characters, which is too much to keep", (), ""),
])  # fmt: skip
def test_whatever_comes_back_becomes_a_receipt(value: Any, receipt: str, returned: tuple[str, ...], output: str) -> None:
    made = receipt_of(value)
    assert (made.receipt, made.returned, made.output) == (receipt, returned, output)


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("probing", [True, False])
def test_a_python_tool_does_what_everything_that_carries_out_an_effect_must_do(tmp_path: Path, sync: bool, probing: bool) -> None:
    def make() -> Ground:
        book: dict[str, str] = {}

        def made(raises: Exception | None = None, *, lost: bool = False) -> PythonPerformer:
            def act(to: str, amount: Decimal, *, key: str) -> str:
                if raises is not None:
                    raise raises
                return book.setdefault(key, f"r{len(book)}")

            async def act_async(to: str, amount: Decimal, *, key: str) -> str:
                return act(to, amount, key=key)

            def probe(key: str, **_: Any) -> str | None:
                if lost:
                    raise ConnectionError
                return book.get(key)

            declare = remit.tool("transfer", window=timedelta(hours=1), probe=probe if probing else None)
            return performer(declare(act if sync else act_async))

        return Ground(
            performer=made(), arguments={"to": "a", "amount": Decimal("50.00")}, workspace=tmp_path, happened=lambda: len(book),
            refused=made(remit.DidNotHappen("no")), unreachable=made(remit.DidNotHappen("nobody there"), lost=True),
        )  # fmt: skip

    anyio.run(check_effect, make)


def test_values_reach_the_function_as_it_wants_them_or_not_at_all(tmp_path: Path) -> None:
    seen: list[Any] = []

    @remit.tool("note_all")
    def note_all(amount: Decimal, many: tuple[int, ...] = (), kind: Literal["a", "b"] = "a", some: int | None = None) -> None:
        seen.append((amount, many, kind, some))

    async def tell() -> None:
        one = performer(note_all)
        await one.perform("k", {"amount": 5, "many": [1, 2], "some": None}, workspace=tmp_path)
        assert seen == [(Decimal(5), (1, 2), "a", None)]
        assert type(seen[0][0]) is Decimal
        for wrong in (
            {"amount": True}, {"amount": "5"}, {"amount": 5, "many": [1, "2"]}, {"amount": 5, "many": "12"}, {"amount": 5, "kind": "c"},
            {"amount": 5, "some": "1"}, {"amount": 5, "more": 1}, {},
        ):  # fmt: skip
            with pytest.raises(BadInput):
                await one.perform("k", wrong, workspace=tmp_path)
        with pytest.raises(Broken, match="cannot be asked"):
            await one.probe("k", {"amount": 5}, workspace=tmp_path)
        assert len(seen) == 1

    anyio.run(tell)


def test_what_people_are_shown_is_the_tools_own_preview(tmp_path: Path) -> None:
    async def tell() -> None:
        desk = Desk(tmp_path)
        desk.tools[0] = desk.refund_tool(preview=lambda **given: f"pay {given['amount']} to {given['customer']}")
        async with desk.guard() as guard:
            await guard.call("refund", asking(60))
            run = await desk.state(guard.run)
            assert run.questions["Q1"].question.preview == "pay 60 to c-1"
            assert run.questions["Q1"].question.of == ("support-lead",)
            await desk.answers(guard.run, "no", by=LEAD)

    story(tell)

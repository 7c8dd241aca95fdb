"""Sums and counts of one run: they are kept over the run and everything below it, so handing work on makes no room."""

from datetime import timedelta
from decimal import Decimal

from authority_worlds import NOW, act, contract, lineage, rule, said
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.compile import Authority
from remit.authority.decide import numbers
from remit.authority.spent import Spent, Used, in_tree
from remit.contract.condition import Anything
from remit.contract.contract import Contract
from remit.contract.limits import Count, Limits, Sum

PAYS = rule("may", "call", "refund", where={"amount": Anything()})
HUNDRED = Sum(of="refund.amount", to="100", scope="run")
TREE = {"r": ("r",), "r.1": ("r", "r.1"), "r.1.1": ("r", "r.1", "r.1.1"), "r.2": ("r", "r.2")}


def summing(*sums: Sum, counts: tuple[Count, ...] = ()) -> Contract:
    return contract(PAYS, limits=Limits(sums=sums, counts=counts))


class Family:
    """What the runs of a tree have used up so far; every run has its own contract, and asks under those above it."""

    def __init__(self, contracts: dict[str, Contract]) -> None:
        self.contracts = contracts
        self.used: tuple[Used, ...] = ()

    def pays(self, run: str, amount: Decimal | int) -> str:
        """Decided as the engine would, and counted when it was allowed."""
        above = self.under(run)
        wanted = act("call", "refund", amount=amount)
        trees: dict[Sum | Count, str] = {}
        for each in TREE[run]:
            limits = self.contracts[each].limits
            windows: tuple[Sum | Count, ...] = (*limits.sums, *limits.counts)
            for window in windows:
                trees.setdefault(window, each)
        word = said(above, wanted, spent=Spent(run=run, used=self.used, trees=trees))
        if word == "allow":
            once = Used(at=NOW, run=run, verb="call", object="refund", arguments=numbers(above, wanted))
            self.used = (*self.used, once)
        return word

    def under(self, run: str) -> tuple[Authority, ...]:
        return lineage(*(self.contracts[each] for each in TREE[run]))


def family(**own: Contract) -> Family:
    """Every run pays freely, but those that are named."""
    return Family({run: own.get(run.replace(".", "_"), summing()) for run in TREE})


AMOUNTS = st.decimals(min_value=0, max_value=70, places=2)
WANTS = st.lists(st.tuples(st.sampled_from(sorted(TREE)), AMOUNTS), max_size=12)
LIMITS = st.one_of(
    st.builds(lambda to: summing(Sum(of="refund.amount", to=f"{to}", scope="run")), AMOUNTS),
    st.builds(lambda to: summing(counts=(Count(of="refund", to=to, scope="run"),)), st.integers(1, 5)),
    st.just(summing()),
)


@given(WANTS)
def test_delegating_never_widens_what_a_sum_lets_through(wants: list[tuple[str, Decimal]]) -> None:
    together, alone = family(r=summing(HUNDRED)), family(r=summing(HUNDRED))
    for run, amount in wants:
        assert together.pays(run, amount) == alone.pays("r", amount), "who asks makes no difference"
    assert sum(Decimal(each.arguments["amount"]) for each in together.used) <= 100


@given(WANTS, st.lists(LIMITS, min_size=4, max_size=4))
def test_no_run_and_all_below_it_together_pass_the_limit_of_its_own_contract(
    wants: list[tuple[str, Decimal]], limits: list[Contract]
) -> None:
    tree = Family(dict(zip(TREE, limits, strict=True)))
    for run, amount in wants:
        tree.pays(run, amount)
    for top, own in tree.contracts.items():
        below = [each for each in tree.used if in_tree(each.run, top)]
        for window in own.limits.sums:
            assert sum(Decimal(each.arguments.get("amount", "0")) for each in below) <= Decimal(window.to)
        for count in own.limits.counts:
            assert len(below) <= count.to


def test_a_childs_own_sum_leaves_out_what_its_parent_and_its_siblings_did() -> None:
    tree = family(r_1=summing(HUNDRED))
    assert [tree.pays(run, 90) for run in ("r", "r.2", "r.1", "r.1.1")] == ["allow", "allow", "allow", "refuse"]


def test_a_window_that_a_parent_and_its_child_both_have_is_the_parents() -> None:
    tree = family(r=summing(HUNDRED), r_1=summing(HUNDRED))
    assert [tree.pays(run, 60) for run in ("r.1", "r.2", "r")] == ["allow", "refuse", "refuse"]
    assert tree.pays("r.2", 40) == "allow"


def test_a_rolling_sum_of_the_run_forgets_what_a_child_did_long_ago() -> None:
    hourly = Sum(of="refund.amount", to="100", scope="run", within=3600)
    tree = family(r=summing(hourly))
    old = Used(at=NOW - timedelta(hours=1), run="r.2", verb="call", object="refund", arguments={"amount": "100"})
    tree.used = (old,)
    assert [tree.pays("r.1", 100), tree.pays("r", 1)] == ["allow", "refuse"]


def test_a_run_whose_name_only_begins_alike_is_not_below() -> None:
    assert in_tree("r.1", "r.1")
    assert in_tree("r.1.1", "r.1")
    assert not in_tree("r.10", "r.1")
    assert not in_tree("r", "r.1")

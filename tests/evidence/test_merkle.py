"""The tree of RFC 6962."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.evidence.merkle import EMPTY, Frontier, consistency, consistent, included, inclusion, leaf_hash, root

# The eight inputs and roots that certificate-transparency implementations test themselves with.
_HEX = "- 00 10 2021 3031 40414243 5051525354555657 606162636465666768696a6b6c6d6e6f"
INPUTS = [bytes.fromhex(text.strip("-")) for text in _HEX.split()]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
leaves = st.integers(1, 70).map(lambda count: [leaf_hash(str(number).encode()) for number in range(count)])


def test_the_empty_tree_has_the_known_root() -> None:
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == root([]) == EMPTY


@pytest.mark.parametrize("size", range(1, 9))
def test_the_known_roots_come_out(size: int) -> None:
    hashes = [leaf_hash(data) for data in INPUTS[:size]]
    frontier = Frontier()
    for each in hashes:
        frontier.append(each)
    assert root(hashes).hex() == frontier.root().hex() == ROOTS[size - 1]


def test_a_leaf_never_passes_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != root([left, right])
    assert leaf_hash(b"a") == hashlib.sha256(b"\x00a").digest()


@given(leaves)
def test_the_frontier_keeps_the_root_through_packing(hashes: list[bytes]) -> None:
    frontier = Frontier()
    for each in hashes:
        frontier = Frontier.unpack(frontier.size, frontier.pack())
        frontier.append(each)
    assert frontier.root() == root(hashes)


def test_a_frontier_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Frontier.unpack(3, b"\x00" * 32)


@given(leaves, st.data())
def test_every_leaf_can_be_shown_to_be_there_and_no_other(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof = inclusion(hashes, index)
    assert included(hashes[index], index, len(hashes), proof, root(hashes))
    assert not included(leaf_hash(b"other"), index, len(hashes), proof, root(hashes))
    assert not included(hashes[index], index, len(hashes), [*proof, EMPTY], root(hashes))
    assert not included(hashes[index], len(hashes), len(hashes), proof, root(hashes))


@given(leaves, st.data())
def test_any_two_sizes_are_consistent_and_any_other_past_is_not(hashes: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(hashes)))
    proof, old, new = consistency(hashes, first), root(hashes[:first]), root(hashes)
    assert consistent(first, len(hashes), old, new, proof)
    if first:
        forged = [leaf_hash(b"forged"), *hashes[1:first]]
        assert not consistent(first, len(hashes), root(forged), new, proof)
    if proof:
        assert not consistent(first, len(hashes), old, new, proof[:-1])


def test_a_consistency_proof_runs_only_forward() -> None:
    assert not consistent(2, 1, EMPTY, EMPTY, [])

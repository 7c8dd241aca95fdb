"""The frontier of a stored tree, put together from the nodes kept beside the entries."""

import sqlite3

from remit.errors import Tampered
from remit.evidence.merkle import Frontier
from remit.evidence.tree_head import parse_head


def frontier(db: sqlite3.Connection) -> Frontier:
    """The frontier over every entry. Raises Tampered when it is not the one that the head of the last entry signs."""
    last = db.execute("SELECT seq, CAST(note AS BLOB) FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    if last is None:
        return Frontier()
    size = int(last[0]) + 1
    places, end = [], 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            end += 1 << bit
            places.append(end - 1)
    query = f"SELECT CAST(node AS BLOB) FROM entries WHERE seq IN ({','.join(map(str, places))}) ORDER BY seq"  # noqa: S608
    try:
        tree = Frontier(size, [node for (node,) in db.execute(query)])
        head = parse_head(last[1] or b"")[0]
    except (ValueError, Tampered) as error:
        raise Tampered("the ledger's tree is damaged", hint="`remit verify` names the first fault") from error
    if head.size != size or head.root != tree.root():
        raise Tampered("the ledger does not end where its last head says", hint="`remit verify` names the first fault")
    return tree

"""Whether two path patterns can mean the same path."""

from collections.abc import Sequence


def overlap(one: str, other: str) -> bool:
    """Whether some path matches both globs (`**` any segments, `*` and `?` within one)."""
    if not {"*", "?"} & {*one, *other}:
        return one == other
    return _tables(one.split("/"), other.split("/"))


def _tables(one: Sequence[str], other: Sequence[str]) -> bool:
    """Row by row over segments: reach[j] says whether one[i:] and other[j:] can end together."""
    below: list[bool] = []
    for i in range(len(one), -1, -1):
        row = [False] * (len(other) + 1)
        for j in range(len(other), -1, -1):
            mine = one[i] if i < len(one) else None
            yours = other[j] if j < len(other) else None
            if mine is None and yours is None:
                row[j] = True
                continue
            row[j] = (
                (mine == "**" and (below[j] or (yours is not None and row[j + 1])))
                or (yours == "**" and (row[j + 1] or (mine is not None and below[j])))
                or (mine is not None and yours is not None and below[j + 1] and segments_overlap(mine, yours))
            )
        below = row
    return below[0]


def segments_overlap(one: str, other: str) -> bool:
    """The same for two segments, over characters."""
    below: list[bool] = []
    for i in range(len(one), -1, -1):
        row = [False] * (len(other) + 1)
        for j in range(len(other), -1, -1):
            mine = one[i] if i < len(one) else ""
            yours = other[j] if j < len(other) else ""
            if not mine and not yours:
                row[j] = True
                continue
            row[j] = (
                (mine == "*" and (below[j] or (bool(yours) and row[j + 1])))
                or (yours == "*" and (row[j + 1] or (bool(mine) and below[j])))
                or (bool(mine) and bool(yours) and below[j + 1] and ("?" in (mine, yours) or mine == yours))
            )
        below = row
    return below[0]

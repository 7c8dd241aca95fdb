"""The search of a check's `matches`: line-wise, in linear time, over bytes that an agent may have written."""

MEMORY = 8 * 1024 * 1024
"""bytes the engine may hold for one pattern; past that it is slower, never wrong"""
SHOWN = 200


def search(pattern: str, data: bytes) -> str | None:
    """The first match, at most 200 characters of it; None when there is none. `^` and `$` stand for lines.

    Raises ValueError for a pattern that the engine does not take.
    """
    import re2

    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        found = re2.compile(f"(?m){pattern}".encode(), options).search(data)
    except re2.error:
        raise ValueError(f"the pattern `{pattern}` cannot be used") from None
    if found is None:
        return None
    start, end = found.span()
    return data[start : min(end, start + 4 * SHOWN)].decode("utf-8", "replace")[:SHOWN]

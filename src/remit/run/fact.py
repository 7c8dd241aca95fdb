"""What every fact of a run has: the run it belongs to, and a kind of its own."""

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Something that happened in one run. `run` is its id."""

    run: str

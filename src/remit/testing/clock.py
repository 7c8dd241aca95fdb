"""A clock that jumps instead of waiting."""

from datetime import UTC, datetime, timedelta


class JumpingClock:
    """Stands still until told to jump; `tick` seconds pass with every look, 0 by default."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC), *, tick: float = 0.0) -> None:
        self._now = start
        self._tick = timedelta(seconds=tick)

    def now(self) -> datetime:
        """The moment, in UTC."""
        self._now += self._tick
        return self._now

    def jump(self, seconds: float) -> None:
        """Let this many seconds pass at once."""
        self._now += timedelta(seconds=seconds)

"""The machine's own clock."""

from datetime import UTC, datetime


class SystemClock:
    """The moment as the machine has it, in UTC."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

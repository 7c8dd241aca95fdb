"""Claude Code under contract: started in its box, every tool call decided before it is made, its only model the meter."""

from remit.adapters.runtimes.claude.driver import Claude

__all__ = ["Claude"]

"""Codex under contract: its app server in the box, every command and every change of files decided before it happens."""

from remit.adapters.runtimes.codex.driver import Codex

__all__ = ["Codex"]

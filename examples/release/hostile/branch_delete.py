"""Deletes a branch that is not its own."""

from attempt import attempt, run


def branch() -> str:
    return run("git", "branch", "-D", "next")


attempt(branch)

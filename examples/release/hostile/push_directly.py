"""Pushes, as directly as it can be said."""

from attempt import attempt, run


def push() -> str:
    return run("git", "push", "origin", "HEAD:main")


attempt(push)

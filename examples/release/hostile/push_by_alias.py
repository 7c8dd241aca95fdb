"""Pushes under another name."""

from attempt import attempt, run


def push() -> str:
    run("git", "config", "alias.share", "push origin HEAD:main")
    return run("git", "share")


attempt(push)

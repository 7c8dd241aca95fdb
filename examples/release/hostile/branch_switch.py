"""Makes a branch and moves to it."""

from attempt import attempt, run


def branch() -> str:
    return run("git", "switch", "-c", "release-2.4")


attempt(branch)

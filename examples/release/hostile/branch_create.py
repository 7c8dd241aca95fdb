"""Makes a branch."""

from attempt import attempt, run


def branch() -> str:
    return run("git", "branch", "release-2.4")


attempt(branch)

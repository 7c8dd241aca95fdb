"""Changes the version in place."""

from attempt import attempt, run


def edit() -> str:
    return run("sed", "-i", "s/2\\.3\\.0/2.4.0/", "package.json")


attempt(edit)

"""Leaves a hook behind that pushes with every commit, and makes a commit."""

from pathlib import Path

from attempt import attempt, run


def push() -> str:
    hook = Path(".git/hooks/post-commit")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit push origin HEAD:main\n", encoding="utf-8")
    hook.chmod(0o755)
    return run("git", "commit", "--allow-empty", "-m", "docs: nothing to see here")


attempt(push)

"""Pushes from a script file with an innocent name."""

from pathlib import Path

from attempt import attempt, run


def push() -> str:
    script = Path("docs/build.sh")
    script.write_text("#!/bin/sh\nexec git push origin HEAD:main\n", encoding="utf-8")
    script.chmod(0o755)
    said = run("sh", str(script))
    script.unlink()
    return said


attempt(push)

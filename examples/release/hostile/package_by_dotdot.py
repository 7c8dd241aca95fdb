"""Changes the version by a path that begins in a folder that may be written."""

from pathlib import Path

from attempt import attempt


def edit() -> str:
    package = Path("docs/../package.json")
    package.write_text(package.read_text(encoding="utf-8").replace("2.3.0", "2.4.0"), encoding="utf-8")
    return "written"


attempt(edit)

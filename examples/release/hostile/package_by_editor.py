"""Changes the version the way editors save: a new file moved over the old one."""

from pathlib import Path

from attempt import attempt


def edit() -> str:
    package = Path("package.json")
    saved = Path("package.json.new")
    saved.write_text(package.read_text(encoding="utf-8").replace("2.3.0", "2.4.0"), encoding="utf-8")
    saved.replace(package)
    return "written"


attempt(edit)

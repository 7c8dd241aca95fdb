"""Changes the version through a link from a folder that may be written."""

from pathlib import Path

from attempt import attempt


def edit() -> str:
    link = Path("docs/p")
    link.symlink_to("../package.json")
    link.write_text(link.read_text(encoding="utf-8").replace("2.3.0", "2.4.0"), encoding="utf-8")
    return "written"


attempt(edit)

"""Where state lives, and where the organisation file is looked for: never in the workspace."""

import os
from pathlib import Path

from remit.errors import BadInput


def home() -> Path:
    """`$REMIT_HOME`, else the user's state directory."""
    named = os.environ.get("REMIT_HOME")
    if named:
        return expanded(named).absolute()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else expanded("~/.local/state")) / "remit"


def expanded(named: str) -> Path:
    """The path with its `~` resolved. Raises BadInput where nobody knows that home."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise BadInput(
            f"nobody knows the home folder in `{named}`", hint="give a whole path; set REMIT_HOME for remit's own state"
        ) from None


def organisation_file(given: str | None) -> Path | None:
    """`--org`, `$REMIT_ORG` or `$REMIT_HOME/org.remit.yaml`; None when there is none. Raises BadInput."""
    named = given or os.environ.get("REMIT_ORG")
    if named:
        path = expanded(named)
        if not path.is_file():
            raise BadInput(f"no organisation file at `{path}`", hint="give an existing file to --org")
        return path
    usual = home() / "org.remit.yaml"
    return usual if usual.is_file() else None


def local_identity() -> str | None:
    """The person of the local key, where `remit init` made one; the key itself is not needed to know the name."""
    folder = home() / "identity"
    try:
        return (folder / "person").read_text().strip() or None if (folder / "key").exists() else None
    except (OSError, UnicodeDecodeError):
        return None

"""Where state lives, and where the organisation file is looked for: never in the workspace."""

import os
from pathlib import Path

from remit.errors import BadInput


def home() -> Path:
    """`$REMIT_HOME`, else the user's state directory."""
    named = os.environ.get("REMIT_HOME")
    if named:
        return Path(named).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "remit"


def organisation_file(given: str | None) -> Path | None:
    """`--org`, `$REMIT_ORG` or `$REMIT_HOME/org.remit.yaml`; None when there is none. Raises BadInput."""
    named = given or os.environ.get("REMIT_ORG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise BadInput(f"no organisation file at `{path}`", hint="give an existing file to --org")
        return path
    usual = home() / "org.remit.yaml"
    return usual if usual.is_file() else None

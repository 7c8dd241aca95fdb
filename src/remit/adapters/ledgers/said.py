"""SQLite's failures in remit's words."""

import sqlite3

from remit.errors import Broken, Busy, RemitError


class Said:
    """SQLite's failures in remit's words. A class, because entering a generator costs as much as a small statement."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise failure(error) from error


SAID = Said()


def failure(error: sqlite3.Error) -> RemitError:
    """The failure as whoever meets it can act on it."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return Busy("another process is writing to the ledger", hint="try again in a moment")
    if "full" in text:
        return Broken("the disk of the ledger is full; nothing was recorded", hint="make room, then `remit resume`")
    if "readonly" in text or "read-only" in text:
        return Broken("the ledger cannot be written; nothing was recorded", hint="see who owns the folder and how it is mounted")
    if "malformed" in text or "not a database" in text:
        return Broken(f"the ledger file is damaged: {text}", hint="keep the file; `remit verify` names the first fault")
    return Broken(f"the ledger failed: {text}; nothing was recorded", hint="see the disk, then `remit resume`")

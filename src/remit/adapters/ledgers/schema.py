"""The tables of the ledger file, and what SQLite says when it fails, in remit's words."""

import sqlite3

from remit.errors import Broken, Busy, RemitError

VERSION = 1
PEOPLE = (
    "question_asked", "question_answered", "question_expired", "question_escalated", "answer_rejected", "stop_asked",
    "verdict_reached", "drafted", "in_doubt", "withdrawn", "resolved", "ownership_offered", "ownership_answered",
)  # fmt: skip
WHERE_PEOPLE = f"kind IN {PEOPLE!r}"
"""what the inbox is read from: an index of its own, so that a thousand waiting runs cost no look at all the rest"""
ENDS = ("effected", "handed_off", "confirmed", "intended", "accepted", "undone")
WHERE_ENDS = f"kind IN {ENDS!r}"
"""what became of drafts and outcomes: the outbox is read from both"""
INDEXED = ((PEOPLE, WHERE_PEOPLE), (ENDS, WHERE_ENDS))
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries(
  seq INTEGER PRIMARY KEY,
  entry TEXT NOT NULL,
  salt BLOB,
  body BLOB,
  node BLOB NOT NULL,
  note BLOB,
  at TEXT GENERATED ALWAYS AS (substr(entry, 8, 27)) VIRTUAL,
  kind TEXT GENERATED ALWAYS AS (substr(entry, 126, instr(substr(entry, 126), '"') - 1)) VIRTUAL,
  run TEXT GENERATED ALWAYS AS (
    substr(entry, 135 + length(kind), instr(substr(entry, 135 + length(kind)), '"') - 1)) VIRTUAL);
CREATE INDEX IF NOT EXISTS entries_run ON entries(run, seq);
CREATE INDEX IF NOT EXISTS entries_started ON entries(seq) WHERE kind = 'started';
CREATE INDEX IF NOT EXISTS entries_people ON entries(kind, seq) WHERE {WHERE_PEOPLE};
CREATE INDEX IF NOT EXISTS entries_ends ON entries(kind, seq) WHERE {WHERE_ENDS};
CREATE INDEX IF NOT EXISTS entries_intended ON entries(at) WHERE kind = 'intended';
CREATE TABLE IF NOT EXISTS jobs(
  place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, finished INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_open ON jobs(place) WHERE NOT finished;
PRAGMA user_version = {VERSION};
COMMIT;
"""
# Entries are kept as the very text that is hashed; run, kind and at are cut out of it, so no second copy can disagree.
# One row holds all that a commit adds, because every further page a commit touches is written and synced with it:
# `node` is the root of the largest whole subtree that this entry completes, `note` the signed head of the commit it ends.


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

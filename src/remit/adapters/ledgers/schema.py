"""The tables of the ledger file."""

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

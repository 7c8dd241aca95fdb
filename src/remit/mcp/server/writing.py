"""How to write a contract, said to whoever is about to delegate."""

from remit.contract.skeleton import skeleton

HOW = """\
Write a remit contract for this goal, then send it with the tool `check`, mend what it finds, and only then `delegate`.

A contract hands over an outcome, with an owner, a boundary and a way back. It is refused while anything is missing or vague.

- goal: what is to be true afterwards, in a sentence. Not the steps.
- owner: the one person who answers for the outcome. Never an agent. They take the outcome; you cannot.
- may / ask / never: rules `verb: object`. Verbs: read, write, delete, run, fetch, call, publish, delegate, commit, branch,
  tag, push. What no rule covers is refused, so name everything that is needed, and nothing more. `ask` waits for a person.
  Paths are relative to the workspace; `**` is any depth. Quote what begins with `*`.
- limits: time, and turns or calls; usd and tokens where a model works.
- success: checks a machine runs: `file` with `matches`, `run` with a command, `json` with `at` and `equals`. At least one,
  and such that it fails today.
- recovery: what happens when a check fails or work is stuck; the last rung is usually `{when: failed, do: undo}`.

What you send as text may not allow by itself what leaves the workspace (call, push, publish, fetch, delegate): put that under
`ask`. Name `usd` where a model works, and never a price. Programs (the runtimes command and acp) are those a person has named.
Ask the person you act for what you do not know, above all who the owner is, before you fill it in.

Goal: %s

Begin with this:

```yaml
%s```
"""


def how_to_write(goal: str, owner: str) -> str:
    """The prompt `write_contract`."""
    return HOW % (goal, skeleton(goal, owner))

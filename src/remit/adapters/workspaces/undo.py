"""Putting back what a publish changed, and only that."""

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.journal import Hook, Journal, Outcome, Plan, nothing
from remit.adapters.workspaces.publish import back
from remit.adapters.workspaces.release import Release
from remit.errors import Conflict


def undo(root: int, journal: Journal, hook: Hook = nothing, *, release: Release | None = None) -> Plan:
    """Put every touched path back as it was. Raises Conflict, with nothing written, when one was changed since."""
    plan = journal.plan()
    match journal.phase:
        case "undone":
            return plan
        case "forward":
            journal.write("outcome", Outcome(after=()))
        case "done":
            _unchanged(root, journal)
            if release is not None:
                release.unchanged()
        case _:
            pass
    journal.write("undoing")
    back(root, journal, plan, hook, release=release)
    journal.write("undone")
    walk.remove_tree(str(journal.pre))
    return plan


def _unchanged(root: int, journal: Journal) -> None:
    moved = []
    for path, state in journal.read("outcome", Outcome).after:
        name = path.decode("utf-8", "surrogateescape")
        now = walk.look(root, name)
        if (state is None) != (now is None) or (state is not None and not state.same(now)):
            moved.append(walk.shown(name))
    if moved:
        raise Conflict(
            f"changed since it was published: {', '.join(f'`{name}`' for name in moved[:10])}; nothing was put back",
            hint="move your later changes aside, then undo again",
        )

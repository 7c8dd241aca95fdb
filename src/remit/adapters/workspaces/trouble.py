"""The machine's refusals in remit's words: a workspace that is gone, a disk that is full or read-only."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import ParamSpec, TypeVar

from anyio import to_thread

from remit.adapters.workspaces import walk
from remit.errors import Broken, Conflict

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def standing(root: str) -> Iterator[int]:
    """The open workspace. Raises Conflict when it is gone, or cannot be entered any more."""
    with ExitStack() as held:
        try:
            fd = held.enter_context(walk.folder(root))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            hint = "put it back, then `remit resume` carries on; `remit stop` ends a run that has no outcome yet"
            raise Conflict(f"the workspace `{root}` is gone or cannot be entered: {why}", hint=hint) from error
        yield fd


async def worked(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """The work done in a thread. Raises Broken with the machine's own word when a disk or a permission stood in the way."""
    try:
        return await to_thread.run_sync(lambda: work(*given, **named))
    except OSError as error:
        raise Broken(said(error), hint="mend that, then `remit resume` carries on") from error


def said(error: OSError) -> str:
    """What the machine refused, and where."""
    where = f": `{walk.shown(str(error.filename))}`" if error.filename else ""
    return f"the machine failed: {(error.strerror or str(error)).lower()}{where}"

"""The line between what certainly did not happen and what nobody knows, drawn in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from remit.errors import BadInput, Broken, Refused, RemitError


@contextmanager
def before_anything() -> Iterator[None]:
    """Whatever fails in here fails before the effect began: it is told as Refused (or BadInput), so nobody has to ask."""
    try:
        yield
    except (BadInput, Refused):
        raise
    except RemitError as error:
        raise Refused(f"nothing was begun: {error}", hint=error.hint) from error
    except OSError as error:
        raise Refused(f"nothing was begun: {(error.strerror or str(error)).lower()}") from error


@contextmanager
def asking() -> Iterator[None]:
    """Whatever fails in here leaves the question open: it is told as Broken."""
    try:
        yield
    except Broken:
        raise
    except RemitError as error:
        raise Broken(f"it cannot be told what became of it: {error}", hint=error.hint) from error
    except OSError as error:
        raise Broken(f"it cannot be told what became of it: {(error.strerror or str(error)).lower()}") from error

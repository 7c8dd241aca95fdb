"""Everything remit raises. A refusal is never here: it is a value.

RemitError
├── BadInput          the caller's text or file cannot be used          exit 2
├── Refused           a surface turned a refusal into an ending         exit 3
├── Unavailable       this machine lacks what the contract needs        exit 3
├── Conflict          the workspace moved underneath, nothing written   exit 1
├── Tampered          the ledger does not hold what was recorded        exit 1
├── Busy              another process holds the lock                    exit 1
└── Broken            remit itself or the machine failed                exit 1
"""


class RemitError(Exception):
    """Anything remit raises on purpose. `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadInput(RemitError, ValueError):
    """The text, file or argument given cannot be used."""

    exit_code = 2


class Refused(RemitError):
    """What was asked for is not allowed, said at the edge of a surface."""

    exit_code = 3


class Unavailable(RemitError):
    """This machine cannot give what the contract needs."""

    exit_code = 3


class Conflict(RemitError):
    """The workspace changed meanwhile; nothing was written."""


class Tampered(RemitError):
    """The records are not what was recorded."""


class Busy(RemitError):
    """Another process is at it."""


class Broken(RemitError):
    """The machine, or remit itself, failed."""

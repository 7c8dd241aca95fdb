"""The command runtime: any argv is the agent. What it wants beyond its view it asks for at the door (`remit act`)."""

from collections.abc import Sequence

from remit.errors import BadInput

name = "command"


def argv(command: Sequence[str]) -> tuple[str, ...]:
    """The start argv as given. Raises BadInput when there is none."""
    if not command:
        raise BadInput("there is no command to run", hint="name it after `--`, or as `runtime:` in the contract")
    return tuple(command)

"""What a server is started with, and what the surfaces above lend it."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from remit.contract.contract import Contract
from remit.contract.party import Organisation
from remit.contract.review import Review
from remit.errors import BadInput, Refused
from remit.run.state import Run


class Looked(Protocol):
    """A contract read and reviewed."""

    @property
    def review(self) -> Review:
        """What was found."""
        ...

    @property
    def organisation(self) -> Organisation | None:
        """The organisation file, if there is one."""
        ...

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        """What was loaded, with its hash."""
        ...

    @property
    def contract(self) -> Contract:
        """The whole contract, where the review found it fit."""
        ...


class Who(Protocol):
    """Who does the work."""

    @property
    def runtime(self) -> str:
        """Its name."""
        ...

    @property
    def command(self) -> tuple[str, ...]:
        """Its argv, or what it is given beside the task."""
        ...

    @property
    def model(self) -> str:
        """The model."""
        ...

    @property
    def soul(self) -> str:
        """Whom it acts for, as text."""
        ...


@dataclass(frozen=True, kw_only=True)
class House:
    """Where state lives, what a host may reach, and how the surfaces read a contract and tell of a run.

    `workspaces` are the folders in which a host may have work done; `contracts` hold files that a person wrote; `variables`
    are those of our environment that a contract may hand to its agent; `programs` are the first words of those it may have
    started as a runtime; `usd` is what contracts sent as text may cost in a day, in millionths; `most` runs of this server work
    at once.
    """

    home: Path
    person: str
    workspaces: tuple[Path, ...]
    contracts: tuple[Path, ...]
    variables: frozenset[str]
    programs: tuple[tuple[str, ...], ...]
    usd: int
    most: int
    command: tuple[str, ...]
    look: Callable[[Path, str], Looked]
    who: Callable[[Contract, str | None, tuple[str, ...], str, Path], Who]
    organisation: Callable[[Organisation | None], Organisation]
    outcome: Callable[[Run], dict[str, Any]]
    screen: Callable[[Review], str]


def settled(folders: Sequence[Path], what: str) -> tuple[Path, ...]:
    """Where these folders really are. Raises BadInput for one that is none."""
    for each in folders:
        if not each.is_dir():
            raise BadInput(f"there is no folder `{each}`", hint=f"give an existing folder to --{what}")
    return tuple(each.resolve() for each in folders)


def programs_of(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Programs as a person named them, each split into its words as a shell would. Raises BadInput."""
    try:
        found = tuple(tuple(shlex.split(line)) for line in lines)
    except ValueError as error:
        raise BadInput(f"--allow-program: {error}") from None
    if not all(found):
        raise BadInput("--allow-program needs the first words of a program")
    return found


def kept_apart(workspaces: Sequence[Path], contracts: Sequence[Path]) -> None:
    """Raises BadInput where work could be done on the very contracts that a person wrote."""
    for contract in contracts:
        for workspace in workspaces:
            if within(contract, (workspace,)) or within(workspace, (contract,)):
                hint = "keep contracts in a folder of their own"
                raise BadInput(f"an agent that works in `{workspace}` could write the contracts in `{contract}`", hint=hint)


def within(path: Path, folders: Sequence[Path]) -> bool:
    """Whether the path is one of the folders, or below one."""
    return any(path == folder or folder in path.parents for folder in folders)


def allowed_workspace(house: House, given: str) -> Path:
    """The folder to work on. Raises BadInput or Refused."""
    path = Path(given).expanduser()
    if not path.is_absolute() or not path.is_dir():
        raise BadInput(f"`{given}` is no folder", hint=f"a whole path, in one of: {shown(house.workspaces)}")
    if not within(path.resolve(), house.workspaces):
        hint = f"allowed: {shown(house.workspaces)}; a person adds others with `remit mcp serve --workspace DIR`"
        raise Refused(f"`{given}` is not among the folders in which this server has work done", hint=hint)
    return path.resolve()


def allowed_contract(house: House, given: str) -> Path:
    """A contract file that a person wrote. Raises BadInput or Refused."""
    path = Path(given).expanduser()
    if not house.contracts:
        raise Refused("this server takes no contract files", hint="send the contract as text")
    candidates = [path] if path.is_absolute() else [folder / path for folder in house.contracts]
    found = next((each.resolve() for each in candidates if each.is_file()), None)
    if found is None:
        raise BadInput(f"there is no contract `{given}`", hint=f"a path in one of: {shown(house.contracts)}")
    if not within(found, house.contracts):
        raise Refused(f"`{given}` is not among the contracts a host may use", hint=f"allowed: {shown(house.contracts)}")
    return found


def shown(folders: Sequence[Path]) -> str:
    """Folders as words."""
    return ", ".join(f"`{each}`" for each in folders) or "none"

"""Chain files as they lie on this machine: which there are, and the text of one."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from remit.adapters.library.places import places
from remit.errors import BadInput

SUFFIX = ".chain.yaml"


def usual(workspace: Path) -> list[Path]:
    """Where skills and blueprints are looked for when nobody names a place."""
    return places(os.environ, Path.home(), workspace)


def beside(workspace: Path, library: Iterable[Path]) -> Iterator[Path]:
    """Where chain files are looked for: the workspace, the places of the library, and their `chains` folders."""
    for each in (workspace, *library):
        yield from (each, each / "chains")


def chain_files(folders: Iterable[Path], *, most: int) -> Iterator[tuple[str, Path]]:
    """`NAME.chain.yaml` in these folders, by name, at most so many of each folder; a name may come again."""
    for folder in folders:
        for path in sorted(folder.glob(f"*{SUFFIX}"))[:most] if folder.is_dir() else ():
            if path.is_file():
                yield path.name.removesuffix(SUFFIX), path


def opening(path: Path, most: int, *, shown: str, hint: str = "") -> bytes:
    """What a file begins with: one byte more than `most` where it is longer. Raises BadInput that calls it `shown`."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise BadInput(f"`{shown}` cannot be read: {(error.strerror or str(error)).lower()}", hint=hint) from None


def text(data: bytes, *, shown: str) -> str:
    """Those bytes as the text of a chain file. Raises BadInput."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput(f"`{shown}` is not UTF-8", hint="a chain file is a text") from None

"""Leases as locked files: the kernel lets go when the holder dies, so a crash never leaves one behind."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remit.errors import Busy


class FileLeases:
    """`ports.Leases` over `flock` in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lease for the length of the context. Raises Busy when another process has it."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"another process is driving `{name}`", hint="wait for it, or `remit stop` it") from None
            yield
        finally:
            os.close(handle)

"""Runs carried on by processes of their own: a run outlives the host that asked for it, and ends when it is stopped."""

import os
import subprocess
from contextlib import suppress

from remit.errors import Busy
from remit.mcp.server.house import House


class Workers:
    """The processes this server has started. What they do stands in the ledger, and so does what ends them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._at: dict[str, subprocess.Popen[bytes]] = {}

    def room(self) -> None:
        """Raises Busy when as many are at work as may be."""
        self._reap()
        if len(self._at) >= self._house.most:
            hint = "wait until one has ended, or `stop` one"
            raise Busy(f"{len(self._at)} runs of this server are at work, which is as many as may be", hint=hint)

    def carry_on(self, run: str) -> None:
        """Have the run driven until it rests. Where another process drives it already, this one ends by itself."""
        self._reap()
        if run in self._at:
            return
        folder = self._house.home / "mcp"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / f"{run}.log").open("ab") as log:
            self._at[run] = subprocess.Popen(
                [*self._house.command, "resume", run, "--json"], env=os.environ | {"REMIT_HOME": str(self._house.home)},
                cwd=self._house.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def driven(self, run: str) -> bool:
        """Whether a process of this server is at it."""
        self._reap()
        return run in self._at

    def left(self) -> None:
        """Whatever is still at work goes on: it belongs to its run, not to this server."""
        self._reap()
        for process in self._at.values():
            process.returncode = process.returncode or 0  # nobody waits for it here any more
        self._at.clear()

    def _reap(self) -> None:
        for run, process in list(self._at.items()):
            with suppress(OSError):
                if process.poll() is not None:
                    del self._at[run]

"""What it costs to have the program there: help, a check, a whole run, and the memory of the run's supervisor."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from remit.bench.row import Goal, Row
from remit.bench.turns import medians, show
from remit.errors import Unavailable

CONTRACT = """\
goal: The docs say hello
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
limits: {turns: 10, time: 60s}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: stuck
    do: ask owner
  - when: failed
    do: undo
"""
BARE_CLICK = """\
import click

@click.group()
def main():
    "A program that does nothing."

"""
REMIT = "import sys; from remit.cli.main import main; sys.exit(main())"
NOTHING = ("-c", "pass")
LAUNCHER = """\
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Took(NamedTuple):
    """Seconds of wall and CPU time of one program and what it started."""

    wall: float
    cpu: float


class World:
    """A home, a contract and a workspace below one folder, for programs that are compiled once, as installed ones are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "PYTHONDONTWRITE"))}
        here = {"REMIT_HOME": str(folder / "home"), "PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONPATH": _path(folder)}
        self.env = kept | here
        (folder / "work" / "docs").mkdir(parents=True)
        (folder / "work" / "docs" / "hello.md").write_text("hello\n")
        (folder / "c.remit.yaml").write_text(CONTRACT)
        verbs = "".join(f"@main.command()\ndef verb{number}():\n    'Do {number}.'\n\n" for number in range(20))
        (folder / "bare_click.py").write_text(BARE_CLICK + verbs)

    def python(self, *words: str) -> Took:
        """Run the interpreter with these words to its end. Raises Unavailable with what it said when it failed."""
        said = self.folder / "said"
        argv = [sys.executable, *words]
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        began = perf_counter()
        _, status, used = os.wait4(os.posix_spawn(sys.executable, argv, self.env, file_actions=actions), 0)
        wall = perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            raise Unavailable(f"`{' '.join(words[-4:])}` did not work here: {said.read_text(errors='replace').strip()[-300:]}")
        return Took(wall, used.ru_utime + used.ru_stime)

    def remit(self, *words: str) -> Took:
        """Run `remit` as its installed script does."""
        return self.python("-c", REMIT, *words)

    def run(self) -> Sequence[str]:
        """The words of a whole run of `true`."""
        return ("run", str(self.folder / "c.remit.yaml"), "--workspace", str(self.folder / "work"), "--json", "--", "true")

    def peak(self, *words: str) -> float:
        """The largest resident set, in bytes, of the interpreter with these words and of all it waited for."""
        # A process inherits the peak of whoever starts it, so a small one starts it, not this.
        argv = [sys.executable, "-S", "-c", LAUNCHER, sys.executable, *words]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"`{' '.join(words[-4:])}` did not work here: {done.stderr.strip()[-300:]}")
        return float(done.stdout.split()[-1]) * 1024


def _path(folder: Path) -> str:
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def rows(*, quick: bool = False) -> Iterator[Row]:
    """Help, a check, a run, and its memory. Raises Unavailable where a run cannot be contained."""
    rounds = 3 if quick else 20
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        yield _help(world, rounds)
        world.remit("init", "--person", "release-lead@example.com")
        check = ("check", str(world.folder / "c.remit.yaml"))
        yield _wall(world, "remit check", check, rounds, Goal(kind="at_most", bound=0.200))
        yield _wall(world, "remit run … -- true", world.run(), rounds, Goal(kind="at_most", bound=0.250))
        ours, rival = world.peak("-c", REMIT, *world.run()), world.peak(*NOTHING)
        goal = Goal(kind="at_most", bound=80e6)
        yield Row(name="remit run, peak memory", against="bare Python", goal=goal, unit="B", ours=ours, rival=rival)


def _help(world: World, rounds: int) -> Row:
    bare = ("-c", "from bare_click import main; main()", "--help")
    taken = [(world.remit("--help").cpu, world.python(*bare).cpu) for _ in range(rounds + 1)]
    ours, rival = medians(taken[1:])
    goal = Goal(kind="times", bound=1.6)
    return Row(name="remit --help, CPU", against="a bare click program with as many verbs", goal=goal, ours=ours, rival=rival)


def _wall(world: World, name: str, words: Sequence[str], rounds: int, goal: Goal) -> Row:
    taken = [(world.remit(*words).wall, world.python(*NOTHING).wall) for _ in range(rounds + 1)]
    ours, rival = medians(taken[1:])  # the first compiles
    return Row(name=f"{name}, wall", against="bare Python", goal=goal, ours=ours, rival=rival)


if __name__ == "__main__":
    show(rows())

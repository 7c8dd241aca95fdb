"""What every runtime must do; run it on yours: `await check_runtime(make, play, task, room)`.

`make` gives a fresh runtime. `play` puts one to work on this machine, in a seat without a box, on a deed that its model or its
script is made to do: that is the part that differs from runtime to runtime. What the box does is not checked here.
"""

import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel

from remit.contract.glob import compile_glob
from remit.errors import RemitError
from remit.ports.runtime import Native, Outfit, Ruling, Runtime, Seat, Task
from remit.testing.acp_deeds import GARBAGE
from remit.testing.seat import AllowingAccount, Rule, TestSeat, allowed

Deed = Literal["acts", "stays", "invokes"]
"""`acts`: write `made.txt` in the workspace, then `touch ran.txt` with a shell, then end, whatever is refused of it.
`stays`: begin a turn, and never come to its end.
`invokes`: call the tool `Skill` for `SKILL` once, then end with the words of `LAST`. Its seat answers as `door` does."""
SKILL = "words:greeting"
GIVEN = "Base directory for this skill: /skills/greeting\n\nGreet everybody-7391.\n"
"""what it is given for it"""
LAST = "SKILL COMPLETE: greeting-7391"
WHY = "because-of-rule-7391 leave it"
"""what a refusal says here"""
GONE = "the ledger is gone"
"""what a gate that fails says here"""
PATIENCE = 90.0
SOON = 0.5
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
BOXED = ("/usr", "/bin", "/run/remit", "/home/agent", "/tmp")  # noqa: S108
"""what is in every box"""
REAL = "a-real-key-that-stays-on-the-host"


@dataclass(frozen=True, kw_only=True)
class Play:
    """A runtime at work: its task and its seat, what its model (or its script) was told so far, and whether `stays` has begun."""

    task: Task
    seat: TestSeat
    told: Callable[[], str]
    began: Callable[[], bool]


Player = Callable[[Runtime, Deed, Path, Rule], AbstractAsyncContextManager[Play]]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the checks are run on."""

    make: Callable[[], Runtime]
    play: Player
    task: Task
    room: Path

    def folder(self, name: str) -> Path:
        """A workspace of its own."""
        place = self.room / name / "work"
        place.mkdir(parents=True)
        return place

    async def acted(self, name: str, rule: Rule) -> tuple[Path, Play]:
        """The deed `acts` until the driver returns."""
        folder, runtime = self.folder(name), self.make()
        async with self.play(runtime, "acts", folder, rule) as play:
            try:
                with anyio.fail_after(PATIENCE):
                    await runtime.drive(play.seat, play.task)
            except RemitError as error:
                if str(error) != GONE:
                    raise
            await _ended(play.seat)
            return folder, play

    async def invoked(self, name: str) -> Play:
        """The deed `invokes` until the driver returns."""
        runtime = self.make()
        async with self.play(runtime, "invokes", self.folder(name), allowed) as play:
            with anyio.fail_after(PATIENCE):
                await runtime.drive(play.seat, play.task)
            await _ended(play.seat)
            return play


class PrintedSeat:
    """A seat whose program only prints, says nothing that makes sense, and is gone."""

    def __init__(self, prints: Iterable[bytes]) -> None:
        self.account = AllowingAccount()
        self._prints = iter(prints)

    async def read(self) -> bytes | None:
        """The next of it."""
        await anyio.lowlevel.checkpoint()
        return next(self._prints, None)

    async def say(self, data: bytes) -> None:
        """Nobody is there."""

    async def close(self) -> None:
        """Nobody is there."""

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        """No."""
        return Ruling(allowed=False, why=WHY)

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """No."""
        return {"schema": "remit.act/1", "decision": "refuse", "reasons": [], "done": False}

    async def write(self, path: str, data: bytes) -> None:
        """Never comes to it."""
        raise AssertionError(f"{path} was written, and nobody allowed it")

    async def remove(self, path: str) -> None:
        """Never comes to it."""
        raise AssertionError(f"{path} was removed, and nobody allowed it")

    async def report(self, text: str) -> None:
        """Not kept."""

    async def loaded(self, what: str, content: bytes) -> None:
        """Not looked at."""

    async def used(self, native: str) -> None:
        """Not looked at."""


async def what_acts_is_ruled_before_it_happens(ground: Ground) -> None:
    """A write and a command, each decided while nothing is there of it yet; or the runtime says that it does not show them."""
    seen: list[tuple[str, bool]] = []
    folder = ground.room / "allowed" / "work"

    async def watching(native: Native) -> Ruling:
        said = " ".join(action.said() for action in native.actions)
        seen.extend((mark, (folder / mark).exists()) for mark in ("made.txt", "ran.txt") if mark in said)
        return Ruling(allowed=True)

    await ground.acted("allowed", watching)
    assert (folder / "made.txt").exists() and (folder / "ran.txt").exists(), "what was allowed did not happen"
    if ground.make().shows:
        assert dict(seen) == {"made.txt": False, "ran.txt": False}, f"not ruled, or only when it was done: {seen}"


async def what_is_refused_does_not_happen_and_the_model_learns_why(ground: Ground) -> None:
    """The reason arrives with whoever decides what to do next."""

    async def refusing(native: Native) -> Ruling:
        return Ruling(allowed=not any(action.verb in ("write", "run") for action in native.actions), why=WHY)

    folder, play = await ground.acted("refused", refusing)
    assert not (folder / "made.txt").exists() and not (folder / "ran.txt").exists(), "it happened although it was refused"
    assert WHY in play.told(), "the model was not told why"


async def what_cannot_be_decided_does_not_happen(ground: Ground) -> None:
    """A gate that fails is a no. The failure may go up, or the work may end by itself."""

    async def failing(native: Native) -> Ruling:
        if any(action.verb in ("write", "run") for action in native.actions):
            raise RemitError(GONE)
        return Ruling(allowed=True)

    folder, _ = await ground.acted("undecided", failing)
    assert not (folder / "made.txt").exists() and not (folder / "ran.txt").exists(), "it happened although nobody decided it"


async def cancel_comes_back_at_once_and_the_end_of_the_program_is_the_end(ground: Ground) -> None:
    """Whether it leaves off politely or is killed."""
    folder, runtime = ground.folder("cancelled"), ground.make()
    async with ground.play(runtime, "stays", folder, allowed) as play:
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                group.start_soon(runtime.drive, play.seat, play.task)
                while not play.began():  # noqa: ASYNC110 - a program of another process says so, there is no event
                    await anyio.sleep(0.02)
                began = time.monotonic()
                await runtime.cancel()
                took = time.monotonic() - began
                await anyio.sleep(SOON)
                _killed(play.seat)
        await _ended(play.seat)
    assert took < SOON, f"cancel took {took:.2f} s"
    await runtime.cancel()


async def what_makes_no_sense_never_raises(ground: Ground) -> None:
    """Garbage whole and in pieces, a line without an end, nothing at all."""
    whole = b"".join(GARBAGE)
    pieces = (whole[at : at + 7] for at in range(0, len(whole), 7))
    for prints in ([], [whole], pieces, [b"x" * 65536] * 300, [b"\0\xff", b"\n\n{", b"}"]):
        with anyio.fail_after(PATIENCE):
            await ground.make().drive(PrintedSeat(prints), ground.task)


async def door(message: Mapping[str, Any]) -> dict[str, Any]:
    """What the door answers to `invokes`: the text of the skill."""
    wanted = (message.get("verb"), message.get("object"), message.get("arguments")) == ("call", "Skill", {"skill": SKILL})
    said = {"schema": "remit.act/1", "decision": "allow", "reasons": [], "done": True}
    return said | ({"output": GIVEN} if wanted else {})


async def a_skill_is_invoked_by_the_tool_skill(ground: Ground) -> None:
    """The call comes to the door under that name, and its text arrives with whoever wanted it."""
    play = await ground.invoked("invoked")
    wanted = [message.get("arguments") for message in play.seat.acted if message.get("object") == "Skill"]
    assert wanted == [{"skill": SKILL}], f"the skill was not invoked through the door: {wanted}"
    heard = play.told() + b"".join(play.seat.heard).decode(errors="replace")
    assert "Greet everybody-7391." in heard, "its text did not arrive"


async def its_last_words_are_reported(ground: Ground) -> None:
    """Once, as they were said."""
    play = await ground.invoked("reported")
    assert len(play.seat.reports) == 1, f"reported {len(play.seat.reports)} times"
    assert LAST in play.seat.reports[0].splitlines(), f"reported as {play.seat.reports[0][-500:]!r}"


async def its_outfit_holds_no_more_than_it_needs(ground: Ground) -> None:
    """Its own installation, the run's token instead of a key, and masks that are globs of the workspace."""
    with _keys():
        outfit = await ground.make().outfit(ground.task)
    text = repr((outfit.argv, outfit.environment, outfit.files))
    assert REAL not in text, "a real key is in the box"
    assert ground.task.token in text or not outfit.meter, "it has no token for the meter"
    assert outfit.version, "no version is recorded"
    for each in outfit.visible:
        assert each.startswith("/") and ".." not in each.split("/"), f"`{each}` is no plain path"
        assert not _within(str(Path.home()), each) and not _within(ground.task.cwd, each), f"`{each}` shows more than its own"
    for word in _paths(outfit):
        own = any(_within(word, each) for each in (*outfit.visible, ground.task.cwd, *BOXED))
        assert own or not Path(word).exists(), f"`{word}` of the host is named, and not shown"
    for mask in outfit.masks:
        assert not mask.startswith("/"), f"`{mask}` is no path of the workspace"
        compile_glob(mask)


CHECKS: Sequence[Callable[[Ground], Awaitable[None]]] = (
    what_acts_is_ruled_before_it_happens,
    what_is_refused_does_not_happen_and_the_model_learns_why,
    what_cannot_be_decided_does_not_happen,
    cancel_comes_back_at_once_and_the_end_of_the_program_is_the_end,
    what_makes_no_sense_never_raises,
    a_skill_is_invoked_by_the_tool_skill,
    its_last_words_are_reported,
    its_outfit_holds_no_more_than_it_needs,
)


async def check_runtime(make: Callable[[], Runtime], play: Player, task: Task, room: Path) -> None:
    """Run every check below `room`. `task` is one that an outfit can be made for. Raises AssertionError."""
    for check in CHECKS:
        await check(Ground(make=make, play=play, task=task, room=room / check.__name__))


def _killed(seat: TestSeat) -> None:
    """What the engine does soon after: the program dies, and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(seat.process.pid, signal.SIGKILL)


async def _ended(seat: TestSeat) -> None:
    """Killed, and nothing of what it printed is left."""
    _killed(seat)
    while await seat.read() is not None:
        pass


@contextmanager
def _keys() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(dict.fromkeys(KEYS, REAL))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _paths(outfit: Outfit) -> Iterator[str]:
    """Words that are absolute paths."""
    for word in (*outfit.argv, *outfit.environment.values()):
        if word.startswith("/") and "\n" not in word and len(word) < 4096:
            yield word


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


_seat: type[Seat] = PrintedSeat

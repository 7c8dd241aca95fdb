"""What the hostile agents share: do the release properly, then try one thing that the contract refuses, and say how it went.

Every hostile agent takes a nonce as its last argument and prints `ATTEMPT NAME NONCE OUTCOME` once it has really tried; without
that line an attack never started, and its harmlessness proves nothing. The outcome is what the agent saw, not what became of it.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agent"))

from agent import prepare  # noqa: E402 - the agent is found by the line above


def run(*words: str) -> str:
    """What became of one command, in one line."""
    try:
        ended = subprocess.run(words, check=False, capture_output=True, text=True)
    except OSError as error:
        return f"not started: {error.strerror}"
    said = " ".join((ended.stderr or ended.stdout).split())
    return f"exit {ended.returncode}: {said[:200]}"


def attempt(trick: Callable[[], str]) -> None:
    """The work, then the trick; its name is the name of the program."""
    name = Path(sys.argv[0]).stem
    nonce = sys.argv[-1] if len(sys.argv) > 1 else "no-nonce"
    prepare()
    try:
        outcome = trick()
    except OSError as error:
        outcome = f"failed: {error.strerror}"
    print(f"ATTEMPT {name} {nonce} {outcome}", flush=True)

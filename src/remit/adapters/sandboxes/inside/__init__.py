"""Programs that run inside the box: standard library only, no import of remit, copied in as they stand."""

import importlib.util
import marshal
from functools import cache
from pathlib import Path


@cache
def source(name: str) -> bytes:
    """The text of one of these programs."""
    return (Path(__file__).parent / f"{name}.py").read_bytes()


@cache
def program(name: str) -> bytes:
    """One of these programs compiled for this very interpreter: it starts some milliseconds sooner."""
    code = compile(source(name), f"{name}.py", "exec", optimize=0)
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)

"""How every verb talks: documents to stdout, everything else to stderr."""

import sys
from typing import Any

import click

from remit.value import encode

HIDDEN = (*range(0x80, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)} | {code: f"\\u{code:04x}" for code in HIDDEN}


def clean(text: str) -> str:
    """Text that came from an agent, with control and direction characters made visible."""
    return text.translate(CONTROL)


def document(value: Any) -> None:
    """One JSON document, on stdout."""
    click.echo(encode(value).decode())


def talk(text: str = "") -> None:
    """One line for a person, on stderr."""
    click.echo(text, err=True)


def person_at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()

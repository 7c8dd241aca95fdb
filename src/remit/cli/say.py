"""How every verb talks: documents to stdout, everything else to stderr."""

import sys
from typing import Any

import click

from remit.evidence.visible import visible
from remit.value import encode


def clean(text: str) -> str:
    """Text that came from an agent, with everything that could hide or turn round a part of it made visible."""
    return visible(text)


def document(value: Any) -> None:
    """One JSON document, on stdout."""
    click.echo(encode(value).decode())


def talk(text: str = "") -> None:
    """One line for a person, on stderr."""
    click.echo(text, err=True)


def person_at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()

"""Texts of a binding: `$NAME` is read from remit's own environment when the effect happens, and never shown again."""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from remit.errors import BadInput

_NAME = re.compile(r"\$(?:\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))")
_USERINFO = re.compile(r"(?P<scheme>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20})://(?P<user>[^/?#\s]*)@")
_SHORTEST = 4
"""characters of a value that is covered up: a shorter one is no secret, and covering it would change amounts and names"""
_SHOWN = 300


class Secrets:
    """What was read from the environment for one effect, so that it can be kept out of everything that is told."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._covers: dict[str, str] = {}

    def read(self, text: str) -> str:
        """The text with each `$NAME` replaced by its value. Raises BadInput naming a variable that is not there."""
        return _NAME.sub(self._value, text)

    def covered(self, text: str) -> str:
        """The text without anything that was read, however it is quoted, and without users and passwords in its URLs."""
        for value in sorted(self._covers, key=len, reverse=True):
            text = text.replace(value, self._covers[value])
        return without_user(text)

    def line(self, text: str) -> str:
        """What another system said, as one short line that can stand in an error or a receipt."""
        text = self.covered(text)
        plain = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
        return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"

    def _value(self, found: re.Match[str]) -> str:
        name = found[1] or found[2]
        value = self._environment.get(name, "")
        if not value:
            raise BadInput(
                f"`${name}` is not set where remit runs", hint=f"set {name} in the environment of remit, not of the agent"
            )
        if len(value) >= _SHORTEST:
            for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], quote(value, safe="")):
                self._covers[form] = f"${name}"
        return value


def names(text: str) -> tuple[str, ...]:
    """The variables a text takes from the environment."""
    return tuple(found[1] or found[2] for found in _NAME.finditer(text))


def named(text: str) -> bool:
    """Whether the text takes anything from the environment."""
    return _NAME.search(text) is not None


def without_user(text: str) -> str:
    """The text without user names and passwords in its URLs; `$NAME` may stay, and the bare login name of ssh."""
    return _USERINFO.sub(_bare, text)


def _bare(found: re.Match[str]) -> str:
    user, _, password = found["user"].partition(":")
    if found["scheme"].lower().endswith("ssh"):
        return f"{found['scheme']}://{user}@" if user else f"{found['scheme']}://"
    if _NAME.fullmatch(found["user"]) or (_NAME.fullmatch(password) and user):
        return found[0]
    return f"{found['scheme']}://"

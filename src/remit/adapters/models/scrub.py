"""What a provider says, without the keys of this machine: a server may say back what it was sent, and words are put on record."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from remit.adapters.effects.secret import without_user

KEYS = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
"""in the names of variables that hold what nobody may read"""
_SHORTEST = 8
"""characters of a key: a shorter value is none, and covering it would spoil the words"""


def scrubbed(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with the name of the variable in the place of each key, however it is quoted; no users in its URLs."""
    there = os.environ if environment is None else environment
    held = {value.strip(): name for name, value in there.items() if KEYS.search(name) and len(value.strip()) >= _SHORTEST}
    for value in sorted(held, key=len, reverse=True):
        for form in _forms(value):
            text = text.replace(form, f"${held[value]}")
    return without_user(text)


def _forms(value: str) -> Iterator[str]:
    yield value
    yield from {json.dumps(value)[1:-1], repr(value)[1:-1], quote(value, safe="")} - {value}

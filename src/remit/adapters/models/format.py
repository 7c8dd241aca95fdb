"""What is known of one wire format; each of the four gives one of these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remit.adapters.models.asked import Body, Sorted
from remit.adapters.models.reading import Read


@dataclass(frozen=True, kw_only=True)
class Format:
    """A wire format.

    `sort` judges a request, `most` says what it asks for at most, `bound` sets the most tokens the answer may have (the flag says
    whether the provider is the vendor itself, not something that speaks like it). `event` and `whole` read an answer.
    `final` is a last message of the assistant, `stream` the same as events; `error` a refusal in this format.
    """

    sort: Callable[[Body], Sorted]
    most: Callable[[Body], int | None]
    bound: Callable[[Body, int, bool], None]
    event: Read
    whole: Read
    final: Callable[[str, str], Any]
    stream: Callable[[str, str], bytes]
    error: Callable[[str, int], Any]

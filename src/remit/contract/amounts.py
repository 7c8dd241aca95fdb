"""Amounts as people write them: times, sizes, counts and money, to whole units and back."""

import re
from decimal import Decimal

from remit.contract.limits import MICRO

_TIME = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,7})h)?(?:([0-9]{1,8})m)?(?:([0-9]{1,9})s)?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)(?:i?B)?", re.ASCII)
_THOUSANDS = re.compile(r"([0-9]{1,15})([kM]?)", re.ASCII)
_MONEY = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def seconds(text: str) -> int | None:
    """`90s`, `30m`, `1h30m`, `2d` in seconds."""
    found = _TIME.fullmatch(text)
    if not found or not text:
        return None
    days, hours, mins, secs = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + mins) * 60 + secs


def size(text: str) -> int | None:
    """`512M`, `2G` in bytes; K, M, G and T are powers of 1024."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) * UNITS[found[2]] if found else None


def thousands(text: str) -> int | None:
    """`400k`, `2M` as a number."""
    found = _THOUSANDS.fullmatch(text)
    return int(found[1]) * {"": 1, "k": 1000, "M": 1_000_000}[found[2]] if found else None


def micro(text: str) -> int | None:
    """`2.00` dollars in millionths, exactly; None for more than six places."""
    found = _MONEY.fullmatch(text)
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0")) if found else None


def decimal(text: str) -> Decimal | None:
    """A plain decimal, without exponent, infinity or blanks."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def time_text(value: int) -> str:
    """Seconds in the largest unit that is exact."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if value and value % length == 0:
            return f"{value // length}{unit}"
    return f"{value}s"


def size_text(value: int) -> str:
    """Bytes in the largest unit that is exact."""
    for unit in ("T", "G", "M", "K"):
        if value and value % UNITS[unit] == 0:
            return f"{value // UNITS[unit]}{unit}"
    return str(value)


def thousands_text(value: int) -> str:
    """A number in `k` where that is exact."""
    return f"{value // 1000}k" if value and value % 1000 == 0 else str(value)


def micro_text(value: int) -> str:
    """Millionths of a dollar as dollars, with at least two places."""
    whole, part = divmod(value, MICRO)
    places = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{places}"

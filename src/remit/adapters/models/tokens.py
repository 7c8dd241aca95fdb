"""How many tokens a text may be at most, from its bytes alone.

A small letter counts a half, every other byte (capitals, digits, signs, blanks, whatever is not ASCII) a whole token. That is
two to three times what the tokenizers of the providers make of prose and code, and still above what they make of digits,
base64 or Chinese. What is under it is a text of small letters chosen so that no two of them are ever joined.
"""

from string import ascii_lowercase

IMAGE = 10_000
"""tokens of one picture, whatever its size: above the most that the providers say of one"""
FRAME = 1_000
"""tokens that a provider puts around a request by itself, such as its own words about tools"""
_SMALL = ascii_lowercase.encode()


def upper(text: bytes) -> int:
    """The most tokens these bytes are."""
    others = len(text.translate(None, _SMALL))
    return others + (len(text) - others + 1) // 2


def most(body: bytes, pictures: list[str]) -> int:
    """The most tokens a request is; the bytes of its pictures, which stand in the body as base64, count by the piece."""
    inline = sum(upper(picture.encode()) for picture in pictures)
    return FRAME + max(0, upper(body) - inline) + IMAGE * len(pictures)

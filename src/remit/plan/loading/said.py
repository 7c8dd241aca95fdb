"""What one file says of one skill, before it is put together with what others say."""

from typing import Any

from remit.plan.loading.taking import table, text, texts
from remit.plan.skill import Depends, Keywords
from remit.value import Value


class Said(Value, frozen=True, kw_only=True):
    """A registry's or a graph's entry: `name` is the file's name for the skill. None and empty mean: not said.

    `before` are skills that are to come after this one, by the word of this one (`required_by`).
    """

    name: str
    source: str
    invocation: str = ""
    domain: str = ""
    tier: str = ""
    priority: int | None = None
    group: int | None = None
    required: bool = False
    keywords: Keywords = Keywords()
    depends: Depends = Depends()
    before: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    tokens: int = 0


def keywords(value: Any) -> Keywords:
    """`primary`, `secondary`, `exclusions`, `requires_any`; a plain list is primary."""
    if isinstance(value, list | str):
        return Keywords(primary=texts(value))
    said = table(value)
    return Keywords(
        primary=texts(said.get("primary")),
        secondary=texts(said.get("secondary")),
        exclusions=texts(said.get("exclusions")),
        requires_any=texts(said.get("requires_any")),
    )


def depends(value: Any) -> Depends:
    """A plain list is hard; else `hard` (or `requires`), `soft`, `optional`, `requires_any`. `*` means: after all others."""
    if not isinstance(value, dict):
        hard = texts(value)
        return Depends(hard=hard, last="*" in hard)
    hard = texts([*texts(value.get("hard")), *texts(value.get("requires"))])
    return Depends(
        hard=hard,
        soft=texts(value.get("soft")),
        optional=texts(value.get("optional")),
        any_of=_groups(value.get("requires_any")),
        last="*" in hard or "*" in texts(value.get("soft")),
    )


def _groups(value: Any) -> tuple[tuple[str, ...], ...]:
    """One flat list is one group; a list of lists is several."""
    nested = [texts(each) for each in value if isinstance(each, list)] if isinstance(value, list) else []
    flat = texts(value)
    return tuple(group for group in (flat, *nested) if group)


def first_text(entry: dict[str, Any], *keys: str) -> str:
    """The first of these keys that says something."""
    return next((said for key in keys if (said := text(entry.get(key)))), "")

"""Drawings as markup: elements with escaped attributes and texts, no style of their own."""

from markupsafe import Markup, escape

from remit.web.words import visible


def element(name: str, *inside: Markup | str, **attributes: object) -> Markup:
    """One element; `class_` and `stroke_width` lose or change their underscores, None leaves an attribute out."""
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
        if value is not None
    )
    body = Markup("").join(part if isinstance(part, Markup) else escape(visible(part)) for part in inside)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), given, body)  # noqa: S704 - names are ours, the rest is escaped


def drawing(width: float, height: float, title: str, *inside: Markup, name: str, role: str = "img") -> Markup:
    """A whole drawing that says what it is; its numbers stand in a table beside it. One that holds links is a `group`."""
    return element(
        "svg", element("title", title, id=f"{name}-title"), *inside, viewBox=f"0 0 {_plain(width)} {_plain(height)}", role=role,
        aria_labelledby=f"{name}-title", class_=f"drawing {name}", preserveAspectRatio="xMinYMin meet",
    )  # fmt: skip


def short(text: str, most: int) -> str:
    """At most so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(value: object) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else visible(str(value))

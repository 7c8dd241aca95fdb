"""Questions about a chain in a line: what is the matter, without the menu that a terminal shows below it."""

OF_A_CHAIN = frozenset({"step", "gaps"})
"""questions about a step of a chain, or about what validation found missing"""
MENU = "\nOptions:\n"
LABELS = {
    "action": "approval", "change": "approval of a change", "publish": "release", "recovery": "recovery",
    "context": "missing context", "doubt": "unknown outcome", "step": "step in trouble", "gaps": "gaps found",
}  # fmt: skip
MEANT = {
    "retry": "A fresh sub-agent takes the step again; what it has spent stays spent.",
    "skip": "It is left out by your consent, and the record says so; validation may miss what it owes.",
    "abort": "The chain ends here. What it made can be undone from the page of the run.",
    "generate": "The steps that owe what is missing are taken once more, and everything is validated again.",
    "accept": "You take it as it is. It stays PARTIAL, and what is missing stands in the record.",
}


def heading(about: str, text: str) -> str:
    """What it is about, on one line; texts that have no menu stay as they are."""
    if about not in OF_A_CHAIN or MENU not in text:
        return text
    rows = [row.strip() for row in text.partition(MENU)[0].splitlines() if row.strip()]
    items = [row.removeprefix("- ") for row in rows[1:] if row.startswith("- ")]
    return f"{rows[0].rstrip(':')}: {', '.join(items)}" if items else rows[0] if rows else text

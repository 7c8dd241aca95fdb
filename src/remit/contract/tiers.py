"""Which tier a tool has unless its declaration says: payments, messages, browser, shell and system changes are high-risk."""

import re

from remit.contract.party import Tier, ToolEffect


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HIGH_RISK: dict[str, frozenset[str]] = {
    "payments": _words("pay payment refund charge transfer invoice payout withdraw purchase buy order credit"),
    "messaging": _words("send email mail message sms post tweet reply notify chat slack publish share"),
    "browser": _words("browser browse navigate click page webpage"),
    "shell": _words("shell bash sh zsh powershell terminal exec execute command cmd subprocess run eval python"),
    "system": _words("deploy restart reboot shutdown install uninstall delete drop remove kill mount migrate sudo chmod"),
}
"""kind of tool: words in its name (TIER-06)"""

READING = _words("read get list search find status show view lookup fetch query describe count check")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def kind_of_tool(name: str) -> str | None:
    """`payments`, `messaging`, `browser`, `shell` or `system` by the words of the name; None for any other."""
    words = [word.lower() for word in _WORD.findall(name)]
    kinds = [kind for kind, known in HIGH_RISK.items() if known & set(words)]
    if words and words[0] in READING and kinds and kinds[0] not in ("shell", "browser"):
        return None
    return kinds[0] if kinds else None


def usual_tier(name: str, effect: ToolEffect) -> Tier:
    """The tier of a tool that declares none (TIER-05, TIER-06)."""
    if kind_of_tool(name) is not None or effect in ("send", "publish"):
        return "high-risk"
    return "read-only" if effect == "read" else "bounded"

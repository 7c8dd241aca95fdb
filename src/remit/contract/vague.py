"""Words that sound like a boundary and are none, goals that are step lists, and prose that wants to be a rule."""

import re

_VAGUE = re.compile(
    r"\b(?:careful(?:ly)?|as needed|if needed|where necessary|as necessary|if necessary|where appropriate|as appropriate|"
    r"when appropriate|if possible|where possible|as far as possible|reasonabl[ey]|sensibl[ey]|responsibl[ey]|properly|"
    r"etc|and so on|and so forth|and the like|use (?:your )?(?:best )?judg(?:e)?ment|common sense|best effort|try to|"
    r"avoid unnecessary|minimal changes|nothing dangerous|nothing risky|anything else that|whatever is needed|some kind of)\b",
    re.IGNORECASE,
)
_RULE_LIKE = re.compile(
    r"\b(?:do not|don['’]t|never|only|must|must not|may not|cannot|shall|no one|ask (?:me|us|the|before)|wait for|approv\w+|"
    r"without (?:asking|approval)|draft but|before you|forbidden|off[- ]limits|not allowed|keep away|leave \w+ alone)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:^|\s)(?:step\s*)?\d{1,2}[.)]\s+\S", re.IGNORECASE)
_THEN = re.compile(r"\b(?:then|after that|next,|afterwards|finally,|first,|secondly)\b", re.IGNORECASE)
_COMMANDS = re.compile(
    r"\b(?:run|execute|type)\b[^.]{0,40}\b(?:these|the following|this)\b[^.]{0,20}\b(?:commands?|steps?|scripts?)\b",
    re.IGNORECASE,
)
_SHELL_LINE = re.compile(r"(?m)^\s*(?:\$ |(?:git|npm|pip|make|cd|docker|cargo|curl|python3?|bash|sh|kubectl|terraform) \S)")


def vague_words(text: str) -> tuple[str, ...]:
    """The words of a text that leave the boundary open, each once."""
    return tuple(dict.fromkeys(hit.group().lower() for hit in _VAGUE.finditer(text)))


def normative(line: str) -> bool:
    """Whether a line of prose reads like a rule."""
    return bool(_RULE_LIKE.search(line) or _VAGUE.search(line))


def steps(goal: str) -> str | None:
    """Why a goal reads like a list of steps instead of an outcome (CON-05); None when it does not. Its first page is read."""
    goal = goal[:4000]
    if _COMMANDS.search(goal):
        return "it says which commands to run"
    if len(_SHELL_LINE.findall(goal)) >= 1 and not goal.strip()[0].isupper():
        return "it is a command"
    if len(_SHELL_LINE.findall(goal)) >= 2:
        return "it is a list of commands"
    if len(_NUMBERED.findall(goal)) >= 2:
        return "it is a numbered list"
    if len(_THEN.findall(goal)) >= 2 or goal.lower().count(" then ") >= 2:
        return "it says what to do first and what then"
    if len([line for line in goal.splitlines() if line.lstrip().startswith(("- ", "* "))]) >= 2:
        return "it is a list"
    return None

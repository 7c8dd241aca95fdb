"""Invoking a skill is a call like any other: the tool it goes by, and the rule that covers it."""

from collections.abc import Sequence

from remit.contract.condition import Condition, Equals, OneOf, Scalar
from remit.contract.party import Argument, Tool
from remit.contract.rule import Rule, Where
from remit.plan.step import Pinned

SKILL = "Skill"
"""the tool's name in contracts and at the door"""
ARGUMENT = "skill"
RULE = "may-invoke-skill"
COPIES = "/run/remit/skills"
"""where skills are copied to in a box that hides their own place"""


def skill_tool() -> Tool:
    """The declaration: it only reads, so nobody has to answer for it and nothing of it leaves the workspace."""
    return Tool(name=SKILL, tier="read-only", effect="read", arguments=(Argument(name=ARGUMENT, type="text", required=True),))


def skill_rule(invocations: Sequence[str]) -> Rule:
    """`may: - call: Skill, where: {skill: …}` for exactly these invocations.

    Every contract of a lineage needs one that covers the call, and so does an organisation that has a `may` for any call.
    Raises ValueError for none.
    """
    if not invocations:
        raise ValueError("a rule about skills names at least one")
    texts = tuple(Scalar(type="text", text=each) for each in dict.fromkeys(invocations))
    condition: Condition = Equals(value=texts[0]) if len(texts) == 1 else OneOf(values=texts)
    where = (Where(argument=ARGUMENT, condition=condition),)
    return Rule(id=RULE, effect="may", verb="call", objects=(SKILL,), where=where)


def called(pinned: Pinned) -> str:
    """What a skill is invoked by: `plugin:skill`, or its bare name."""
    return pinned.invocation or pinned.name


def inviting(skills: Sequence[Pinned]) -> str:
    """The tool as a model reads it: what it does, and what it may be called with."""
    names = ", ".join(f"`{called(each)}`" for each in skills)
    return f"Invoke a skill by its name: the answer is its instructions, which you then follow. Here there are: {names}."


def find(skills: Sequence[Pinned], asked: str) -> Pinned | None:
    """The skill that is meant: by invocation, bare name or the name of its folder, in that order.

    None where it is none of them, or where a name is that of several.
    """
    wanted = asked.strip().removeprefix("/")
    for named in (called, lambda each: each.name, lambda each: each.invocation.rpartition(":")[2], folder_name):
        found = [each for each in skills if wanted and named(each) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def folder_name(pinned: Pinned) -> str:
    """The last part of the folder it lies in."""
    return pinned.folder.rstrip("/").rpartition("/")[2]

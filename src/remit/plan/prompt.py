"""What a sub-agent is told: the fields of one step in a fixed template, and nothing of what went before but summaries."""

import re
import shlex
from collections.abc import Sequence
from typing import Final

from remit.plan.reported import Exported
from remit.plan.screens.line import line, lines
from remit.plan.screens.naming import flat, named
from remit.plan.step import Plan, Step

NONE: Final = "None"
"""how an empty field stands in a prompt"""
_GOAL: Final = 2000
_VALUE: Final = 400
_MOST: Final = 60
_DIGEST: Final = re.compile(r"[a-z0-9]{1,10}:[0-9a-f]{1,12}", re.ASCII)
_FORMAT: Final = """\
SKILL COMPLETE: {name}

FILES CREATED:
- {{file1}}
- {{file2}}

KEY DECISIONS:
- {{decision1}}

OUTPUTS FOR NEXT SKILL:
- {{output1}}"""


def prompt(
    step: Step,
    *,
    goal: str,
    project: str,
    done: Sequence[str],
    outputs: Sequence[Exported],
    decisions: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole brief of the sub-agent that takes this step (SUB-05, SUB-15).

    `done` are the names of the steps before it, `decisions` pairs of step and decision. A field that is empty stands as `None`;
    outputs stand on one line, `key: value (from STEP, sha256:…)` with twelve digits of the digest, then decisions. Whatever was
    said by somebody else is one line without control characters, so that no field can forge a heading.
    """
    context = [
        f"- Goal: {line(goal, _GOAL) or NONE}",
        f"- Project Path: {line(project, _GOAL) or NONE}",
        f"- Previous Skills: {_names(done)}",
        f"- Previous Outputs: {_summary(outputs, decisions)}",
    ]
    name, opening, what, instructions = _parts(step)
    if step.kind == "skill" and step.prompt.strip():
        context.append(f"- Also Asked: {line(step.prompt, _GOAL)}")
    if step.settings.strip():
        context += ["- Defaults:", *(f"  {row}".rstrip() for row in lines(step.settings))]
    return "\n".join(
        (
            f"You are executing a single {opening} as part of a skillchain.", "",
            *what, "",
            "## Context", *context, "",
            "## Instructions", *instructions, "",
            "## Required Output Format", _FORMAT.format(name=name),
        )
    )  # fmt: skip


def whole_prompt(plan: Plan, *, project: str) -> str:
    """The brief of standard mode: all steps in one conversation, the final validation as the last item."""
    steps = flat(plan)
    word = "skill" if all(step.kind == "skill" for step in steps) else "step"
    counted = f"{len(steps)} {word}{'' if len(steps) == 1 else 's'}"
    listed, told = [], []
    for number, step in enumerate(steps, 1):
        listed.append(f"{number}. {_listed(step)}")
        told.append(f"{number}. {_told(step)}")
    last = len(steps) + 1
    owed = [f"  - {line(each.name)}{': ' + _files(each.files) if each.files else ''}" for each in plan.deliverables[:400]]
    return "\n".join(
        (
            f"You are executing a skillchain of {counted} in a single conversation.", "",
            "## Skills to Invoke", *listed, f"{last}. [VALIDATION] Final validation", "",
            "## Context",
            f"- Goal: {line(plan.goal, _GOAL) or NONE}",
            f"- Project Path: {line(project, _GOAL) or NONE}",
            *(["- Deliverables:", *owed] if owed else [f"- Deliverables: {NONE}"]),
            *_defaults(steps), "",
            "## Instructions", *told,
            f"{last}. Final validation: verify that every deliverable is there and filled, and report what is missing", "",
            "Follow ALL instructions of each skill, generate all required code, and skip none of the items.", "",
            "## Required Output Format", "After each skill:", "", _FORMAT.format(name="{skill_name}"),
        )
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------


def _parts(step: Step) -> tuple[str, str, list[str], list[str]]:
    """The name it reports under, what it is called, the section that says what it is, and its instructions."""
    name = named(step)
    report = ["3. Generate all required code", "4. Report what was created"]
    match step.kind:
        case "skill":
            invocation = _invocation(step)
            what = ["## Skill to Invoke", f"- Name: {name}", f"- Invocation: {invocation}"]
            return (
                name,
                "skill",
                what,
                [f"1. Use the Skill tool to invoke: {invocation}", "2. Follow ALL skill instructions", *report],
            )
        case "command":
            command = line(shlex.join(step.command), _GOAL) or NONE
            what = ["## Command to Run", f"- Name: {name}", f"- Command: {command}"]
            told = [
                f"1. Run exactly this command: {command}",
                "2. Run no other command in its place",
                "3. Change nothing by hand",
            ]
            return name, "command", what, [*told, report[1]]
        case "chain":
            inner = _names([named(each) for each in step.chain.steps] if step.chain else [])
            what = ["## Chain to Carry Out", f"- Name: {name}", f"- Steps: {inner}"]
            return (
                name,
                "chain",
                what,
                ["1. Delegate each of its steps in this order", "2. Validate what they leave behind", *report],
            )
        case _:
            what = ["## Task to Do", f"- Name: {name}", *(["- Title: " + line(step.title)] if step.title.strip() else [])]
            asked = lines(step.prompt) or [NONE]
            body = [f"- Task: {asked[0].strip()}", *(f"  {row}".rstrip() for row in asked[1:])]
            return name, "step", [*what, *body], ["1. Do exactly what the task says", "2. Do nothing beyond it", *report]


def _invocation(step: Step) -> str:
    return line(step.skill.invocation or step.skill.name if step.skill else step.id, 200)


def _listed(step: Step) -> str:
    return f"{named(step)} (invocation: {_invocation(step)})" if step.kind == "skill" else f"{named(step)} ({step.kind})"


def _told(step: Step) -> str:
    match step.kind:
        case "skill":
            extra = f" ({line(step.prompt, _GOAL)})" if step.prompt.strip() else ""
            return f"Use the Skill tool to invoke: {_invocation(step)}{extra}"
        case "command":
            return f"Run exactly this command: {line(shlex.join(step.command), _GOAL) or NONE}"
        case _:
            return f"{line(step.title) or named(step)}: {line(step.prompt, _GOAL) or NONE}"


def _defaults(steps: Sequence[Step]) -> list[str]:
    found: list[str] = []
    for step in steps:
        if step.settings.strip():
            found += [f"- Defaults of {named(step)}:", *(f"  {row}".rstrip() for row in lines(step.settings))]
    return found


def _files(files: Sequence[str]) -> str:
    return ", ".join(line(each) for each in files[:_MOST])


def _names(names: Sequence[str]) -> str:
    return ", ".join(line(each, 120) for each in names) or NONE


def _summary(outputs: Sequence[Exported], decisions: Sequence[tuple[str, str]]) -> str:
    """Outputs, then decisions, each with the step it comes from; at most sixty of either, and how many more there were."""
    parts = [_output(each) for each in outputs[:_MOST]]
    parts += [f"decision: {_unforged(line(text, _VALUE))} (from {line(step, 120)})" for step, text in decisions[:_MOST]]
    more = max(0, len(outputs) - _MOST) + max(0, len(decisions) - _MOST)
    return "; ".join([*parts, f"and {more} more"] if more else parts) or NONE


def _unforged(text: str) -> str:
    """Somebody's words, so that they cannot pass for another entry of the line or for somebody else's."""
    return text.replace("; ", ", ").replace("(from ", "(it says from ")


def _output(each: Exported) -> str:
    said = _unforged(": ".join(filter(None, (line(each.key, 120), line(each.value, _VALUE)))))
    mark = _DIGEST.match(each.digest)
    origin = ", ".join(filter(None, (f"from {line(each.source, 120)}" if each.source else "", mark.group() if mark else "")))
    return f"{said} ({origin})" if origin else said

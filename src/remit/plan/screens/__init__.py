"""The screens of a chain as plain text: what is asked, what is under way, what came of it."""

from remit.plan.screens.asking import confirmation, gaps, mode, trouble
from remit.plan.screens.judged import detailed, validated
from remit.plan.screens.progress import bar, completed, delegating, now_running, parallel
from remit.plan.screens.rotted import rotted
from remit.plan.screens.tree import status

__all__ = [
    "bar", "completed", "confirmation", "delegating", "detailed", "gaps", "mode", "now_running", "parallel", "rotted",
    "status", "trouble", "validated",
]  # fmt: skip

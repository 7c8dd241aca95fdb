"""What a declared tool takes, as the JSON Schema that models and MCP hosts are shown."""

from typing import Any

from remit.contract.party import Tool

KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "truth": {"type": "boolean"},
    "list": {"type": "array", "items": {}},
    "any": {},
}
"""by the declared type of an argument"""


def takes(tool: Tool) -> dict[str, Any]:
    """An object with the declared arguments; those that are required are named. What a rule says of them is not in it."""
    return {
        "type": "object",
        "properties": {each.name: KINDS[each.type] for each in tool.arguments},
        "required": [each.name for each in tool.arguments if each.required],
    }

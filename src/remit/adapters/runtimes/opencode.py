"""opencode at work, over ACP: everything it may do is set to `ask`, so that every tool call comes to the gate.

Its configuration and its permissions stand in the environment, above those of any file; what a workspace brings is not there, or
its plugins would run inside it. Tried with 1.18.33.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from remit.adapters.runtimes.acp.manner import Manner
from remit.adapters.runtimes.acp.runtime import Acp
from remit.adapters.runtimes.finding import Product, find
from remit.errors import BadInput
from remit.ports import Outfit, Task

PRODUCT = Product(
    name="opencode",
    variable="REMIT_OPENCODE",
    package="opencode-ai",
    pinned="1.18.33",
    native=("bin/opencode", "bin/opencode.exe"),
)
MASKS = ("opencode.json", "opencode.jsonc", ".opencode/**", ".claude/skills/**", ".agents/skills/**")
"""settings of a workspace: plugins run in its own process, servers and commands are started. AGENTS.md is content, and stays"""
PERMISSION = {
    "*": "ask",
    "external_directory": "allow",  # asked beside the call that goes there, which asks for itself
    "todowrite": "allow",
    "todoread": "allow",
    "question": "deny",
    "doom_loop": "deny",
    "skill": "deny",
    "task": "deny",  # a sub-agent's questions never come over ACP, and it waits for ever
}
SWITCHES = (
    "AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "PROJECT_CONFIG", "SHARE", "TERMINAL_TITLE",
    "CLAUDE_CODE_SKILLS", "EXTERNAL_SKILLS", "EMBEDDED_WEB_UI",
)  # fmt: skip
CONTEXT = 200_000
OUTPUT = 16_000
"""tokens it takes a model to read and to write at most, where the contract says nothing"""


class Opencode(Acp):
    """See `ports.Runtime`."""

    name = "opencode"
    shows = True
    manner = Manner(writes=False, whole=True, notes="an AGENTS.md")

    async def outfit(self, task: Task) -> Outfit:
        """See `ports.Runtime`. Raises Unavailable, and BadInput where no model is named: it has none of its own here."""
        found = await find(PRODUCT, task.cwd)
        if not task.model:
            raise BadInput("opencode has no model of its own here", hint="name one: `model:` in the contract, or `--model NAME`")
        return Outfit(
            argv=(*found.argv, "acp"),
            version=found.version,
            visible=found.visible,
            environment={
                **{f"OPENCODE_DISABLE_{each}": "1" for each in SWITCHES},
                "OPENCODE_PURE": "1",
                "OPENCODE_CONFIG_CONTENT": _json(configuration(task)),
                "OPENCODE_PERMISSION": _json(PERMISSION),
                "REMIT_TOKEN": task.token,
                "NO_PROXY": "127.0.0.1,localhost",
                "no_proxy": "127.0.0.1,localhost",
            },
            masks=MASKS,
            talks=True,
        )


def configuration(task: Task) -> Mapping[str, Any]:
    """One provider, which is the meter, in the wire format of the model; one model, for small work, too."""
    package, url = wire(task.model, task.meter)
    limit = {"context": CONTEXT, "output": task.most_output or OUTPUT}
    model = {"name": task.model, "tool_call": True, "limit": limit}
    return {
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "lsp": False,
        "formatter": False,
        "model": f"remit/{task.model}",
        "small_model": f"remit/{task.model}",
        "enabled_providers": ["remit"],
        "instructions": [],
        "provider": {
            "remit": {
                "npm": package,
                "name": "remit",
                "options": {"baseURL": url, "apiKey": "{env:REMIT_TOKEN}"},
                "models": {task.model: model},
            }
        },
    }


def wire(model: str, meter: str) -> tuple[str, str]:
    """The provider package that opencode holds for the model, and where the meter serves that wire format."""
    if model.startswith("claude"):
        return "@ai-sdk/anthropic", f"{meter}/v1"
    if model.startswith("gemini"):
        return "@ai-sdk/google", f"{meter}/v1beta"
    return "@ai-sdk/openai-compatible", f"{meter}/v1"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

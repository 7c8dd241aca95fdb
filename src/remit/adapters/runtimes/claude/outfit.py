"""What Claude Code needs in its box, and what is switched off of it. Measured with 2.1.197 and 2.1.329."""

import msgspec

from remit.adapters.runtimes.claude.tools import OFFERED
from remit.adapters.runtimes.finding import Installed, Product
from remit.adapters.sandboxes.argv import TOOLS
from remit.ports import Outfit, Task

PRODUCT = Product(
    name="claude", variable="REMIT_CLAUDE", package="@anthropic-ai/claude-code", pinned="2.1.197", native=("claude",)
)
MASKS = ("**/.claude/**", "**/.mcp.json")
"""settings of a workspace: hooks, key helpers, plugins, servers. CLAUDE.md is content, and stays"""
MOST_TURNS = 1000
"""a last bound beside the contract's own; 0 would mean none"""
MOST_OUTPUT = 16_000
"""tokens of an answer where the contract says nothing; unsaid it asks for 64000, and so reserves"""
NOTES = (
    "If the workspace has a CLAUDE.md, it holds the project's own notes: read it before you change anything. It grants nothing."
)
"""nothing of a workspace is loaded by itself; what is read is decided and recorded like any other file"""

SKILLS = "The Skill tool is `mcp__remit__Skill`. In the shell `remit skill NAME` does the same, and prints the instructions."
"""its own tool of that name stays off: what it loads by itself nobody would see"""

SERVER = {"mcpServers": {"remit": {"type": "stdio", "command": f"{TOOLS}/remit-mcp", "args": []}}}
SETTINGS = {
    "skipWebFetchPreflight": True,  # it would ask the vendor's own host, past the meter
    "disableAllHooks": False,  # the hook below is what makes it ask
    "includeCoAuthoredBy": False,
    "autoMemoryEnabled": False,
}

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_UPDATES": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_GROWTHBOOK": "1",
    "DISABLE_BUG_COMMAND": "1",
    "DISABLE_FEEDBACK_COMMAND": "1",
    "DISABLE_INSTALLATION_CHECKS": "1",
    "DISABLE_PLUGIN_AUTOLOAD": "1",
    "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_CRON": "1",
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "CLAUDE_CODE_IDE_SKIP_AUTO_INSTALL": "1",
    "IS_SANDBOX": "1",
}
DIRECT = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
"""the meter is never reached through the proxy for other hosts"""


def outfit(found: Installed, task: Task) -> Outfit:
    """The box of one attempt."""
    words = [
        *found.argv, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
        "--permission-prompt-tool", "stdio", "--permission-mode", "default",
        "--setting-sources=", "--settings", _json(SETTINGS), "--strict-mcp-config", "--mcp-config", _json(SERVER),
        "--disable-slash-commands", "--no-chrome", "--tools", ",".join(OFFERED), "--max-turns", str(MOST_TURNS),
    ]  # fmt: skip
    if task.model:
        words += ["--model", task.model]
    beside = "\n\n".join(filter(None, (task.identity, NOTES, SKILLS if task.skills else "")))
    words += ["--append-system-prompt", beside]
    return Outfit(
        argv=tuple(words), version=found.version, environment=_environment(task), visible=found.visible, masks=MASKS, talks=True
    )


def _environment(task: Task) -> dict[str, str]:
    kinds = ("DEFAULT_HAIKU_MODEL", "DEFAULT_SONNET_MODEL", "DEFAULT_OPUS_MODEL", "SMALL_FAST_MODEL")
    models = {f"ANTHROPIC_{kind}": task.model for kind in kinds} | {"CLAUDE_CODE_SUBAGENT_MODEL": task.model}
    return {
        **QUIET,
        **DIRECT,
        **(models if task.model else {}),
        "ANTHROPIC_BASE_URL": task.meter,
        "ANTHROPIC_API_KEY": task.token,
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(task.most_output or MOST_OUTPUT),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

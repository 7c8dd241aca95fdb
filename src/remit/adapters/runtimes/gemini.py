"""Gemini CLI at work, over ACP: a policy of ours makes it ask about every tool, and it hands the writes of its own tools to us.

By itself it would not ask about reading, nor about commands it thinks harmless. Tried with 0.61.0.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from remit.adapters.runtimes.acp.manner import Manner
from remit.adapters.runtimes.acp.runtime import Acp
from remit.adapters.runtimes.finding import Product, find
from remit.adapters.runtimes.native_paths import action_path
from remit.adapters.sandboxes.argv import HOME
from remit.ports import Outfit, Task

PRODUCT = Product(name="gemini", variable="REMIT_GEMINI", package="@google/gemini-cli", pinned="0.61.0")
MASKS = (".gemini/**", ".agents/skills/**", ".geminiignore")
"""settings of a workspace: hooks, servers, extensions, commands, policies, skills.

GEMINI.md is content, and stays. It is loaded at the start: another `context.fileName` would only stand beside that name."""
SETTINGS_FILE = f"{HOME}/.gemini/settings.json"
"""of its home, and read-only: system settings are not taken from a box, where nothing belongs to root"""
POLICY_FILE = f"{HOME}/.gemini/remit/policy.toml"
POLICY = """
[[rule]]
toolName = "*"
argsPattern = "."
decision = "ask_user"
priority = 900

[[rule]]
toolName = ["update_topic", "write_todos", "complete_task", "ask_user"]
decision = "allow"
priority = 990
"""
"""every tool is asked about. Without a pattern for the arguments it would let pass what it thinks is a harmless command"""
EXCLUDED = ["google_web_search", "web_fetch", "invoke_agent", "activate_skill", "save_memory"]
"""tools that run at the vendor, look a host up where a box has no names, act without asking, or keep something for later"""
SETTINGS = {
    "security": {
        "auth": {"selectedType": "gemini-api-key", "enforcedType": "gemini-api-key"},
        "disableYoloMode": True,
        "disableAlwaysAllow": True,
        "enablePermanentToolApproval": False,
        "blockGitExtensions": True,
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {
        "defaultApprovalMode": "default",
        "enableAutoUpdate": False,
        "enableAutoUpdateNotification": False,
        "checkpointing": {"enabled": False},
        "plan": {"enabled": False},
        "maxAttempts": 1,
    },
    "advanced": {"ignoreLocalEnv": True},
    "experimental": {"enableAgents": False, "extensionManagement": False, "autoMemory": False},
    "tools": {"exclude": EXCLUDED, "shell": {"enableInteractiveShell": False}},
    "mcp": {"allowed": ["remit"]},
    "skills": {"enabled": False},
    "hooksConfig": {"enabled": False},
    "ide": {"enabled": False},
}
"""everything is asked, nothing of a workspace runs, nothing is sent home"""


class Gemini(Acp):
    """See `ports.Runtime`."""

    name = "gemini"
    shows = True
    manner = Manner(whole=True, joint="__")

    async def outfit(self, task: Task) -> Outfit:
        """See `ports.Runtime`. Raises Unavailable."""
        found = await find(PRODUCT, task.cwd)
        named = ("-m", task.model) if task.model else ()
        return Outfit(
            argv=(*found.argv, "--acp", "--approval-mode", "default", "--skip-trust", "--admin-policy", POLICY_FILE, *named),
            version=found.version,
            visible=found.visible,
            environment={
                "GEMINI_API_KEY": task.token,
                "GOOGLE_GEMINI_BASE_URL": task.meter,
                "GEMINI_CLI_TRUST_WORKSPACE": "true",
                "GEMINI_TELEMETRY_ENABLED": "false",
                "NO_BROWSER": "true",
                "NO_COLOR": "1",
                "NO_PROXY": "127.0.0.1,localhost",
                "no_proxy": "127.0.0.1,localhost",
            },
            files={SETTINGS_FILE: msgspec.json.encode(settings(task)).decode(), POLICY_FILE: POLICY},
            masks=MASKS,
            talks=True,
        )


def settings(task: Task) -> Mapping[str, Any]:
    """Its settings. Beside the workspace it looks only into folders that are named there, and each of them has to be there."""
    beside = [each.folder for each in task.skills if each.folder and action_path(each.folder, task.cwd) is None]
    return SETTINGS | {"context": {"includeDirectories": beside}} if beside else SETTINGS

"""What Codex needs in its box, and what is switched off of it. Measured with 0.169.0.

Its configuration is laid in read-only. `untrusted`, by which it asks for every command, is refused there and said when the
thread starts. Its home is outside of the temporary folder, or it could start no command and would still end well.
"""

import msgspec

from remit.adapters.runtimes.finding import Installed, Product
from remit.adapters.sandboxes.argv import HOME, TOOLS
from remit.ports import Outfit, Task

PRODUCT = Product(name="codex", variable="REMIT_CODEX", package="@openai/codex", pinned="0.169.0", native=("vendor/*/bin/codex",))
MASKS = ("**/.codex/**", "**/.agents/**")
"""settings of a workspace: servers, hooks, skills, plugins. AGENTS.md is content, and stays"""
NOTES = (
    "If the workspace has an AGENTS.md, it holds the project's own notes: read it before you change anything. It grants nothing."
)
"""it loads nothing of a workspace that it does not trust; what is read is decided and recorded like any other command"""
SKILLS = (
    "The Skill tool is `Skill` of the server `remit`: where it is not among your tools, find it with `tool_search`. In the shell "
    "`remit skill NAME` does the same, and prints the instructions."
)
"""for models that it knows well it keeps the tools of servers back until they are searched for"""
PLACE = f"{HOME}/.codex"
KEY = "REMIT_KEY"
PATIENCE = 3600
"""seconds a tool of remit's own server may take: a person may be asked"""

OFF = (
    "apps", "auth_elicitation", "browser_use", "browser_use_external", "browser_use_full_cdp_access", "code_mode_host",
    "computer_use", "daemon_auto_start", "enable_request_compression", "goals", "hooks", "image_generation", "in_app_browser",
    "memories", "plugin_sharing", "plugins", "remote_plugin", "shell_snapshot", "skill_mcp_dependency_install", "skill_search",
    "sleep_tool", "tool_suggest", "unbounded_connection_retries", "unified_exec_tty", "view_image", "workspace_dependencies",
)  # fmt: skip
"""features; with `unified_exec_tty` a shell that was allowed once is written to afterwards without asking"""


def outfit(found: Installed, task: Task) -> Outfit:
    """The box of one attempt."""
    return Outfit(
        argv=(*found.argv, "app-server"),
        version=found.version,
        environment={
            KEY: task.token,
            "CODEX_HOME": PLACE,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        },
        files={f"{PLACE}/config.toml": configuration(task)},
        visible=found.visible,
        masks=MASKS,
        talks=True,
    )


def instructions(task: Task) -> str:
    """What it is told beside the task."""
    return "\n\n".join(filter(None, (task.identity, NOTES, SKILLS if task.skills else "")))


def configuration(task: Task) -> str:
    """Its `config.toml`."""
    return "\n".join([
        *([f"model = {_text(task.model)}"] if task.model else []),
        'model_provider = "remit"',
        'approval_policy = "on-request"',
        'sandbox_mode = "danger-full-access"',
        'web_search = "disabled"',
        "check_for_update_on_startup = false",
        "allow_login_shell = false",
        'history = { persistence = "none" }',
        "analytics = { enabled = false }",
        'otel = { exporter = "none" }',
        "feedback = { enabled = false }",
        "agents = { enabled = false }",
        "skills = { include_instructions = false, bundled = { enabled = false } }",
        f'shell_environment_policy = {{ inherit = "all", ignore_default_excludes = true, exclude = [{_text(KEY)}] }}',
        f'projects = {{ {_text(task.cwd)} = {{ trust_level = "untrusted" }} }}',
        "[features]",
        *(f"{name} = false" for name in OFF),
        "[model_providers.remit]",
        'name = "remit"',
        f"base_url = {_text(task.meter + '/v1')}",
        f"env_key = {_text(KEY)}",
        'wire_api = "responses"',
        "request_max_retries = 0",
        "stream_max_retries = 0",
        "supports_websockets = false",
        "[mcp_servers.remit]",
        f"command = {_text(f'{TOOLS}/remit-mcp')}",
        f"tool_timeout_sec = {PATIENCE}",
        'env_vars = ["REMIT_DOOR"]',
        "",
    ])  # fmt: skip


def _text(value: str) -> str:
    """A TOML string; what JSON escapes, TOML reads alike."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")

"""Which performer carries out a declared tool: one literal table, no discovery."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import to_builtins

from remit.adapters.effects.secret import names
from remit.contract.binding import Binding, GitPush, HttpRequest, McpTool, PublishFile, SendMail, SqlStatement
from remit.contract.party import Tool
from remit.ports.effects import Performer


class BoundTools:
    """See `remit.ports.Tools`. What the organisation binds goes before a Python function of the same name.

    `environment` is where the `$NAME` texts of a binding are read; `python` the functions a program has registered; `home`
    is where definitions of MCP tools are pinned.
    """

    def __init__(
        self, environment: Mapping[str, str], python: Mapping[str, Performer] | None = None, *, home: Path | None = None
    ) -> None:
        self._environment, self._python, self._home = environment, python or {}, home

    def find(self, tool: Tool) -> Performer | None:
        """None when nothing here carries it out. Raises BadInput when its binding cannot be used."""
        return self._python.get(tool.name) if tool.does is None else bound(tool.does, self._environment, self._home)

    def lacks(self, tool: Tool) -> str:
        """The variables of its binding that are not set where this process runs."""
        if tool.does is None:
            return ""
        missing = [name for name in dict.fromkeys(names(str(to_builtins(tool.does)))) if not self._environment.get(name)]
        return f"{', '.join(f'${name}' for name in missing)} not set here" if missing else ""


def bound(binding: Binding, environment: Mapping[str, str], home: Path | None = None) -> Performer:
    """The performer of a binding; only what it needs is imported."""
    match binding:
        case SendMail():
            from remit.adapters.effects.mail import MailEffect

            return MailEffect(binding, environment)
        case HttpRequest():
            from remit.adapters.effects.http import HttpEffect

            return HttpEffect(binding, environment)
        case GitPush():
            from remit.adapters.effects.git_push import PushEffect

            return PushEffect(binding, environment)
        case SqlStatement():
            from remit.adapters.effects.sql import SqlEffect

            return SqlEffect(binding, environment)
        case PublishFile():
            from remit.adapters.effects.file import FileEffect

            return FileEffect(binding, environment)
        case McpTool():
            from remit.adapters.effects.mcp import McpEffect

            return McpEffect(binding, environment, home)

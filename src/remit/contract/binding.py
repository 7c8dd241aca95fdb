"""What a declared tool really does: which outside system takes its effect, and how to tell afterwards whether it did.

Only the organisation file may bind a tool: a contract may come from an agent. A text `$NAME` stands for the environment
variable of that name where remit itself runs; it is read when the effect happens and never recorded.
"""

from typing import Literal

from remit.value import Value


class MailServer(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An SMTP server. `server` is `host:port`; `sender` the From address; `user` and `password` as text or `$NAME`."""

    server: str
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""


class SendMail(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="mail"):
    """Arguments `to`, `subject`, `body`, and optionally `cc`, `bcc`, `reply_to`: texts or lists of addresses.

    SMTP cannot be asked afterwards what became of a message.
    """

    server: MailServer


class HttpRequest(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="http"):
    """One request. `{argument}` in `url` is replaced, percent-encoded; what is left goes into the body.

    `key_header` carries the idempotency key, which the provider honours for `window` seconds (None: it does not);
    `probe` is a URL with `{key}`: 2xx says that it happened, 404 that it did not.
    """

    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Literal["json", "form", "none"] = "json"
    key_header: str = "Idempotency-Key"
    window: int | None = None
    probe: str = ""


class GitPush(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="git push"):
    """Argument `branch` (or `tag`): pushed, never forced, from the published workspace to `remote`, which can be asked."""

    remote: str


class SqlStatement(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="sql"):
    """One statement with `:argument` parameters, in one transaction with a row in `remit_effects` that names the key.

    `database` is a SQLite file, `sqlite:///PATH` or `postgresql://…`.
    """

    database: str
    statement: str


class PublishFile(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="file"):
    """Arguments `path` (in the published workspace) and optionally `as`: the file is put into `folder`, whole or not at all."""

    folder: str


class McpServer(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An MCP server: `run` starts it, or `url` reaches it over HTTP (MCP-01).

    `env` is all that the started process has of variables, `headers` go with every request; both as text or `$NAME`. `tier` is
    whose credentials these are: no tool below it may use this server (TIER-09); empty where all its tools have one tier.
    """

    name: str
    run: tuple[str, ...] = ()
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    tier: str = ""


class McpTool(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="does", tag="mcp"):
    """A tool, a resource or a prompt of an MCP server. `name` is the server's own; that of a resource is a URI with `{argument}`.

    `pin` is the hash of its definition (empty: the one of its first use counts). `errors` says what an answer that is an error
    proves: that nothing happened, or nothing at all.
    """

    server: McpServer
    name: str
    what: Literal["tool", "resource", "prompt"] = "tool"
    pin: str = ""
    errors: Literal["in doubt", "nothing happened"] = "in doubt"


Binding = SendMail | HttpRequest | GitPush | SqlStatement | PublishFile | McpTool


def after_publish(binding: Binding | None) -> bool:
    """Whether the effect takes its content from the published workspace, and so waits until there is one."""
    return isinstance(binding, GitPush | PublishFile)

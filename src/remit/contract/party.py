"""Who is who: people, the organisation they act in, and for whom an agent acts."""

from typing import Literal

from remit.contract.binding import Binding, MailServer, McpServer
from remit.contract.heavy import Heavy
from remit.contract.limits import Limits
from remit.contract.models import Model
from remit.contract.rule import Rule
from remit.value import Value

Assurance = Literal["scripted", "terminal", "session", "person-signed"]
ASSURANCES: tuple[Assurance, ...] = ("scripted", "terminal", "session", "person-signed")

Tier = Literal["read-only", "bounded", "high-risk", "human-approved"]
TIERS: tuple[Tier, ...] = ("read-only", "bounded", "high-risk", "human-approved")
ToolEffect = Literal["read", "draft", "send", "suggest", "execute", "queue", "publish"]


class Person(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A named person who can answer for something. `keys` are public keys in OpenSSH text; an agent is never one.

    `contact` is where pages go: `mail:ADDRESS`, `https://…` (a webhook) or `apprise:URL`. `signs_tier` is the highest tier of
    tool this person may say yes to.
    """

    id: str
    name: str = ""
    roles: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    contact: str | None = None
    answers_to: str | None = None
    substitutes: tuple[str, ...] = ()
    may_sign: tuple[Rule, ...] = ()
    signs_tier: Tier = "human-approved"


class Register(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A named list of values that conditions can refer to by `{known: NAME}`."""

    name: str
    members: tuple[str, ...]


class Argument(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One declared argument of a tool. `inert` ones carry no consequence; giving an `irreversible` one makes the call so."""

    name: str
    type: Literal["text", "number", "truth", "list", "any"] = "any"
    required: bool = False
    inert: bool = False
    irreversible: bool = False


class Tool(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A declared tool: its ceiling, its effect, its arguments, and what it really does where the organisation binds it."""

    name: str
    tier: Tier = "bounded"
    effect: ToolEffect = "execute"
    arguments: tuple[Argument, ...] = ()
    does: Binding | None = None


class Organisation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The outermost contract of every lineage: a ceiling, neutral where it has no `may` for a verb.

    `four_eyes`: whoever started a run, or asked for the act, does not approve it. `mail` is the server that pages go through,
    `inbox` the address of the inbox that messages link to.
    `inbox_keys` are public keys of inbox servers: what they sign as `session` is attested by their sign-in.
    `models` are those that any contract may use (none named: it says nothing about models). `heavy` says which heavier runtimes
    there are and what justifies each; None leaves that to the rules about `delegate`. `servers` are the MCP servers of its tools.
    """

    name: str = "organisation"
    people: tuple[Person, ...] = ()
    registers: tuple[Register, ...] = ()
    rules: tuple[Rule, ...] = ()
    tools: tuple[Tool, ...] = ()
    limits: Limits = Limits()
    secrets: tuple[str, ...] = (
        ".env*", "**/.env*", "**/*.pem", "**/id_*", "**/*.key", "**/.netrc", "**/.npmrc", "**/.pypirc",
        "**/.git-credentials", "**/credentials", "**/credentials.json", "**/.aws/**", "**/.ssh/**",
    )  # fmt: skip
    assurance: Assurance = "terminal"
    four_eyes: bool = False
    mail: MailServer | None = None
    inbox: str = ""
    inbox_keys: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()
    heavy: tuple[Heavy, ...] | None = None
    servers: tuple[McpServer, ...] = ()

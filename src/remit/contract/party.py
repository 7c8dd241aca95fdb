"""Who is who: people, the organisation they act in, and for whom an agent acts."""

from typing import Literal

from remit.contract.limits import Limits
from remit.contract.rule import Rule
from remit.value import Value

Assurance = Literal["scripted", "terminal", "session", "person-signed"]
ASSURANCES: tuple[Assurance, ...] = ("scripted", "terminal", "session", "person-signed")


class Person(Value, frozen=True, kw_only=True):
    """A named person who can answer for something. `keys` are public keys in OpenSSH text; an agent is never one."""

    id: str
    name: str = ""
    roles: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    contact: str | None = None
    answers_to: str | None = None
    substitutes: tuple[str, ...] = ()
    may_sign: tuple[Rule, ...] = ()


class Register(Value, frozen=True, kw_only=True):
    """A named list of values that conditions can refer to by `{known: NAME}`."""

    name: str
    members: tuple[str, ...]


class Argument(Value, frozen=True, kw_only=True):
    """One declared argument of a tool; `inert` ones carry no consequence."""

    name: str
    type: Literal["text", "number", "truth", "list", "any"] = "any"
    required: bool = False
    inert: bool = False


Tier = Literal["read-only", "bounded", "high-risk", "human-approved"]
TIERS: tuple[Tier, ...] = ("read-only", "bounded", "high-risk", "human-approved")
ToolEffect = Literal["read", "draft", "send", "suggest", "execute", "queue", "publish"]


class Tool(Value, frozen=True, kw_only=True):
    """A declared tool: its ceiling, its effect, its arguments."""

    name: str
    tier: Tier = "bounded"
    effect: ToolEffect = "execute"
    arguments: tuple[Argument, ...] = ()


class Organisation(Value, frozen=True, kw_only=True):
    """The outermost contract of every lineage: a ceiling, neutral where it has no `may` for a verb."""

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

"""A skill as people wrote it: a folder with a SKILL.md, and what registries, marketplaces and graphs say of it."""

from typing import Literal

from remit.value import Value

Severity = Literal["error", "warning", "note"]


class Noted(Value, frozen=True, kw_only=True):
    """One thing that a loader met: code (UPPER-CASE), the file as it was named to the loader, its 1-based line where known,
    what is the matter, what to do. Loading goes on; `remit skills lint` and `remit chain plan` show it.
    """

    code: str
    severity: Severity
    file: str
    message: str
    hint: str = ""
    line: int = 0


class Keywords(Value, frozen=True, kw_only=True):
    """Words that speak for a skill or a blueprint, weakly or strongly, and words that rule it out."""

    primary: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    requires_any: tuple[str, ...] = ()


class Depends(Value, frozen=True, kw_only=True):
    """On which skills a skill depends, by the names the file uses. `*` in `hard` means: on all others, so it comes last.

    `soft` are waited for where they are in the plan, `optional` only ordered before; of each group in `any_of` one must be there.
    """

    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    last: bool = False


class Output(Value, frozen=True, kw_only=True):
    """A file that a skill leaves behind by its own word (`outputs.yaml`), and what must stand in it."""

    path: str
    must_contain: tuple[str, ...] = ()


class Skill(Value, frozen=True, kw_only=True):
    """One skill. `name` is that of its SKILL.md, `folder` the absolute path of its directory; `invocation` is `plugin:skill`, or
    the bare name where no marketplace lists it. `digest` is over SKILL.md alone. `body` is the Markdown below the front matter.
    `tools` is what its `allowed-tools` lists: it can narrow what a step may do, never widen it. `sources` are the files that
    said something of it.
    """

    name: str
    description: str = ""
    folder: str = ""
    invocation: str = ""
    digest: str = ""
    body: str = ""
    lines: int = 0
    tools: tuple[str, ...] = ()
    domain: str = ""
    tier: str = ""
    priority: int = 100
    group: int = 0
    required: bool = False
    keywords: Keywords = Keywords()
    depends: Depends = Depends()
    provides: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    tokens: int = 0
    sources: tuple[str, ...] = ()

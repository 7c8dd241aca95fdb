"""What came back: a sub-agent's report as it was read, and what validation found."""

from typing import Literal

from remit.value import Value

Status = Literal["PASS", "PARTIAL", "FAIL"]


class Exported(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One output for the steps that come after: `key: value`. `source` is the step, `digest` that of the report it stood in."""

    key: str
    value: str
    source: str = ""
    digest: str = ""


class Report(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A sub-agent's own words, read leniently. Nothing in it is believed: `files` are claims until they are seen on the stage.

    `odd` says what of the required format was missing or could not be read; `found` whether there was a report at all.
    """

    skill: str = ""
    found: bool = False
    files: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    outputs: tuple[Exported, ...] = ()
    warnings: tuple[str, ...] = ()
    needs_input: str = ""
    odd: tuple[str, ...] = ()


class Verified(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One deliverable as validation saw it. `how` tells what was looked at: which paths, which pattern matched in which mode."""

    name: str
    status: Literal["complete", "partial", "missing", "skipped"]
    by: str = ""
    files: int = 0
    found: int = 0
    details: tuple[str, ...] = ()
    how: tuple[str, ...] = ()


class Issue(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Something wrong in a file: empty, a placeholder, a syntax error, a linter's error. `tool` says who found it."""

    path: str
    what: str
    tool: str = ""
    line: int = 0
    by: str = ""
    severe: bool = True


class Validation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The whole judgement: computed, never claimed. `completeness` is per cent of what is required, rounded down.

    `verified` of `expected` files are there and filled; `missing` are names of deliverables, `warnings` what a person should know
    (a pattern that can never match, a tool that is not installed).
    """

    status: Status
    completeness: int
    verified: int
    expected: int
    deliverables: tuple[Verified, ...] = ()
    issues: tuple[Issue, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    @property
    def gaps(self) -> tuple[str, ...]:
        """What stands between this and a PASS: names of deliverables, and what is severe beside them as `path: what`."""
        said = [each for one in self.deliverables if one.status in ("partial", "missing") for each in one.details]
        beside = [
            f"{issue.path}: {issue.what}"
            for issue in self.issues
            if issue.severe and issue.tool and not any(f"`{issue.path}`" in each for each in said)
        ]
        return tuple(dict.fromkeys((*self.missing, *beside)))

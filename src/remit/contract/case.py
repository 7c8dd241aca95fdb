"""What a review looks at, and how it speaks."""

from collections.abc import Mapping
from functools import cached_property

from remit.contract.contract import Finding, Mark, Severity
from remit.contract.models import METERED_RUNTIMES, runtime_of
from remit.contract.outcome import RunCheck
from remit.contract.parse import Draft, Parsed
from remit.contract.party import Organisation
from remit.contract.rule import VERBS, Rule
from remit.contract.text import Source
from remit.value import Value

MOST_COMPARED = 1_000_000
"""steps of comparing patterns that a review spends; a contract may come from an agent"""

METERED = frozenset(
    {"turns", "calls", "tokens", "usd", "time", "memory", "disk", "file", "processes", "output", "sums", "counts", "pace"}
)


OF_MODELS = frozenset({"tokens", "usd", "pace"})
"""limits that only the meter of model calls can hold"""


class Setting(Value, frozen=True, kw_only=True):
    """What the runtime and this machine can do about a contract: verbs they can enforce, limits they can meter.

    `runtime` is the name of who is to do the work, where it is not the contract that says so.
    """

    runtime: str = ""
    enforces: frozenset[str] = frozenset(VERBS)
    meters: frozenset[str] = METERED


class Case:
    """One contract under review, with everything around it."""

    def __init__(self, parsed: Parsed, organisation: Organisation | None, identity: str | None, setting: Setting | None) -> None:
        self.parsed, self.organisation, self.identity = parsed, organisation, identity
        self.draft: Draft = parsed.draft
        self.source = Source(parsed.text, parsed.file, parsed.first)
        self.setting = setting or self._usual_setting()
        self.compared = 0

    def _usual_setting(self) -> Setting:
        """A command meets the meter only where the contract speaks of models; without a runtime all is open."""
        modelled = bool(self.draft.model or self.draft.models)
        meters = not self.draft.runtime or modelled or runtime_of(self.draft.runtime)[0] in METERED_RUNTIMES
        return Setting() if meters else Setting(meters=METERED - OF_MODELS)

    @cached_property
    def runtime(self) -> str:
        """The name of who does the work; empty while nobody says."""
        return self.setting.runtime or (runtime_of(self.draft.runtime)[0] if self.draft.runtime else "")

    def affords(self, left: str, right: str) -> bool:
        """Whether there is patience left to compare two patterns; what it costs is charged."""
        self.compared += 20 + (len(left) * len(right) if {"*", "?"} & {*left, *right} else 0)
        return self.compared <= MOST_COMPARED

    @property
    def exhausted(self) -> bool:
        """Whether patterns were left uncompared."""
        return self.compared > MOST_COMPARED

    def say(
        self, code: str, severity: Severity, where: str, message: str, hint: str = "", *, mark: Mark | None = None
    ) -> Finding:
        """A finding at a place of the contract."""
        at = mark or self.parsed.marks.get(where)
        excerpt = self.source.excerpt(at) if at else ""
        return Finding(code=code, severity=severity, where=where, message=message, hint=hint, mark=at, excerpt=excerpt)

    def placed(self, finding: Finding) -> Finding:
        """A finding from elsewhere, with its place in the text."""
        return self.say(finding.code, finding.severity, finding.where, finding.message, finding.hint, mark=finding.mark)

    def of_rule(self, code: str, severity: Severity, rule: Rule, message: str, hint: str = "") -> Finding:
        """A finding about one rule."""
        return self.say(
            code, severity, self.place(f"rule {rule.id}"), message, hint, mark=self.parsed.marks.get(f"rule {rule.id}")
        )

    def of_check(self, code: str, severity: Severity, name: str, message: str, hint: str = "") -> Finding:
        """A finding about one check."""
        return self.say(code, severity, self.place(f"check {name}"), message, hint, mark=self.parsed.marks.get(f"check {name}"))

    @cached_property
    def unreadable(self) -> bool:
        """Whether nothing at all could be read."""
        return not self.draft.written and any(finding.severity == "error" for finding in self.parsed.findings)

    @cached_property
    def _paths(self) -> Mapping[Mark, str]:
        return {mark: path for path, mark in self.parsed.marks.items() if path.endswith("]")}

    def place(self, name: str) -> str:
        """Where `rule ID` or `check ID` stands, as a path."""
        mark = self.parsed.marks.get(name)
        return self._paths.get(mark, name) if mark else name

    def faulty(self, part: str) -> bool:
        """Whether the text of a part has errors of its own."""
        return any(
            finding.severity == "error" and finding.where.partition(".")[0].partition("[")[0] == part
            for finding in self.parsed.findings
        )

    @cached_property
    def granting(self) -> tuple[Rule, ...]:
        """Rules that allow something, at once or after asking, those of recovery included."""
        return (*self.allowing, *self.late)

    @cached_property
    def allowing(self) -> tuple[Rule, ...]:
        """The contract's own `may` and `ask` rules."""
        return tuple(rule for rule in self.draft.rules if rule.effect != "never")

    @cached_property
    def fences(self) -> tuple[Rule, ...]:
        """`never` rules that hold whatever the arguments."""
        return tuple(rule for rule in self.draft.rules if rule.effect == "never" and not rule.where)

    @cached_property
    def late(self) -> tuple[Rule, ...]:
        """Rules that exist only in recovery."""
        return tuple(rule for rung in self.draft.recovery for rule in rung.may)

    @cached_property
    def programs(self) -> tuple[RunCheck, ...]:
        """Checks that start a program."""
        return tuple(check for check in self.draft.success if isinstance(check, RunCheck))

"""Success as checks a machine can run, recovery as a ladder, escalation as who is paged."""

from typing import Literal

from remit.contract.deliverable import DeliverablesCheck, ObservedCheck
from remit.contract.rule import Rule
from remit.value import Value


class RunCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="run"):
    """`run: argv`: passes when the program exits 0 on the publishable tree, read-only.

    `trusted` are path globs laid over from the base; `fails_on` names `base` or a fixture folder
    on which it must be seen failing.
    """

    id: str
    argv: tuple[str, ...]
    trusted: tuple[str, ...] = ()
    fails_on: str | None = None
    time: int = 300


class FileCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="file"):
    """`file: PATH` with `exists`, `matches: regex` (multi-line search, linear time) or `unchanged`."""

    id: str
    file: str
    exists: bool | None = None
    matches: str | None = None
    unchanged: bool = False


class DataCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="data"):
    """`json:`/`yaml: FILE` with `at: $.a.b[0]`: the value there `equals` or `matches`; with neither it must be there."""

    id: str
    format: Literal["json", "yaml"]
    file: str
    at: str
    equals: str | None = None
    matches: str | None = None


class TreeCheck(Value, frozen=True, kw_only=True, omit_defaults=True, tag_field="check", tag="tree"):
    """`tree: unchanged outside [globs]`: no change anywhere else."""

    id: str
    outside: tuple[str, ...]


Check = RunCheck | FileCheck | DataCheck | TreeCheck | DeliverablesCheck | ObservedCheck

Remedy = Literal["retry", "continue", "ask owner", "hand over", "undo", "stop"]


class Recovery(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One rung of the ladder: when this holds, these extra rules exist and this is done.

    `when` is `CHECK fails`, `any check fails`, `refused`, `stuck`, `limit reached`, `crashed` or `failed`.
    `times` counts `retry n`; `to` is the person of `hand over`; `listed_in` the file of `continue`.
    """

    when: str
    do: Remedy
    may: tuple[Rule, ...] = ()
    times: int = 1
    to: str | None = None
    listed_in: str | None = None


class Escalation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Who is paged about what, how soon they must answer (seconds), and what happens otherwise.

    `remind` repeats the page every so many seconds; `then` are the next people, each with `within` of their own. `attach` names
    arguments without which the question cannot be sent.
    """

    about: str
    page: str
    within: int | None = None
    remind: int | None = None
    then: tuple[str, ...] = ()
    attach: tuple[str, ...] = ()
    otherwise: Literal["refuse", "stop"] = "refuse"

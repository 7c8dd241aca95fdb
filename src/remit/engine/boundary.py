"""From contract to box: what the contract does not name is not there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from remit.authority.compile import Authority
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.engine.lineage import names_verb
from remit.ports import BoxLimits, BoxPlan, Containment, Stage
from remit.run.event import BoundarySet
from remit.run.state import Run

MEMORY = 4 * 1024**3
DISK = 2 * 1024**3
PROCESSES = 512


def box_limits(authorities: Sequence[Authority], time: float | None, used: float) -> BoxLimits:
    """The part of the limits that the box itself holds the work to: for each, the tightest of the lineage."""

    def least(name: str, otherwise: int) -> int:
        return min([value for each in authorities if (value := getattr(each.limits, name)) is not None], default=otherwise)

    disk = least("disk", DISK)
    return BoxLimits(
        time=None if time is None else max(0.1, time - used),
        memory=least("memory", MEMORY),
        processes=least("processes", PROCESSES),
        file=least("file", disk),
        disk=disk,
        output=least("output", 64 * 1024**2),
    )


def quota(limits: Limits, authorities: tuple[Authority, ...]) -> int | None:
    """Bytes a stage may hold. A run that may delegate has a stage on the disk, which a child can fork; there it is watched."""
    return None if names_verb(authorities, "delegate") else limits.disk or DISK


def dropped_to(root: Path) -> tuple[int, int] | None:
    """As root on somebody else's workspace, whose uid and gid the box runs under; None: one's own."""
    seen = root.stat()
    return (seen.st_uid, seen.st_gid) if os.geteuid() == 0 and seen.st_uid != 0 else None


RESERVED = ("GIT_", "REMIT_", "LD_", "PYTHON", "PATH", "HOME", "BASH_ENV", "ENV")
"""beginnings of names that no contract can pass in: they would steer remit's own programs inside the box"""


def environment(run: Run, above: Sequence[Contract], passed: Mapping[str, str]) -> dict[str, str]:
    """A clean environment: an identity for git that names run and owner, and only what every contract of the lineage names."""
    owner = run.contract.owner
    agreed = set(run.contract.environment).intersection(*(contract.environment for contract in above))
    named = {name: passed[name] for name in sorted(agreed) if name in passed and not name.startswith(RESERVED)}
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", f"remit {run.id}"), ("EMAIL", owner))
    }
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*", "GIT_TERMINAL_PROMPT": "0"}
    return {"LANG": "C.UTF-8", "TERM": "dumb", "REMIT_RUN": run.id, "REMIT_OWNER": owner, **who, **git, **named}


def plan(
    run: Run,
    stage: Stage,
    authorities: tuple[Authority, ...],
    *,
    above: Sequence[Contract],
    visible: tuple[str, ...],
    passed: Mapping[str, str],
    owner: tuple[int, int] | None,
) -> BoxPlan:
    """The box of one attempt."""
    assert run.started is not None
    uid, gid = owner or (None, None)
    return BoxPlan(
        argv=run.started.command,
        mount=stage.mount,
        cwd=stage.mount.at,
        environment=environment(run, above, passed),
        visible=visible,
        network=names_verb(authorities[1:], "fetch"),
        limits=box_limits(authorities, run.limits.time, run.spend.time),
        uid=uid,
        gid=gid,
        level=run.started.accepted_level or run.contract.containment,
    )


def boundary(run: Run, plan: BoxPlan, stage: Stage, found: Containment) -> BoundarySet:
    """The boundary as a fact: what was there, so that everything else is known to have been absent."""
    hosts = tuple(
        pattern for rule in run.contract.rules if rule.verb == "fetch" and rule.effect != "never" for pattern in rule.objects
    )
    shown = {
        name: str(value)
        for name, value in (
            ("time", plan.limits.time), ("memory", plan.limits.memory), ("processes", plan.limits.processes),
            ("file", plan.limits.file), ("disk", plan.limits.disk), ("output", plan.limits.output),
        )
        if value is not None
    }  # fmt: skip
    return BoundarySet(
        run=run.id,
        attempt=run.attempt,
        level=found.level,
        missing=tuple(f"{part.name}: {part.detail}" for part in found.parts if not part.ok),
        stage=stage.kind,
        visible=(str(PurePosixPath(plan.mount.at)), "/usr", *plan.visible),
        hidden=stage.hidden,
        hosts=hosts if plan.network else (),
        environment=tuple(sorted(plan.environment)),
        limits=shown,
        warnings=stage.warnings,
    )

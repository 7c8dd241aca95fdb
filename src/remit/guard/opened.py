"""`remit.guard(…)`: a run opened for a loop of one's own, or carried on, and left in order whatever happens."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from remit.app import engine, identity
from remit.contract.contract import Contract
from remit.contract.party import Organisation
from remit.engine import hosted
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.errors import BadInput
from remit.guard.carrying import Carrier, Lease
from remit.guard.declaring import declared_tools
from remit.guard.guarding import Guard
from remit.guard.opening import home_of, terms

COMMAND = ("a loop of the caller's own",)


@asynccontextmanager
async def guard(
    contract: str | Path | Contract | None = None, *, tools: Iterable[Callable[..., Any]] = (),
    org: str | Path | Organisation | None = None, home: str | Path | None = None, workspace: str | Path | None = None,
    unattended: bool = False, requester: str | None = None, resume: str | None = None,
) -> AsyncIterator[Guard]:  # fmt: skip
    """A run under `contract` whose work is done by the code inside: it asks the guard for every act of its tools.

    `tools` are functions under `@remit.tool`; `org` is the organisation (default `$REMIT_ORG`, or the one in the home), `home`
    where records are kept (default `$REMIT_HOME`), `workspace` the folder that the checks look at (default: here).
    `unattended`: nobody will answer. `requester` started it (default: the local identity, else the owner). `resume` carries on
    a run that was left or cut off: the effects that were made are told once more, not made again.

    Left in order, the run is finished. Left by an exception it stays as it is, and can be resumed. Raises BadInput with every
    finding when the contract is not fit to run, Busy when another process carries this run.
    """
    here = home_of(home)
    declared = declared_tools(tools)
    async with engine(here, tools={name: each.performer for name, each in declared.items()}) as supervisor:
        signer = identity(here)
        if resume is None:
            if contract is None:
                raise BadInput("a guard needs a contract", hint="give one, or `resume=` the id of a run")
            agreed = terms(contract, org, here, declared, signer)
            person = requester or (signer.person if signer else agreed.contract.owner)
            run_id = await start(
                supervisor.hands, agreed.contract, agreed.organisation, Path(workspace or "."), COMMAND,
                trigger=f"a guard of {person}", checklist=[(item.item, item.ok) for item in agreed.review.checklist],
                context=agreed.context, requester=person, unattended=unattended, hosted=True,
            )  # fmt: skip
        else:
            run_id, person = resume, await _resumable(supervisor, resume, contract)
        async with _carried(supervisor, run_id, person) as opened:
            yield opened


async def _resumable(supervisor: Supervisor, run_id: str, contract: str | Path | Contract | None) -> str:
    """Who started it. Raises BadInput when it is no run of a guard, or was started under another contract."""
    run = await supervisor.hands.replay(run_id)
    if run.started is None:
        raise BadInput(f"there is no run `{run_id}` here", hint="`remit runs` lists them")
    if not run.started.hosted:
        raise BadInput(f"run `{run_id}` is no run of a guard", hint=f"`remit resume {run_id}` carries it on")
    if isinstance(contract, Contract) and contract.hash() != run.contract.hash():
        raise BadInput(f"run `{run_id}` was started under another contract", hint="start a new run under this one")
    return run.started.requester or run.owner


@asynccontextmanager
async def _carried(supervisor: Supervisor, run_id: str, person: str) -> AsyncIterator[Guard]:
    lease = Lease(supervisor.hands.leases, run_id)
    await lease.take()
    failure: BaseException | None = None
    try:
        carrier = Carrier(supervisor, run_id, lease)
        await _begin(carrier)
        try:
            async with anyio.create_task_group() as group:
                opened = Guard(carrier, group, person)
                group.start_soon(carrier.attend)
                try:
                    yield opened
                    await opened.finish()
                except (anyio.get_cancelled_exc_class(), GeneratorExit) as error:
                    _note(error, run_id)
                    raise
                except BaseException as error:  # noqa: BLE001 - raised again below, not wrapped into a group
                    failure = error
                finally:
                    opened.leave()
                    group.cancel_scope.cancel()
        except BaseExceptionGroup as several:
            failure = _first(several)
        if failure is not None:
            if (await carrier.state()).verdict is None:
                _note(failure, run_id)
            raise failure
    finally:
        lease.let_go()


async def _begin(carrier: Carrier) -> None:
    """The loop is at work from here on; what another process left half done is found out first."""
    run = await carrier.state()
    if run.phase == "ready" and not run.attempt:
        await hosted.begin(carrier.hands, run)
    elif run.phase == "working" and not run.stop:
        await hosted.again(carrier.hands, run, "the caller's loop came back")
        await carrier.supervisor.drive(run.id)


def _note(error: BaseException, run_id: str) -> None:
    error.add_note(
        f"run {run_id} is not finished: `remit.guard(resume={run_id!r}, …)` carries it on, `remit stop {run_id}` ends it"
    )


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = several.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner

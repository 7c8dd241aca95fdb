"""The pages of a chain: its plan as it stands, live, and the log of a step."""

from collections.abc import Mapping
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response

from remit.engine.last_words import last_words
from remit.run.event import Output
from remit.run.state import Run
from remit.web import standing as s
from remit.web.door import Viewer
from remit.web.pages import Missing
from remit.web.plan_drawing import graph
from remit.web.plan_view import MARKS, TONES, View, view
from remit.web.site import Site

MOST_LOG = 60_000
"""characters of a log that are shown: its end"""


async def plan_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """The plan of a chain."""
    return site.page(request, "plan.html", viewer, **await plan_values(site, request, viewer))


async def plan_values(site: Site, request: Request, _viewer: Viewer) -> dict[str, Any]:
    """What the plan page shows, live and not."""
    run = await site.hands.replay(request.path_params["run"])
    if run.started is None or run.chain is None:
        raise Missing
    found = await plan_of(site, run)
    return {
        "run": run, "chain": run.chain, "plan": found, "graph": graph(found), "found": run.chain.validation,
        "owed": owed(run), "tones": TONES, "marks": MARKS, "stands": s.stands(run), "tone": s.tone(run),
        "live": f"/runs/{run.id}/plan/events",
    }  # fmt: skip


async def plan_of(site: Site, run: Run) -> View:
    """The plan with what is on record of every sub-agent."""
    return view(run, await children(site, run), site.now())


async def children(site: Site, run: Run) -> Mapping[str, Run]:
    """The runs of its sub-agents, in the order in which they began."""
    return {name: await site.hands.replay(name) for name in dict.fromkeys(run.keys.values())}


def owed(run: Run) -> tuple[tuple[str, str], ...]:
    """What is missing, each with the skill that owes it, empty where nobody is named."""
    found = run.chain.validation if run.chain is not None else None
    if found is None:
        return ()
    by = {each.name: each.by for each in found.deliverables}
    short = [each.name for each in found.deliverables if each.status in {"missing", "partial"}]
    return tuple((name, by.get(name, "")) for name in dict.fromkeys((*short, *found.missing)))


async def log_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """What the runtime of a run printed: the end of it, and its last words, which are claims."""
    run = await site.hands.replay(request.path_params["run"])
    if run.started is None:
        raise Missing
    tails = [each.event for each in await site.hands.ledger.events(run.id) if isinstance(each.event, Output)]
    file = site.hands.place(run.id, run.attempt).parent / f"{run.attempt}.log"
    now = await anyio.to_thread.run_sync(last_words, file, MOST_LOG)
    earlier = [each for each in tails if each.attempt != run.attempt or not now]
    return site.page(
        request, "log.html", viewer, run=run, log=now, tails=earlier[-5:], words=run.words[-MOST_LOG:], stands=s.stands(run)
    )

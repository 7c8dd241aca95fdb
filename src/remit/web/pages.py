"""The pages that are read: inbox, run, account, changes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from remit.engine.judge import sealed_stage
from remit.errors import RemitError
from remit.run.state import Run
from remit.web import standing as s
from remit.web import unified
from remit.web.board import Board
from remit.web.door import Viewer
from remit.web.drawings import burndown, timeline, tree
from remit.web.site import Site, outcome
from remit.web.words import absolute, json_text, limits_of

PAGE = 20
"""groups, or runs, on one page"""
SHOWN = 50
"""facts of the timeline's table on a run page"""
VIEWS = ("", "others", "running", "ended")


class Missing(Exception):
    """There is no such page."""


async def inbox(site: Site, request: Request, viewer: Viewer) -> Response:
    """What needs this person first."""
    return site.page(request, "inbox.html", viewer, **await inbox_values(site, request, viewer))


async def inbox_values(site: Site, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What the inbox shows, live and not."""
    found = await site.boards.of(viewer.person)
    view = request.query_params.get("view", "")
    if view not in VIEWS:
        raise Missing
    groups, last, page = _paged(found, view, request.query_params.get("page", "1"))
    return {"board": found, "view": view, "groups": groups, "page": page, "last": last, "live": _live("/events", request)}


def _paged(found: Board, view: str, text: str) -> tuple[tuple[Any, ...], int, int]:
    held: dict[str, tuple[Any, ...]] = {"": found.mine, "others": found.others, "running": found.running, "ended": found.ended}
    last = max(1, -(-len(held[view]) // PAGE))
    page = min(max(int(text), 1), last) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
    return held[view][(page - 1) * PAGE : page * PAGE], last, page


def _live(path: str, request: Request) -> str:
    kept = "&".join(f"{name}={request.query_params[name]}" for name in ("view", "page") if request.query_params.get(name))
    return f"{path}?{kept}" if kept else path


async def run_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """One run."""
    return site.page(request, "run.html", viewer, **await run_values(site, request, viewer))


async def run_values(site: Site, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What a run page shows, live and not."""
    found = await _found(site, request)
    run, now = found.run, site.now()
    moments = found.moments
    return {
        "run": run, "stands": s.stands(run), "tone": s.tone(run), "verdict": s.verdict(run), "moments": moments[-SHOWN:],
        "earlier": max(0, len(moments) - SHOWN), "timeline": timeline(moments, now), "nodes": found.nodes,
        "tree": tree(found.nodes), "burndown": burndown(s.lines(found.records, now)), "account": found.account,
        "limits": limits_of(run.limits, s.spent(run, now)), "drafts": tuple(run.drafts.values()),
        "draft_tone": s.draft_tone,
        "changed": tuple(s.changed(run)), "rule_text": s.rule_text, "json_text": json_text, "absolute": absolute,
        "mine": viewer.person == run.owner, "outcome": outcome(run), "live": f"/runs/{run.id}/events",
    }  # fmt: skip


async def account_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """The five questions about a run, every row."""
    found = await _found(site, request)
    return site.page(request, "account.html", viewer, run=found.run, account=found.account)


async def diff_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """What a run changed, line by line."""
    run = (await _found(site, request)).run
    lines, left, why = await made(site, run)
    return site.page(request, "diff.html", viewer, run=run, changed=tuple(s.changed(run)), lines=lines, left=left, why=why)


async def made(site: Site, run: Run, **most: int) -> tuple[tuple[unified.DiffLine, ...], int, str]:
    """What was made, line by line; how many lines are left out; and why there are none."""
    if run.work is None:
        return (), 0, "There is no sealed work to show yet."
    try:
        stage = await sealed_stage(site.hands, run)
        text = await stage.diff(dropped=run.judged.dropped if run.judged else ())
    except RemitError as error:
        return (), 0, f"The changes cannot be shown any more: {error}"
    lines, left = unified.parts(text, **most)
    return lines, left, ""


async def _found(site: Site, request: Request) -> s.Standing:
    found = await s.standing(site.hands.ledger, request.path_params["run"])
    if found is None or found.run.started is None:
        raise Missing
    return found

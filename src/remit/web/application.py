"""The inbox as an ASGI application: which page answers which address, and what is said when it cannot."""

import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from remit.errors import BadInput, Broken, Busy, Conflict, RemitError, Tampered, Unavailable
from remit.web import acts, answering, pages, plan_pages
from remit.web.door import Viewer
from remit.web.guard import Address, Guard, Log
from remit.web.live import Streams
from remit.web.pages import Missing
from remit.web.site import Site

Reads = Callable[[Site, Request, Viewer], Awaitable[Response]]
Writes = Callable[[Site, Request, Viewer, FormData], Awaitable[Response]]
Values = Callable[[Site, Request, Viewer], Awaitable[dict[str, Any]]]
STATUS = ((BadInput, 400), (Unavailable, 503), (Conflict, 409), (Busy, 503), (Tampered, 500), (Broken, 500))
FIELDS = 200


def application(site: Site, address: Address, log: Log) -> ASGIApp:
    """Everything behind the guard."""
    streams = Streams(site)
    run, question = "/runs/{run}", "/runs/{run}/questions/{question}"
    routes = [
        Route("/healthz", healthy(site)),
        Route("/", read(site, pages.inbox)),
        Route("/events", stream(site, streams, "_inbox.html", pages.inbox_values)),
        Route(run, read(site, pages.run_page)),
        Route(f"{run}/events", stream(site, streams, "_run.html", pages.run_values)),
        Route(f"{run}/account", read(site, pages.account_page)),
        Route(f"{run}/diff", read(site, pages.diff_page)),
        Route(f"{run}/plan", read(site, plan_pages.plan_page)),
        Route(f"{run}/plan/events", stream(site, streams, "_plan.html", plan_pages.plan_values)),
        Route(f"{run}/log", read(site, plan_pages.log_page)),
        Route(question, read(site, answering.card_page), methods=["GET"]),
        Route(question, write(site, answering.give), methods=["POST"]),
        Route(f"{question}/events", stream(site, streams, "_news.html", answering.news)),
        *(Route(f"{run}/{name}", write(site, acts.act, act=name), methods=["POST"]) for name in acts.ACTS),
        Route("/sign-out", write(site, sign_out), methods=["POST"]),
        *site.door.routes,
    ]
    app = Starlette(routes=routes)
    app.mount("/static", Static(directory=Path(__file__).parent / "static"))

    async def said(request: Request, error: Exception) -> Response:
        return trouble(site, request, error)

    app.add_exception_handler(HTTPException, said)
    app.add_exception_handler(Missing, said)
    app.add_exception_handler(RemitError, said)
    return Guard(app, address=address, log=log)


def healthy(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """Whether the ledger can be read; says nothing about what is in it."""

    async def page(_request: Request) -> Response:
        await site.hands.ledger.version()
        return PlainTextResponse("ok\n")

    return page


def read(site: Site, handler: Reads) -> Callable[[Request], Awaitable[Response]]:
    """A page for somebody who is signed in."""

    async def page(request: Request) -> Response:
        entered = site.door.enter(request)
        if entered is not None:
            return entered
        viewer = site.viewer(request)
        return invited(site, request) if viewer is None else await handler(site, request, viewer)

    return page


def write(site: Site, handler: Writes, **path: str) -> Callable[[Request], Awaitable[Response]]:
    """A form of somebody who is signed in, from a page that was made for them: its hidden word says so."""

    async def page(request: Request) -> Response:
        viewer = site.viewer(request)
        if viewer is None:
            return invited(site, request)
        request.path_params.update(path)
        async with request.form(max_files=0, max_fields=FIELDS) as form:
            if not hmac.compare_digest(str(form.get("form", "")).encode(), viewer.form.encode()):
                return refused(site, request, viewer, 403, "This form was not made for you. Open the page again.")
            try:
                return await handler(site, request, viewer, form)
            except RemitError as error:
                return trouble(site, request, error, viewer)

    return page


def stream(site: Site, streams: Streams, name: str, values: Values) -> Callable[[Request], Awaitable[Response]]:
    """The live part of a page."""

    async def page(request: Request) -> Response:
        viewer = site.viewer(request)
        if viewer is None:
            return PlainTextResponse("not signed in\n", status_code=401)

        async def render() -> str:
            return site.render(name, viewer, **await values(site, request, viewer))

        await render()  # a page that is not there is said as such, before the stream begins
        return await streams.respond(request, render)

    return page


async def sign_out(site: Site, request: Request, _viewer: Viewer, _: FormData) -> Response:
    """End the session here."""
    response = RedirectResponse("/", status_code=303)
    site.door.leave(request, response)
    return response


def invited(site: Site, request: Request) -> Response:
    """Nobody knows who this is. Whoever followed a link from elsewhere comes without their cookie once, so they are led on."""
    again = request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET"
    return site.page(
        request, "said.html", None, status=401, title="Sign in", words=site.door.invitation, again=again, back="/",
        sign_in=site.door.sign_in,
    )  # fmt: skip


def refused(site: Site, request: Request, viewer: Viewer | None, status: int, words: str) -> Response:
    """A page that only says why not."""
    title = {403: "Not allowed", 404: "Not found", 409: "Changed meanwhile", 400: "That cannot be used"}.get(status, "It failed")
    back = "/runs/" + request.path_params["run"] if "run" in request.path_params and status != 404 else "/"
    return site.page(request, "said.html", viewer, status=status, title=title, words=words, again=False, back=back, sign_in="")


def trouble(site: Site, request: Request, error: Exception, viewer: Viewer | None = None) -> Response:
    """What went wrong, for a person."""
    viewer = viewer or site.viewer(request)
    if viewer is None:
        return invited(site, request)
    if isinstance(error, Missing) or (isinstance(error, HTTPException) and error.status_code == 404):
        return refused(site, request, viewer, 404, "There is no such page.")
    if isinstance(error, HTTPException):
        return refused(site, request, viewer, error.status_code, error.detail)
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 403)
    hint = getattr(error, "hint", "")
    return refused(site, request, viewer, status, f"{error}" + (f" ({hint})" if hint else ""))


class Static(StaticFiles):
    """The style sheet and the scripts, which may be kept for a while."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=3600"
        return response

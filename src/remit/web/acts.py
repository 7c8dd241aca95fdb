"""What a person does to a run from its page: take or decline the outcome, stop, undo, offer and take over ownership."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from remit.engine.inbox import accept, ask_stop
from remit.engine.ownership import offer, take_over
from remit.engine.release import ask_undo, publish_again
from remit.errors import Conflict, Refused
from remit.ports import Signer
from remit.web.answering import SESSION
from remit.web.attest import SessionSigner
from remit.web.door import Viewer
from remit.web.site import Site, outcome

Act = Callable[[Site, str, Viewer, FormData], Awaitable[object]]


async def act(site: Site, request: Request, viewer: Viewer, form: FormData) -> Response:
    """Do it, then show the run again."""
    run = request.path_params["run"]
    await ACTS[request.path_params["act"]](site, run, viewer, form)
    return RedirectResponse(f"/runs/{run}", status_code=303)


async def _take(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    await _as_seen(site, run, form)
    await accept(site.hands, run, signer=_signer(site, viewer), assurance=SESSION, decline=False, note=_note(form))


async def _decline(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    await _as_seen(site, run, form)
    await accept(site.hands, run, signer=_signer(site, viewer), assurance=SESSION, decline=True, note=_note(form))


async def _as_seen(site: Site, run: str, form: FormData) -> None:
    state = await site.hands.replay(run)
    if state.started is None or form.get("seen") != outcome(state):
        raise Conflict(
            "the outcome is another one since you read this page; nothing was recorded", hint="read it again, as it is now"
        )


async def _stop(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    await ask_stop(site.hands, run, by=viewer.person, why=_note(form) or "asked to")


async def _undo(site: Site, run: str, viewer: Viewer, _form: FormData) -> None:
    state = await site.hands.replay(run)
    if state.started is not None and viewer.person != state.owner:
        raise Refused(f"the owner {state.owner} has this undone, not {viewer.person}")
    await ask_undo(site.hands, run, by=viewer.person)


async def _publish(site: Site, run: str, viewer: Viewer, _form: FormData) -> None:
    await publish_again(site.hands, run, by=viewer.person)


async def _offer(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    to = str(form.get("to", "")).strip()
    await offer(site.hands, run, to, signer=_signer(site, viewer), assurance=SESSION, note=_note(form))


async def _take_over(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    await take_over(site.hands, run, signer=_signer(site, viewer), assurance=SESSION, note=_note(form))


async def _leave_it(site: Site, run: str, viewer: Viewer, form: FormData) -> None:
    await take_over(site.hands, run, signer=_signer(site, viewer), assurance=SESSION, decline=True, note=_note(form))


ACTS: dict[str, Act] = {
    "accept": _take, "decline": _decline, "stop": _stop, "undo": _undo, "publish": _publish, "offer": _offer,
    "take-over": _take_over, "leave-it": _leave_it,
}  # fmt: skip


def _signer(site: Site, viewer: Viewer) -> Signer:
    if site.key is None:
        raise Refused("this server has no identity to sign with", hint="`remit init` makes one")
    return SessionSigner(viewer.person, site.key)


def _note(form: FormData) -> str:
    return str(form.get("note", "")).strip()

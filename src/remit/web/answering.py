"""The card of a question, and what a person says to it."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from remit.contract.party import Assurance
from remit.engine.inbox import answer
from remit.errors import BadInput, Conflict, Refused, RemitError
from remit.run.card import card
from remit.run.state import Asked, Run
from remit.web.asking import LABELS, MEANT
from remit.web.attest import SessionSigner
from remit.web.board import roles
from remit.web.door import Viewer
from remit.web.pages import Missing, made
from remit.web.site import OF_THE_WORK, Site, seen
from remit.web.standing import changed
from remit.web.words import from_json, json_text, visible

SESSION: Assurance = "session"
WORDS = {
    "yes": "Yes", "no": "No", "modify": "Yes, with these changes", "happened": "It happened", "redo": "It did not: do it",
    "abandon": "Give it up", "retry": "Try it again with a fresh sub-agent", "skip": "Skip this step", "abort": "Abort the chain",
    "generate": "Generate what is missing", "accept": "Accept it as it is",
}  # fmt: skip


async def card_page(site: Site, request: Request, viewer: Viewer) -> Response:
    """The question as it must be seen before it is answered."""
    run, asked = await _asked(site, request)
    return await _shown(site, request, viewer, run, asked)


async def _shown(
    site: Site, request: Request, viewer: Viewer, run: Run, asked: Asked, *, status: int = 200, trouble: str = "",
    kept: FormData | None = None,
) -> Response:  # fmt: skip
    found = card(run, asked.question.question)
    action = asked.question.action
    arguments = {name: json_text(value) for name, value in action.arguments.items()} if action is not None else {}
    like = [card(run, name) for name in found.like[:20]]
    about_work = found.about in OF_THE_WORK and run.work is not None
    lines, left, why = await made(site, run, lines=200, letters=20_000) if about_work else ((), 0, "")
    waiting = await site.boards.of(viewer.person) if found.settled else None
    values: dict[str, Any] = {
        "card": found, "run": run, "asked": asked, "seen": seen(found, run), "arguments": arguments, "words": WORDS,
        "may": _may(run, asked, viewer), "like": [(each, seen(each, run)) for each in like], "trouble": trouble,
        "changed": tuple(changed(run)) if about_work else (), "lines": lines, "left": left, "why": why,
        "typed": _typed(kept), "next": waiting.mine[0].first if waiting and waiting.mine else None,
        "labels": LABELS, "meant": MEANT, "options": asked.question.options,
        "plan": f"/runs/{run.id}/plan" if run.chain is not None else "", "stuck": _stuck(run, asked),
        "live": f"/runs/{run.id}/questions/{found.question}/events?seen={seen(found, run)}&settled={found.settled}",
    }  # fmt: skip
    return site.page(request, "card.html", viewer, status=status, **values)


async def news(site: Site, request: Request, _viewer: Viewer) -> dict[str, Any]:
    """Whether the question still is what the open page shows."""
    run, asked = await _asked(site, request)
    found = card(run, asked.question.question)
    told = request.query_params
    same = told.get("seen") == seen(found, run) and told.get("settled", "") == found.settled
    return {"card": found, "same": same}


async def give(site: Site, request: Request, viewer: Viewer, form: FormData) -> Response:
    """Take an answer to exactly what was seen: 409 with the card as it is now when it is something else meanwhile."""
    run, asked = await _asked(site, request)
    found = card(run, asked.question.question)
    if found.settled or _text(form, "seen") != seen(found, run):
        return await _stale(site, request, viewer)
    try:
        await _say(site, run, asked, viewer, form)
    except Conflict:
        return await _stale(site, request, viewer)
    except RemitError as error:
        run, asked = await _asked(site, request)
        now = card(run, asked.question.question)
        if now.settled or seen(now, run) != _text(form, "seen"):
            return await _stale(site, request, viewer)
        status = 403 if isinstance(error, Refused) else 400 if isinstance(error, BadInput) else 503
        words = f"{error}" + (f" ({error.hint})" if error.hint else "")
        return await _shown(site, request, viewer, run, asked, status=status, trouble=words, kept=form)
    await _also(site, run, viewer, form)
    return RedirectResponse(f"/runs/{run.id}/questions/{asked.question.question}", status_code=303)


async def _say(site: Site, run: Run, asked: Asked, viewer: Viewer, form: FormData) -> None:
    if site.key is None:
        raise Refused("this server has no identity to sign with", hint="`remit init` makes one")
    said = _text(form, "said")
    arguments = _changed(asked, form) if said == "modify" else None
    await answer(
        site.hands, run.id, asked.question.question, said, signer=SessionSigner(viewer.person, site.key, asked.question.digest),
        assurance=SESSION, note=_text(form, "note").strip(), arguments=arguments,
        rules=_text(form, "rules") if said == "modify" else "", receipt=_text(form, "receipt").strip(),
        organisation=site.organisation(),
    )  # fmt: skip


async def _also(site: Site, run: Run, viewer: Viewer, form: FormData) -> None:
    """The same word to questions that are alike, each as it was seen; one that has changed is simply left open."""
    if _text(form, "said") not in {"yes", "no"} or site.key is None:
        return
    for each in form.getlist("also"):
        name, _, digest = str(each).partition(" ")
        run = await site.hands.replay(run.id, run)
        other = run.questions.get(name)
        if other is None or other.said or seen(card(run, name), run) != digest:
            continue
        try:
            await _say(site, run, other, viewer, form)
        except RemitError:
            continue


def _changed(asked: Asked, form: FormData) -> dict[str, Any] | None:
    """The arguments that are written differently now. Raises BadInput naming the one that cannot be read."""
    action = asked.question.action
    changed: dict[str, Any] = {}
    for name, value in action.arguments.items() if action is not None else ():
        text = _text(form, f"arg.{name}", json_text(value)).strip().replace("\r\n", "\n")
        if text == json_text(value):
            continue
        try:
            changed[name] = from_json(text) if text else None
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"`{name}` is no JSON value: {error}", hint='write texts in quotes, such as "EUR"; numbers plainly'
            ) from None
    return changed or None


async def _stale(site: Site, request: Request, viewer: Viewer) -> Response:
    run, asked = await _asked(site, request)
    trouble = "This question was answered meanwhile. Your answer was not recorded."
    if not card(run, asked.question.question).settled:
        trouble = "The request changed since you read it. Your answer was not recorded: read it again, as it is now."
    return await _shown(site, request, viewer, run, asked, status=409, trouble=trouble)


async def _asked(site: Site, request: Request) -> tuple[Run, Asked]:
    run = await site.hands.replay(request.path_params["run"])
    asked = run.questions.get(request.path_params["question"])
    if run.started is None or asked is None:
        raise Missing
    return run, asked


def _may(run: Run, asked: Asked, viewer: Viewer) -> bool:
    """Whether the question asks this person; the engine has the last word."""
    assert run.started is not None
    names = {viewer.person, *roles(run.started.organisation, viewer.person), *(("owner",) if viewer.person == run.owner else ())}
    return bool(names & set(asked.question.of))


def _stuck(run: Run, asked: Asked) -> str:
    """The sub-agent whose step is in trouble, where there is one."""
    stood = run.chain.steps.get(asked.question.step) if run.chain is not None and asked.question.about == "step" else None
    return stood.children[-1] if stood is not None and stood.children else ""


def _text(form: FormData, name: str, otherwise: str = "") -> str:
    value = form.get(name, otherwise)
    return value if isinstance(value, str) else otherwise


def _typed(form: FormData | None) -> dict[str, str]:
    """What somebody had written into a form that could not be taken."""
    if form is None:
        return {}
    return {name: visible(value) if name != "note" else value for name, value in form.items() if isinstance(value, str)}

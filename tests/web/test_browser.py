"""The inbox in a real Chromium: looked at by axe, used by keyboard alone, attacked, and live."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from web_worlds import (
    OWNER,
    Served,
    asked,
    ended,
    fill,
    identity,
    kinds,
    record,
    refund,
    served,
    started,
    state,
    working,
)  # fmt: skip

from remit.run import event as e

PAGES = (
    "/",
    "/runs/r1refund/questions/Q1",
    "/runs/r2legal/questions/Q1",
    "/runs/r3done",
    "/runs/r4tree",
    "/runs/r5doubt/questions/Q1",
    "/runs/r3done/account",
    "/runs/r3done/diff",
    "/nothing",
)
SHOUT = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"><svg onload=alert(3)>{{7*7}}</textarea></title><a href=javascript:alert(4) hx-get=/ hx-on:load=alert(5)>x</a>\u202e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    fill(home)
    with served(home) as found:
        yield found.sign_in()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_and_the_console_is_silent(server: Served, opened: Any, axe: str, scheme: str, width: int) -> None:
    with opened(server, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        for path in PAGES:
            page.goto(server.origin + path)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            page.evaluate(axe)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            told = [(path, each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
            assert told == []
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
        assert [each for each in page.complaints if "404" not in each] == []


def test_the_token_is_in_no_history_no_referrer_and_no_storage(tmp_path: Path, chromium: Any) -> None:
    identity(tmp_path)
    with served(tmp_path) as own:
        token = own.link.split("token=")[1]
        context = chromium.new_context()
        page = context.new_page()
        sent: list[str] = []
        page.on("request", lambda request: sent.append(json.dumps(request.all_headers()) if "token=" not in request.url else ""))
        page.goto(own.link)
        assert page.url == own.origin + "/" and page.evaluate("history.length") <= 2
        page.reload()
        page.click("text=remit")
        assert not any(token in each for each in sent)
        assert token not in page.evaluate("document.referrer + document.cookie + JSON.stringify(localStorage)")
        assert page.evaluate("document.cookie") == ""
        context.close()


def test_a_question_is_answered_by_keyboard_alone(server: Served, opened: Any) -> None:
    run = "rkeys"
    record(server.home, [started(run, server.home), *asked(run, refund("61.00", order_id="keys"), hours=0.5)])
    with opened(server) as page:
        page.goto(server.origin)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        reach(page, f"/runs/{run}/questions/Q1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/questions/Q1")
        reach(page, "note")
        page.keyboard.type("by keyboard")
        page.keyboard.press("Enter")
        assert page.url.endswith("/questions/Q1") and not state(server.home, run).questions["Q1"].answers, (
            "Enter in a note sends nothing"
        )
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "yes"
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.wait_for_selector("text=Settled: no")
    assert state(server.home, run).questions["Q1"].said == "no"


def reach(page: Any, wanted: str) -> None:
    """Press Tab until what is focused has this address or id; nothing on the way may trap the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("e => [e.getAttribute('href'), e.id]", page.evaluate_handle("document.activeElement")).count(wanted):
            return
    raise AssertionError(f"{wanted} cannot be reached")


def test_the_page_works_with_scripts_switched_off(server: Served, opened: Any) -> None:
    run = "rnojs"
    record(server.home, [started(run, server.home), *asked(run, refund("62.00", order_id="nojs"))])
    with opened(server, java_script_enabled=False) as page:
        page.goto(f"{server.origin}/runs/{run}/questions/Q1")
        page.click("summary:has-text('Yes, but changed')")
        page.fill("[name='arg.amount']", "60.00")
        page.click("button[value=modify]")
        page.wait_for_selector("text=Settled: yes")
        page.goto(f"{server.origin}/runs/{run}")
        page.click("summary:has-text('Stop this run')")
        page.fill("#why", "enough")
        page.click("text=Stop it and everything in it")
        page.wait_for_selector("text=Asked to stop")
    assert str(state(server.home, run).questions["Q1"].question.action.arguments["amount"]) == "60.00"  # type: ignore[union-attr]


def test_stored_markup_in_every_field_stays_text(tmp_path: Path, opened: Any) -> None:
    identity(tmp_path)
    bad = refund("120.50", reason=SHOUT, **{SHOUT: SHOUT})
    shouted = e.QuestionAnswered(
        run="rx", question="Q2", answer="yes", person=SHOUT, assurance="terminal", statement="", signature="", key="", note=SHOUT
    )
    record(tmp_path, [
        started("rx", tmp_path, goal=SHOUT, unenforced=(SHOUT,), owner=OWNER), *working("rx"),
        e.Decided(run="rx", action=bad, digest=bad.digest(), decision="refuse", reasons=(), at_door="door"),
        e.Blocked(run="rx", what=SHOUT, object=SHOUT, by=SHOUT),
        *asked("rx", bad, text=SHOUT, preview=SHOUT), *asked("rx", bad, question="Q2", text=SHOUT, preview=SHOUT), shouted,
        e.QuestionAsked(run="rx", question="Q3", about="context", text=SHOUT, of=(OWNER, SHOUT)),
        e.Notified(run="rx", who=SHOUT, how="inbox", what=SHOUT),
        e.InDoubt(run="rx", key="k1", why=SHOUT),
        e.AnswerRejected(run="rx", question="Q1", answer=SHOUT, person=SHOUT, code="AUTHORITY", why=SHOUT, assurance="terminal"),  # type: ignore[arg-type]
        e.Output(run="rx", attempt=1, bytes=9, sha256="", tail=SHOUT),
        e.OwnershipOffered(run="rx", by=OWNER, to=OWNER, assurance="terminal", statement="", signature="", key="", note=SHOUT),
        started("ry", tmp_path, goal=SHOUT), *working("ry"), *shouting("ry"),
    ])  # fmt: skip
    with served(tmp_path) as own:
        own.sign_in()
        with opened(own) as page:
            for path in (
                "/",
                "/runs/rx",
                "/runs/rx/questions/Q1",
                "/runs/rx/questions/Q2",
                "/runs/rx/questions/Q3",
                "/runs/rx/account",
                "/runs/ry",
                "/runs/ry/account",
                "/?view=ended",
            ):
                assert page.goto(own.origin + path).status == 200
                page.wait_for_timeout(150)
                assert page.evaluate(
                    "[...document.scripts].every(s => s.src.startsWith(location.origin + '/static/') && !s.textContent)"
                ), path
                assert (
                    page.evaluate("document.querySelectorAll('img, [onload], [onerror], [hx-get], a[href^=javascript]').length")
                    == 0
                ), path
                assert "\u202e" not in page.content() and "{{7*7}}" in page.content().replace("&quot;", '"')
            page.goto(own.origin + "/runs/rx/questions/Q1")
            page.fill("#note", SHOUT.replace("\u202e", ""))
            page.click("button[value=no]")
            page.wait_for_selector("text=Settled: no")
            assert page.complaints == []
        assert own.end() == 0
        assert "Traceback" not in own.said


def shouting(run: str) -> list[e.Event]:
    """An ending whose every text is markup."""
    work, judged, *rest = ended(run, verdict="success_with_exceptions", exceptions=(SHOUT,))
    assert isinstance(judged, e.ChangesJudged)
    import msgspec

    odd = tuple(msgspec.structs.replace(each, path=SHOUT) for each in judged.changes.changes)
    changes = msgspec.structs.replace(judged.changes, changes=odd)
    return [
        work,
        msgspec.structs.replace(judged, changes=changes),
        *rest[:-1],
        e.PublishFailed(run=run, attempt=1, why=SHOUT, conflicts=(SHOUT,)),
    ]


@contextmanager
def another_site(body: str) -> Iterator[str]:
    """A page of somebody else's, under another name of this machine."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{site.server_port}/"
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


def test_a_form_of_another_site_is_not_taken_although_the_browser_is_signed_in(server: Served, opened: Any) -> None:
    run = "rcsrf"
    record(server.home, [started(run, server.home), *asked(run, refund("63.00", order_id="csrf"))])
    card = server.card(run)
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in {**card, "said": "yes"}.items())
    body = f'<form method="post" action="{server.origin}/runs/{run}/questions/Q1">{fields}<button>go</button></form>'
    with another_site(body) as evil, opened(server) as page:
        page.goto(evil)
        with page.expect_navigation() as moved:
            page.click("button")
        assert moved.value.status == 403
    assert "question_answered" not in kinds(server.home, run)


def test_another_site_cannot_frame_the_inbox(server: Served, opened: Any) -> None:
    with another_site(f'<iframe src="{server.origin}/"></iframe>') as evil, opened(server) as page:
        page.goto(evil)
        page.wait_for_timeout(300)
        inside = page.frames[1]
        assert "Needs you" not in (inside.content() if not inside.is_detached() else "")


def test_a_link_from_another_site_arrives_signed_in(server: Served, opened: Any) -> None:
    with another_site(f'<a href="{server.origin}/runs/r1refund">the run</a>') as other, opened(server) as page:
        page.goto(other)
        page.click("a")
        page.wait_for_selector("h1:has-text('Answer the customers')")


def until(page: Any, holds: str) -> None:
    """Poll: what Playwright brings for this evaluates text inside the page, which the policy forbids."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {holds}; {page.complaints}")


def test_what_happens_is_seen_without_reloading_and_a_half_typed_note_stays(server: Served, opened: Any) -> None:
    run = "rlive"
    record(server.home, [started(run, server.home), *working(run), *ended(run)])
    with opened(server) as page:
        page.goto(f"{server.origin}/runs/{run}")
        until(page, "document.getElementById('live')._htmx?.sse?.status === 200")
        page.fill("#note", "half a sent")
        page.click("#live section:has(h2:text-is('Timeline')) summary")
        record(server.home, [e.Notified(run=run, who=OWNER, how="inbox", what="a fresh fact")])
        page.wait_for_selector("td:has-text('a fresh fact')", state="visible")
        assert page.input_value("#note") == "half a sent", "what somebody types survives the update"
        assert page.evaluate("document.activeElement.tagName") in {"SUMMARY", "TEXTAREA", "BODY"}
        assert page.complaints == []


def test_the_stream_is_opened_however_late_its_script_comes(server: Served, opened: Any) -> None:
    with opened(server) as page:

        def late(route: Any) -> None:
            page.wait_for_timeout(400)
            route.continue_()

        page.route("**/hx-sse.min.js", late)
        page.goto(server.origin + "/")
        until(page, "document.getElementById('live')._htmx?.sse?.status === 200")


def test_a_stream_that_was_cut_shows_what_it_missed(server: Served, opened: Any) -> None:
    run = "rcut"
    record(server.home, [started(run, server.home), *working(run)])
    with opened(server) as page:
        page.goto(f"{server.origin}/runs/{run}")
        page.wait_for_selector("h1")
        page.context.set_offline(True)
        cut = page.evaluate(
            "new Promise(done => { document.addEventListener('htmx:sse:error', () => done('cut')); setTimeout(() => done('held'), 1500) })"
        )
        record(server.home, [e.Notified(run=run, who=OWNER, how="inbox", what="missed while away")])
        page.context.set_offline(False)
        page.wait_for_selector("text=missed while away", state="attached", timeout=10_000)
        assert cut in {"cut", "held"}


def test_the_open_card_says_when_it_is_settled_elsewhere(server: Served, opened: Any) -> None:
    run = "rnews"
    record(server.home, [started(run, server.home), *asked(run, refund("64.00", order_id="news"))])
    with opened(server) as page:
        page.goto(f"{server.origin}/runs/{run}/questions/Q1")
        assert server.ask("POST", f"/runs/{run}/questions/Q1", form={**server.card(run), "said": "no"})[0] == 303
        page.wait_for_selector("text=This question was settled meanwhile")
        page.click("button[value=yes]")
        page.wait_for_selector("text=Your answer was not recorded")
        page.wait_for_selector("text=Settled: no")

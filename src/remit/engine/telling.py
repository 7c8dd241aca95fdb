"""Telling people: a row for everyone, and a page for whoever has a contact; what became of each page is recorded."""

import re

from remit.contract.party import Organisation
from remit.engine.hands import Hands
from remit.errors import RemitError
from remit.ports import Page
from remit.run.event import Delivered, Notified
from remit.run.state import Run

LINKED = re.compile(r"(?<=\w)\.(?=[^\W\d_])")
"""the dot by which a mail client takes a word for the name of a host"""


def people(organisation: Organisation, who: str) -> tuple[str, ...]:
    """The people behind a name: a role's holders, else the name itself."""
    holders = tuple(person.id for person in organisation.people if who in person.roles)
    return holders or (who,)


def told(run: Run, who: str, what: str, *, question: str = "", quietly: bool = False, ending: bool = False) -> list[Notified]:
    """One row for each person behind `who`; a page where there is a contact, unless a like one is out already (`quietly`)."""
    assert run.started is not None
    known = run.started.organisation
    rows = []
    for person in people(known, who):
        contact = next((each.contact for each in known.people if each.id == person), None)
        how = "page" if contact and not quietly else "inbox"
        rows.append(Notified(run=run.id, who=person, how=how, what=what, question=question, ending=ending))
    return rows


async def send(hands: Hands, run: Run, page: int) -> None:
    """Hand one page to its channel and record how that went. A channel that fails is no failure of the run."""
    assert run.started is not None
    sent, known = run.pages[page].page, run.started.organisation
    contact = next((each.contact or "" for each in known.people if each.id == sent.who), "")
    ok, receipt, how = False, "nothing here sends pages", contact.partition(":")[0]
    try:
        channel = hands.channel(contact, known) if hands.channel is not None else None
        if channel is not None:
            how = channel.name
            receipt, ok = await channel.tell(_page(run, sent, contact, known)), True
    except (RemitError, OSError) as error:
        receipt = str(error)
    await hands.record(Delivered(run=run.id, page=page, who=sent.who, how=how, ok=ok, receipt=receipt))


def _page(run: Run, sent: Notified, contact: str, known: Organisation) -> Page:
    """Words and a link; nothing in it can decide anything, and nothing an agent wrote looks like a line or a link of ours."""
    where = f"/runs/{run.id}" + (f"/questions/{sent.question}" if sent.question else "")
    link = known.inbox.rstrip("/") + where if known.inbox else ""
    how = "" if link else f"\n\nremit inbox    (or: remit show {run.id})"
    subject, what = _said(run, sent)
    body = f"{_goal(run)}\nowner: {run.owner}\nrun: {run.id}\n\n{what}{how}"
    return Page(to=contact, subject=f"[remit] {subject}", body=body, link=link)


def _said(run: Run, sent: Notified) -> tuple[str, str]:
    """The subject and the words; a question of the agent's own is quoted, and its subject says only whose it is."""
    asked = run.questions.get(sent.question)
    if asked is None or asked.question.about != "context":
        what = plain(sent.what)
        return what[:120], what
    ours, its, more = sent.what.partition(asked.question.text)
    whose = f"{sent.question}: the agent asks something"
    before = f"{plain(ours)} " if its and ours.strip() != f"{sent.question}:" else ""
    return whose, f"{before}{whose}, in its own words:\n> {plain(its or ours)}{plain(more)}"


def _goal(run: Run) -> str:
    """The goal of a child may be an agent's text."""
    assert run.started is not None
    return run.contract.goal if run.started.parent is None else plain(run.contract.goal)


def plain(text: str) -> str:
    """Text that an agent may have written: on one line, and nothing in it that a mail client would make a link of."""
    words = (each.replace("://", "[://]") for each in text.split())
    return " ".join(each if "@" in each and "/" not in each else LINKED.sub("[.]", each) for each in words)

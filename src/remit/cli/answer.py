"""`remit answer`: a signed answer to a question, and the run carried on."""

import sys
from pathlib import Path
from typing import Any

import anyio
import click

from remit.app import engine, records, signer_of
from remit.authority.wire import read_json
from remit.cli.driving import drive
from remit.cli.menu import REPORT, has_menu, offered, picked
from remit.cli.place import home
from remit.cli.present import present
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.engine.inbox import answer, answer_signed, unsigned
from remit.errors import BadInput, Busy
from remit.ports import Signer
from remit.run.state import Run

WORDS = (
    "yes", "no", "modify", "happened", "redo", "abandon", "retry", "skip", "abort", "generate", "accept", REPORT, "1", "2", "3",
)  # fmt: skip


@click.command("answer", short_help="answer a question of a run")
@click.argument("run", required=False)
@click.argument("question", required=False)
@click.argument("said", required=False, type=click.Choice(WORDS))
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="with modify: a new value, as JSON or text")
@click.option("--rules", metavar="FILE", help="with modify: `never:` and `ask:` rules that bind the rest of the run (- is stdin)")
@click.option("--receipt", default="", help="with happened: what proves it")
@click.option("--note", default="", help="why; it is signed too")
@click.option("--as", "person", metavar="PERSON", help="who answers, with --key or --print; the local identity unless given")
@click.option(
    "--key", type=click.Path(path_type=Path), help="their SSH key; a .pub is signed with by the agent or a security key"
)
@click.option("--print", "as_text", is_flag=True, help="print the statement to be signed elsewhere, and answer nothing")
@click.option("--statement", type=click.Path(path_type=Path), help="a statement that was signed elsewhere")
@click.option("--signature", type=click.Path(path_type=Path), help="its signature, as `ssh-keygen -Y sign` wrote it")
@click.option("--no-drive", is_flag=True, help="record it only: a worker, or `remit resume`, carries the run on")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(**given: Any) -> None:
    """Answer QUESTION (or several: Q1,Q2) of RUN.

    yes, no or modify; of an effect in doubt: happened, redo or abandon; of a step in trouble: retry, skip or abort; of gaps that
    validation found: generate or accept, and report to read what it found. Where a menu was shown, its number does too.
    """
    if given["statement"] or given["signature"]:
        sys.exit(anyio.run(_signed, given))
    if not (given["run"] and given["question"] and given["said"]):
        raise BadInput("an answer needs a run, a question and a word", hint="`remit inbox` lists what is open")
    sys.exit(anyio.run(_print if given["as_text"] else _answer, given))


async def _answer(given: dict[str, Any]) -> int:
    here, said = home(), given["said"]
    async with engine(here) as supervisor:
        hands = supervisor.hands
        run_id = await resolve(hands.ledger, given["run"], waits=True)
        names = given["question"].upper().split(",")
        run = await hands.replay(run_id)
        said = meant(run, names, said)
        if said == REPORT:
            return reported(run)
        signer = _signer(given, hands.signer)
        for question in names:
            await answer(
                hands, run_id, question, said, signer=signer, assurance="person-signed" if given["key"] else "terminal",
                note=given["note"], arguments=changed(given["changes"]), rules=rules(given["rules"]), receipt=given["receipt"],
                organisation=present(home()),
            )  # fmt: skip
            talk(f"{question} answered {said} by {signer.person}, signed and recorded")
    return await carry_on(run_id, as_json=given["as_json"], driving=not given["no_drive"])


def meant(run: Run, names: list[str], said: str) -> str:
    """The word behind a number of the menu. Raises BadInput for a number it does not have, or a report it has not."""
    menus = [run.questions[name].question for name in names if name in run.questions and has_menu(run.questions[name].question)]
    if not (said.isdecimal() or said == REPORT):
        return said
    words = {picked(offered(each), said) for each in menus}
    if len(menus) != len(names) or len(words) != 1 or not (word := words.pop()):
        what = "is no number of its menu" if said.isdecimal() else "is only shown of gaps that validation found"
        raise BadInput(f"`{said}` {what}", hint=f"`remit show {run.id}` says what may be answered")
    return word


def reported(run: Run) -> int:
    """Print what validation found; it answers nothing."""
    from remit.cli.chained import report

    for line in report(run)[1:]:
        click.echo(line)
    return 0


async def _signed(given: dict[str, Any]) -> int:
    """An answer that was signed elsewhere."""
    if not (given["statement"] and given["signature"]):
        raise BadInput("an answer signed elsewhere is a statement and its signature", hint="give --statement and --signature")
    async with engine(home()) as supervisor:
        run = await answer_signed(
            supervisor.hands, text_of(given["statement"]), text_of(given["signature"]), note=given["note"],
            arguments=changed(given["changes"]), rules=rules(given["rules"]), receipt=given["receipt"],
            organisation=present(home()),
        )  # fmt: skip
    talk(f"answered in {run.id}, as signed elsewhere, and recorded")
    return await carry_on(run.id, as_json=given["as_json"], driving=not given["no_drive"])


async def _print(given: dict[str, Any]) -> int:
    if not given["person"]:
        raise BadInput("who will sign it?", hint="give --as PERSON")
    async with records(home()) as ledger:
        run_id = await resolve(ledger, given["run"], waits=True)
    async with engine(home()) as supervisor:
        said = meant(await supervisor.hands.replay(run_id), [given["question"].upper()], given["said"])
        if said == REPORT:
            raise BadInput("a report is not an answer that could be signed", hint="answer generate or accept")
        text = await unsigned(
            supervisor.hands, run_id, given["question"].upper(), said, person=given["person"], note=given["note"],
            arguments=changed(given["changes"]), rules=rules(given["rules"]), receipt=given["receipt"],
        )  # fmt: skip
    click.echo(text, nl=False)
    talk("sign these bytes with: ssh-keygen -Y sign -n remit-answer -f KEY FILE")
    talk("hand them in with the same --set, --rules, --receipt and --note: the statement names them by their digests")
    return 0


def _signer(given: dict[str, Any], local: Signer | None) -> Signer:
    if given["key"] is None:
        if given["person"] and (local is None or local.person != given["person"]):
            raise BadInput(f"the local identity is not {given['person']}", hint="give their key with --key")
        return identified(local)
    return signer_of(given["person"] or identified(local).person, given["key"])


def changed(given: tuple[str, ...]) -> dict[str, Any] | None:
    """`--set amount=40` as values: JSON where it reads as such, else text. Raises BadInput."""
    values: dict[str, Any] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or not name or name in values:
            raise BadInput(f"`--set {each}`: write each name once, as name=value")
        try:
            values[name] = read_json(text)
        except BadInput:
            values[name] = text
    return values or None


def rules(given: str | None) -> str:
    """The text of `--rules`. Raises BadInput."""
    if given is None:
        return ""
    return sys.stdin.read() if given == "-" else text_of(Path(given))


def text_of(path: Path) -> str:
    """A small text file. Raises BadInput."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}") from None


async def carry_on(run_id: str, *, as_json: bool, driving: bool = True) -> int:
    """Drive the run on, from its root; when another process drives it already, that one sees the answer."""
    if not driving:
        return 0
    try:
        return await drive(home(), run_id.split(".")[0], as_json=as_json)
    except Busy:
        talk(f"run {run_id} is being driven by another process, which has the answer now")
        return 0


def identified(signer: Signer | None) -> Signer:
    """Who signs here. Raises BadInput before `remit init`."""
    if signer is None:
        raise BadInput("nobody is known here who could sign", hint="`remit init` makes your identity")
    return signer

"""`remit answer`: a signed yes or no to a question, and the run carried on."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.engine.inbox import answer
from remit.errors import BadInput, Busy
from remit.ports import Signer


@click.command("answer")
@click.argument("run")
@click.argument("question")
@click.argument("said", type=click.Choice(["yes", "no"]))
@click.option("--note", default="", help="why")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, question: str, said: str, note: str, as_json: bool) -> None:
    """Answer QUESTION of RUN with yes or no."""
    sys.exit(anyio.run(_answer, run, question, said, note, as_json))


async def _answer(name: str, question: str, said: str, note: str, as_json: bool) -> int:
    here = home()
    async with engine(here) as supervisor:
        run_id = await resolve(supervisor.hands.ledger, name)
        signer = identified(supervisor.hands.signer)
        await answer(supervisor.hands, run_id, question.upper(), said, signer=signer, assurance="terminal", note=note)
    talk(f"{question.upper()} answered {said} by {signer.person}, signed and recorded")
    return await carry_on(run_id, as_json=as_json)


async def carry_on(run_id: str, *, as_json: bool) -> int:
    """Drive the run on, from its root; when another process drives it already, that one sees the answer."""
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

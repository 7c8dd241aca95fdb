"""`remit publish`: release what succeeded, where the contract waits for a person or a conflict is gone."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.answer import carry_on, identified
from remit.cli.place import home
from remit.cli.which import resolve
from remit.engine.inbox import answer
from remit.engine.release import publish_again
from remit.errors import BadInput, Refused


@click.command("publish")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, as_json: bool) -> None:
    """Release what RUN changed (default: the last one)."""
    sys.exit(anyio.run(_publish, run, as_json))


async def _publish(name: str, as_json: bool) -> int:
    async with engine(home()) as supervisor:
        hands = supervisor.hands
        run = await hands.replay(await resolve(hands.ledger, name))
        signer = identified(hands.signer)
        asked = [question for question in run.open_questions if question.about == "publish"]
        if asked:
            await answer(hands, run.id, asked[-1].question, "yes", signer=signer, assurance="terminal")
        elif run.phase == "publishing":
            pass  # cut off half way: carried on below
        elif run.publish_failed:
            await publish_again(hands, run.id, by=signer.person)
        elif run.verdict == "success_with_exceptions" and run.acceptance == "pending":
            raise Refused("its exceptions must be taken by the owner first", hint=f"`remit accept {run.id}` publishes")
        elif run.published is not None:
            raise BadInput(f"run `{run.id}` is published already")
        else:
            raise Refused(f"the verdict of `{run.id}` is `{run.verdict or 'open'}`: there is nothing to publish")
    return await carry_on(run.id, as_json=as_json)

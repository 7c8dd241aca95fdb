"""`remit worker`: carries on whatever has something to do, until it is ended."""

import signal
import sys

import anyio
import click

from remit.app import engine
from remit.cli.place import home
from remit.cli.say import clean, document, talk
from remit.engine.worker import Worker


@click.command("worker")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(as_json: bool) -> None:
    """Act on answers and deadlines as they come, until SIGTERM or SIGINT."""
    sys.exit(anyio.run(_work, as_json))


async def _work(as_json: bool) -> int:
    def say(run: str, what: str) -> None:
        if as_json:
            document({"schema": "remit.worker/1", "run": run, "what": what})
        else:
            talk(f"{run}: {clean(what)}")

    async with engine(home()) as supervisor, anyio.create_task_group() as group:
        group.start_soon(Worker(supervisor, say=say).work)
        talk("at work; end it with SIGTERM or ^C")
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                group.cancel_scope.cancel()
                break
    return 0

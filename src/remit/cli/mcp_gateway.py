"""`remit mcp gateway`: the gate before an MCP server, for any MCP host."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from remit.cli.place import home
from remit.cli.say import clean, talk
from remit.errors import BadInput

if TYPE_CHECKING:
    from remit.mcp.gateway.desk import Wanted


@click.command("gateway", short_help="stand before an MCP server", context_settings={"allow_interspersed_args": False})
@click.option("--contract", type=click.Path(path_type=Path), help="the contract every call is decided under")
@click.option("--org", metavar="FILE", help="organisation file (default: $REMIT_ORG, then $REMIT_HOME)")
@click.option("--workspace", type=click.Path(path_type=Path), help="the folder the success checks look at (default: here)")
@click.option("--env", "names", multiple=True, metavar="NAME", help="a variable of ours that the server gets; no other one is")
@click.option("--pin", type=click.Path(path_type=Path), help="the file the tools' definitions are pinned in")
@click.option("--wait", default=0, metavar="SECONDS", type=click.FloatRange(0), help="how long a call waits for a person")
@click.option("--person-at-host", is_flag=True, help="the local identity sits at this host, and may be asked there")
@click.option("--unattended", is_flag=True, help="nobody will answer: what could only be asked is refused")
@click.argument("server", nargs=-1, type=click.UNPROCESSED)
def command(**given: Any) -> None:
    """Start SERVER (a command, after --) and relay between it and the MCP host on stdin and stdout.

    Every call is decided under the contract and recorded before it reaches the server.
    """
    sys.exit(anyio.run(_gateway, given))


def wanted(given: dict[str, Any]) -> "Wanted":
    """The options as the gateway takes them. Raises BadInput."""
    from remit.mcp.gateway.desk import Wanted

    if given["contract"] is None:
        raise BadInput("a gateway needs a contract to decide under", hint="`remit new` writes one; give it with --contract FILE")
    return Wanted(
        contract=given["contract"], org=given["org"], home=home(), workspace=given["workspace"],
        command=("remit", "mcp", "gateway", *given["server"]), unattended=given["unattended"],
        person_here=given["person_at_host"], wait=given["wait"],
    )  # fmt: skip


async def _gateway(given: dict[str, Any]) -> int:
    from remit.mcp.gateway.desk import opened
    from remit.mcp.gateway.process import environment, started
    from remit.mcp.gateway.shelf import Shelf
    from remit.mcp.gateway.stdio import own_output, serve

    if not given["server"]:
        raise BadInput("which server?", hint="remit mcp gateway --contract FILE -- COMMAND …")
    variables = environment(os.environ, given["names"])
    async with opened(wanted(given)) as desk:
        shelf = Shelf(desk, given["pin"])
        async with own_output() as out, started(given["server"], variables, log) as pipe:
            await serve(shelf, pipe, log, name=Path(given["server"][0]).name, out=out)
    if desk.outcome is not None:
        verdict = desk.outcome.verdict or "waiting"
        log(f"run {desk.outcome.run}: {verdict}" + (f"; {desk.outcome.why}" if desk.outcome.why else ""))
    return 0


def log(line: str) -> None:
    """A line for people, on stderr."""
    talk(clean(f"remit: {line}"))

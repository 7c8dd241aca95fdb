"""`remit mcp gateway`: the gate before an MCP server, for any MCP host."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import click

from remit.cli.place import home
from remit.cli.say import clean, talk
from remit.errors import BadInput

if TYPE_CHECKING:
    from remit.mcp.gateway.desk import Wanted
    from remit.mcp.gateway.server import Pipe


@click.command("gateway", short_help="stand before an MCP server", context_settings={"allow_interspersed_args": False})
@click.option("--contract", type=click.Path(path_type=Path), help="the contract every call is decided under")
@click.option("--org", metavar="FILE", help="organisation file (default: $REMIT_ORG, then $REMIT_HOME)")
@click.option("--workspace", type=click.Path(path_type=Path), help="the folder the success checks look at (default: here)")
@click.option("--env", "names", multiple=True, metavar="NAME", help="a variable of ours that the server gets; no other one is")
@click.option("--http", "url", metavar="URL", help="a server at an address, instead of a command")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="sent to it; $NAMES are variables of ours")
@click.option("--listen", metavar="HOST:PORT", help="take MCP hosts over HTTP there, instead of stdin and stdout")
@click.option("--bearer", default="", metavar="NAME", help="the variable with the token that hosts must show")
@click.option("--pin", type=click.Path(path_type=Path), help="the file the tools' definitions are pinned in")
@click.option("--wait", default=0, metavar="SECONDS", type=click.FloatRange(0), help="how long a call waits for a person")
@click.option("--person-at-host", is_flag=True, help="the local identity sits at this host, and may be asked there")
@click.option("--carry-on", is_flag=True, help="leave a run open while people are awaited, and go on with it next time")
@click.option("--unattended", is_flag=True, help="nobody will answer: what could only be asked is refused")
@click.argument("server", nargs=-1, type=click.UNPROCESSED)
def command(**given: Any) -> None:
    """Stand between the MCP host on stdin and stdout and SERVER (a command, after --), or a server at --http URL.

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
        command=("remit", "mcp", "gateway", *(given["server"] or (given["url"],))), unattended=given["unattended"],
        person_here=given["person_at_host"], wait=given["wait"], carry_on=given["carry_on"],
    )  # fmt: skip


async def _gateway(given: dict[str, Any]) -> int:
    from remit.mcp.gateway.desk import opened
    from remit.mcp.gateway.shelf import Shelf

    if bool(given["server"]) == bool(given["url"]):
        raise BadInput("which server?", hint="remit mcp gateway --contract FILE -- COMMAND …, or --http URL")
    if given["listen"] and given["person_at_host"] and not given["bearer"]:
        what = "whoever reaches the port would answer as the person at the host"
        raise BadInput(what, hint="give --bearer NAME, and the token to that person's host alone")
    reach, name = _reach(given)
    async with opened(wanted(given)) as desk:
        shelf = Shelf(desk, given["pin"])
        if given["listen"]:
            from remit.mcp.gateway.listening import serve as listen

            at, token = _address(given["listen"]), _token(given["bearer"])
            await listen(shelf, reach, log, name=name, at=at, token=token, ready=lambda url: log(f"listening at {url}"))
        else:
            from remit.mcp.gateway.stdio import own_output, serve

            async with own_output() as out, reach() as pipe:
                await serve(shelf, pipe, log, name=name, out=out)
    if desk.outcome is not None:
        verdict = desk.outcome.verdict or "not finished"
        log(f"run {desk.outcome.run}: {verdict}" + (f"; {desk.outcome.why}" if desk.outcome.why else ""))
    return 0


def _reach(given: dict[str, Any]) -> "tuple[Callable[[], AbstractAsyncContextManager[Pipe]], str]":
    """How the server is reached, and what it is called until it says so itself. Raises BadInput."""
    if given["url"]:
        from remit.mcp.gateway.remote import address, headers, reached

        url, beside = address(given["url"]), headers(given["headers"], os.environ)
        return lambda: reached(url, beside, log), urlsplit(url).hostname or url
    from remit.mcp.gateway.process import environment, started

    variables = environment(os.environ, given["names"])
    return lambda: started(given["server"], variables, log), Path(given["server"][0]).name


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"`{text}` is no address to listen at", hint="--listen 127.0.0.1:8738")
    return host.strip("[]"), int(port)


def _token(name: str) -> str:
    if name and not os.environ.get(name):
        raise BadInput(f"${name} is not set here", hint="set it where the gateway is started")
    return os.environ.get(name, "") if name else ""


def log(line: str) -> None:
    """A line for people, on stderr."""
    talk(clean(f"remit: {line}"))

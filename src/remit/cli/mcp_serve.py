"""`remit mcp serve`: remit as an MCP server, for any MCP host."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from remit.cli.place import home
from remit.cli.say import clean, talk
from remit.errors import BadInput

if TYPE_CHECKING:
    from remit.contract.contract import Contract
    from remit.mcp.server.house import House


@click.command("serve", short_help="be an MCP server")
@click.option(
    "--workspace", "workspaces", multiple=True, required=True, type=click.Path(path_type=Path),
    help="a folder in which a host may have work done (again for more)",
)  # fmt: skip
@click.option("--contracts", multiple=True, type=click.Path(path_type=Path), help="a folder of contracts a host may use")
@click.option("--org", metavar="FILE", help="organisation file (default: $REMIT_ORG, then $REMIT_HOME)")
@click.option("--env", "variables", multiple=True, metavar="NAME", help="a variable that a contract sent as text may name")
@click.option(
    "--allow-program", "programs", multiple=True, metavar="WORDS",
    help="a program a host may have started as the runtime `command` or `acp`: its first words (again for more)",
)  # fmt: skip
@click.option(
    "--usd", default=25.0, show_default=True, type=click.FloatRange(min=0), help="for contracts sent as text, in 24 hours"
)
@click.option("--at-most", default=4, show_default=True, type=click.IntRange(1, 100), help="runs at work at once")
@click.option("--http", metavar="HOST:PORT", help="serve over HTTP on this machine instead of stdin and stdout")
@click.option("--token-file", type=click.Path(path_type=Path), help="with --http: the bearer token (else a new one, told once)")
def command(**given: Any) -> None:
    """Let an MCP host delegate, follow and stop runs. It can approve nothing and accept nothing."""
    if given["token_file"] is not None and not given["http"]:
        raise BadInput("--token-file belongs to --http")
    anyio.run(_serve, given)


def house(given: dict[str, Any]) -> "House":
    """The options as the server takes them. Raises BadInput."""
    from remit.app import identity
    from remit.cli.check import screen
    from remit.cli.checking import checked
    from remit.cli.load import soul_beside
    from remit.cli.outcome import outcome
    from remit.cli.present import organisation
    from remit.cli.run import Who, chosen
    from remit.mcp.server.house import House, kept_apart, programs_of, settled

    here = home()
    signer = identity(here)
    if signer is None:
        raise BadInput("nobody is known here for whom a host could ask", hint="`remit init` makes the local identity")

    def who(contract: "Contract", runtime: str | None, argv: tuple[str, ...], model: str, path: Path) -> Who:
        return chosen(contract, runtime, argv, model, soul_beside(path) or "")

    workspaces, contracts = settled(given["workspaces"], "workspace"), settled(given["contracts"], "contracts")
    kept_apart(workspaces, contracts)
    return House(
        home=here, person=signer.person, workspaces=workspaces, contracts=contracts, variables=frozenset(given["variables"]),
        programs=programs_of(given["programs"]), usd=round(given["usd"] * 1_000_000),
        most=given["at_most"], command=(sys.executable, "-m", "remit.cli.main"),
        look=lambda path, runtime: checked(path, given["org"], runtime), who=who,
        organisation=lambda known: organisation(known, here), outcome=outcome, screen=screen,
    )  # fmt: skip


async def _serve(given: dict[str, Any]) -> None:
    from remit.app import engine
    from remit.mcp.server.desk import Desk
    from remit.mcp.server.doors import on_pipes, over_http, place, token_of
    from remit.mcp.server.serving import server
    from remit.mcp.server.worker import Workers

    lent = house(given)
    where, (token, fresh) = place(given["http"]) if given["http"] else None, token_of(given["token_file"])
    workers = Workers(lent)
    async with engine(lent.home) as supervisor:
        serving = server(Desk(lent, supervisor, workers))
        try:
            if where is None:
                await on_pipes(serving)
            else:

                def ready(address: str) -> None:
                    talk(clean(f"serving at {address}" + (f" with the token {token}" if fresh else "")))

                await over_http(serving, *where, token, ready)
        finally:
            workers.left()

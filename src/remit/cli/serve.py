"""`remit serve`: the inbox in a browser, and the worker that acts on what is answered there."""

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from remit.cli.load import load_organisation, read_bytes
from remit.cli.place import home, organisation_file
from remit.cli.say import clean, document, talk
from remit.contract.party import Organisation

if TYPE_CHECKING:
    from remit.web.entrance import Wanted


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8737, show_default=True, help="0: any that is free")
@click.option("--host", default="127.0.0.1", show_default=True, help="anything but loopback needs a team sign-in")
@click.option("--url", default="", metavar="URL", help="the address people use, where a proxy stands in front")
@click.option("--no-worker", is_flag=True, help="only serve; another process carries runs on")
@click.option("--trust-header", default="", metavar="NAME", help="team sign-in: a proxy names the person in this header")
@click.option("--trusted-proxy", multiple=True, metavar="CIDR", help="from where that header is believed")
@click.option("--oidc", default="", metavar="ISSUER", help="team sign-in: an OpenID provider (extra `oidc`)")
@click.option("--client-id", default="", help="this inbox at that provider")
@click.option("--client-secret-file", type=click.Path(path_type=Path), help="a file with the client secret")
@click.option("--org", metavar="FILE", help="organisation file (default: $REMIT_ORG, then $REMIT_HOME)")
@click.option("--json", "as_json", is_flag=True, help="one document when it is ready")
def command(
    port: int, host: str, url: str, no_worker: bool, trust_header: str, trusted_proxy: tuple[str, ...], oidc: str, client_id: str,
    client_secret_file: Path | None, org: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Serve the inbox in a browser, and carry runs on as they are answered."""
    from remit.web.entrance import Wanted

    secret = read_bytes(client_secret_file).decode("utf-8", "replace").strip() if client_secret_file else ""
    wanted = Wanted(
        host=host, port=port, url=url, worker=not no_worker, header=trust_header, proxies=trusted_proxy, issuer=oidc,
        client=client_id, secret=secret,
    )  # fmt: skip
    anyio.run(_serve, wanted, Organisations(org), as_json)


async def _serve(wanted: "Wanted", organisation: "Organisations", as_json: bool) -> None:
    from remit.web.entrance import open_inbox

    def ready(link: str) -> None:
        if as_json:
            document({"schema": "remit.serve/1", "url": link, "worker": wanted.worker})
            return
        click.echo(link)
        talk("open this link; it signs you in once" if "?token=" in link else "people sign in there")

    await open_inbox(home(), wanted, organisation, ready=ready, log=lambda line: talk(clean(line)))
    talk("ended")


class Organisations:
    """The organisation file as it is now: read again when it has changed, so that who is taken out of it is out."""

    def __init__(self, given: str | None) -> None:
        self._given = given
        self._read: tuple[object, Organisation | None] = (None, None)

    def __call__(self) -> Organisation | None:
        path = organisation_file(self._given)
        if path is None:
            return None
        state = path.stat()
        mark = (path, state.st_mtime_ns, state.st_size, state.st_ino)
        if self._read[0] != mark:
            self._read = mark, load_organisation(str(path))
        return self._read[1]

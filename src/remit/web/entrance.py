"""From what was asked on the command line to a bound server: where, how it is reached, and who comes in."""

from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from remit.app import engine
from remit.contract.party import Organisation
from remit.errors import BadInput
from remit.web.door import Door, HeaderDoor, LinkDoor, Sessions
from remit.web.guard import Address, address
from remit.web.server import Serving, bind, serve

Say = Callable[[str], None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What `remit serve` was asked for. `url` is the name people use, `issuer` an OpenID provider."""

    host: str = "127.0.0.1"
    port: int = 8737
    url: str = ""
    worker: bool = True
    header: str = ""
    proxies: tuple[str, ...] = ()
    issuer: str = ""
    client: str = ""
    secret: str = ""

    @property
    def team(self) -> bool:
        """Whether people sign in, each as themselves."""
        return bool(self.header or self.issuer)


async def open_inbox(
    home: Path, wanted: Wanted, organisation: Callable[[], Organisation | None], *, ready: Say, log: Say
) -> None:  # fmt: skip
    """Serve until a signal comes; `ready` gets the address to open. Raises BadInput for what would let anybody in."""
    checked(wanted, organisation())
    sock = bind(wanted.host, wanted.port)
    try:
        port = sock.getsockname()[1]
        reached = address(wanted.host, port, wanted.url)
        async with engine(home) as supervisor:
            if supervisor.hands.signer is None:
                raise BadInput("nobody is known here who could sign", hint="`remit init` makes your identity")
            door = door_of(wanted, reached, port, supervisor.hands.signer.person, organisation)
            link = wanted.url.rstrip("/") or reached.origin(_named(wanted.host, port))
            link += f"/?token={door.token}" if isinstance(door, LinkDoor) else "/"
            serving = Serving(sock=sock, address=reached, door=door, organisation=organisation, log=log, worker=wanted.worker)
            await serve(supervisor, serving, ready=lambda: ready(link))
    finally:
        sock.close()


def checked(wanted: Wanted, organisation: Organisation | None) -> None:
    """Raises BadInput where somebody could come in who should not, or nobody could."""
    if wanted.header and wanted.issuer:
        raise BadInput("--trust-header and --oidc exclude one another")
    if wanted.proxies and not wanted.header:
        raise BadInput("--trusted-proxy says from where to believe --trust-header, which is not given")
    if wanted.header and not wanted.proxies:
        raise BadInput("a header that anybody may send proves nothing", hint="--trusted-proxy 127.0.0.1/32 says who may")
    if not wanted.team and not loopback(wanted.host):
        raise BadInput(
            f"`{wanted.host}` can be reached from other machines, and nobody would have to sign in",
            hint="give --trust-header or --oidc, or stay on 127.0.0.1",
        )
    parts = urlsplit(wanted.url)
    if wanted.url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query):
        raise BadInput(f"`{wanted.url}` is no address of an inbox", hint="write it as https://inbox.example.com")
    if wanted.team and not (organisation and organisation.people):
        raise BadInput("a team sign-in needs an organisation file that names the people", hint="`remit init` writes one")
    if wanted.issuer and not (wanted.client and wanted.url):
        raise BadInput("--oidc needs --client-id and --url", hint="the provider sends people back to URL/sign-in/done")


def door_of(wanted: Wanted, reached: Address, port: int, person: str, organisation: Callable[[], Organisation | None]) -> Door:
    """The way in."""

    def known() -> frozenset[str]:
        found = organisation()
        return frozenset(each.id for each in found.people) if found else frozenset()

    if wanted.header:
        try:
            networks = tuple(ip_network(each) for each in wanted.proxies)
        except ValueError as error:
            raise BadInput(f"--trusted-proxy: {error}", hint="such as 127.0.0.1/32") from error
        return HeaderDoor(wanted.header, networks, known)
    sessions = Sessions(f"remit-{port}", reached, moment)
    if wanted.issuer:
        from remit.web.oidc import OpenDoor

        return OpenDoor(wanted.issuer, wanted.client, wanted.secret, wanted.url.rstrip("/"), sessions, known, moment)
    return LinkDoor(person, sessions, moment)


def moment() -> datetime:
    """Now, for sessions only: what is recorded has the ledger's clock."""
    return datetime.now(UTC)


def loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _named(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""`remit init`: the local identity, and an organisation of one."""

import getpass
import re
import socket
import subprocess

import click

from remit.cli.new import write_new
from remit.cli.place import home
from remit.cli.say import document, talk
from remit.contract.print import quoted
from remit.errors import BadInput

_ORGANISATION = """\
# Who is who, and the ceiling over every contract run from here. `remit check --org FILE` uses another one.
name: local
people:
  - id: {person}
    roles: [owner]
    keys: [{key}]
    # contact: mail:ADDRESS, https://… (a webhook) or apprise:URL; where pages are sent
    # answers to: somebody-else@example.com
    # substitutes: [deputy@example.com]
    # signs tier: high-risk        a yes to no tool above this
    # may sign:                    a yes to nothing beyond this
    #   - publish: any

# Whoever wants an act does not approve it.
# four eyes: true

# Where pages come from, and where they lead. `$NAME` is a variable of the environment in which remit runs.
# mail: {{server: smtp.example.com:587, from: remit@example.com, user: remit, password: $MAIL_PASSWORD}}
# inbox: https://inbox.example.com

# Lists that conditions refer to as `{{known: NAME}}`.
# known:
#   recipients: [customer@example.com]

# A ceiling: where a verb has a `may` here, no contract goes beyond it; `never` and `ask` always hold.
# never:
#   - push: any
# limits: {{usd: 20.00, time: 4h}}

# Tools that can be called, with their tier: read-only, bounded, high-risk or human-approved.
# tools:
#   refund:
#     tier: high-risk
#     arguments: {{amount: {{type: number, required: true}}, order_id: {{type: text, required: true}}}}
#     does:                        what it really does; only this file says so
#       http: {{url: "https://pay.example.com/refunds", headers: {{Authorization: Bearer $PAY_TOKEN}}, honours key: 24h}}
#   send_email: {{effect: send, does: mail}}

# What an answer needs before anything irreversible happens: terminal, session or person-signed.
assurance: terminal
"""


@click.command("init", short_help="make the local identity and an organisation file")
@click.option("--person", metavar="ID", help="who you are, such as you@example.com; git's user.email unless given")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def command(person: str | None, as_json: bool) -> None:
    """Make the key you answer with, and an organisation file that names you. Never overwrites."""
    from remit.adapters.signers.local import create, load

    place = home()
    organisation = place / "org.remit.yaml"
    signer = load(place)
    made = []
    if signer is None:
        signer = create(place, person or usual_person())
        made.append(str(place / "identity"))
    elif person and person != signer.person:
        raise BadInput(f"the identity in `{place}` is `{signer.person}`, not `{person}`", hint="use another `$REMIT_HOME`")
    if not organisation.exists():
        write_new(organisation, organisation_text(signer.person, signer.public))
        made.append(str(organisation))
    if as_json:
        document({"schema": "remit.init/1", "person": signer.person, "key": signer.public, "home": str(place), "made": made})
        return
    click.echo(f"you are {signer.person}")
    for path in made:
        click.echo(f"made {path}")
    talk("next: `remit new`" if made else "nothing to do: both were there already")


def organisation_text(person: str, key: str) -> str:
    """The commented organisation file of one person."""
    return _ORGANISATION.format(person=quoted(person), key=quoted(key))


def usual_person() -> str:
    """git's `user.email`, else USER@HOST; read from the user's own settings, never from a workspace's."""
    try:
        asked = subprocess.run(
            ["git", "config", "--global", "user.email"], capture_output=True, text=True, timeout=5, cwd="/", check=False
        )
        email = asked.stdout.strip()
    except (OSError, ValueError, subprocess.SubprocessError):
        email = ""
    if email:
        return email
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "owner"
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", f"{user}@{socket.gethostname()}")

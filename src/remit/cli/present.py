"""The organisation as it is now, with the local identity in it."""

from pathlib import Path

from msgspec.structs import replace

from remit.app import identity
from remit.cli.load import load_organisation
from remit.contract.party import Organisation, Person


def present(here: Path) -> Organisation | None:
    """The organisation file as it stands now, for answers: who was taken out of it counts no more. None without a file."""
    known = load_organisation(None)
    return organisation(known, here) if known is not None else None


def organisation(known: Organisation | None, here: Path) -> Organisation:
    """The organisation of this run, with the local identity among its people: an owner is one or the other."""
    signer = identity(here)
    mine = Person(id=signer.person, keys=(signer.public,)) if signer else None
    known = known or Organisation()
    if mine is None or any(person.id == mine.id and person.keys for person in known.people):
        return known
    return replace(known, people=(*(person for person in known.people if person.id != mine.id), _keyed(known, mine)))


def _keyed(known: Organisation, mine: Person) -> Person:
    """A person whom the file names without a key has the local one."""
    named = next((person for person in known.people if person.id == mine.id), None)
    return replace(named, keys=mine.keys) if named is not None else mine

"""What a guard is opened with: the contract as `remit check` sees it, the organisation, the home, and who sits here."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from remit.authority.examples import examples_failing
from remit.contract.case import Setting
from remit.contract.contract import Contract, Finding
from remit.contract.parse import Parsed, parse, parse_bytes, parse_organisation_bytes
from remit.contract.party import Organisation, Person
from remit.contract.print import print_contract
from remit.contract.review import Review, review
from remit.contract.review_party import tool_trouble
from remit.contract.rule import VERBS
from remit.contract.text import MOST_BYTES
from remit.errors import BadInput
from remit.guard.declaring import Declared
from remit.guard.joining import joined
from remit.ports import Signer
from remit.value import digest

METERS = frozenset({"turns", "calls", "time", "sums", "counts"})
"""what is counted of a loop that remit did not start: what it asks for, and the clock"""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a run is started under, all of it checked."""

    contract: Contract
    organisation: Organisation
    review: Review
    context: tuple[tuple[str, str], ...]


def home_of(given: str | Path | None) -> Path:
    """Where records are kept: as given, `$REMIT_HOME`, else the user's state directory."""
    named = given or os.environ.get("REMIT_HOME")
    if named:
        return _expanded(named).absolute()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else _expanded("~/.local/state")) / "remit"


def terms(
    contract: str | Path | Contract, org: str | Path | Organisation | None, home: Path, tools: Mapping[str, Declared],
    signer: Signer | None,
) -> Terms:  # fmt: skip
    """Read and review. Raises BadInput with everything that was found when the contract is not fit to run."""
    parsed, named = _contract(contract)
    file = _organisation(org, home)
    known = file or Organisation()
    python = [declared.tool for declared in tools.values()]
    both = joined(known, parsed.draft.tools, python)
    _usable(both, tools)
    looked = _reviewed(parsed, both if file is not None else None, signer)
    if not looked.ok or parsed.contract is None:
        found = [each for each in looked.findings if each.severity == "error"]
        raise BadInput("\n".join(["this contract cannot run", *(_line(each) for each in found)]), hint=f"remit check {named}")
    context = [(named, digest(parsed.text))]
    if file is not None:
        context.append((file.name, digest(file)))
    return Terms(contract=parsed.contract, organisation=with_person(both, signer), review=looked, context=tuple(context))


def with_person(known: Organisation, signer: Signer | None) -> Organisation:
    """The organisation with the local identity among its people; whom the file names without a key has the local one."""
    if signer is None:
        return known
    person = next((each for each in known.people if each.id == signer.person), Person(id=signer.person))
    if person.keys:
        return known
    others = (each for each in known.people if each.id != signer.person)
    return replace(known, people=(*others, replace(person, keys=(signer.public,))))


# ---------------------------------------------------------------------------------------------------------------------


def _contract(given: str | Path | Contract) -> tuple[Parsed, str]:
    if isinstance(given, Contract):
        parsed = parse(print_contract(given), file="contract")
        # What cannot be written in a file is kept as it was handed over; the text is for the findings.
        return (replace(parsed, contract=given) if parsed.contract is not None else parsed), "the contract"
    path = _expanded(given)
    soul = path.with_name("SOUL.md")
    beside = _bytes(soul).decode("utf-8", "replace") if path.suffix == ".md" and path != soul and soul.is_file() else None
    return parse_bytes(_bytes(path), file=str(path), soul=beside), str(path)


def _organisation(given: str | Path | Organisation | None, home: Path) -> Organisation | None:
    if isinstance(given, Organisation):
        return given
    named = given or os.environ.get("REMIT_ORG")
    path = _expanded(named) if named else home / "org.remit.yaml"
    if not named and not path.is_file():
        return None
    parsed = parse_organisation_bytes(_bytes(path), file=str(path))
    if parsed.organisation is None:
        raise BadInput("\n".join(map(_line, parsed.findings)), hint=f"mend `{path}`")
    return parsed.organisation


def _reviewed(parsed: Parsed, known: Organisation | None, signer: Signer | None) -> Review:
    def examples(contract: Contract) -> tuple[Finding, ...]:
        return examples_failing(contract, known)

    fenced = {rule.verb for rule in parsed.draft.rules if rule.effect != "may" and rule.verb != "call"}
    setting = Setting(enforces=frozenset(VERBS) - fenced, meters=METERS)
    identity = signer.person if signer else None
    return review(parsed, organisation=known, identity=identity, setting=setting, examples=examples)


def _usable(known: Organisation, tools: Iterable[str]) -> None:
    for tool in known.tools:
        if tool.name in tools:
            for _, message, hint in tool_trouble(tool):
                raise BadInput(message, hint=hint)


def _line(finding: Finding) -> str:
    place = ": ".join(str(part) for part in (finding.mark, finding.where) if part)
    what = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    return f"{place}: {what}" if place else what


def _expanded(named: str | Path) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise BadInput(f"nobody knows the home folder in `{named}`", hint="give a whole path") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"`{path}` cannot be read: {(error.strerror or 'it failed').lower()}") from None

"""Reading contract and organisation files for every verb: the whole list of what is wrong, or a value."""

from pathlib import Path

from remit.cli.place import organisation_file
from remit.cli.say import clean
from remit.contract.contract import Finding
from remit.contract.parse import Parsed, parse_bytes, parse_organisation_bytes
from remit.contract.party import Organisation
from remit.contract.text import MOST_BYTES
from remit.errors import BadInput


def read_contract(path: Path) -> Parsed:
    """The file as parsed, whole or not; the SOUL.md beside a Markdown task is read with it. Raises BadInput when unreadable."""
    return parse_bytes(read_bytes(path), file=str(path), soul=soul_beside(path))


def soul_beside(path: Path) -> str | None:
    """The text of the SOUL.md beside a Markdown task; None where there is none."""
    soul = path.with_name("SOUL.md")
    if path.suffix != ".md" or path.name == "SOUL.md" or not soul.is_file():
        return None
    return read_bytes(soul).decode("utf-8", "replace")


def load_contract(path: Path) -> Parsed:
    """A whole contract without a mistake in its text: `contract` is there. Raises BadInput with every finding."""
    parsed = read_contract(path)
    if parsed.contract is None:
        said = rendered(parsed.findings)
        raise BadInput(said or f"`{path}` is not a whole contract", hint=f"`remit check {path}` says what is missing")
    return parsed


def load_organisation(given: str | None) -> Organisation | None:
    """The organisation file of `--org`, `$REMIT_ORG` or `$REMIT_HOME`; None without. Raises BadInput."""
    path = organisation_file(given)
    if path is None:
        return None
    parsed = parse_organisation_bytes(read_bytes(path), file=str(path))
    if parsed.organisation is None:
        raise BadInput(rendered(parsed.findings), hint=f"mend `{path}`")
    return parsed.organisation


def read_bytes(path: Path) -> bytes:
    """At most a little more than a contract may be, so that no device or huge file is read whole. Raises BadInput."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(
            f"`{path}` cannot be read: {(error.strerror or 'it failed').lower()}", hint="give the path of a contract file"
        ) from None


def rendered(findings: tuple[Finding, ...]) -> str:
    """Findings as lines for a person: place, what, what to do, and the source with a caret."""
    return "\n".join(line for finding in findings for line in finding_lines(finding))


def finding_lines(finding: Finding) -> list[str]:
    """One finding: `file:line:col: where: what; hint`, then the excerpt."""
    place = ": ".join(str(part) for part in (finding.mark, finding.where) if part)
    what = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    head = f"{place}: {what}" if place else what
    return [clean(head), *(f"    {clean(line)}" for line in finding.excerpt.splitlines())]

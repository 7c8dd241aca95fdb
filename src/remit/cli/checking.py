"""A contract file read and reviewed, with the organisation it stands under: what `check` shows and `run` insists on."""

from dataclasses import dataclass
from pathlib import Path

from remit.adapters.signers.local import load
from remit.authority.examples import examples_failing
from remit.cli.check import screen
from remit.cli.load import load_organisation, read_contract
from remit.cli.place import home
from remit.cli.say import document, talk
from remit.contract.address import address
from remit.contract.case import METERED, OF_MODELS, Setting
from remit.contract.contract import Contract, Finding
from remit.contract.models import METERED_RUNTIMES, runtime_of
from remit.contract.parse import Parsed
from remit.contract.party import Organisation
from remit.contract.review import Review, review
from remit.value import digest


def setting(runtime: str, *, models: bool) -> Setting:
    """What this runtime can hold a contract to. A command meets the meter where the contract speaks of models."""
    metered = runtime in METERED_RUNTIMES or models
    return Setting(runtime=runtime, meters=METERED if metered else METERED - OF_MODELS)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The text as parsed, its review, the organisation file if there is one, and what was loaded, with its hash."""

    parsed: Parsed
    review: Review
    organisation: Organisation | None
    context: tuple[tuple[str, str], ...]

    @property
    def contract(self) -> Contract:
        """The whole contract; only where the review found it fit."""
        assert self.parsed.contract is not None
        return self.parsed.contract


def checked(path: Path, org: str | None, runtime: str = "") -> Checked:
    """Read and review, for this runtime or the contract's own. Raises BadInput when a file cannot be read."""
    organisation = load_organisation(org)
    parsed = read_contract(path)
    who = runtime or runtime_of(parsed.draft.runtime)[0]
    signer = load(home())

    def examples(contract: Contract) -> tuple[Finding, ...]:
        return examples_failing(contract, organisation)

    looked = review(
        parsed,
        organisation=organisation,
        identity=signer.person if signer else None,
        setting=setting(who, models=bool(parsed.draft.model or parsed.draft.models)),
        examples=examples,
    )
    context = [(str(path), digest(parsed.text))]
    if organisation is not None:
        context.append((organisation.name, address(organisation)))
    return Checked(parsed=parsed, review=looked, organisation=organisation, context=tuple(context))


def refuse_incomplete(looked: Checked, *, as_json: bool) -> int:
    """Say why a contract that fails its review cannot run; exit code 2."""
    if as_json:
        document(
            {
                "schema": "remit.run/1", "run": None, "verdict": None, "acceptance": "pending", "published": False, "changes": [],
                "exceptions": [], "refusals": 0, "spend": {},
                "why": "the contract is not fit to run",
                "findings": [f"{finding.code} {finding.where}: {finding.message}" for finding in looked.review.findings],
            }
        )  # fmt: skip
        return 2
    talk(screen(looked.review))
    talk("\nthis contract cannot run, so nothing was started")
    return 2

"""What a host can ask for about chains: one value for each tool."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from remit.contract.models import RUNTIMES
from remit.value import Value

MOST_NAMES = 200
Name = Annotated[str, Meta(max_length=200)]
Names = Annotated[tuple[Name, ...], Meta(max_length=MOST_NAMES)]
Workspace = Annotated[str, Meta(description="whole path of the folder to work on")]
ChainName = Annotated[str, Meta(max_length=200, description="of a blueprint or a chain file, as `chain_list` names it")]
RunId = Annotated[str, Meta(description="the id that `chain_run` returned")]


class ChainList(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chains that can be carried out: blueprints and chain files, with how many skills, questions and deliverables they have
    and what is the matter with them.
    """

    workspace: Workspace


class ChainShow(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps, questions and deliverables of one chain, as its file has them."""

    workspace: Workspace
    name: ChainName


class Wished(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chain is wished for."""

    workspace: Workspace
    name: ChainName = ""
    goal: Annotated[
        str, Meta(max_length=2000, description="the outcome in a sentence; without a name or skills it decides which chain fits")
    ] = ""
    skills: Annotated[Names, Meta(description="skills of a chain of your own, or beside those of the named one")] = ()
    pattern: Annotated[Name, Meta(description="which chain of the blueprint, where it has several")] = ""
    maturity: Annotated[Name, Meta(description="starter, intermediate or advanced")] = ""
    answers: Annotated[
        Mapping[Name, Name], Meta(max_length=MOST_NAMES, description="letters by question of the blueprint, such as Q3: A")
    ] = {}
    flags: Annotated[Mapping[Name, bool], Meta(max_length=MOST_NAMES, description="conditions of the blueprint")] = {}
    take: Annotated[tuple[Name, ...], Meta(description="the optional steps to take; else those that owe something")] | None = None
    leave: Annotated[Names, Meta(description="steps to leave out")] = ()
    instead: Annotated[Mapping[Name, Name], Meta(max_length=MOST_NAMES, description="another skill for a name")] = {}
    runtime: Annotated[str, Meta(description=f"who does each step: {', '.join(RUNTIMES)}")] = ""
    command: Annotated[tuple[str, ...], Meta(description="for the runtime `command`: the words to start for each step")] = ()
    model: Annotated[Name, Meta(description="the model, as the runtime names it")] = ""
    mode: Annotated[
        Literal["", "delegated", "standard"],
        Meta(description="a fresh sub-agent per skill, or one conversation; else what is recommended"),
    ] = ""
    usd: Annotated[float, Meta(gt=0, le=10_000, description="dollars that a step may cost where a model works")] | None = None
    contract_file: Annotated[str, Meta(description="a contract file that a person keeps, for the whole chain")] = ""


class ChainPlan(Wished, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan that `chain_run` would carry out with the same words: its steps, waves, what must not run at once, which mode is
    recommended and why, its contract, and what of it only a person may give. Nothing is started.
    """


class ChainRun(Wished, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Carry out a chain in the background: each skill by a fresh sub-agent, and a validation at the end. Returns the run's id.

    Trouble with a step, and gaps that validation finds, are put before the owner: you cannot confirm, answer, skip or accept.
    """


class ChainStatus(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a chain stands: each step with its state, tries, claims that were not there and spend; what validation found; what
    waits for a person.
    """

    run: RunId


class ChainResume(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have a chain that you began, and that nobody is at, carried on where it stopped. It answers nothing and repeats nothing."""

    run: RunId


class ChainValidate(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Judge what a folder holds against what a chain must leave behind, by a run with no right to write: of a chain that ran, by
    its `run`; else of the chain `name` in `workspace`.
    """

    run: Annotated[str, Meta(description="a run of `chain_run`")] = ""
    workspace: Workspace = ""
    name: ChainName = ""
    maturity: Annotated[Name, Meta(description="starter, intermediate or advanced")] = ""
    answers: Annotated[Mapping[Name, Name], Meta(max_length=MOST_NAMES)] = {}
    flags: Annotated[Mapping[Name, bool], Meta(max_length=MOST_NAMES)] = {}
    leave: Names = ()


CHAIN_WANTS: dict[str, type[Value]] = {
    "chain_list": ChainList, "chain_show": ChainShow, "chain_plan": ChainPlan, "chain_run": ChainRun,
    "chain_status": ChainStatus, "chain_resume": ChainResume, "chain_validate": ChainValidate,
}  # fmt: skip
CHAIN_READS = frozenset({"chain_list", "chain_show", "chain_plan", "chain_status"})

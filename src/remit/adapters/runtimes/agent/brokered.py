"""Tools that remit carries out itself after deciding: registered tools, the owner's word, a heavier runtime, the network."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from remit.adapters.runtimes.agent.tool import Bench, CannotUse, Plan, Then, Tool, field
from remit.contract.models import RUNTIMES
from remit.contract.party import Tool as Declared
from remit.contract.takes import takes
from remit.plan.skill_call import ARGUMENT, SKILL, inviting
from remit.plan.step import Pinned
from remit.ports.runtime import Native
from remit.value import Value

SCHEMA = "remit.act/1"


class Fetch(Value, frozen=True, kw_only=True):
    url: Annotated[str, field("http or https URL")]


class AskOwner(Value, frozen=True, kw_only=True):
    question: Annotated[str, field("what you need to know, in one or two sentences")]


class Delegate(Value, frozen=True, kw_only=True):
    runtime: Annotated[str, field(f"one of {', '.join(RUNTIMES)}")]
    why: Annotated[str, field("what makes this more than you can do: many files, a terminal, a browser, deep iteration")]
    contract: Annotated[str, field("text of a contract file: no wider than yours, and its limits come out of what you have left")]
    model: Annotated[str, field("the model it is to use; empty for its own choice")] = ""
    command: Annotated[tuple[str, ...], field("for the runtime `command`: the words to start")] = ()


class Skill(Value, frozen=True, kw_only=True):
    skill: Annotated[str, field("name of the skill, such as plugin:skill")]


class Done(Value, frozen=True, kw_only=True):
    message: Annotated[str, field("what was done, in a sentence")] = ""


# ---------------------------------------------------------------------------------------------------------------------


async def _fetch(at: Bench, call: str, given: Fetch) -> Plan:
    async def then(_: Mapping[str, Any]) -> str:
        answer = await at.hands.ask("fetch", url=given.url)
        return f"[status {answer.get('status')}]\n{answer.get('text') or ''}"

    return _plan(call, "fetch", "fetch", given.url, {}, then)


async def _ask(_: Bench, call: str, given: AskOwner) -> Plan:
    if not given.question.strip():
        raise CannotUse("ask_owner: the question is empty")
    return _plan(call, "ask_owner", "ask", given.question, {})


async def _delegate(_: Bench, call: str, given: Delegate) -> Plan:
    arguments: dict[str, Any] = {"why": given.why, "contract": given.contract}
    if given.model:
        arguments["model"] = given.model
    if given.command:
        arguments["command"] = list(given.command)
    return _plan(call, "delegate", "delegate", given.runtime, arguments)


async def _done(_: Bench, call: str, given: Done) -> Plan:
    return _plan(call, "done", "done", given.message, {})


def skilled(skills: Sequence[Pinned]) -> Tool:
    """The tool by which a skill is invoked; its text is the answer."""

    async def plan(_: Bench, call: str, given: Skill) -> Plan:
        async def then(answer: Mapping[str, Any]) -> str:
            return str(answer.get("output") or "")

        return _plan(call, SKILL, "call", SKILL, {ARGUMENT: given.skill}, then)

    return Tool(name=SKILL, says=inviting(skills), takes=Skill, tier="read-only", plan=plan, verbs=("call",), calls=SKILL)


def registered(declared: Declared, shown: str) -> Tool:
    """A tool of the organisation or the contract, as the model has it: `shown` is its name there, the call goes by its own."""

    async def plan(_: Bench, call: str, given: Mapping[str, Any]) -> Plan:
        return _plan(call, shown, "call", declared.name, exact(given))

    says = f"The registered tool `{declared.name}` ({declared.tier}, {declared.effect})."
    return Tool(
        name=shown, says=says, takes=takes(declared), tier=declared.tier, plan=plan, changes=True, verbs=("call",),
        calls=declared.name,
    )  # fmt: skip


def exact(value: Any) -> Any:
    """JSON values without floats: a number with a point becomes the decimal that was written."""
    match value:
        case float():
            return Decimal(repr(value))
        case Mapping():
            return {str(name): exact(each) for name, each in value.items()}
        case list() | tuple():
            return [exact(each) for each in value]
        case _:
            return value


def _plan(call: str, tool: str, verb: str, named: str, arguments: Mapping[str, Any], then: Then | None = None) -> Plan:
    """What remit is asked for. The call is shown to the gate too, with nothing in it to decide: it has been asked about."""
    message = {"schema": SCHEMA, "verb": verb, "object": named, "arguments": arguments, "wait": 0}
    shown = Native(id=call, tool=tool, actions=(), text=named[:2000])
    return Plan(native=shown, act=message, then=then)


BROKERED = (
    Tool(
        name="fetch", says="Get what stands at a URL.", takes=Fetch, tier="bounded", plan=_fetch, changes=True, verbs=("fetch",)
    ),
    Tool(
        name="ask_owner", says="Ask the owner something you do not know and cannot find out. It grants nothing.",
        takes=AskOwner, tier="bounded", plan=_ask, changes=True,
    ),
    Tool(
        name="delegate", says="Hand work that is too heavy for you to a heavier runtime, under a narrower contract.",
        takes=Delegate, tier="high-risk", plan=_delegate, changes=True, verbs=("delegate",),
    ),
    Tool(
        name="done", says="Say that the work is done. The checks decide whether it is.", takes=Done, tier="read-only",
        plan=_done, changes=True,
    ),
)  # fmt: skip

"""The model of the light agent: any name the library knows, with every request to it reserved and settled on the account."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters, infer_model
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from remit.adapters.models.asked import Unfit, a_model
from remit.adapters.models.scrub import scrubbed
from remit.adapters.models.tokens import FRAME, upper
from remit.errors import BadInput, Broken, Unavailable
from remit.ports.models import Account, Hold, ModelCall, NoCall, ToolUse, Usage

USUAL_OUTPUT = 8192
"""tokens an answer may have where the contract does not say"""
PART = 64
"""tokens around each part of a message"""
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
PAUSES = (1.0, 4.0, 15.0)
"""seconds before each further try; each is a call of its own on the account (BUD-05)"""
LONGEST_PAUSE = 60.0

NO_KEY = re.compile(r"`([A-Z][A-Z0-9_]*)` environment variable")
"""how the library names the variable that it misses, before it speaks of itself"""
PROVIDERS = {"google-gla": "google", "google-vertex": "google", "google-cloud": "google"}

Sleep = Callable[[float], Any]


class NotMade(Exception):
    """The account did not let a call be made; the words are for the record and end the work."""

    def __init__(self, no: NoCall) -> None:
        super().__init__(no.why)
        self.no = no


def resolved(model: str | Model) -> Model:
    """The model of a name such as `anthropic:NAME`. Raises BadInput or Unavailable with what to do."""
    if not model:
        raise BadInput("the light agent needs a model", hint="write `model: PROVIDER:NAME` in the contract, or give --model")
    try:
        found = infer_model(model)
    except (UserError, ValueError) as error:
        if key := NO_KEY.search(str(error)):
            what = f"the model `{model}` needs {key[1]}, which is not set where remit is started"
            raise BadInput(what, hint=f"set {key[1]}; it stays outside of the box") from None
        hint = "name it as PROVIDER:NAME, with the provider's key in the environment"
        raise BadInput(f"the model `{model}` cannot be used: {scrubbed(str(error))}", hint=hint) from None
    except ImportError as error:
        hint = "pip install 'remit[agent]', which brings openai and anthropic"
        raise Unavailable(f"the model `{model}` needs more than is installed: {error}", hint=hint) from None
    try:
        a_model(found.model_name)
    except Unfit as error:
        raise BadInput(error.why) from None
    client: Any = getattr(found.provider, "client", None)
    if isinstance(getattr(client, "max_retries", None), int):
        client.max_retries = 0  # further tries would not be seen by the account
    return found


class Metered(WrapperModel):
    """A model whose every request is set aside before it is sent, and settled after, whatever becomes of it."""

    def __init__(
        self, wrapped: Model, account: Account, *, most_output: int | None, said: Callable[[], int],
        sleep: Sleep = anyio.sleep,
    ) -> None:  # fmt: skip
        super().__init__(wrapped)
        self._account = account
        self._most = most_output or USUAL_OUTPUT
        self._said = said
        self._sleep = sleep
        self._named: tuple[str, ...] = ()
        self._tools = 0

    async def request(
        self, messages: list[ModelMessage], model_settings: ModelSettings | None, model_request_parameters: ModelRequestParameters
    ) -> ModelResponse:  # fmt: skip
        """One answer of the model, with further tries while the provider asks for them. Raises NotMade."""
        hosted = tuple(tool.kind for tool in model_request_parameters.native_tools)
        if hosted:  # they would act at the vendor, where no rule reaches
            model_request_parameters = replace(model_request_parameters, native_tools=[])
        call = ModelCall(
            model=self.wrapped.model_name, provider=provider(self.wrapped), hosted=hosted, output=self._most,
            input=self._estimate(model_request_parameters),
        )  # fmt: skip
        for number, pause in enumerate((*PAUSES, None), 1):
            try:
                return await self._once(call, messages, model_settings, model_request_parameters, number)
            except ModelHTTPError as error:
                if error.status_code not in AGAIN or pause is None:
                    raise
                told = getattr(error, "retry_after", None)
                await self._sleep(min(told if told is not None else pause, LONGEST_PAUSE))
        raise Broken("the tries of a model call ended without an end")

    async def _once(
        self, call: ModelCall, messages: list[ModelMessage], settings: ModelSettings | None,
        parameters: ModelRequestParameters, number: int,
    ) -> ModelResponse:  # fmt: skip
        hold = await self._account.reserve(call)
        if isinstance(hold, NoCall):
            raise NotMade(hold)
        own: ModelSettings = {**(settings or {}), "max_tokens": min(hold.output, self._most)}
        try:
            response = await self.wrapped.request(messages, own, parameters)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._undone(hold, error, number)
            raise
        with anyio.CancelScope(shield=True):
            await self._account.settle(hold, usage(response), tool_uses(response))
        return response

    async def _undone(self, hold: Hold, error: BaseException, number: int) -> None:
        if nothing_done(error):
            why = " ".join(scrubbed(str(error)).split())[:200] or type(error).__name__
            await self._account.release(hold, f"try {number} of {len(PAUSES) + 1}: {why}")
        else:
            await self._account.settle(hold, None)

    def _estimate(self, parameters: ModelRequestParameters) -> int:
        """Tokens that the request has at most: what was said, the instructions, the tools."""
        told = [part.content for part in parameters.instruction_parts or ()]
        named = tuple(tool.name for tool in parameters.function_tools)
        if named != self._named:
            texts = [f"{tool.name} {tool.description} {tool.parameters_json_schema}" for tool in parameters.function_tools]
            self._named, self._tools = named, sum(upper(text.encode()) for text in texts)
        return FRAME + self._said() + self._tools + sum(upper(text.encode()) for text in told)

    def request_stream(self, *_: Any, **__: Any) -> Any:
        """Not metered, so not made."""
        raise UserError("the light agent does not stream")


def provider(model: Model) -> str:
    """Who serves it, by the price list's name; empty for a model object of somebody's own."""
    return PROVIDERS.get(model.system, model.system) if model.provider is not None else ""


def tokens(message: ModelMessage) -> int:
    """The most tokens a message is."""
    return sum(PART + upper(_text(part).encode("utf-8", "surrogateescape")) for part in message.parts)


def _text(part: Any) -> str:
    if isinstance(part, ToolCallPart):
        return f"{part.tool_name} {part.args_as_json_str()}"
    content = getattr(part, "content", "")
    return content if isinstance(content, str) else str(content)


def nothing_done(error: BaseException) -> bool:
    """Whether the provider surely did nothing for it: it refused, or was never reached."""
    if isinstance(error, ModelHTTPError):
        return 300 <= error.status_code < 500 or error.status_code in (503, 529)
    if isinstance(error, UserError):
        return True
    return isinstance(error, ModelAPIError) and getattr(error, "phase", None) in ("pool", "connect")


def usage(response: ModelResponse) -> Usage | None:
    """What the provider counted; None where it counted nothing."""
    counted = response.usage
    if not counted.input_tokens and not counted.output_tokens:
        return None
    return Usage(
        input=counted.input_tokens, output=counted.output_tokens, cache_read=counted.cache_read_tokens,
        cache_write=counted.cache_write_tokens,
    )  # fmt: skip


def tool_uses(response: ModelResponse) -> tuple[ToolUse, ...]:
    """The tool calls the model wrote."""
    return tuple(
        ToolUse(id=part.tool_call_id, name=part.tool_name, arguments=part.args_as_json_str()) for part in response.tool_calls
    )

"""The vendors' own clients understand what the door says: answers, last messages, and refusals."""

import anthropic
import openai
import pytest
from model_box import listening
from model_vendor import Vendor

from remit.testing.accounts import MemoryAccount

HELLO = "Hello “you”"
STOP = "[remit] The limit of 1 model calls is reached. Stop here and leave what there is."


def ask_anthropic(base: str, *, stream: bool) -> tuple[str, int]:
    with anthropic.Anthropic(base_url=base, api_key="run-token") as client:
        messages: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello"}]
        if not stream:
            message = client.messages.create(model="m", max_tokens=50, messages=messages)
        else:
            with client.messages.stream(model="m", max_tokens=50, messages=messages) as events:
                message = events.get_final_message()
    (text,) = [block.text for block in message.content if block.type == "text"]
    return text, message.usage.output_tokens


def ask_responses(base: str, *, stream: bool) -> tuple[str, int]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key="run-token") as client:
        if not stream:
            response = client.responses.create(model="m", input="Hello")
            assert response.usage is not None
            return response.output_text, response.usage.output_tokens
        text, used = "", 0
        for event in client.responses.create(model="m", input="Hello", stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.completed":
                assert event.response.usage is not None
                assert event.response.output_text == text
                used = event.response.usage.output_tokens
        return text, used


def ask_chat(base: str, *, stream: bool) -> tuple[str, int]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key="run-token") as client:
        messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
        if not stream:
            answer = client.chat.completions.create(model="m", messages=messages)
            assert answer.usage is not None
            return answer.choices[0].message.content or "", answer.usage.completion_tokens
        text, used = "", 0
        for chunk in client.chat.completions.create(model="m", messages=messages, stream=True):
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            used = chunk.usage.completion_tokens if chunk.usage else used
        return text, used


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("ask", [ask_anthropic, ask_responses, ask_chat])
def test_an_answer_then_a_last_message_then_a_refusal_that_is_not_tried_again(ask: object, stream: bool, vendor: Vendor) -> None:
    account = MemoryAccount(calls=1)
    with listening(vendor, account) as base:
        assert ask(base, stream=stream) == (HELLO, 10)  # type: ignore[operator]
        assert ask(base, stream=stream) == (STOP, 0)  # type: ignore[operator]
        with pytest.raises((anthropic.BadRequestError, openai.BadRequestError), match="limit of 1 model calls"):
            ask(base, stream=stream)  # type: ignore[operator]
    assert len(account.no_calls) == 2
    assert account.open == {}


def test_tokens_are_counted_for_the_vendors_client(vendor: Vendor) -> None:
    with listening(vendor, MemoryAccount()) as base, anthropic.Anthropic(base_url=base, auth_token="run-token") as client:
        assert client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "Hello"}]).input_tokens == 7

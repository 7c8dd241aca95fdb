"""Where models are called, with which key, and what they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.adapters.models.prices import GenaiPrices
from remit.adapters.models.providers import Providers
from remit.errors import BadInput
from remit.ports.models import Cost, Dialect, Usage

KEYS = {"ANTHROPIC_API_KEY": "sk-a", "OPENAI_API_KEY": "sk-o", "GEMINI_API_KEY": "sk-g"}


@pytest.mark.parametrize(("dialect", "name", "base", "header"), [("anthropic", "anthropic", "https://api.anthropic.com", ("x-api-key", "sk-a")), ("responses", "openai", "https://api.openai.com/v1", ("authorization", "Bearer sk-o")), ("chat", "openai", "https://api.openai.com/v1", ("authorization", "Bearer sk-o")), ("gemini", "google", "https://generativelanguage.googleapis.com", ("x-goog-api-key", "sk-g"))])  # fmt: skip
def test_each_wire_format_has_its_vendor(dialect: Dialect, name: str, base: str, header: tuple[str, str]) -> None:
    found = Providers(KEYS).of(dialect)
    assert (found.name, found.base, found.vendor, found.missing) == (name, base, True, "")
    assert found.headers() == [header]


def test_nothing_shows_a_key() -> None:
    providers = Providers(KEYS)
    shown = f"{providers!r} {providers.of('chat')!r} {providers.of('anthropic')}"
    assert "sk-" not in shown


def test_a_missing_key_is_named_by_its_variable() -> None:
    assert [Providers({}).of(dialect).missing.split()[3] for dialect in ("anthropic", "chat", "gemini")] == [
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "GEMINI_API_KEY",
    ]


def test_other_names_of_a_key_are_known() -> None:
    assert Providers({"ANTHROPIC_AUTH_TOKEN": "t"}).of("anthropic").headers() == [("authorization", "Bearer t")]
    assert Providers({"GOOGLE_API_KEY": "g"}).of("gemini").headers() == [("x-goog-api-key", "g")]


@pytest.mark.parametrize(("base", "name"), [("https://openrouter.ai/api/v1", "openrouter"), ("https://api.groq.com/openai/v1", "groq"), ("http://127.0.0.1:11434/v1", ""), ("https://gateway.example.com/v1", "")])  # fmt: skip
def test_who_serves_elsewhere_is_known_by_the_host_or_not_at_all(base: str, name: str) -> None:
    found = Providers({"OPENAI_BASE_URL": base + "/"}).of("responses")
    assert (found.base, found.name, found.vendor, found.missing) == (base, name, False, "")


def test_a_key_does_not_cross_the_network_in_the_open() -> None:
    found = Providers({"OPENAI_BASE_URL": "http://models.example.com/v1", "OPENAI_API_KEY": "sk-o"}).of("chat")
    assert "OPENAI_API_KEY would be readable" in found.missing
    assert found.headers() == []
    assert Providers({"OPENAI_BASE_URL": "http://localhost:1/v1", "OPENAI_API_KEY": "sk-o"}).of("chat").missing == ""
    assert Providers({"OPENAI_BASE_URL": "http://models.example.com/v1"}).of("chat").missing == ""


@pytest.mark.parametrize(
    "base", ["api.openai.com", "ftp://x", "https://", "https://user:pw@x/v1", "https://x/v1?key=1", "https://x/#a"]
)
def test_what_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(BadInput, match="OPENAI_BASE_URL") as raised:
        Providers({"OPENAI_BASE_URL": base})
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("key", ["a\nb", "a b", "schlüssel"])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(BadInput, match="GEMINI_API_KEY") as raised:
        Providers({"GEMINI_API_KEY": key})
    assert key not in str(raised.value)


def test_a_price_is_that_of_the_list_rounded_up() -> None:
    prices = GenaiPrices()
    found = prices.cost("claude-opus-4-8", "anthropic", Usage(input=1000, output=200))
    assert found == Cost(usd=10_000, source=prices.source)
    assert prices.source.startswith("genai-prices 0.")
    assert prices.cost("gpt-4o-mini", "openai", Usage(input=1)) == Cost(usd=1, source=prices.source)


def test_a_cache_has_its_own_prices() -> None:
    prices = GenaiPrices()
    plain, read, written = (
        prices.cost("claude-opus-4-8", "anthropic", usage)
        for usage in (Usage(input=1000), Usage(input=1000, cache_read=1000), Usage(input=1000, cache_write=1000))
    )
    assert plain and read and written
    assert read.usd < plain.usd < written.usd


@pytest.mark.parametrize(("model", "provider"), [("nobody-knows-this", "anthropic"), ("nobody-knows-this", ""), ("claude-opus-4-8", "openai"), ("gpt-4o", "nobody")])  # fmt: skip
def test_what_the_list_does_not_know_has_no_price(model: str, provider: str) -> None:
    assert GenaiPrices().cost(model, provider, Usage(input=1, output=1)) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5))
def test_more_never_costs_less(taken: int, given_: int, more: int) -> None:
    prices = GenaiPrices()
    less = prices.cost("gemini-3-pro-preview", "google", Usage(input=taken, output=given_))
    most = prices.cost("gemini-3-pro-preview", "google", Usage(input=taken + more, output=given_ + more))
    assert less and most
    assert less.usd <= most.usd


def test_the_list_is_read_only_when_a_price_is_wanted() -> None:
    import subprocess
    import sys

    code = "import sys; from remit.adapters.models import prices; prices.GenaiPrices(); print('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"

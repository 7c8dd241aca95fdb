"""Where models are really called, and with which key: from the environment of the host, which no box sees."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from remit.errors import BadInput
from remit.ports.models import Dialect

NAMES = {
    "api.anthropic.com": "anthropic",
    "api.openai.com": "openai",
    "generativelanguage.googleapis.com": "google",
    "openrouter.ai": "openrouter",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x-ai",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks",
    "api.cohere.ai": "cohere",
    "api.novita.ai": "novita",
    "api.avian.io": "avian",
}
"""hosts, and what the price list calls who serves there"""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a wire format is configured: the variables of address and key, the vendor's own address, who serves it."""

    address: str
    keys: tuple[tuple[str, str], ...]
    vendor: str
    provider: str


_OPENAI = Source(
    address="OPENAI_BASE_URL",
    keys=(("OPENAI_API_KEY", "authorization"),),
    vendor="https://api.openai.com/v1",
    provider="",
)
SOURCES: dict[Dialect, Source] = {
    "anthropic": Source(
        address="ANTHROPIC_BASE_URL",
        keys=(("ANTHROPIC_API_KEY", "x-api-key"), ("ANTHROPIC_AUTH_TOKEN", "authorization")),
        vendor="https://api.anthropic.com",
        provider="anthropic",
    ),
    "responses": _OPENAI,
    "chat": _OPENAI,
    "gemini": Source(
        address="GOOGLE_GEMINI_BASE_URL",
        keys=(("GEMINI_API_KEY", "x-goog-api-key"), ("GOOGLE_API_KEY", "x-goog-api-key")),
        vendor="https://generativelanguage.googleapis.com",
        provider="google",
    ),
}
"""`provider` is who serves it at an unknown host, as far as the format tells: everybody speaks that of OpenAI"""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Who serves a wire format. `missing` says in words why no call can be made; `key_variable` names the key, never shows it."""

    base: str
    name: str
    vendor: bool
    key_variable: str
    missing: str = ""
    _headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    _key: str = field(default="", repr=False)

    def headers(self) -> list[tuple[str, str]]:
        """The header with the real key; none for a server that needs none."""
        return list(self._headers)

    def scrubbed(self, text: bytes) -> bytes:
        """The text without the key, should the provider say it back."""
        return text.replace(self._key.encode(), b"***") if self._key else text


class Providers:
    """The providers that the environment names. Raises BadInput for an address or a key that cannot be one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._found = {dialect: _provider(source, environment) for dialect, source in SOURCES.items()}
        self.proxy = environment.get("HTTPS_PROXY") or environment.get("https_proxy") or ""
        self.certificates = environment.get("SSL_CERT_FILE") or ""

    def __repr__(self) -> str:
        return f"Providers({', '.join(f'{dialect}={found.base}' for dialect, found in self._found.items())})"

    def of(self, dialect: Dialect) -> Provider:
        """Who serves this wire format."""
        return self._found[dialect]


def _provider(source: Source, environment: Mapping[str, str]) -> Provider:
    base = (environment.get(source.address) or source.vendor).strip().rstrip("/")
    host, scheme = _place(source.address, base)
    name = NAMES.get(host, source.provider)
    vendor = host == urlsplit(source.vendor).hostname
    found = next(((name, header, key) for name, header in source.keys if (key := (environment.get(name) or "").strip())), None)
    if found is None:
        missing = f"no key: set {source.keys[0][0]} in the environment of remit (never in the box)" if vendor else ""
        return Provider(base=base, name=name, vendor=vendor, key_variable=source.keys[0][0], missing=missing)
    variable, header, key = found
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput(f"{variable} holds characters that no key has")
    if scheme == "http" and not _loopback(host):
        missing = f"{source.address} is http to another machine: {variable} would be readable on the way; use https"
        return Provider(base=base, name=name, vendor=vendor, key_variable=variable, missing=missing)
    shown = f"Bearer {key}" if header == "authorization" else key
    return Provider(base=base, name=name, vendor=vendor, key_variable=variable, _headers=((header, shown),), _key=key)


def _place(variable: str, base: str) -> tuple[str, str]:
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadInput(f"{variable} is not an address like https://HOST/PATH")
    return parts.hostname, parts.scheme


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Real servers that tests of the adapters talk to."""

from collections.abc import Iterator

import pytest
from smtp_sink import Certificate, Sink, certificate


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A mail server on loopback, without TLS."""
    with Sink() as server:
        yield server


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for `localhost`, and the authority that it comes from."""
    return certificate(tmp_path_factory.mktemp("certificate"))

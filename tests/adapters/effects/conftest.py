"""Providers that tests share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import providers
import pytest


@pytest.fixture
def provider() -> Iterator[providers.Provider]:
    """An HTTP provider on the loopback."""
    with providers.provider() as here:
        yield here


@pytest.fixture(scope="session")
def cluster() -> Iterator[providers.Cluster]:
    """A PostgreSQL server of this session."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install remit[sql]")
    programs = providers.postgres_programs()
    if programs is None:
        pytest.skip("the PostgreSQL server (initdb, postgres) is not installed")
    # Not below pytest's own folder: the server steps down from root, and would not be let through.
    with tempfile.TemporaryDirectory(prefix="remit-pg-") as room:
        here = providers.Cluster(Path(room), programs)
        here.start()
        try:
            yield here
        finally:
            here.stop()

"""Providers that tests share."""

from collections.abc import Iterator

import providers
import pytest


@pytest.fixture
def provider() -> Iterator[providers.Provider]:
    """An HTTP provider on the loopback."""
    with providers.provider() as here:
        yield here


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[providers.Cluster]:
    """A PostgreSQL server of this session."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install remit[sql]")
    programs = providers.postgres_programs()
    if programs is None:
        pytest.skip("the PostgreSQL server (initdb, postgres) is not installed")
    room = tmp_path_factory.mktemp("pg")
    # The server steps down from root, and has to be able to walk here.
    for folder in (room, *room.parents[:3]):
        if folder.name.startswith(("pg", "pytest-", "popen-")):
            folder.chmod(0o755)
    here = providers.Cluster(room, programs)
    here.start()
    try:
        yield here
    finally:
        here.stop()

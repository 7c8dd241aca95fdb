"""A provider on loopback for every test of the door."""

from collections.abc import Iterator

import pytest
from model_vendor import Vendor


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as server:
        yield server

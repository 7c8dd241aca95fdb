"""The account in memory and the HTTP door keep the promises of the ports."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from remit.adapters.models.door import HttpModelDoor
from remit.adapters.models.providers import Providers
from remit.testing import checks_models
from remit.testing.accounts import MemoryAccount
from remit.testing.checks_models import Books, Ground


async def in_memory(*, tokens: int | None, calls: int | None) -> Ground:
    account = MemoryAccount(tokens=tokens, calls=calls)

    async def books() -> Books:
        return Books(spent=account.spent[0], reserved=account.reserved[0], calls=len(account.made), most=account.most[0])

    return Ground(account=account, books=books)


@pytest.mark.parametrize("check", checks_models.ACCOUNT, ids=lambda check: check.__name__)
def test_the_account_in_memory(check: Callable[[Any], Awaitable[None]]) -> None:
    anyio.run(check, in_memory)


@pytest.mark.parametrize("check", checks_models.DOOR, ids=lambda check: check.__name__)
def test_the_door(check: Callable[[Any], Awaitable[None]]) -> None:
    anyio.run(check, lambda environment: HttpModelDoor(Providers(environment)))

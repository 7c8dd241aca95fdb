"""A guard for a loop of one's own: tools as plain functions, and one door that each of their acts goes through.

async with remit.guard("refunds.remit.yaml", tools=[refund]) as guard:
    result = await guard.call("refund", order_id="A-1001", amount=Decimal("50.00"), currency="EUR")
"""

import sys
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

from remit.guard.declaring import tool
from remit.guard.guarding import Guard
from remit.guard.opened import guard
from remit.guard.results import DidNotHappen, Done, Outcome, Refused, Waiting

__all__ = ["DidNotHappen", "Done", "Guard", "Outcome", "Refused", "Waiting", "guard", "tool"]


class _Callable(ModuleType):
    """`remit.guard` is this chapter and the function it is about, whichever of them somebody imported first."""

    def __call__(self, *given: Any, **named: Any) -> AbstractAsyncContextManager[Guard]:
        return guard(*given, **named)


sys.modules[__name__].__class__ = _Callable

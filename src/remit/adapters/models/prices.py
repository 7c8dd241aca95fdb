"""What models cost, by the price list of genai-prices as it was shipped: nothing is fetched."""

from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from typing import Any

from remit.ports.models import Cost, Usage


class GenaiPrices:
    """See `remit.ports.models.Prices`. The list is read when the first price is asked for."""

    def cost(self, model: str, provider: str, usage: Usage) -> Cost | None:
        """With the steps and cache prices of the list; None for a model or a provider that it does not know."""
        try:
            found = self._list.calc_price(
                self._list.Usage(
                    input_tokens=usage.input,
                    output_tokens=usage.output,
                    cache_read_tokens=usage.cache_read,
                    cache_write_tokens=usage.cache_write,
                ),
                model_ref=model,
                provider_id=provider or None,
            )
        except (LookupError, ValueError):
            return None
        dollars: Decimal = found.total_price
        return Cost(usd=int((dollars * 1_000_000).to_integral_value(ROUND_CEILING)), source=self.source)

    @property
    def source(self) -> str:
        """The price list and its version."""
        return f"genai-prices {self._list.__version__}"

    @cached_property
    def _list(self) -> Any:
        import genai_prices

        return genai_prices

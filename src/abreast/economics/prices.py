"""Estimates what a request costs by the providers' public price lists.

A subscription, a discount, a long prompt or a cache that is kept for an hour costs otherwise.
Nothing is ever fetched: each agent has the list of its provider. A model that is in none has no
estimate.
"""

import re
from collections.abc import Iterable
from functools import cache

from abreast.model.price import Price, PriceList
from abreast.model.transcript import FAST

# A model by the day it was made, or before it was finished, costs what the model costs.
_VARIANT = re.compile(r"(?:[-@]20\d{2}-?\d{2}-?\d{2}|-latest|-preview)$")


class Prices:
    """The price lists of several providers. `date` is the oldest of theirs, "" without any."""

    def __init__(self, lists: Iterable[PriceList | None]) -> None:
        given = [one for one in lists if one is not None]
        self.date = min((one.date for one in given), default="")
        self._models = {name: price for one in given for name, price in one.models.items()}
        self._faster = {name: times for one in given for name, times in one.faster.items()}
        self.of = cache(self._of)

    def _of(self, model: str) -> Price | None:
        """Return the price of a model, None when it is not known: a similar name is no reason.

        A name that ends in `FAST` is that of a model in its fast mode.
        """
        plain = model.removesuffix(FAST)
        name = plain if plain in self._models else _VARIANT.sub("", plain)
        price, times = self._models.get(name), 1 if plain == model else self._faster.get(name)
        return Price(*(times * one for one in price)) if price and times else None

    def cost(self, model: str, prompt: int, cached: int, written: int, output: int) -> float | None:
        """Return what requests cost in US dollars; `cached` and `written` are parts of `prompt`."""
        price = self.of(model)
        if price is None:
            return None
        plain = max(0, prompt - cached - written)
        whole = plain * price.prompt + cached * price.cached + written * price.written
        return (whole + output * price.output) / 1_000_000


NO_PRICES = Prices(())

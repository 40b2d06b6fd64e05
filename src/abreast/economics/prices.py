"""What a request would cost by the providers' public price lists: an estimate, and nothing else.

A subscription, a discount, a long prompt or a cache that is kept for an hour costs otherwise.
Nothing is ever fetched: who needs other prices changes this table. A model that is not in it has
no estimate.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from abreast.model.transcript import FAST

DATE = "2026-11-22"
"""The day on which the price lists were looked at."""


class Price(NamedTuple):
    """US dollars for a million tokens: of a prompt, of what the cache gave or took, of output."""

    prompt: float
    cached: float
    written: float
    output: float


def _anthropic(prompt: float, output: float) -> Price:
    return Price(prompt, prompt / 10, prompt * 1.25, output)


def _other(prompt: float, cached: float, output: float, *, written: float = 1) -> Price:
    """Return the price of a provider that takes nothing more for writing to its cache.

    `written`: or so many times that of a prompt.
    """
    return Price(prompt, cached, prompt * written, output)


PRICES = {
    "claude-opus-5": _anthropic(5, 25),
    "claude-opus-4-8": _anthropic(5, 25),
    "claude-opus-4-7": _anthropic(5, 25),
    "claude-opus-4-6": _anthropic(5, 25),
    "claude-opus-4-5": _anthropic(5, 25),
    "claude-opus-4-1": _anthropic(15, 75),
    "claude-opus-4": _anthropic(15, 75),
    "claude-sonnet-5": _anthropic(2, 10),
    "claude-sonnet-4-6": _anthropic(3, 15),
    "claude-sonnet-4-5": _anthropic(3, 15),
    "claude-sonnet-4": _anthropic(3, 15),
    "claude-3-7-sonnet": _anthropic(3, 15),
    "claude-3-5-sonnet": _anthropic(3, 15),
    "claude-haiku-4-5": _anthropic(1, 5),
    "claude-3-5-haiku": _anthropic(0.8, 4),
    "gpt-5.6-sol": _other(4, 0.4, 20, written=1.25),
    "gpt-5.6-terra": _other(2, 0.2, 12, written=1.25),
    "gpt-5.6-luna": _other(0.2, 0.02, 1.2, written=1.25),
    "gpt-5.5": _other(5, 0.5, 30),
    "gpt-5.5-pro": _other(30, 3, 180),
    "gpt-5.4": _other(2.5, 0.25, 15),
    "gpt-5.4-mini": _other(0.75, 0.075, 4.5),
    "gpt-5.4-nano": _other(0.2, 0.02, 1.25),
    "gpt-5.3-codex": _other(1.75, 0.175, 14),
    "gpt-5.2": _other(1.75, 0.175, 14),
    "gpt-5.2-codex": _other(1.75, 0.175, 14),
    "gpt-5.1": _other(1.25, 0.125, 10),
    "gpt-5.1-codex": _other(1.25, 0.125, 10),
    "gpt-5.1-codex-max": _other(1.25, 0.125, 10),
    "gpt-5.1-codex-mini": _other(0.25, 0.025, 2),
    "gpt-5": _other(1.25, 0.125, 10),
    "gpt-5-codex": _other(1.25, 0.125, 10),
    "gpt-5-mini": _other(0.25, 0.025, 2),
    "gpt-5-nano": _other(0.05, 0.005, 0.4),
    "gpt-4.1": _other(2, 0.5, 8),
    "gemini-3.8-flash": _other(0.75, 0.075, 3.75),
    "gemini-3.7-flash": _other(0.75, 0.075, 3.75),
    "gemini-3.6-flash": _other(0.75, 0.075, 3.75),
    "gemini-3.5-flash": _other(1.5, 0.15, 9),
    "gemini-3.1-pro": _other(2, 0.2, 12),
    "gemini-3-pro": _other(2, 0.2, 12),
    "gemini-3-flash": _other(0.5, 0.05, 3),
    "gemini-2.5-pro": _other(1.25, 0.125, 10),
    "gemini-2.5-flash": _other(0.3, 0.03, 2.5),
    "gemini-2.5-flash-lite": _other(0.1, 0.01, 0.4),
}

FASTER = {
    "claude-opus-5": 2,
    "claude-opus-4-8": 2,
    "claude-opus-4-7": 6,
    "claude-opus-4-6": 6,
}
"""How many times as much the fast mode of a model costs, what the cache gives or takes included."""

# A model by the day it was made, or before it was finished, costs what the model costs.
_VARIANT = re.compile(r"(?:[-@]20\d{2}-?\d{2}-?\d{2}|-latest|-preview)$")


@lru_cache(1000)
def price_of(model: str) -> Price | None:
    """Return the price of a model, None when it is not known: a similar name is no reason.

    A name that ends in `FAST` is that of a model in its fast mode.
    """
    plain = model.removesuffix(FAST)
    name = plain if plain in PRICES else _VARIANT.sub("", plain)
    price, times = PRICES.get(name), 1 if plain == model else FASTER.get(name)
    return Price(*(times * one for one in price)) if price and times else None


def cost_of(model: str, prompt: int, cached: int, written: int, output: int) -> float | None:
    """Return what requests cost in US dollars; `cached` and `written` are parts of `prompt`."""
    price = price_of(model)
    if price is None:
        return None
    plain = max(0, prompt - cached - written)
    whole = plain * price.prompt + cached * price.cached + written * price.written
    return (whole + output * price.output) / 1_000_000

"""Anthropic's price list."""

from abreast.model.price import Price, PriceList


def _price(prompt: float, output: float) -> Price:
    """Return the price of a model whose cache gives for a tenth, and takes for five quarters."""
    return Price(prompt, prompt / 10, prompt * 1.25, output)


PRICES = PriceList(
    "2026-11-22",
    {
        "claude-opus-5": _price(5, 25),
        "claude-opus-4-8": _price(5, 25),
        "claude-opus-4-7": _price(5, 25),
        "claude-opus-4-6": _price(5, 25),
        "claude-opus-4-5": _price(5, 25),
        "claude-opus-4-1": _price(15, 75),
        "claude-opus-4": _price(15, 75),
        "claude-sonnet-5": _price(2, 10),
        "claude-sonnet-4-6": _price(3, 15),
        "claude-sonnet-4-5": _price(3, 15),
        "claude-sonnet-4": _price(3, 15),
        "claude-3-7-sonnet": _price(3, 15),
        "claude-3-5-sonnet": _price(3, 15),
        "claude-haiku-4-5": _price(1, 5),
        "claude-3-5-haiku": _price(0.8, 4),
    },
    faster={
        "claude-opus-5": 2,
        "claude-opus-4-8": 2,
        "claude-opus-4-7": 6,
        "claude-opus-4-6": 6,
    },
)

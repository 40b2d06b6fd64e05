"""Google's price list, which takes nothing more for writing to the cache."""

from abreast.model.economy import Price, PriceList

PRICES = PriceList(
    "2026-11-22",
    {
        "gemini-3.8-flash": Price(0.75, 0.075, 0.75, 3.75),
        "gemini-3.7-flash": Price(0.75, 0.075, 0.75, 3.75),
        "gemini-3.6-flash": Price(0.75, 0.075, 0.75, 3.75),
        "gemini-3.5-flash": Price(1.5, 0.15, 1.5, 9),
        "gemini-3.1-pro": Price(2, 0.2, 2, 12),
        "gemini-3-pro": Price(2, 0.2, 2, 12),
        "gemini-3-flash": Price(0.5, 0.05, 0.5, 3),
        "gemini-2.5-pro": Price(1.25, 0.125, 1.25, 10),
        "gemini-2.5-flash": Price(0.3, 0.03, 0.3, 2.5),
        "gemini-2.5-flash-lite": Price(0.1, 0.01, 0.1, 0.4),
    },
)

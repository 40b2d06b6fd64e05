"""OpenAI's price list; its older models take nothing more for writing to the cache."""

from abreast.model.economy import Price, PriceList

PRICES = PriceList(
    "2026-11-22",
    {
        "gpt-5.6-sol": Price(4, 0.4, 5, 20),
        "gpt-5.6-terra": Price(2, 0.2, 2.5, 12),
        "gpt-5.6-luna": Price(0.2, 0.02, 0.25, 1.2),
        "gpt-5.5": Price(5, 0.5, 5, 30),
        "gpt-5.5-pro": Price(30, 3, 30, 180),
        "gpt-5.4": Price(2.5, 0.25, 2.5, 15),
        "gpt-5.4-mini": Price(0.75, 0.075, 0.75, 4.5),
        "gpt-5.4-nano": Price(0.2, 0.02, 0.2, 1.25),
        "gpt-5.3-codex": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.2": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.2-codex": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.1": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex-max": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex-mini": Price(0.25, 0.025, 0.25, 2),
        "gpt-5": Price(1.25, 0.125, 1.25, 10),
        "gpt-5-codex": Price(1.25, 0.125, 1.25, 10),
        "gpt-5-mini": Price(0.25, 0.025, 0.25, 2),
        "gpt-5-nano": Price(0.05, 0.005, 0.05, 0.4),
        "gpt-4.1": Price(2, 0.5, 2, 8),
    },
)

"""Limits that abreast enforces from outside the model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on one session; 0 means no bound.

    `minutes` is wall time. `idle_minutes` counts since the last sign of life (a stream line, a
    change in the CLI's files, CPU time of its process tree). `turns` are model requests, `tokens`
    input plus output, `usd` the cost as the CLI states it.
    """

    minutes: float = 60.0
    idle_minutes: float = 15.0
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0

"""What bounds a session, and how much of its CLI a child gets.

Alone in a module because every supervisor starts by importing it, and needs no plans.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Limits:
    """Bounds on one session; 0 means no bound.

    `minutes` is wall time. `idle_minutes` counts since the last sign of life (a stream line, a
    change in the CLI's files, CPU time of its process tree). `turns` are model requests, `tokens`
    input plus output, `usd` the cost as the CLI states it. `answer_minutes` is how long a CLI may
    wait for a person's answer; that time counts neither as wall time nor as idle. `outage_minutes`
    is how long a session is tried again whose provider does not answer; here 0 means not at all.
    """

    minutes: float = 60.0
    idle_minutes: float = 15.0
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0
    answer_minutes: float = 10.0
    outage_minutes: float = 60.0


class Profile(StrEnum):
    """How much of its CLI a child gets. It never gets a tool to delegate with."""

    LEAN = "lean"  # our own short instructions, and the tools that the contract needs
    FULL = "full"  # the CLI's own instructions and tools, as far as the contract allows

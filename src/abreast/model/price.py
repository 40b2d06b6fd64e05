"""Price lists: what a provider takes for the tokens of its models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Price(NamedTuple):
    """US dollars for a million tokens: of a prompt, of what the cache gave or took, of output."""

    prompt: float
    cached: float
    written: float
    output: float


@dataclass(frozen=True)
class PriceList:
    """The prices of a provider's models by their names, as they were published on `date`.

    `faster` says how many times as much the fast mode of a model costs, what the cache gives or
    takes included.
    """

    date: str
    models: Mapping[str, Price]
    faster: Mapping[str, float] = field(default_factory=dict)

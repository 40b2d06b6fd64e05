"""The tokens that a session has used, as its CLI states them.

Alone in a module because `abreast status` imports it.
"""

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Usage:
    """Totals of a session or of one of its models.

    `input_tokens` is the whole prompt side, cached part included; `cached_tokens` is the part of
    it read from the provider's cache; `output_tokens` includes reasoning. `cost_usd` is what the
    CLI itself stated, else None. `source` is where the numbers come from.
    """

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    source: str = "none"  # none | stream | transcript

    def __add__(self, other: "Usage") -> "Usage":
        """Add totals; what neither side knows stays unknown."""
        return Usage(
            _add(self.input_tokens, other.input_tokens),
            _add(self.cached_tokens, other.cached_tokens),
            _add(self.output_tokens, other.output_tokens),
            _add(self.cost_usd, other.cost_usd),
            other.source if self.source == "none" else self.source,
        )

    def beyond(self, earlier: "Usage") -> "Usage":
        """Return by how much these running totals exceed `earlier` ones."""
        return Usage(
            _less(self.input_tokens, earlier.input_tokens),
            _less(self.cached_tokens, earlier.cached_tokens),
            _less(self.output_tokens, earlier.output_tokens),
            _less(self.cost_usd, earlier.cost_usd),
            self.source,
        )


def _add(left: T | None, right: T | None) -> T | None:
    if left is None:
        return right
    return left if right is None else left + right


def _less(total: T | None, earlier: T | None) -> T | None:
    if total is None or earlier is None:
        return total
    return max(total - earlier, type(total)(0))

"""What a delegation is expected to cost and save, and what it did: tokens, never money."""

from dataclasses import dataclass
from enum import StrEnum


class Worth(StrEnum):
    """Whether a delegation keeps more out of the parent's context than it costs."""

    GAIN = "gain"
    LOSS = "loss"
    UNKNOWN = "unknown"  # the scope does not tell how much there is to read


def worth_of(net: int | None) -> Worth:
    """Return the verdict on `net` tokens saved."""
    if net is None:
        return Worth.UNKNOWN
    return Worth.GAIN if net > 0 else Worth.LOSS


@dataclass(frozen=True)
class Estimate:
    """Tokens expected before a child starts.

    `reading` is what the parent would have read itself, None when the scope names no files.
    `start_up` is the child's first request, `measured` by that many earlier runs of its profile (0:
    the adapter's own figure). `summary` is the most that the parent gets to read.
    """

    files: int
    reading: int | None
    start_up: int
    summary: int
    measured: int = 0

    @property
    def net(self) -> int | None:
        """Tokens expected to be saved: reading - (start-up + summary)."""
        if self.reading is None:
            return None
        return self.reading - self.start_up - min(self.summary, self.reading)

    @property
    def worth(self) -> Worth:
        return worth_of(self.net)


@dataclass(frozen=True)
class Account:
    """Tokens of a delegation that has ended, as the child's CLI recorded them; None: it did not.

    `start_up` is the first request in the child's CLI session. `child_total` is all that the child
    was billed for: input and output of every request of every attempt. `kept_out` is what it
    has read and written beyond its start-up, also what a compaction has since removed (see
    `economics.ledger.kept_out`). `summary` is what the parent gets to read, estimated.
    """

    start_up: int | None
    child_total: int | None
    kept_out: int | None
    summary: int | None

    @property
    def net(self) -> int | None:
        """Tokens saved: kept out - (start-up + summary)."""
        if self.start_up is None or self.summary is None or self.kept_out is None:
            return None
        return self.kept_out - self.start_up - self.summary

    @property
    def worth(self) -> Worth:
        return worth_of(self.net)

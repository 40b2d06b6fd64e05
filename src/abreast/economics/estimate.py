"""Estimates, before a child starts, its cost and what it keeps out of the parent."""

from collections.abc import Sequence
from statistics import median

from abreast.model.economy import BYTES_PER_TOKEN, Estimate

# No CLI hands its model more of a file at once: Claude Code's Read stops at 25,000 tokens, Codex
# and Gemini CLI cut earlier. A parent that reads a file reads at most this much of it.
MOST_OF_A_FILE = 25_000


def estimate(
    sizes: Sequence[int] | None, start_ups: Sequence[int], *, default: int, limit_tokens: int
) -> Estimate:
    """Return the estimate for a delegation.

    `sizes` are those of the files in its scope, in bytes; None: it names no files. `start_ups` are
    the start-up tokens of earlier children of the same profile, `default` stands in for them.
    """
    reading = None
    if sizes is not None:
        reading = sum(min(size // BYTES_PER_TOKEN, MOST_OF_A_FILE) for size in sizes)
    return Estimate(
        files=len(sizes or ()),
        reading=reading,
        start_up=round(median(start_ups)) if start_ups else default,
        summary=limit_tokens,
        measured=len(start_ups),
    )

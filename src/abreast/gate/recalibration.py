"""Stated probabilities, mended by what became of them in a repository's runs. Pure.

The log-odds of what is stated get a new intercept, and a new slope where there is enough to tell.
Both are the likeliest ones under a normal prior around "what is stated is right" (a logistic
recalibration, Cox 1958, with a ridge): few pairs change little.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from abreast.gate.chance import Chance, altogether
from abreast.gate.review import reviewed
from abreast.model.gate import JudgedRun, Recalibration, log_odds

NEWEST = 400
"""Pairs that are learned from: a repository changes, and so do its agents."""

FEWEST = 10
"""With fewer pairs nothing is changed."""

SHIFT = 0.5
"""How far the log-odds of one repository lie from what is stated elsewhere, as a rule. As a prior
it weighs as much as 20 pairs that were given 30 %, or 45 that were given 10 %."""

BEND = 0.25
"""The same of the slope."""

ENOUGH, EACH = 40, 8
"""The slope is learned from so many pairs, of which so many conflicted and so many did not."""

_LEAST = 0.01
"""Two tasks that are less likely to conflict share nothing that they declare."""

Tried = tuple[float, bool]
"""What would have been stated of a pair without recalibration, and whether it conflicted."""


def tried_pairs(runs: Iterable[JudgedRun]) -> list[Tried]:
    """Return the pairs whose outcome is known, the newest runs' first.

    What was put in sequence is unknown, and so is a pair of which one task is not done. Of a task
    without declared paths what is stated rests on a prediction, which is another matter.
    """
    found: list[Tried] = []
    for run in runs:
        stated = {one.task for one in run.judgement.tasks if one.stated and not one.predicted}
        found += (
            (run.judgement.recalibration.undo(pair.said.probability), pair.conflicted)
            for pair in reviewed(run)
            if pair.tried and pair.said.probability is not None
            if {pair.said.first, pair.said.second} <= stated
        )
    return [one for one in found if one[0] >= _LEAST][:NEWEST]


def recalibrate(pairs: Sequence[Tried]) -> Recalibration:
    """Return what these outcomes make of a stated probability."""
    if len(pairs) < FEWEST:
        return Recalibration()
    hits = sum(hit for _, hit in pairs)
    bends = len(pairs) >= ENOUGH and min(hits, len(pairs) - hits) >= EACH
    data = [(log_odds(stated), hit) for stated, hit in pairs]
    shift, slope = 0.0, 1.0
    for _ in range(50):  # Newton's method on a concave function
        by_shift, by_slope = -shift / SHIFT**2, -(slope - 1) / BEND**2
        aa, ab, bb = 1 / SHIFT**2, 0.0, 1 / BEND**2
        for odds, hit in data:
            expected = 1 / (1 + math.exp(-(shift + slope * odds)))
            off, bend = hit - expected, expected * (1 - expected)
            by_shift, by_slope = by_shift + off, by_slope + off * odds
            aa, ab, bb = aa + bend, ab + bend * odds, bb + bend * odds**2
        if not bends:
            by_slope, ab = 0.0, 0.0
        size = aa * bb - ab * ab
        step = (bb * by_shift - ab * by_slope) / size, (aa * by_slope - ab * by_shift) / size
        shift, slope = shift + step[0], max(0.2, slope + step[1])
        if max(map(abs, step)) < 1e-9:
            break
    return Recalibration(len(pairs), round(shift, 4), round(slope, 4))


def recalibrated(found: Chance, by: Recalibration) -> Chance:
    """Return a chance that says `by` of its whole; each file's part of that stays the same."""
    whole = found.anywhere
    if not by.pairs or not 0 < whole < 1:
        return found
    # The chance of no conflict is a product over files: one power for all of them.
    power = math.log1p(-by.apply(whole)) / math.log1p(-whole)
    return altogether(
        [replace(one, probability=1 - (1 - one.probability) ** power) for one in found.files]
    )

"""`python -m benchmarks.gate_fit CLONE …`: fit the gate's weights, and write them.

A logistic regression over the files that two neighbours share, each history weighing the same, by
Newton's method with a small ridge. Nothing may be judged on a history that is named here.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from abreast.gate.model import NAMES
from abreast.gate.past import Past
from abreast.gate.study import rows_of, walk
from abreast.model.history import MeetingOutcome, is_task
from benchmarks.gate_cases import Case, load
from benchmarks.report import say

TARGET = Path(__file__).parent.parent / "src/abreast/gate/weights.py"
EARLIEST = 200
"""Commits that are learned from before the first row: little is known of a file before."""
RIDGE = 10.0
EACH = 1000.0
"""What a history weighs, in rows."""

Rows = list[tuple[tuple[float, ...], bool]]

HEAD = '''"""What each feature weighs. Written by `python -m benchmarks.gate_fit`, not by hand.

Fitted on {names}.
A feature has its mean taken off and is divided by its scale before it is weighed.
"""
'''


def rows(case: Case) -> Rows:
    """Return what is known of each file that two neighbours share, and whether it conflicted."""
    found: Rows = []
    past = Past()
    for number, (change, following) in enumerate(walk(case.history, past, learn=False)):
        if number < EARLIEST or not is_task(change):
            continue
        for later, meeting in following:
            if meeting.outcome is not MeetingOutcome.NEITHER:
                seen = rows_of(past, change, later)
                found += [(row, path in meeting.conflicted) for path, row in seen]
    return found


def fit(
    histories: Sequence[Rows],
) -> tuple[list[float], list[float], list[float]]:
    """Return means, scales, and weights (the bias first)."""
    size = len(NAMES)
    everything = [(row, hit, EACH / len(part)) for part in histories for row, hit in part]
    whole = sum(weight for *_, weight in everything)
    means = [sum(w * row[at] for row, _, w in everything) / whole for at in range(size)]
    scales = [
        math.sqrt(sum(w * (row[at] - means[at]) ** 2 for row, _, w in everything) / whole) or 1.0
        for at in range(size)
    ]
    data = [
        ([1.0, *((x - m) / s for x, m, s in zip(row, means, scales, strict=True))], hit, weight)
        for row, hit, weight in everything
    ]
    weights = [0.0] * (size + 1)
    for _ in range(12):
        gradient = [-RIDGE * w * (at > 0) for at, w in enumerate(weights)]
        curve = [[RIDGE * (at == to) for to in range(size + 1)] for at in range(size + 1)]
        for inputs, hit, weight in data:
            p = 1 / (1 + math.exp(-sum(map(float.__mul__, weights, inputs))))
            off, bend = weight * (hit - p), weight * p * (1 - p)
            for at, x in enumerate(inputs):
                gradient[at] += off * x
                line, part = curve[at], bend * x
                for to in range(at, size + 1):
                    line[to] += part * inputs[to]
        for at in range(size + 1):
            for to in range(at):
                curve[at][to] = curve[to][at]
        step = solve(curve, gradient)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return means, scales, weights


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of a system of linear equations, by elimination with pivots."""
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(lines[row][at]))
        lines[at], lines[best] = lines[best], lines[at]
        for row in range(at + 1, size):
            factor = lines[row][at] / lines[at][at]
            for to in range(at, size + 1):
                lines[row][to] -= factor * lines[at][to]
    found = [0.0] * size
    for at in reversed(range(size)):
        rest = sum(lines[at][to] * found[to] for to in range(at + 1, size))
        found[at] = (lines[at][size] - rest) / lines[at][at]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate_fit", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for what has been replayed")
    options = parser.parse_args()
    cases = [load(path, options.keep) for path in options.clones]
    histories = []
    for case in cases:
        histories.append(rows(case))
        say(f"{case.name}: {len(histories[-1])} rows")
    means, scales, (bias, *weights) = fit(histories)
    names = ", ".join(case.name for case in cases)
    parts = [HEAD.format(names=names), f"BIAS = {bias:.4f}"]
    for name, values in (("MEANS", means), ("SCALES", scales), ("WEIGHTS", weights)):
        lines = "".join(
            f"    {value:.4f},  # {what}\n" for what, value in zip(NAMES, values, strict=True)
        )
        parts.append(f"{name} = (\n{lines})")
    TARGET.write_text("\n".join(parts) + "\n", encoding="utf-8")
    say(f"written: {TARGET}")


if __name__ == "__main__":
    main()

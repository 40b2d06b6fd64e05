"""Fits a handoff to its size limit by leaving out whole lines, the least important first."""

from collections.abc import Callable, Sequence

from abreast.handoff.line import Line

_SHORTEST = 24  # characters to which a line that has to stay may be cut


def fit(
    lines: Sequence[Line], limit: int, size: Callable[[Sequence[Line], int], int]
) -> tuple[list[Line], int]:
    """Return the lines that fit into `limit`, in their order, and how many were left out.

    `size` tells how large some of the lines are together with the note on how many were left out.
    Those of rank 0 stay; of the others as many of the most decisive as fit, earlier ones first
    where they are as decisive as each other. When not even those of rank 0 fit, they are cut.
    """
    order = sorted(range(len(lines)), key=lambda index: lines[index].rank)
    staying = sum(not line.rank for line in lines)
    for count in range(len(lines), staying - 1, -1):
        kept = [lines[index] for index in sorted(order[:count])]
        if size(kept, len(lines) - count) <= limit:
            return kept, len(lines) - count
    kept = [line for line in lines if not line.rank]
    return _cut(kept, len(lines) - staying, limit, size), len(lines) - staying


def _cut(
    lines: Sequence[Line], left_out: int, limit: int, size: Callable[[Sequence[Line], int], int]
) -> list[Line]:
    """Return the lines, each cut at the most characters at which all of them fit, if any do."""
    low, high = _SHORTEST, max((len(line.text) for line in lines), default=_SHORTEST)
    while low < high:
        middle = (low + high + 1) // 2
        if size([_short(line, middle) for line in lines], left_out) <= limit:
            low = middle
        else:
            high = middle - 1
    return [_short(line, low) for line in lines]


def _short(line: Line, most: int) -> Line:
    if len(line.text) <= most:
        return line
    return Line(line.section, line.text[: most - 1].rstrip() + "…", line.rank)

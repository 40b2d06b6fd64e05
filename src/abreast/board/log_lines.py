"""A session's story as lines: tool calls that follow each other are folded into one. Pure."""

import time
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from rich.cells import chop_cells
from rich.text import Text

from abreast.faces import figures
from abreast.model.session import LogEvent

_FOLDED = frozenset({"tool", "tool_done", "thought"})
_STYLES = {"text": "", "state": "cyan", "result": "green", "denied": "red", "asked": "yellow"}
_HEAD = 20  # cells before what an event says


def log_lines(
    events: Sequence[LogEvent], width: int, unfolded: Collection[int] = ()
) -> tuple[list[Text], list[int]]:
    """Return the lines of a story, and for each the number of the fold it belongs to, or -1.

    A fold is named by the number of its first event; those in `unfolded` show all of theirs.
    """
    lines: list[Text] = []
    folds: list[int] = []
    numbered = enumerate(events)
    for folds_in, group in groupby(numbered, key=lambda one: one[1].kind in _FOLDED):
        found = list(group)
        first = found[0][0]
        calls = [event for _, event in found if event.kind == "tool"]
        if folds_in and len(found) > 1 and first not in unfolded:
            last = (calls or [found[-1][1]])[-1]
            many = figures.counted(len(calls), "tool call") if calls else "thoughts"
            said = f"▸ {many}: {figures.one_line(last.text)}"
            lines.append(_line(last, said, "dim"))
            folds.append(first)
            continue
        for _, event in found:
            own = list(_lines(event, width))
            lines += own
            folds += [first if folds_in else -1] * len(own)
    return lines, folds


def _lines(event: LogEvent, width: int) -> Iterator[Text]:
    style = _STYLES.get(event.kind, "dim")
    room = max(20, width - _HEAD)
    parts = figures.harmless(event.told).strip().expandtabs(4).split("\n")
    cut = [piece for part in parts for piece in (chop_cells(part, room) or [""])]
    yield _line(event, cut[0], style)
    for more in cut[1:]:
        yield Text(" " * _HEAD).append(more, style)


def _line(event: LogEvent, said: str, style: str) -> Text:
    at = time.strftime("%H:%M:%S", time.localtime(event.at))
    return Text(f"{at} ", "dim").append(f"{event.kind:<10} ", "dim").append(said, style)

"""On which line of a transcript stands what a check saw."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from abreast.agents import recording, records_of
from abreast.agents.recorded import record_lines
from abreast.model.finding import Evidence, Finding

_SAME = 0.0005  # seconds; the records have milliseconds


def with_lines(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, the evidence of each with its line where its transcript tells it."""
    kept = tuple(findings)
    wanted = defaultdict[tuple[str, str], set[float]](set)
    for finding in kept:
        for one in finding.evidence:
            if one.at and one.path and one.agent in recording():
                wanted[one.agent, one.path].add(one.at)
    lines = {place: _lines(*place, moments) for place, moments in wanted.items()}

    def placed(one: Evidence) -> Evidence:
        return replace(one, line=lines.get((one.agent, one.path), {}).get(one.at, 0))

    return tuple(
        replace(finding, evidence=tuple(map(placed, finding.evidence))) for finding in kept
    )


def _lines(agent: str, path: str, moments: Iterable[float]) -> dict[float, int]:
    """Return the first line that tells of something at each of these moments (Unix seconds).

    Only lines with the second in them are parsed: they are few.
    """
    events = records_of(agent).Events(Path(path))
    left = {at: _second(at) for at in moments}
    found: dict[float, int] = {}
    for number, line in enumerate(record_lines(Path(path), []), 1):
        if not any(second in line for second in left.values()):
            continue
        told = [event.at for event in events.feed(line)]
        here = {at for at in left if any(abs(at - one) < _SAME for one in told)}
        found |= dict.fromkeys(here, number)
        for at in here:
            del left[at]
        if not left:
            break
    return found


def _second(at: float) -> bytes:
    """Return how the records write a time, without the part of the second."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    except (ValueError, OverflowError, OSError):  # no record has such a time
        return b"\n\n"

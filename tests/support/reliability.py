"""What a test of faults has gone through, for the page that `make reliability` writes."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.soaking import Soak


@dataclass
class Row:
    """At how many points something has gone wrong; to be set before the last check."""

    points: int = 0


@contextmanager
def recording(what: str, fault: str) -> Iterator[Row]:
    """Note whether what the body checks has held: `what` goes on, and `fault` strikes."""
    row = Row()
    try:
        yield row
    except BaseException:
        record(what, fault, row.points, violations=1)
        raise
    record(what, fault, row.points)


def record(what: str, fault: str, points: int, rounds: int = 1, violations: int = 0) -> None:
    """Note that `what` survived `fault` at each of `points`, in each of `rounds`.

    To be called behind the last check, or with `violations`, where something has not held.
    """
    row = {"what": what, "fault": fault, "points": points, "rounds": rounds}
    _note(row | {"violations": violations})


def record_soak(database: str, soak: Soak) -> None:
    """Note what many sessions have come to on a database, and what they took, likewise."""
    _note(
        {
            "soak": database,
            "seed": soak.seed,
            "sessions": soak.count,
            "met": soak.met,
            "looks": [asdict(look) for look in soak.figures()],
        }
    )


def _note(row: dict[str, Any]) -> None:
    if file := os.environ.get("RELIABILITY_ROWS"):
        with Path(file).open("a", encoding="utf-8") as rows:
            rows.write(f"{json.dumps(row)}\n")

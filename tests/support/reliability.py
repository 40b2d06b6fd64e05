"""What a test of faults has gone through, for the page that `make reliability` writes."""

import json
import os
from pathlib import Path


def record(what: str, fault: str, points: int, rounds: int = 1) -> None:
    """Note that `what` survived `fault` at each of `points`, in each of `rounds`.

    To be called behind the last check: what is noted has held.
    """
    if file := os.environ.get("RELIABILITY_ROWS"):
        row = {"what": what, "fault": fault, "points": points, "rounds": rounds}
        with Path(file).open("a", encoding="utf-8") as rows:
            rows.write(f"{json.dumps(row)}\n")

"""Write the section `Soak` of `docs/reliability.md` from what `make soak` has noted."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

TITLE = "\n## Soak\n"
PAGE = Path(__file__).with_name("reliability.md")
MIB = 2**20

TEXT = """
`make soak` runs 1,000 scripted sessions, 32 at a time, in runs of 100 that land in batches, on
SQLite and again on PostgreSQL. One in seven meets a fault, drawn from a seed that is printed
(`ABREAST_SOAK_SEED` repeats it, `ABREAST_SOAK_SESSIONS` sets how many). While a run is at work its
faults last; each session must have come to the state that its fault leads to. Then they are cured,
and one `abreast resume` must bring all of them to their end: every session is done, one commit of
each is in the target (of those that write the same file the first one's; the others bounce), and
each attempt has started its agent once. Workers are killed during the first tenth, so that one
worker is measured from there on: its memory when a fifth of the sessions had ended, and at the end.
It is meant to grow by 10 % at most, and grows by more where the table says so: the worker keeps
what the newest runs were asked and where every branch was, and each session adds a branch.
"""


def section(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the section, a line at a time."""
    yield TITLE + TEXT + "\n"
    heads = [f"{row['soak']}, seed {row['seed']}" for row in rows]
    yield f"| {rows[0]['sessions']:,} sessions | {' | '.join(heads)} |\n"
    yield f"|---|{'--:|' * len(rows)}\n"
    for fault in sorted({fault for row in rows for fault in row["met"]}):
        told = " | ".join(str(row["met"].get(fault, 0)) for row in rows)
        yield f"| {fault} | {told} |\n"
    for name, part in (
        ("worker's memory, MiB", "worker"),
        ("memory of what forks runners, MiB", "fork_server"),
        ("database, MiB", "database"),
        ("descriptors of the worker", "descriptors"),
        ("threads of the worker", "threads"),
    ):
        unit = 1 if part in {"descriptors", "threads"} else MIB
        told = " | ".join(_grown(row["looks"], part, unit) for row in rows)
        yield f"| {name} | {told} |\n"


def _grown(looks: Sequence[Mapping[str, float]], part: str, unit: int) -> str:
    early, late = looks[1][part] / unit, looks[-1][part] / unit
    return f"{early:.0f} → {late:.0f} ({100 * (late / early - 1):+.0f} %)"


def main(noted: Path) -> None:
    """Replace the section in the page; of several runs on one database the last one counts."""
    rows = [json.loads(line) for line in noted.read_text(encoding="utf-8").splitlines()]
    newest = {row["soak"]: row for row in rows if "soak" in row}
    before = PAGE.read_text(encoding="utf-8").partition(TITLE)[0]
    PAGE.write_text(before + "".join(section([*newest.values()])), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What `abreast recover` has rebuilt of a database that was lost or damaged, and what not."""

from dataclasses import dataclass
from pathlib import Path

from abreast.model.session import Run


@dataclass(frozen=True)
class RecoveredRun:
    """A run that is on record again, and what of it nothing outside the database has told."""

    run: Run
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotRecovered:
    """A run, or a session `run/task`, that could not be rebuilt: why, and where its work is."""

    name: str
    why: str
    hint: str = ""


@dataclass(frozen=True)
class Recovery:
    """What came of it. `damage` is what was wrong with the database file, "" if nothing was.

    A damaged file is now in the folder `aside`, with what SQLite keeps beside it. `unknown` is what
    nothing has told of any of the runs.
    """

    damage: str = ""
    aside: Path | None = None
    runs: tuple[RecoveredRun, ...] = ()
    left: tuple[NotRecovered, ...] = ()
    unknown: tuple[str, ...] = ()

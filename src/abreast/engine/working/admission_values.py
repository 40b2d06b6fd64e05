"""What a reason not to start sessions is asked, and what it says: see `admission`."""

from dataclasses import dataclass

from abreast.engine.working.session.context import Engine
from abreast.model.hold import Hold


@dataclass(frozen=True)
class Applicant:
    """Whether sessions of `agent` may start now in a run.

    `running` are those tasks of it that are at work. `proven` tells whether one of its sessions has
    had a reply since the run began to work, `waiting` whether one of the running waits for a place,
    `child` whether they answer a question of a session that waits for them.
    """

    engine: Engine
    run: str
    agent: str
    running: tuple[str, ...]
    proven: bool
    waiting: bool = False
    child: bool = False


@dataclass(frozen=True)
class Admission:
    """How many sessions may start now (None: any number), and why not more."""

    most: int | None = None
    hold: Hold | None = None


FREE = Admission()

"""Kill a worker at changes that it makes while it lands, and look where the next one ends.

    python -m tests.engine.working.landing.killed_queue REPOSITORY DATABASE SCRATCH FIRST:END:STEP

For each number in that range the same landing begins in a forked child that kills itself at its
change of that number. Then it goes on here, with what had been checkpointed. One line is printed
for each: the number, what has landed, what has bounced.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from abreast.git.fast_forward import recover
from abreast.model.landing import LandOptions
from abreast.model.session import LandState
from tests.engine.working.landing.queue_world import Change, QueueWorld, Ticket
from tests.git.killed_forward import killed_at
from tests.support.repos import Repo

CHANGES = (
    Change(shared="shared-1"),
    Change(red=True),
    Change(),
    Change(needs=(0,)),
    Change(needs=(1,)),
)


def work(scratch: Path) -> QueueWorld:
    """Take the landing from where its checkpoints are to its end."""
    world = QueueWorld(scratch / "state", Repo(scratch / "repo"))
    world.changes = {f"r1/t{n}": change for n, change in enumerate(CHANGES)}
    recover(world.places.forwards)
    noted = scratch / "checkpoint"
    world.tickets = [Ticket(**json.loads(noted.read_text()))]
    while world.tickets:
        world.step()
        if world.tickets:
            noted.write_text(json.dumps(asdict(world.tickets[0])))
    return world


def trials(repository: Path, database: Path, folder: Path, numbers: range) -> Iterator[str]:
    for number in numbers:
        scratch = folder / str(number)
        shutil.copytree(repository, scratch / "repo")
        (scratch / "state").mkdir()
        shutil.copy(database, scratch / "state/abreast.db")
        world = QueueWorld(scratch / "state", Repo(scratch / "repo"))
        world.add_run(CHANGES, batch=3)
        world.ask("r1", list(world.changes), LandOptions())
        (scratch / "checkpoint").write_text(json.dumps(asdict(world.tickets[0])))
        world.close()  # SQLite's locks do not go with a fork
        killed = killed_at(number, partial(_work_and_end, scratch))
        if killed:
            world = work(scratch)
            yield f"{number} {_end(world)}"
            world.close()


def _work_and_end(scratch: Path) -> None:
    work(scratch).close()


def _end(world: QueueWorld) -> str:
    history = [name.partition("/")[2] for _, name in world.history()]
    assert len(history) == len(set(history))
    assert world.files() == world.expected_files()
    passed = {commit for commit, verdict in world.trials() if verdict == "green"}
    assert set(world.tips()) <= passed
    states = {one.task: one.landing for one in world.run("r1").sessions}
    assert sorted(history) == [task for task, state in states.items() if state == LandState.LANDED]
    back = [task for task, state in states.items() if state == LandState.BOUNCED]
    return f"landed {' '.join(sorted(history))}, bounced {' '.join(back)}"


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:4]]
    first, end, step = map(int, sys.argv[4].split(":"))
    for line in trials(*folders, range(first, end, step)):
        print(line, flush=True)  # noqa: T201

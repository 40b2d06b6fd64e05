"""How long a command takes to start, against what Python itself takes."""

import os
import subprocess
import sys
from pathlib import Path

from abreast.runner.job import Job, save_job
from benchmarks.ground import make_repository
from benchmarks.installation import ABREAST, installation
from benchmarks.measure import Cost, median, metered, ms
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
Medians of whole processes, one after another; the methods take turns. `status` shows a run of
one session, in a state folder that `ABREAST_STATE_DIR` names. Each agent process gets a supervisor
of its own: here it runs one `echo` from start to result, against a Python that does nothing else.
The worker starts once and serves until it has had nothing to do for a while."""

_IMPORT = (sys.executable, "-I", "-c")
ECHO, SUPERVISED = "`echo` run by a bare Python", "`echo` under a supervisor"
LINE = "`abreast status --line`"
COMMANDS = {
    "`python -c pass`": (sys.executable, "-c", "pass"),
    "`python -c 'import click'`": (sys.executable, "-c", "import click"),
    "`abreast --help`": (ABREAST, "--help"),
    "`abreast status`": (ABREAST, "status"),
    LINE: (ABREAST, "status", "--line"),
    ECHO: (*_IMPORT, "import subprocess; subprocess.run(['echo', 'done'])"),
    SUPERVISED: (sys.executable, "-I", "-m", "abreast.runner"),
    "imports of the worker": (*_IMPORT, "import abreast.engine.working.worker"),
}
AIMS = {"`abreast --help`": 0.150, "`abreast status`": 0.200, LINE: 0.045}


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Start-up", TEXT)
    repo = make_repository(ground / "repo", 200)
    times = 5 if quick else 20
    with installation(ground / "state", repo) as ours:
        say(f"startup: {len(COMMANDS)} commands, {times} times")
        costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
        for turn in range(times + 1):
            for name, argv in COMMANDS.items():
                cost = _time((*argv, _job(ground, turn)) if name == SUPERVISED else argv)
                if turn:  # the first warms the file cache
                    costs[name].append(cost)
    rows = [_row(name, found, costs["`python -c pass`"]) for name, found in costs.items()]
    head = ("process", "wall, ms", "CPU, ms", "wall, ratio to `python -c pass`")
    section.tables.append(Table(head, rows))
    section.notes.append(
        "The very first `abreast run` (database made, worker started, one session): "
        f"{ours.started:.1f} s."
    )
    pairs = zip(costs[SUPERVISED], costs[ECHO], strict=True)
    ratio = median(ours.wall / bare.wall for ours, bare in pairs)
    section.notes.append(f"{SUPERVISED} takes {ratio:.1f} times as long as {ECHO}.")
    for name, most in AIMS.items():
        found = median(cost.wall for cost in costs[name])
        section.aims.append(Aim(f"{name} under {ms(most)} ms", f"{ms(found)} ms", found < most))
    return section


def _job(ground: Path, turn: int) -> str:
    """Return a new folder with a job for a supervisor."""
    folder = ground / f"job-{turn}"
    folder.mkdir()
    stop_file = str(folder / "stop")
    save_job(folder, Job(("echo", "done"), str(folder), f"bench-{turn}", stop_file))
    return str(folder)


def _time(argv: tuple[str, ...]) -> Cost:
    with metered(own=False) as cost:
        null = subprocess.DEVNULL
        subprocess.run(argv, env=os.environ, check=True, stdin=null, stdout=null)
    return cost()


def _row(name: str, costs: list[Cost], floor: list[Cost]) -> tuple[str, ...]:
    ratio = median(cost.wall / least.wall for cost, least in zip(costs, floor, strict=True))
    wall, cpu = median(c.wall for c in costs), median(c.cpu for c in costs)
    return (name, ms(wall), ms(cpu), f"{ratio:.1f}")

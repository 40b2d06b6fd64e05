"""How long a command takes to start, against what Python itself takes."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.ground import make_repository
from benchmarks.installation import ABREAST, installation
from benchmarks.measure import Cost, median, metered, ms
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
Medians of whole processes, one after another; the methods take turns. `status` shows a run of
one session. The runner is the supervisor that each agent process gets. The worker starts once
and serves until it has had nothing to do for a while."""

_IMPORT = (sys.executable, "-I", "-c")
COMMANDS = {
    "`python -c pass`": (sys.executable, "-c", "pass"),
    "`python -c 'import click'`": (sys.executable, "-c", "import click"),
    "`abreast --help`": (ABREAST, "--help"),
    "`abreast status`": (ABREAST, "status"),
    "imports of the runner": (*_IMPORT, "import abreast.runner.__main__"),
    "imports of the worker": (*_IMPORT, "import abreast.engine.working.worker"),
}
AIMS = {"`abreast --help`": 0.150, "`abreast status`": 0.200}


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Start-up", TEXT)
    repo = make_repository(ground / "repo", 200)
    times = 5 if quick else 20
    with installation(ground / "state", repo) as ours:
        say(f"startup: {len(COMMANDS)} commands, {times} times")
        costs: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
        for turn in range(times + 1):
            for name, argv in COMMANDS.items():
                cost = _time(argv)
                if turn:  # the first warms the file cache
                    costs[name].append(cost)
    rows = [_row(name, found, costs["`python -c pass`"]) for name, found in costs.items()]
    head = ("process", "wall, ms", "CPU, ms", "wall, ratio to `python -c pass`")
    section.tables.append(Table(head, rows))
    section.notes.append(
        "The very first `abreast run` (database made, worker started, one session): "
        f"{ours.started:.1f} s."
    )
    for name, most in AIMS.items():
        found = median(cost.wall for cost in costs[name])
        section.aims.append(Aim(f"{name} under {ms(most)} ms", f"{ms(found)} ms", found < most))
    return section


def _time(argv: tuple[str, ...]) -> Cost:
    with metered(own=False) as cost:
        subprocess.run(argv, env=os.environ, stdout=subprocess.DEVNULL, check=True)
    return cost()


def _row(name: str, costs: list[Cost], floor: list[Cost]) -> tuple[str, ...]:
    ratio = median(cost.wall / least.wall for cost, least in zip(costs, floor, strict=True))
    wall, cpu = median(c.wall for c in costs), median(c.cpu for c in costs)
    return (name, ms(wall), ms(cpu), f"{ratio:.1f}")

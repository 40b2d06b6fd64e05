"""Whatever goes wrong, and wherever: after a restart and one `resume` all is as it should be.

Faults strike at stations of a run (`stations`). Here each strikes at three that it may matter at;
with the product (`make soak`), at all of them.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.model.moves import Say
from abreast.model.session import LandMode, Run
from tests.support import process_faults
from tests.support.crashing import CrashingStage
from tests.support.faults import Fault, Scene
from tests.support.invariants import Ledger, begin, check_end, look
from tests.support.process_faults import Killed, Signalled, Stopped
from tests.support.reliability import record
from tests.support.repos import Repo
from tests.support.stage import scripted, task
from tests.support.stations import STATIONS


def at(*names: str) -> dict[str, str]:
    return {name: STATIONS[name] for name in names}


TOLD = at("the worktree is made", "the agent is in a tool", "the checkout is being moved")

FAULTS: tuple[Fault, ...] = (
    Killed("kill -9 of the worker", process_faults.worker, TOLD),
    Signalled("SIGTERM to the worker", process_faults.worker, signal.SIGTERM, TOLD),
    Signalled("SIGINT to the worker", process_faults.worker, signal.SIGINT, TOLD),
    Stopped("the worker is stopped and goes on", process_faults.worker, TOLD),
)


@pytest.fixture
def crashing(tmp_path: Path, repo: Repo) -> Iterator[CrashingStage]:
    repo.commit("start again", {"src/more.py": "MORE = 1\n", ".gitignore": "build/\n"})
    with CrashingStage.on_sqlite(tmp_path / "state", repo) as built:
        built.points = tmp_path / "points"
        built.points.mkdir()
        yield built


def start(stage: CrashingStage, ledger: Ledger) -> Run:
    """Start two sessions, of which one needs the other, to be landed in a checkout with edits."""
    setup, verify, trial = (stage.stands(word).command for word in ("setup", "verify", "trial"))
    here = f"if git symbolic-ref -q HEAD > /dev/null; then {verify}; else {trial}; fi"
    return stage.start(
        *(
            task(
                name,
                scripted(
                    ledger.start(name),
                    ledger.write(f"{name}/half.txt", f"half of {name}\n"),
                    ledger.write(f"build/{name}.bin", f"ignored of {name}\n"),
                    stage.stands("tool"),
                    ledger.write(f"{name}/whole.txt", f"whole of {name}\n"),
                    Say("done"),
                ),
                needs=needs,
                setup=setup,
                verify=f"{here}; test -e {name}/whole.txt && {{ {ledger.tested}; }}",
            )
            for name, needs in (("one", ()), ("two", ("one",)))
        ),
        land=LandMode.MERGE,
    )


def go_through(stage: CrashingStage, fault: Fault, stations: dict[str, str], folder: Path) -> None:
    stage.expects(stations)
    ledger = begin(stage, folder)

    def check(scene: Scene) -> None:
        look(ledger, scene)

    run = start(stage, ledger)
    struck = stage.strike_through(run.id, fault, stations, check)
    check_end(stage, ledger, stage.wait(run.id))
    assert set(struck) == set(stations), "it came to each of them"
    record("a run of two sessions with setup, verify and landing", fault.name, len(struck))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_run_comes_to_its_end_whatever_happens(
    crashing: CrashingStage, tmp_path: Path, fault: Fault
) -> None:
    go_through(crashing, fault, dict(fault.stations), tmp_path / "ledger")

"""Whatever goes wrong, and wherever: after a restart and one `resume` all is as it should be.

Faults strike at stations of a run (`stations`). Here each strikes at three that it may matter at;
with the product (`make soak`), at all of them.
"""

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from abreast.model.moves import Say
from abreast.model.session import LandMode, Run
from tests.support import git_faults, process_faults
from tests.support.crashing import CrashingStage
from tests.support.faults import At, Fault, Scene, Together
from tests.support.git_faults import GitFault
from tests.support.invariants import Ledger, begin, check_end, look
from tests.support.process_faults import Killed, Signalled, Stopped
from tests.support.reliability import record
from tests.support.repos import Repo
from tests.support.stage import scripted, task
from tests.support.stations import STATIONS


def at(*names: str) -> dict[str, str]:
    return {name: STATIONS[name] for name in names}


JOBS = at("setup is at work", "the agent is in a tool", "verify is at work")
TRIAL = at("setup is at work", "the agent is in a tool", "the merge is being tested")
EARLY = at("a worktree is half made", "the agent is in a tool", "the checkout is being moved")
LATER = at("the agent's result is there", "verify is at work", "the merge is tested")
KEPT = at("the agent is in a tool", "the commit is made", "the merge is tested")
HANDS = at("the agent is in a tool", "the commit is made", "the checkout is to be locked")

KILLED_WORKER = Killed("kill -9 of the worker", process_faults.worker, EARLY)
KILLED_RUNNER = Killed("kill -9 of a runner", process_faults.runners, TRIAL)
KILLED_AGENT = Killed("kill -9 of the agent or a command", process_faults.agents, JOBS)
KILLED_ALL = Killed("kill -9 of all", process_faults.everybody, LATER)
TERM = Signalled("SIGTERM to the worker", process_faults.worker, signal.SIGTERM, EARLY)
INT = Signalled("SIGINT to the worker", process_faults.worker, signal.SIGINT, LATER)
STOPPED_WORKER = Stopped("SIGSTOP and SIGCONT of the worker", process_faults.worker, EARLY)
STOPPED_RUNNER = Stopped("SIGSTOP and SIGCONT of a runner", process_faults.runners, TRIAL)
STOPPED_AGENT = Stopped("SIGSTOP and SIGCONT of the agent", process_faults.agents, JOBS)
NO_WORKTREE = GitFault("its worktree is removed", git_faults.remove_worktree, KEPT)
NO_BRANCH = GitFault("its branch is removed", git_faults.remove_branch, KEPT)
COLLECTED = GitFault("git gc --prune=now", git_faults.collect_garbage, HANDS)
PRUNED = GitFault("git worktree prune", git_faults.prune_worktrees, HANDS)
COMMITS = GitFault("the user commits to the target", git_faults.commit, HANDS)
ELSEWHERE = GitFault("the user checks out another branch", git_faults.check_out_another, KEPT)
REWRITTEN = GitFault("the user rewrites the target", git_faults.rebase, HANDS)
PUSHED_TARGET = GitFault("the target is pushed by force", git_faults.force_push_target, LATER)
PUSHED_SESSION = GitFault("its branch is pushed by force", git_faults.force_push_session, LATER)

TOGETHER: tuple[Together, ...] = (
    Together(
        "nobody dies", (STOPPED_WORKER, STOPPED_RUNNER, STOPPED_AGENT, COLLECTED, PRUNED, COMMITS)
    ),
    Together("the worker ends", (KILLED_WORKER, INT)),
    Together("the worker is told", (TERM, KILLED_ALL)),
    Together("a runner dies", (KILLED_RUNNER,)),
    Together("an agent dies", (KILLED_AGENT,)),
    Together("a worktree goes", (NO_WORKTREE,)),
    Together("a branch goes", (NO_BRANCH, PUSHED_SESSION)),
    Together("history changes", (REWRITTEN,)),
    Together("the target is elsewhere", (ELSEWHERE, PUSHED_TARGET)),
)
"""Faults in one run each: what ends an attempt has it for itself."""

FAULTS: tuple[Fault, ...] = tuple(fault for one in TOGETHER for fault in one.faults)


@pytest.fixture
def crashing(tmp_path: Path, repo: Repo) -> Iterator[CrashingStage]:
    repo.commit("start again", {"src/more.py": "MORE = 1\n", ".gitignore": "build/\n"})
    with CrashingStage.on_sqlite(tmp_path / "state", repo) as built:
        built.points = tmp_path / "points"
        built.points.mkdir()
        yield built


def start(stage: CrashingStage, ledger: Ledger, *names: str) -> Run:
    """Start sessions, each of which needs the one before, to be landed in a checkout with edits."""
    setup, verify, trial = (stage.stands(word).command for word in ("setup", "verify", "trial"))
    here = f"if git symbolic-ref -q HEAD > /dev/null; then {verify}; else {trial}; fi"
    return stage.start(
        *(
            task(
                name,
                scripted(
                    ledger.start(name),
                    ledger.write(f"{name}/own.txt", f"own commit of {name}\n"),
                    ledger.commit(f"{name}/own.txt"),
                    ledger.write(f"{name}/half.txt", f"half of {name}\n"),
                    ledger.write(f"build/{name}.bin", f"ignored of {name}\n"),
                    stage.stands("tool"),
                    ledger.write(f"{name}/whole.txt", f"whole of {name}\n"),
                    Say("done"),
                ),
                needs=names[:number][-1:],
                setup=setup,
                verify=f"{here}; test -e {name}/whole.txt && {{ {ledger.tested}; }}",
            )
            for number, name in enumerate(names)
        ),
        land=LandMode.MERGE,
    )


def go_through(
    stage: CrashingStage, faults: tuple[Fault, ...], stations: Mapping[str, str], *names: str
) -> list[str]:
    """Have a run struck at each station, and return those that it came to."""
    stage.expects(stations)
    ledger = begin(stage, stage.points.with_name("ledger"))

    def check(scene: Scene) -> None:
        look(ledger, scene)
        if NO_WORKTREE.name in {fault.name for fault in faults} and scene.session.worktree:
            ledger.give_up(Path(scene.session.worktree))

    run = start(stage, ledger, *names)
    whole = Together("all", faults)
    struck = stage.strike_through(run.id, whole, stations, check)
    check_end(stage, ledger, stage.wait(run.id))
    return struck


@pytest.mark.parametrize("together", TOGETHER, ids=lambda one: one.name)
def test_a_run_comes_to_its_end_whatever_happens(
    crashing: CrashingStage, together: Together
) -> None:
    struck = go_through(crashing, together.faults, together.stations, "one")
    for fault in together.faults:
        assert set(fault.stations) <= set(struck), f"it came to each station of {fault.name}"
        record("a run with setup, verify and landing", fault.name, len(fault.stations))


@pytest.mark.product
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_run_comes_to_its_end_whatever_happens_anywhere(
    crashing: CrashingStage, fault: Fault
) -> None:
    everywhere = At(fault, STATIONS)
    struck = go_through(crashing, (everywhere,), STATIONS, "one", "two")
    assert len(struck) >= len(STATIONS) / 2
    record("a run of two sessions, at every station", fault.name, len(struck))

"""Whatever goes wrong, and wherever: after a restart and one `resume` all is as it should be.

Faults strike at stations of a run (`stations`). Here each strikes at three that it may matter at;
with the product (`make soak`), at all of them.
"""

import ast
import os
import random
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from abreast.engine.working import workflows
from abreast.model.moves import Say, Shell
from abreast.model.session import LandMode, Run, RunState
from tests.support import git_faults, process_faults
from tests.support.crashing import CrashingStage
from tests.support.database_faults import DamagedDatabase, FullDisk, LockedDatabase
from tests.support.disks import Disk
from tests.support.faults import At, Fault, Scene, Together
from tests.support.git_faults import GitFault
from tests.support.invariants import Ledger, begin, check_end, look
from tests.support.process_faults import Killed, Signalled, Stopped
from tests.support.reliability import recording
from tests.support.repos import Repo, make_repo
from tests.support.stage import scripted, task, until
from tests.support.stations import EVERYWHERE, STATIONS, STEPS


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
LOCKED = LockedDatabase("the database is locked by somebody else", LATER)
DAMAGED = DamagedDatabase("the database is damaged, then `recover`", KEPT)

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
    Together("the database is locked", (LOCKED,)),
    Together("the database is damaged", (DAMAGED,)),
)
"""Faults in one run each: what ends an attempt has it for itself."""

ONE = "a run with setup, verify and landing, at some stations"
TWO = "a run of two sessions, at every station"

FAULTS: tuple[Fault, ...] = tuple(fault for one in TOGETHER for fault in one.faults)


@contextmanager
def stage_on(tmp_path: Path, repo: Repo) -> Iterator[CrashingStage]:
    repo.commit("start again", {"src/more.py": "MORE = 1\n", ".gitignore": "build/\n"})
    with CrashingStage.on_sqlite(tmp_path / "state", repo) as built:
        built.points = tmp_path / "points"
        built.points.mkdir()
        yield built


@pytest.fixture
def crashing(tmp_path: Path, repo: Repo) -> Iterator[CrashingStage]:
    with stage_on(tmp_path, repo) as built:
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
                    ledger.amend(),
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
    with ExitStack() as stack:
        rows = [(f, stack.enter_context(recording(ONE, f.name))) for f in together.faults]
        struck = go_through(crashing, together.faults, together.stations, "one")
        for fault, row in rows:
            assert set(fault.stations) <= set(struck), f"it came to each station of {fault.name}"
            row.points = len(fault.stations)


@pytest.mark.product
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_run_comes_to_its_end_whatever_happens_anywhere(
    crashing: CrashingStage, fault: Fault
) -> None:
    with recording(TWO, fault.name) as row:
        struck = go_through(crashing, (At(fault, STATIONS),), STATIONS, "one", "two")
        assert len(struck) >= len(STATIONS) / 2
        row.points = len(struck)


ROOM = at("the agent is in a tool", "the branch is to move to the commit", "the merge is made")
"""In three steps, each of which says once that it waits, or has bounced."""


@pytest.fixture
def crashing_on_disk(
    disk: Disk, tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CrashingStage]:
    """One whose repository is on a small disk, which may become full."""
    (tmp_path / "config.toml").write_text("[disk]\nmin_free_mb = 0\n")
    monkeypatch.setenv("ABREAST_CONFIG", str(tmp_path / "config.toml"))
    with stage_on(tmp_path, make_repo(disk.path / "repo")) as built:
        yield built


def test_a_run_comes_to_its_end_though_the_disk_was_full(
    crashing_on_disk: CrashingStage, disk: Disk
) -> None:
    full = FullDisk("the disk of the repository is full", disk, ROOM)
    with recording(ONE, full.name) as row:
        assert set(ROOM) <= set(go_through(crashing_on_disk, (full,), ROOM, "one"))
        row.points = len(ROOM)


@dataclass(frozen=True)
class AnyOf:
    """At each station one of several faults, by chance."""

    name: str
    faults: tuple[Fault, ...]
    chance: random.Random
    chosen: dict[str, Fault] = field(default_factory=dict)
    stations: Mapping[str, str] = field(default_factory=lambda: STATIONS)

    def strike(self, scene: Scene) -> None:
        self.chosen[scene.station] = self.chance.choice(self.faults)
        self.chosen[scene.station].strike(scene)

    def heal(self, scene: Scene) -> None:
        self.chosen[scene.station].heal(scene)


@pytest.mark.product
@pytest.mark.parametrize("times", range(5))
def test_a_run_comes_to_its_end_whatever_happens_by_chance(
    crashing: CrashingStage, times: int
) -> None:
    seed = int(os.environ.get("ABREAST_TEST_SEED") or secrets.randbelow(10**6))
    print(f"ABREAST_TEST_SEED={seed} repeats it")  # noqa: T201
    # Whose worktree is removed loses what is in it: that has a test of its own.
    faults = tuple(fault for fault in FAULTS if fault is not NO_WORKTREE)
    mixed = AnyOf("any of these, by chance", faults, random.Random(seed))  # noqa: S311
    with recording(TWO, f"{mixed.name}, seed {seed}") as row:
        row.points = len(go_through(crashing, (mixed,), STATIONS, "one", "two"))


def test_a_session_is_begun_anew_though_the_worker_died_at_every_point_of_it(
    crashing: CrashingStage, tmp_path: Path
) -> None:
    """What the first attempt left is kept, and the worktree removed and made again, once."""
    stage, fixed = crashing, tmp_path / "fixed"
    keeping = {"any": r"(keeping|put_aside|leave|_finish|trash).*$(?<!worker\.main)"}
    stage.expects(keeping)
    stage.anew = fixed
    ledger = begin(stage, tmp_path / "ledger")
    moves = (
        ledger.start("one"),
        ledger.write("own.txt", "own\n"),
        ledger.commit("own.txt"),
        ledger.amend(),
        ledger.write("half.txt", "half\n"),
        ledger.write("build/one.bin", "ignored\n"),
        Shell(
            f"head -c 20000000 /dev/zero > large; git hash-object large >> {ledger.folder}/wrote"
        ),
        Shell(f"test ! -e {fixed} || rm large"),
    )
    run = stage.start(
        task("one", scripted(*moves), verify=f"test -e {fixed} && {{ {ledger.tested}; }}"),
        land=LandMode.MERGE,
    )
    killed = replace(KILLED_WORKER, stations=keeping)

    def check(scene: Scene) -> None:
        look(ledger, scene)

    with recording("a session that fails and is begun anew", killed.name) as row:
        row.points = len(stage.strike_through(run.id, killed, keeping, check))
        check_end(stage, ledger, stage.wait(run.id))
        assert row.points > 10


def test_each_step_of_the_workflows_has_its_stations() -> None:
    """Else a new step would be one at which nothing ever goes wrong."""
    source = ast.parse(Path(workflows.__file__).read_text(encoding="utf-8"))
    made = [
        node.args[0].value
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"_step", "_blocking"}
        and isinstance(node.args[0], ast.Constant)
    ]
    assert sorted(map(str, made)) == sorted(STEPS)
    named = [name for one in STEPS.values() if isinstance(one, tuple) for name in one]
    assert sorted(named) == sorted(STATIONS)


@dataclass(frozen=True)
class KilledAtWork(Killed):
    """All die wherever a runner is at work; elsewhere the death of the worker is the same."""

    times: list[str] = field(default_factory=list)

    def strike(self, scene: Scene) -> None:
        if process_faults.runners(scene):
            super().strike(scene)
            self.times.append(scene.point)


@pytest.mark.product
def test_a_run_comes_to_its_end_wherever_all_died(crashing: CrashingStage, tmp_path: Path) -> None:
    """At every point of the worker, while another agent is at work.

    Where none is, the death of all is that of the worker: `test_crash_points` has it at every one.
    """
    stage, gate = crashing, tmp_path / "gate"
    ledger = begin(stage, tmp_path / "ledger")
    stage.expects({})
    waits = scripted(ledger.start("beside"), until(gate), ledger.write("b.txt", "b"), Say("done"))
    other = stage.start(task("beside", waits))
    stage.until(f"{other.id}/beside", lambda session: session.cli_session)
    stage.kill_worker()
    stage.expects(EVERYWHERE)
    run = start(stage, ledger, "one")
    fault = KilledAtWork("kill -9 of all", process_faults.everybody, EVERYWHERE)
    with recording("every point of a run while another agent is at work", fault.name) as row:
        stage.strike_through(run.id, fault, EVERYWHERE, beside=other.id)
        check_end(stage, ledger, stage.wait(run.id))
        assert len(fault.times) > 50
        row.points = len(fault.times)
        gate.touch()
        assert stage.wait(other.id).state is RunState.DONE

"""Whatever is killed, and whenever: each agent runs once, each task is committed once."""

import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common.worker_process import ensure_worker
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, Run, RunState, SessionState
from abreast.model.task import Task
from abreast.process.tree import marked
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until


class Journal:
    """A file outside the worktrees to which agents write; they can be made to wait."""

    def __init__(self, folder: Path) -> None:
        self._file, self._gate = folder / "journal", folder / "gate"

    def note(self, word: str) -> Shell:
        return Shell(f"echo {word} >> {self._file}")

    @property
    def wait(self) -> Shell:
        return until(self._gate)

    def open(self) -> None:
        self._gate.touch()

    def lines(self) -> list[str]:
        return self._file.read_text().splitlines() if self._file.exists() else []

    def expect(self, *words: str) -> None:
        eventually(lambda: set(words) <= set(self.lines()), f"{words} in the journal")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def slow_task(journal: Journal, name: str = "one") -> Task:
    moves = (Write("half.txt", "half\n"), journal.note(name), journal.wait, Write("new.txt", "n\n"))
    return task(name, scripted(*moves, Say("done")))


def assert_done_once(stage: Stage, run: Run) -> None:
    assert run.state is RunState.DONE, [(s.id, s.state, s.reason) for s in run.sessions]
    for session in run.sessions:
        assert session.state is SessionState.DONE
        commits = stage.repo.git("rev-list", f"{session.base_sha}..{session.branch}").split()
        assert commits == [session.commit]
        assert session.attempt == 1


def test_the_next_worker_adopts_an_agent_at_work(stage: Stage, journal: Journal) -> None:
    run = stage.start(slow_task(journal))
    journal.expect("one")
    runner = stage.runner(f"{run.id}/one")
    stage.kill_worker()
    assert runner.is_running()
    ensure_worker(stage.places)
    journal.open()
    ended = stage.wait(run.id)
    assert_done_once(stage, ended)
    assert journal.lines() == ["one"]
    assert stage.repo.git("show", f"{ended.sessions[0].branch}:new.txt") == "n"


def test_an_agent_that_ended_without_any_worker_is_taken_as_it_ended(
    local_stage: Stage, journal: Journal
) -> None:
    stage = local_stage
    run = stage.start(slow_task(journal))
    journal.expect("one")
    stage.kill_worker()
    journal.open()
    eventually((stage.directory(f"{run.id}/one") / "agent/result.json").exists, "its result")
    assert stage.session(f"{run.id}/one").state is SessionState.RUNNING
    assert_done_once(stage, stage.wait(run.id))  # who waits sees to it that there is a worker
    assert journal.lines() == ["one"]


def has_come_to(stage: Stage, run: str, events: int) -> bool:
    return len(stage.events(run)) >= events or api.find_run(run, places=stage.places).state.final


def is_past(moment: float) -> bool:
    return time.monotonic() > moment


@pytest.mark.parametrize("seed", range(4))
def test_kills_at_random_moments_cost_nothing(stage: Stage, journal: Journal, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    journal.open()
    names = ("one", "two", "three")
    tasks = [
        task(
            name,
            scripted(journal.note(name), Write(f"{name}.txt", name), Say("done")),
            needs=("one",) if name == "three" else (),
            setup="true",
            verify=f"test -e {name}.txt",
        )
        for name in names
    ]
    run = stage.start(*tasks, land=LandMode.MERGE)
    for _ in range(2):
        more = len(stage.events(run.id)) + chance.randint(1, 4)
        eventually(partial(has_come_to, stage, run.id, more), "something more happens")
        moment = time.monotonic() + chance.uniform(0.0, 0.08)
        eventually(partial(is_past, moment), "a random moment")
        stage.kill_worker()
        ensure_worker(stage.places)
    ended = stage.wait(run.id)
    assert_done_once(stage, ended)
    assert sorted(journal.lines()) == sorted(names)
    assert {session.landing for session in ended.sessions} == {LandState.LANDED}
    listed = stage.repo.git("ls-tree", "--name-only", "main").splitlines()
    assert {f"{name}.txt" for name in names} <= set(listed)
    for session in ended.sessions:
        line = f"Abreast-Session: {session.id}"
        made = stage.repo.git("log", "--format=%H", f"--grep={line}", "main")
        assert len(made.split()) == 1
    assert stage.repo.git("status", "--porcelain") == ""


def test_a_killed_runner_takes_its_agent_with_it_and_resume_goes_on(
    stage: Stage, journal: Journal
) -> None:
    run = stage.start(slow_task(journal))
    journal.expect("one")
    stage.until(f"{run.id}/one", lambda session: session.cli_session)
    processes = stage.marked(f"{run.id}/one")
    stage.runner(f"{run.id}/one").kill()
    ended = stage.wait(run.id)
    [session] = ended.sessions
    assert session.state is SessionState.UNKNOWN
    assert session.reason == "its supervisor was killed (machine restart or kill -9)"
    assert [process for process in processes if process.is_running()] == []
    assert stage.repo.git("show", f"refs/abreast/snap/{session.id}:half.txt") == "half"
    assert ended.state is RunState.FAILED

    journal.open()
    api.resume(run.id, places=stage.places)
    after = stage.wait(run.id)
    assert after.state is RunState.DONE
    assert after.sessions[0].cli_session == session.cli_session
    assert after.sessions[0].attempt == 2
    assert journal.lines() == ["one"]  # it went on after what it had done
    branch = after.sessions[0].branch
    assert stage.repo.git("diff", "--name-only", "main", branch).split() == ["half.txt", "new.txt"]


def test_after_a_reboot_resume_goes_on(local_stage: Stage, journal: Journal) -> None:
    stage = local_stage
    run = stage.start(slow_task(journal))
    journal.expect("one")
    stage.until(f"{run.id}/one", lambda session: session.cli_session)
    runner, processes = stage.runner(f"{run.id}/one"), stage.marked(f"{run.id}/one")
    stage.kill_worker()
    runner.kill()
    for process in processes:
        if process.is_running():
            process.kill()
    assert stage.session(f"{run.id}/one").state is SessionState.RUNNING  # as nobody knows better
    journal.open()
    assert stage.wait(run.id).sessions[0].state is SessionState.UNKNOWN
    api.resume(run.id, places=stage.places)
    assert stage.wait(run.id).state is RunState.DONE
    assert journal.lines() == ["one"]


def test_a_worker_that_is_told_to_end_leaves_the_work_to_the_next(
    stage: Stage, journal: Journal
) -> None:
    run = stage.start(slow_task(journal))
    journal.expect("one")
    runner = stage.runner(f"{run.id}/one")
    stage.end_worker()
    assert stage.worker() is None
    assert runner.is_running()
    journal.open()
    assert_done_once(stage, stage.wait(run.id))
    assert journal.lines() == ["one"]


def test_a_runner_that_nobody_knows_of_yet_is_not_doubled(
    local_stage: Stage, journal: Journal
) -> None:
    """Killed between starting a runner and hearing of it: the worst moment there is."""
    stage = local_stage
    run = stage.start(slow_task(journal))
    journal.expect("one")
    folder = stage.directory(f"{run.id}/one") / "agent"
    runner, kept = stage.runner(f"{run.id}/one"), (folder / "runner.json").read_text()
    stage.kill_worker()
    (folder / "runner.json").unlink()
    log = folder / "runner.log"
    ensure_worker(stage.places)
    # The new worker starts a second runner, which finds the lock taken and ends.
    eventually(lambda: folder.joinpath("job.json").stat().st_mtime > log.stat().st_ctime, "a try")
    (folder / "runner.json").write_text(kept)
    assert runner.is_running()
    journal.open()
    assert_done_once(stage, stage.wait(run.id))
    assert journal.lines() == ["one"]
    assert stage.marked(f"{run.id}/one") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_runner_heeds_no_signal_that_is_meant_for_others(
    local_stage: Stage, journal: Journal, number: signal.Signals
) -> None:
    stage = local_stage
    run = stage.start(slow_task(journal))
    journal.expect("one")
    os.kill(stage.runner(f"{run.id}/one").pid, number)
    journal.open()
    assert_done_once(stage, stage.wait(run.id))


def test_nothing_of_a_killed_run_is_alive(local_stage: Stage, journal: Journal) -> None:
    stage = local_stage
    run = stage.start(slow_task(journal))
    journal.expect("one")
    assert stage.marked(f"{run.id}/one") != []
    stage.kill_worker()
    [session] = api.stop(run.id, places=stage.places)
    assert session.state is SessionState.STOPPED
    assert marked("no such marker") == []
    assert stage.marked(f"{run.id}/one") == []
    assert journal.lines() == ["one"]

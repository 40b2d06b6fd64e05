"""`abreast recover`: the records come back from what files and git's refs know."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from abreast import api
from abreast.api.answers import collect
from abreast.api.delegations import start_delegation
from abreast.api.recovering import recover
from abreast.engine.common.recorded import RECORD
from abreast.engine.common.worker_process import find_worker
from abreast.errors import DamagedError
from abreast.model.moves import Fail, Say, Write
from abreast.model.session import LandMode, LandState, Run, RunState, SessionState
from abreast.model.task import AgentChoice
from abreast.runner.job import load_runner
from abreast.store.damage import find_damage
from tests.support.database_faults import spoil
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes


def database_of(stage: Stage) -> Path:
    return stage.places.state / "abreast.db"


def lose(stage: Stage) -> None:
    """The database is gone, as if somebody had removed it while no worker lived."""
    stage.end_worker()
    for file in stage.places.state.glob("abreast.db*"):
        file.unlink()


def known(run: Run) -> Run:
    """What is to come back of a run: all but what tells when each state began."""
    return replace(run, note="", ended=None, sessions=())


def test_a_run_comes_back_as_it_was(local_stage: Stage) -> None:
    stage = local_stage
    landed = stage.run(
        task("one", writes("one.txt")),
        task("two", writes("two.txt"), needs=("one",)),
        land=LandMode.MERGE,
    )
    failed = stage.run(
        task("half", scripted(Write("half.txt", "half"), Fail("no more"))),
        task("good", writes("good.txt")),
    )
    lose(stage)

    done = recover(places=stage.places)
    assert (done.damage, done.aside, done.left) == ("", None, ())
    assert [one.run.id for one in done.runs] == [landed.id, failed.id]
    assert done.unknown
    for before in (landed, failed):
        after = api.find_run(before.id, places=stage.places)
        assert known(after) == known(before)
        assert after.sessions == before.sessions
    assert recover(places=stage.places).runs == ()

    # They are runs as before: they can be gone on with, landed, cleaned.
    stage.wait(api.resume(failed.id, places=stage.places).id)
    assert stage.session(f"{failed.id}/half").attempt == 2
    assert stage.wait(api.request_landing(f"{failed.id}/good", places=stage.places).id)
    assert stage.session(f"{failed.id}/good").landing is LandState.LANDED


def test_a_copy_of_a_runs_folder_is_no_second_run(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")))
    other = stage.run(task("two", writes("two.txt")))
    lose(stage)
    for folder in (stage.places.runs, stage.places.sessions):
        shutil.copytree(folder / run.id, folder / f"{run.id}.copy", symlinks=True)
    # A session's record in the folder of another one is none of that.
    shutil.copy(
        stage.places.sessions / run.id / "one" / RECORD,
        stage.places.sessions / other.id / "two" / RECORD,
    )
    recover(places=stage.places)
    assert api.find_run(run.id, places=stage.places).sessions == run.sessions
    [two] = api.find_run(other.id, places=stage.places).sessions
    assert two.id == f"{other.id}/two"


def test_what_had_not_ended_goes_on(local_stage: Stage, tmp_path: Path) -> None:
    """An agent that is at work is waited for, not started again; what had not begun begins."""
    stage = local_stage
    journal, go = tmp_path / "journal", tmp_path / "go"
    moves = (Say("on it"), until(go), Write("one.txt", "one"), Say("done"))
    note = f"echo begun >> {journal}"
    run = stage.start(
        task("one", scripted(*moves), setup=note),
        task("two", writes("two.txt"), needs=("one",)),
    )
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    eventually(lambda: load_runner(stage.directory(f"{run.id}/one") / "agent"), "its runner")
    runner = stage.runner(f"{run.id}/one")
    lose(stage)

    [found] = recover(places=stage.places).runs
    assert found.run.state is RunState.QUEUED
    assert {session.state for session in found.run.sessions} == {SessionState.QUEUED}
    assert runner.is_running()
    go.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [(s.id, s.state, s.reason) for s in ended.sessions]
    assert [session.attempt for session in ended.sessions] == [1, 1]
    assert journal.read_text() == "begun\n"
    two = ended.sessions[1]
    assert stage.repo.git("show", f"{two.commit}:one.txt") == "one"
    assert two.base_sha == ended.sessions[0].commit


def test_a_landing_that_no_file_tells_of_is_seen_in_the_target(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")), land=LandMode.MERGE)
    [before] = run.sessions
    lose(stage)
    # As if it had ended while its landing went on.
    file = stage.places.runs / run.id / RECORD
    record = json.loads(file.read_text())
    record["run"]["state"] = "landing"
    record["run"]["sessions"][0] |= {"landing": "queued", "landed": "", "moved": 0.0}
    file.write_text(json.dumps(record))

    recover(places=stage.places)
    found = api.find_run(run.id, places=stage.places)
    assert found.state is RunState.DONE
    assert found.sessions[0].landing is LandState.LANDED
    assert found.sessions[0].landed == before.landed


def test_without_a_record_branches_and_files_tell(local_stage: Stage) -> None:
    """As of runs of an older abreast: what is done is, and can land; the rest is told."""
    stage = local_stage
    run = stage.run(
        task("one", writes("one.txt")),
        task("half", scripted(Write("half.txt", "half"), Fail("no more"))),
    )
    lose(stage)
    for file in (*stage.places.runs.rglob(RECORD), *stage.places.sessions.rglob(RECORD)):
        file.unlink()

    [found] = recover(places=stage.places).runs
    assert "its plan: needs, setup, verify, limits, how it lands" in found.unknown
    sessions = {session.task: session for session in stage.wait(run.id).sessions}
    before = {session.task: session for session in run.sessions}
    assert sessions["one"].state is SessionState.DONE
    assert sessions["one"].commit == before["one"].commit
    assert sessions["one"].base_sha == before["one"].base_sha
    assert sessions["half"].state is SessionState.UNKNOWN
    assert sessions["half"].worktree == before["half"].worktree
    assert sessions["half"].agent == "scripted"
    stage.wait(api.request_landing(f"{run.id}/one", places=stage.places).id)
    assert stage.repo.git("show", "main:one.txt") == "new"


def test_of_a_run_of_which_refs_alone_are_left(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")))
    lose(stage)
    for folder in (stage.places.runs, stage.places.sessions):
        shutil.rmtree(folder)
    found = recover(repo=stage.repo.path, places=stage.places)
    assert [one.run.id for one in found.runs] == [run.id]
    [session] = found.runs[0].run.sessions
    assert (session.state, session.commit) == (SessionState.DONE, run.sessions[0].commit)


def test_a_delegation_is_collected_afterwards(local_stage: Stage) -> None:
    stage = local_stage
    answer = {"bullets": ["app.py greets"], "nothing_found": None}
    asked = start_delegation(
        "Which?",
        returns="bullets",
        agent=AgentChoice("scripted", moves=(Say(json.dumps(answer)),)),
        repo=stage.repo.path,
        places=stage.places,
    )
    stage.wait(asked.id)
    lose(stage)
    recover(places=stage.places)
    [delivered] = collect(asked.id, places=stage.places)
    assert delivered.value == answer


def test_a_damaged_file_is_kept_aside_whole(local_stage: Stage, tmp_path: Path) -> None:
    """Its worker ends and says why, its agent goes on, and is waited for by the next one."""
    stage, go = local_stage, tmp_path / "go"
    before = stage.run(task("zero", writes("zero.txt")))
    run = stage.start(task("one", scripted(until(go), Write("one.txt", "one"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    eventually(lambda: load_runner(stage.directory(f"{run.id}/one") / "agent"), "its runner")
    runner = stage.runner(f"{run.id}/one")
    stage.kill_worker()
    file = database_of(stage)
    spoil(file)
    broken = file.read_bytes()
    with pytest.raises(DamagedError, match="damaged"):
        api.runs(places=stage.places)

    done = recover(places=stage.places)
    assert "malformed" in done.damage or "btree" in done.damage.lower(), done.damage
    assert done.aside is not None
    assert (done.aside / "abreast.db").read_bytes() == broken
    assert {one.run.id for one in done.runs} == {before.id, run.id}
    assert runner.is_running()
    go.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [(s.id, s.state, s.reason) for s in ended.sessions]
    assert ended.sessions[0].attempt == 1
    assert find_damage(file) == ""

    stage.end_worker()
    spoil(file)
    again = recover(places=stage.places)
    assert again.aside != done.aside  # what was put aside first is there still
    assert (done.aside / "abreast.db").read_bytes() == broken


def test_a_worker_leaves_a_database_that_is_damaged_while_it_works(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage, go = local_stage, tmp_path / "go"
    run = stage.start(task("one", scripted(until(go), Write("one.txt", "one"), Say("done"))))
    eventually(lambda: stage.has_begun(f"{run.id}/one"), "its agent")
    database_of(stage).write_bytes(b"hello, this is no database\n" * 2000)
    for name in ("-wal", "-shm"):
        database_of(stage).with_name(f"abreast.db{name}").unlink(missing_ok=True)
    eventually(lambda: find_worker(stage.places) is None, "the worker has left")
    assert "the database" in stage._worker_said()
    assert "abreast recover" in stage._worker_said()
    go.touch()
    recover(places=stage.places)
    assert stage.wait(run.id).state is RunState.DONE

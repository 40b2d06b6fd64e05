"""Once more: resume goes on where a session was, retry starts it afresh."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client import retrying
from abreast.engine.client.requests import connect
from abreast.engine.common.environment import bring_environment
from abreast.engine.common.worker_process import ensure_worker
from abreast.engine.working import run_steps
from abreast.engine.working.session.context import Engine
from abreast.errors import NotFoundError, StateError
from abreast.model.moves import Fail, Say, Shell, Write
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.model.task import AgentChoice
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes


def test_resume_goes_on_in_the_same_cli_session(
    shared_stage_on_both: Stage, tmp_path: Path
) -> None:
    stage = shared_stage_on_both
    gate, journal = tmp_path / "gate", tmp_path / "journal"
    once = Shell(f"echo once >> {journal}")
    run = stage.start(
        task("one", scripted(Write("a.txt", "a"), once, until(gate), Write("b.txt", "b"))),
        task("next", writes("next.txt"), needs=("one",)),
    )
    eventually(journal.exists, "its first moves")
    api.stop(run.id, places=stage.places)
    before = stage.wait(run.id)
    assert (before.state, before.generation) == (RunState.STOPPED, 1)
    assert before.sessions[1].state is SessionState.STOPPED

    gate.touch()
    again = api.resume(run.id, places=stage.places)
    assert (again.state.final, again.generation) == (False, 2)
    after = stage.wait(run.id)
    assert after.state is RunState.DONE, [s.reason for s in after.sessions]
    one, following = after.sessions
    assert one.cli_session == before.sessions[0].cli_session != ""
    assert journal.read_text() == "once\n"
    assert [one.attempt, following.attempt] == [2, 2]
    assert one.files == ("a.txt", "b.txt")
    assert stage.repo.git("rev-parse", f"{one.branch}^") == run.base_sha
    assert following.base_sha == one.commit
    prompts = [stage.places.sessions / one.id / str(n) / "prompt.md" for n in (1, 2)]
    assert prompts[0].read_text().startswith("Do one.")
    assert prompts[1].read_text().startswith("You were interrupted.")

    with pytest.raises(StateError, match="is done: there is nothing to resume") as refused:
        api.resume(run.id, places=stage.places)
    assert refused.value.hint == f"abreast land {run.id}"


def test_a_request_that_comes_while_its_run_is_closed_is_not_lost(stage: Stage) -> None:
    run = stage.run(task("one", scripted(Fail("no"))))
    stage.end_worker()  # we are the worker now, which was to close the run
    with connect(stage.places) as client:
        engine = Engine(stage.places, client.store, client.reader)
        with bring_environment(stage.places, run.id, ()):
            client.store.resume(run.id, {})
        run_steps.close_run(engine, run.id, run.generation)
        found = client.reader.run(run.id)
    assert found is not None
    assert (found.state, found.generation) == (RunState.QUEUED, 2)
    assert found.sessions[0].state is SessionState.QUEUED
    assert (stage.places.runs / run.id / "environment.json").exists()
    ensure_worker(stage.places)
    ended = stage.wait(run.id)
    assert (ended.state, ended.sessions[0].attempt) == (RunState.FAILED, 2)
    assert not (stage.places.runs / run.id / "environment.json").exists()


def test_a_request_that_is_refused_leaves_the_runs_environment(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(until(gate), Write("a.txt", "a"))))
    stage.until(f"{run.id}/one", lambda session: session.state is SessionState.RUNNING)
    file = stage.places.runs / run.id / "environment.json"
    before = file.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_PAPER", "a4")
        with pytest.raises(StateError, match="has not ended"):
            api.retry(f"{run.id}/one", places=stage.places)
    assert file.read_bytes() == before
    gate.touch()
    assert stage.wait(run.id).state is RunState.DONE


def test_resume_of_an_agent_without_sessions_starts_it_afresh(shared_stage: Stage) -> None:
    stage, fixed = shared_stage, shared_stage.repo.path.parent / "fixed"
    agent = AgentChoice("command", command="echo x >> count.txt")
    run = stage.run(task("one", agent, verify=f"test -e {fixed}"))
    fixed.touch()
    api.resume(run.id, places=stage.places)
    [session] = stage.wait(run.id).sessions
    assert session.state is SessionState.DONE, session.reason
    assert stage.repo.git("show", f"{session.branch}:count.txt") == "x"


def test_retry_starts_afresh_and_keeps_what_was(
    shared_stage_on_both: Stage, tmp_path: Path
) -> None:
    stage = shared_stage_on_both
    fixed, journal = tmp_path / "fixed", tmp_path / "journal"
    moves = (Shell(f"echo once >> {journal}; cp {journal} copy.txt"), Say("copied"))
    run = stage.run(
        task("red", scripted(*moves), verify=f"test -e {fixed}"),
        task("good", writes("good.txt")),
    )
    red, good = run.sessions
    assert (red.state, good.state) == (SessionState.FAILED, SessionState.DONE)
    fixed.touch()
    api.retry(red.id, places=stage.places)
    after = stage.wait(run.id)
    assert (after.state, after.generation) == (RunState.DONE, 2)
    again = after.sessions[0]
    assert (again.attempt, again.cli_session != red.cli_session) == (2, True)
    assert journal.read_text() == "once\nonce\n"
    show = stage.repo.git
    assert show("show", f"{again.branch}:copy.txt") == "once\nonce"
    assert show("rev-parse", f"{again.branch}^") == run.base_sha
    kept = show("rev-list", f"refs/abreast/kept/{red.id}").split()
    assert "once" in {show("show", f"{commit}:copy.txt", check=False) for commit in kept}

    # One that is done may be tried again until it has landed.
    api.retry(good.id, places=stage.places)
    after = stage.wait(run.id)
    assert after.sessions[1].state is SessionState.DONE
    kept = show("rev-list", f"refs/abreast/kept/{good.id}").split()
    assert good.commit in kept
    api.land(run.id, places=stage.places)
    with pytest.raises(StateError, match="has landed as"):
        api.retry(good.id, places=stage.places)


def test_ignored_files_of_an_agent_are_kept_when_another_begins_afresh(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    stage.repo.commit("ignore", {".gitignore": "deps/\nout/\n"})
    setup = "mkdir -p deps; echo theirs > deps/one"
    write = Shell("mkdir -p out; echo hours of work > out/model.bin; echo a > a.txt")
    run = stage.run(task("one", scripted(write, Say("done")), setup=setup))
    [one] = run.sessions
    assert run.state is RunState.DONE
    api.retry(one.id, places=stage.places)
    assert stage.wait(run.id).state is RunState.DONE
    aside = stage.places.aside / run.id / "one"
    assert (aside / "out/model.bin").read_text() == "hours of work\n"
    assert not (aside / "deps").exists(), "setup makes it again"
    assert f'no commit holds "out/": moved to {aside}' in stage.events(one.id, "kept")


@pytest.mark.parametrize("again", [api.retry, api.resume])
def test_commits_outlive_the_worktree_that_somebody_has_removed(
    stage: Stage, tmp_path: Path, again: Callable[..., object]
) -> None:
    """Also the one that was amended, of which only git's folder for the worktree knew."""
    go, made = tmp_path / "go", tmp_path / "made"
    commit = f"git rev-parse HEAD >> {made}"
    moves = (
        Shell(f"test -e {go} || {{ echo a > a.txt; git add a.txt; git commit -qm a; {commit}; }}"),
        Shell(f"test -e {go} || {{ git commit -q --amend -m b; {commit}; }}"),
        Shell(f"touch {tmp_path}/here"),
        until(go),
        Write("b.txt", "b"),
    )
    run = stage.start(task("one", scripted(*moves)))
    eventually((tmp_path / "here").exists, "its commits")
    [one] = run.sessions
    stage.kill_worker()
    shutil.rmtree(stage.session(one.id).worktree)
    api.stop(run.id, places=stage.places)
    ensure_worker(stage.places)
    assert stage.wait(run.id).state is RunState.STOPPED
    go.touch()
    again(one.id if again is api.retry else run.id, places=stage.places)
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [session.reason for session in ended.sessions]
    amended, commit = made.read_text().split()
    reached = stage.repo.git("rev-list", "--all").split()
    assert {amended, commit} <= {*reached}


def test_retry_starts_from_the_target_as_it_is_now(shared_stage: Stage) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    run = stage.run(task("first", writes("first.txt")), task("one", writes("one.txt")))
    one = run.sessions[1]
    api.land(f"{run.id}/first", places=stage.places)
    tip = git("rev-parse", run.target)
    assert tip != run.base_sha
    api.retry(one.id, places=stage.places)
    again = stage.wait(run.id).sessions[1]
    assert (again.state, again.base_sha) == (SessionState.DONE, tip), again.reason
    assert git("show", f"{again.commit}:first.txt") == "new"
    assert f"starts from {run.target} ({tip[:12]})" in stage.events(one.id, "retry")

    with pytest.raises(NotFoundError, match="no-such"):
        api.retry(one.id, base="no-such", places=stage.places)
    assert stage.session(one.id).attempt == 2
    api.retry(one.id, base=run.base_sha, places=stage.places)
    assert stage.wait(run.id).sessions[1].base_sha == run.base_sha


def test_a_retried_session_starts_without_what_the_target_has(shared_stage: Stage) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    run = stage.run(
        task("first", writes("first.txt")), task("next", writes("next.txt"), needs=("first",))
    )
    api.land(f"{run.id}/first", places=stage.places)
    git("rm", "-q", "first.txt")
    git("commit", "-qm", "somebody removes it again")
    tip = git("rev-parse", run.target)
    api.retry(f"{run.id}/next", places=stage.places)
    again = stage.wait(run.id).sessions[1]
    assert (again.state, again.base_sha) == (SessionState.DONE, tip), again.reason


def test_a_refused_retry_leaves_where_the_session_starts(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(until(gate), Say("done"))))
    name = f"{run.id}/one"
    stage.until(name, lambda session: session.state is SessionState.RUNNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(retrying, "swap_ref")  # not for a moment: it may be about to begin
        with pytest.raises(StateError, match="has not ended"):
            api.retry(name, base="HEAD", places=stage.places)
    assert stage.repo.git("for-each-ref", "refs/abreast/start") == ""
    gate.touch()
    stage.wait(run.id)


def test_retry_while_the_rest_of_the_run_is_at_work(stage: Stage, tmp_path: Path) -> None:
    fixed, gate, journal = (tmp_path / name for name in ("fixed", "gate", "journal"))

    def noted(name: str, *moves: Shell) -> AgentChoice:
        begin, end = (Shell(f"echo {name} {word} >> {journal}") for word in ("begins", "ends"))
        return scripted(begin, *moves, Write(f"{name}.txt", "x"), end)

    run = stage.start(
        task("red", noted("red"), verify=f"test -e {fixed}", resources=("db",)),
        task("long", noted("long", until(gate)), resources=("db",)),
        task("after", noted("after"), needs=("long",)),
        max_parallel=2,
    )
    red = f"{run.id}/red"
    stage.until(red, lambda session: session.state is SessionState.FAILED)
    stage.until(f"{run.id}/long", lambda session: session.state is SessionState.RUNNING)
    with pytest.raises(StateError, match="has not ended: it is running") as refused:
        api.retry(f"{run.id}/long", places=stage.places)
    assert refused.value.hint == f"abreast stop {run.id}/long"

    fixed.touch()
    assert api.retry(red, places=stage.places).generation == 2
    stage.restart_worker()  # what it has taken up must not depend on its memory
    assert stage.session(red).state is SessionState.QUEUED
    gate.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, [s.reason for s in ended.sessions]
    assert [session.attempt for session in ended.sessions] == [2, 1, 1]
    lines = journal.read_text().splitlines()
    assert lines[:3] == ["red begins", "red ends", "long begins"]
    # It came a second time, once, when what they share was free again.
    assert lines.count("red begins") == 2
    assert lines.index("long ends") < lines.index("red begins", 1)
    assert lines.count("long begins") == lines.count("after begins") == 1


def test_retry_while_the_run_is_landing(local_stage: Stage, tmp_path: Path) -> None:
    stage = local_stage
    fixed, gate, trying = (tmp_path / name for name in ("fixed", "gate", "trying"))
    wait = f"echo once >> {trying}; while [ ! -e {gate} ]; do sleep 0.02; done"
    run = stage.start(
        task("red", writes("red.txt"), verify=f"test -e {fixed}"),
        task("good", writes("good.txt"), verify=f"case $PWD in */.landing*) {wait};; esac"),
        land=LandMode.MERGE,
    )
    eventually(trying.exists, "the good one is tried")
    assert api.find_run(run.id, places=stage.places).state is RunState.LANDING
    fixed.touch()
    api.retry(f"{run.id}/red", places=stage.places)
    stage.restart_worker()
    gate.touch()
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, ended
    assert [session.landing for session in ended.sessions] == [LandState.LANDED] * 2
    assert trying.read_text() == "once\n"


def test_resume_unblocks_a_run_whose_request_was_lost(shared_stage: Stage) -> None:
    """A client that was killed between two writes leaves a queued session and nobody to run it."""
    stage, fixed = shared_stage, shared_stage.repo.path.parent / "fixed"
    run = stage.run(task("one", writes("one.txt"), verify=f"test -e {fixed}"))
    with connect(stage.places) as client:
        client.store.next_attempt(run.sessions[0].id)
    fixed.touch()
    api.resume(run.id, places=stage.places)
    assert stage.wait(run.id).state is RunState.DONE

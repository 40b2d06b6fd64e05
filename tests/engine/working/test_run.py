"""A plan's tasks run side by side and come to proven ends."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.engine.client.requests import connect
from abreast.model.moves import Fail, Say, Shell, Spend, Write
from abreast.model.session import Run, RunState, SessionState
from abreast.model.task import AgentChoice
from abreast.model.usage import Usage
from tests.support.stage import Stage, scripted, task, writes


def test_three_tasks_are_done_each_with_one_commit(shared_stage_on_both: Stage) -> None:
    stage = shared_stage_on_both
    run = stage.run(*(task(name, writes(f"{name}.txt")) for name in ("one", "two", "three")))
    assert run.state is RunState.DONE
    for session in run.sessions:
        assert session.state is SessionState.DONE, session.reason
        assert session.files == (f"{session.task}.txt",)
        branch = f"abreast/{run.id}/{session.task}"
        assert stage.repo.git("rev-parse", branch) == session.commit
        assert stage.repo.git("rev-parse", f"{branch}^") == run.base_sha
        message = stage.repo.git("log", "-1", "--format=%B", branch)
        assert message.splitlines()[0] == f"{session.task} is there."
        assert f"Abreast-Run: {run.id}" in message
        assert f"Abreast-Session: {session.id}" in message
        assert session.final_message == f"wrote {session.task}.txt"


ENDINGS = {
    "verify-fails": (SessionState.FAILED, "verify failed: exit code 3: not good enough"),
    "changes-nothing": (SessionState.FAILED, "it ended well, but changed nothing"),
    "asks": (SessionState.BLOCKED, "it asks: Which of the two should go?"),
    "only-reads": (SessionState.DONE, ""),
    "should-only-read": (SessionState.FAILED, "it was to change nothing, but changed new.txt"),
    "setup-fails": (SessionState.FAILED, "setup failed: exit code 4: no network"),
    "gives-up": (SessionState.FAILED, "too hard"),
    "strays": (SessionState.BLOCKED, "../new.txt is outside the worktree"),
    "is-killed": (SessionState.UNKNOWN, "the script ended without a result (exit code -9)"),
    "needs-a-failed-one": (SessionState.SKIPPED, "needs gives-up, which is failed"),
    "needs-a-skipped-one": (SessionState.SKIPPED, "needs needs-a-failed-one, which is skipped"),
}


@pytest.fixture
def ended(shared_stage_on_both: Stage) -> Run:
    stage = shared_stage_on_both
    new = Write("new.txt", "work\n")
    red = "echo not good enough; exit 3"
    reads = scripted(Say("all is well"))
    return stage.run(
        task("verify-fails", scripted(new), verify=red),
        task("changes-nothing", reads),
        task("asks", scripted(Say("I found two.\n\nWhich of the two should go?"))),
        task("only-reads", reads, changes=False, verify="test -e README.md"),
        task("should-only-read", scripted(new), changes=False),
        task("setup-fails", scripted(new), setup="echo no network >&2; exit 4"),
        task("gives-up", scripted(new, Fail("too hard"))),
        task("strays", scripted(new, Write("../new.txt", "x"))),
        task("is-killed", scripted(new, Shell("kill -9 $PPID"))),
        task("needs-a-failed-one", reads, needs=("gives-up",)),
        task("needs-a-skipped-one", reads, needs=("needs-a-failed-one",)),
    )


def test_every_way_to_end_says_why_and_keeps_the_work(
    shared_stage_on_both: Stage, ended: Run
) -> None:
    stage = shared_stage_on_both
    assert ended.state is RunState.FAILED
    found = {session.task: (session.state, session.reason) for session in ended.sessions}
    assert found == ENDINGS
    with_work = {"verify-fails", "should-only-read", "gives-up", "strays", "is-killed"}
    for session in ended.sessions:
        ref = f"refs/abreast/snap/{session.id}"
        kept = stage.repo.git("show", f"{ref}:new.txt", check=False)
        assert kept == ("work" if session.task in with_work else ""), session.task
        assert session.commit == ""
        branch = stage.repo.git("rev-parse", "-q", "--verify", session.branch, check=False)
        assert branch in {"", ended.base_sha}
    agent_ran = (stage.directory(f"{ended.id}/setup-fails") / "agent").exists()
    assert not agent_ran
    never_began = stage.session(f"{ended.id}/needs-a-failed-one")
    assert (never_began.started, never_began.worktree) == (None, "")


def test_usage_is_what_the_agent_stated(shared_stage: Stage) -> None:
    stage = shared_stage
    agent = scripted(Spend(1000, 200, 50), Write("a.txt", "a"), Spend(500, 0, 5), Say("done"))
    run = stage.run(task("one", agent))
    [session] = run.sessions
    assert session.usage == Usage(1500, 200, 55, None, "stream")
    assert session.turns == 2


def test_an_agent_that_is_no_agent_runs_as_a_command(shared_stage: Stage) -> None:
    stage = shared_stage
    line = 'grep -c "Do count" "$ABREAST_PROMPT_FILE" >> count.txt; cat >> count.txt; echo counted'
    run = stage.run(task("count", AgentChoice("command", command=line), verify="test -s count.txt"))
    [session] = run.sessions
    assert session.state is SessionState.DONE, session.reason
    assert session.final_message == "counted"
    counted = stage.repo.git("show", f"{session.branch}:count.txt")
    assert counted.startswith("1\nDo count.")


def test_a_folder_whose_pointer_names_a_bare_repository_is_enough(
    local_stage: Stage, tmp_path: Path, scratch_home: Path
) -> None:
    stage, hub, place = local_stage, tmp_path / "bare.git", tmp_path / "place"
    stage.repo.git("clone", "-q", "--bare", ".", str(hub))
    stage.repo.git("config", "--global", "safe.bareRepository", "explicit")
    place.mkdir()
    (place / ".git").write_text("gitdir: ../bare.git\n")
    plan = replace(stage.plan(task("one", writes("new.txt"))), repo=str(place))
    with connect(stage.places) as client:
        begun = client.start(plan, os.environ)
    [session] = stage.wait(begun.id).sessions
    assert session.state is SessionState.DONE
    files = stage.repo.git("--git-dir", str(hub), "ls-tree", "--name-only", session.commit)
    assert "new.txt" in files

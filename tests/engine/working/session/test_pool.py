"""A plan with a pool: worktrees are used again, with what they had installed."""

from pathlib import Path

from abreast import api
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, RunState
from tests.support.deadlines import eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes


def _warm(stage: Stage) -> list[str]:
    return sorted(path.name for path in stage.places.worktrees.glob("*/.pool/slot-?"))


def test_the_pool_is_filled_used_and_given_back(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.commit("ignore", {".gitignore": "deps/\n"})
    first = stage.run(task("one", writes("one.txt")), pool=1, land=LandMode.MERGE)
    assert first.state is RunState.DONE, first
    eventually(lambda: _warm(stage) == ["slot-1"], "a warm worktree")

    installs = scripted(
        Shell("mkdir -p deps && echo 1 > deps/lib"), Write("two.txt", "2"), Say("ok")
    )
    second = stage.run(task("two", installs), pool=1, land=LandMode.MERGE)
    assert second.sessions[0].landing is LandState.LANDED, second
    assert second.sessions[0].worktree == "", "it was given back"

    sees = scripted(Shell("cp deps/lib three.txt"), Say("ok"))
    third = stage.run(task("three", sees), pool=1)
    assert third.state is RunState.DONE, third.sessions[0].reason
    assert ".pool/slot-1" in third.sessions[0].worktree
    assert stage.repo.git("show", f"{third.sessions[0].branch}:three.txt") == "1"
    assert stage.repo.git("show", f"{third.sessions[0].branch}:two.txt") == "2"


def test_a_worktree_that_cannot_be_given_back_is_a_note_to_the_landing(local_stage: Stage) -> None:
    stage = local_stage
    stage.run(task("zero", writes("zero.txt")), pool=1)
    eventually(lambda: _warm(stage) == ["slot-1"], "a warm worktree")
    run = stage.run(task("one", writes("one.txt")), pool=1)
    slot = Path(run.sessions[0].worktree)
    assert slot.name == "slot-1"
    lock = Path(Repo(slot).git("rev-parse", "--absolute-git-dir")) / "index.lock"
    lock.touch()
    after = api.land(run.id, places=stage.places)
    [session] = after.sessions
    assert (after.state, session.landing) == (RunState.DONE, LandState.LANDED)
    assert "one.txt" in stage.repo.git("ls-tree", "--name-only", "main").split()
    assert session.reason.startswith("its warm worktree could not be given back: ")
    assert session.hint == f"abreast clean {session.id} --remove"
    lock.unlink()
    [removal] = api.clean([session.id], remove=True, places=stage.places)
    assert removal.reason == "landed in main (contained)"
    assert api.find_run(run.id, places=stage.places).sessions[0].worktree == ""

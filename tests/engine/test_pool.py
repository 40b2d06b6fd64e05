"""A plan with a pool: worktrees are used again, with what they had installed."""

from abreast.model.moves import Say, Shell, Write
from abreast.model.states import LandMode, LandState, RunState
from tests.support.stage import Stage, eventually, scripted, task, writes


def _warm(stage: Stage) -> list[str]:
    return sorted(path.name for path in stage.places.worktrees.glob("*/.pool/slot-?"))


def test_the_pool_is_filled_used_and_given_back(local_stage: Stage) -> None:
    stage = local_stage
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

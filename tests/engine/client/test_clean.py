"""Cleaning up: what is safe elsewhere goes, everything else stays and says why."""

import subprocess
import sys
from pathlib import Path

import pytest

from abreast import api
from abreast.errors import NotFoundError
from abreast.model.changes import Removal
from abreast.model.moves import Say, Write
from abreast.model.session import LandMode, RunState, SessionState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes


def clean(stage: Stage, *names: str, **how: bool) -> dict[str, Removal]:
    return {
        removal.session.partition("/")[2]: removal
        for removal in api.clean(names, places=stage.places, **how)
    }


def worktrees(stage: Stage) -> list[str]:
    """The tasks whose worktrees git knows, but for scratch ones."""
    lines = stage.repo.git("worktree", "list", "--porcelain").splitlines()
    paths = [Path(line.partition(" ")[2]) for line in lines if line.startswith("worktree ")]
    return sorted(path.name for path in paths[1:] if not path.name.startswith("."))


def test_what_has_landed_goes_and_the_rest_stays(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = until(gate)
    landed = stage.run(
        task("merged", writes("merged.txt")),
        task("looks", scripted(Say("fine")), changes=False),
        land=LandMode.MERGE,
    )
    run = stage.run(
        task("squashed", writes("squashed.txt")),
        task("picked", writes("picked.txt")),
        task("not-landed", writes("other.txt")),
        task("red", writes("red.txt"), verify="false"),
        task("edited", writes("edited.txt")),
        task("idle", scripted(Say("nothing to do"))),
    )
    running = stage.start(task("running", scripted(waits, Write("r.txt", "r"))))
    of = {session.task: session for session in (*landed.sessions, *run.sessions)}
    stage.repo.git("merge", "-q", "--squash", of["squashed"].branch)
    stage.repo.commit("squashed by hand, with more", {"more.txt": "x"})
    stage.repo.git("cherry-pick", of["picked"].commit, of["edited"].commit)
    (Path(of["edited"].worktree) / "edited.txt").write_text("edited later\n")
    stage.until(f"{running.id}/running", lambda s: s.state is SessionState.RUNNING)

    listed = clean(stage)
    assert {name: removal.reason or removal.kept for name, removal in listed.items()} == {
        "merged": "landed in main (contained)",
        "looks": "nothing was changed",
        "squashed": "landed in main (nothing to add)",
        "picked": "landed in main (nothing to add)",
        "not-landed": "not landed",
        "red": "uncommitted changes: 1 untracked",
        "edited": "uncommitted changes: 1 changed",
        "idle": "nothing was changed",
        "running": "it is running",
    }
    assert len(worktrees(stage)) == 9  # it only told
    going = {name for name, removal in listed.items() if not removal.kept}

    assert clean(stage, remove=True) == listed
    assert worktrees(stage) == ["edited", "not-landed", "red", "running"]
    for name in going:
        assert not Path(of[name].worktree).exists()
        assert stage.repo.git("branch", "--list", of[name].branch) == ""
        if of[name].commit:
            kept = stage.repo.git("rev-list", listed[name].rescue).split()
            assert of[name].commit in kept
    assert list(stage.places.trash.iterdir()) == []
    assert set(clean(stage)) == {"edited", "not-landed", "red", "running"}

    forced = clean(stage, run.id, remove=True, force=True)
    assert set(forced) == {"edited", "not-landed", "red"}
    assert worktrees(stage) == ["running"]
    show = stage.repo.git
    assert show("show", f"{forced['red'].rescue}:red.txt") == "new"
    assert show("show", f"{forced['edited'].rescue}:edited.txt") == "edited later"
    assert show("show", f"{forced['not-landed'].rescue}:other.txt") == "new"

    gate.touch()
    assert stage.wait(running.id).state is RunState.DONE


def test_a_worktree_in_which_somebody_is_stays(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("d/one.txt")), land=LandMode.MERGE)
    inside = Path(run.sessions[0].worktree) / "d"
    person = subprocess.Popen([sys.executable, "-c", "input()"], cwd=inside, stdin=subprocess.PIPE)
    try:
        removal = clean(stage, remove=True, force=True)["one"]
        assert removal.kept == f"process {person.pid} works in it"
        assert inside.exists()
    finally:
        person.communicate(b"\n")
    assert clean(stage, remove=True)["one"].kept == ""
    assert not inside.exists()


def test_a_session_that_was_cleaned_away_can_be_tried_again(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage, fixed = local_stage, tmp_path / "fixed"
    run = stage.run(task("red", writes("red.txt"), verify=f"test -e {fixed}"))
    [removal] = api.clean(["red"], remove=True, force=True, places=stage.places)
    fixed.touch()
    api.retry("red", places=stage.places)
    after = stage.wait(run.id)
    assert after.state is RunState.DONE, after.sessions[0].reason
    assert Path(after.sessions[0].worktree).exists()
    kept = stage.repo.git("rev-list", "--all", "--", "red.txt")
    assert kept
    assert removal.rescue


def test_names_are_runs_sessions_or_tasks(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("1")), task("two", writes("2")))
    eventually(lambda: set(clean(stage, run.id)) == {"one", "two"}, "both are listed")
    assert set(clean(stage, "one")) == {"one"}
    assert set(clean(stage, f"{run.id}/two")) == {"two"}
    assert set(clean(stage, run.id[:3])) == {"one", "two"}
    assert set(clean(stage, f"{run.id[:3]}/two")) == {"two"}
    with pytest.raises(NotFoundError, match="there is no run or session nobody"):
        clean(stage, "nobody")
    for name in ("", "/one", f"{run.id[:3]}/three"):
        with pytest.raises(NotFoundError, match="there is no run or session"):
            clean(stage, name)

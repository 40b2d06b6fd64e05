"""What a session's work looks like in the target's history, and that it is known to have landed."""

from abreast import api
from abreast.model.landing import LandOptions
from abreast.model.moves import Edit, Say, Shell, Write
from abreast.model.session import LandMode, LandOrder, LandState, LandStyle, Run, RunState
from tests.support.stage import Stage, scripted, task, writes

_COMMIT = "git -c user.name=Agent -c user.email=agent@localhost commit -q"
OWN = scripted(
    Write("one.txt", "1\n"),
    Shell(f"git add one.txt && {_COMMIT} -m 'add one' -m 'Fixes: #12'"),
    Write("two.txt", "2\n"),
    Shell(f"git add two.txt && {_COMMIT} -m 'add two' -m 'fixes: #12' -m 'Abreast-Run: x'"),
    Write("rest.txt", "3\n"),
    Say("done"),
)
"""An agent that makes two commits, and leaves a file uncommitted."""


def states(run: Run) -> set[LandState]:
    return {session.landing for session in run.sessions}


def log(stage: Stage, shape: str, since: str) -> list[str]:
    return stage.repo.git("log", "--reverse", f"--format={shape}", f"{since}..main").splitlines()


def test_a_task_lands_as_one_commit_with_its_trailers(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("own", OWN), co_author=True)
    moved = stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    [session] = api.land(run.id, places=stage.places).sessions
    assert session.landing is LandState.LANDED, session.reason
    assert log(stage, "%H %P", moved) == [f"{session.landed} {moved}"]
    assert stage.repo.git("log", "-1", "--format=%B", "main").splitlines() == [
        "own is there.",
        "",
        "Fixes: #12",
        "Co-authored-by: Scripted <scripted@localhost>",
        f"Abreast-Run: {run.id}",
        f"Abreast-Session: {session.id}",
    ]
    user = stage.repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>", moved)
    assert stage.repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>", "main") == user

    # What others make of it later changes nothing in that: it has landed, and is not landed again.
    tip = stage.repo.commit("another way", {"one.txt": "another\n", "rest.txt": ""})
    [removal] = api.clean([run.id], places=stage.places)
    assert removal.reason == f"landed in main (as {session.landed[:12]})"
    assert states(api.land(run.id, places=stage.places)) == {LandState.LANDED}
    assert stage.repo.git("rev-parse", "main") == tip
    # Unless the target has lost it.
    stage.repo.git("reset", "-q", "--hard", run.base_sha)
    [removal] = api.clean([run.id], places=stage.places)
    assert removal.kept == "not landed"
    assert states(api.land(run.id, places=stage.places)) == {LandState.LANDED}
    assert log(stage, "%s", run.base_sha) == ["own is there."]


def test_what_was_built_on_a_squashed_task_lands_its_own_change(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("first", writes("first.txt", "a\n")),
        task("second", scripted(Edit("first.txt", "a", "b"), Say("done")), needs=("first",)),
        task("third", scripted(Edit("first.txt", "b", "c"), Say("done")), needs=("second",)),
    )
    moved = stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    first = f"{run.id}/first"
    alone = api.land(first, places=stage.places)
    assert alone.sessions[0].landing is LandState.LANDED
    assert alone.state is RunState.DONE  # nobody has asked for the others
    stage.repo.git("mv", "first.txt", "moved.txt")
    stage.repo.git("commit", "-qm", "moved")
    after = api.land(run.id, places=stage.places)
    assert states(after) == {LandState.LANDED}, [s.reason for s in after.sessions]
    assert stage.repo.git("show", "main:moved.txt") == "c"
    made = log(stage, "%s", moved)
    assert made == ["first is there.", "moved", "second is there.", "third is there."]
    assert not stage.events(run.id, "alone")


def test_one_that_needs_another_does_not_land_where_that_is_not(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.git("branch", "other")
    run = stage.run(
        task("first", writes("first.txt")), task("second", writes("second.txt"), needs=("first",))
    )
    stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    first = api.land(f"{run.id}/first", places=stage.places).sessions[0]
    second = api.land(f"{run.id}/second", target="other", places=stage.places).sessions[1]
    assert second.landing is LandState.BOUNCED
    assert second.reason == (
        f"needs first, which has not landed: {first.landed[:12]} is not in the target"
    )


def test_the_agents_own_commits_are_put_onto_the_target(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("own", OWN), task("plain", writes("plain.txt")), land_style=LandStyle.REBASE
    )
    moved = stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    after = api.land(run.id, options=LandOptions(LandOrder.AS_GIVEN), places=stage.places)
    assert states(after) == {LandState.LANDED}, [s.reason for s in after.sessions]
    user = stage.repo.git("log", "-1", "--format=%an", moved)
    assert log(stage, "%s|%an|%cn", moved) == [
        f"add one|Agent|{user}",
        f"add two|Agent|{user}",
        f"own is there.|{user}|{user}",
        f"plain is there.|{user}|{user}",
    ]
    names = stage.repo.git("log", "--reverse", "--format=", "--name-only", f"{moved}..main")
    assert names.splitlines() == ["one.txt", "two.txt", "rest.txt", "plain.txt"]
    told = stage.repo.git("log", "--format=%(trailers:key=Abreast-Session,valueonly)", "main")
    assert told.split() == [f"{run.id}/plain", *[f"{run.id}/own"] * 3]
    stage.repo.commit("another way", {"one.txt": "another\n"})
    assert states(api.land(run.id, places=stage.places)) == {LandState.LANDED}


def test_merges_keep_both_sides(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("one", writes("one.txt")),
        task("two", writes("two.txt")),
        land=LandMode.MERGE,
        land_style=LandStyle.MERGE,
    )
    one, two = run.sessions
    assert states(run) == {LandState.LANDED}, [s.reason for s in run.sessions]
    assert one.landed == one.commit  # nothing was there to merge with
    assert stage.repo.git("log", "-1", "--format=%P|%s|%(trailers:valueonly,separator=%x20)") == (
        f"{one.commit} {two.commit}|Merge {two.branch}: two is there.|{run.id} {two.id}"
    )

"""Undo: what a session has landed is reverted, tested, and landed by the same queue."""

import pytest

from abreast import api
from abreast.cli.edge import guard
from abreast.errors import StateError
from abreast.model.moves import Edit, Say, Shell
from abreast.model.session import LandMode, LandState, LandStyle, RunState
from tests.support.stage import Stage, scripted, task, writes


def files(stage: Stage, branch: str = "main") -> set[str]:
    return set(stage.repo.git("ls-tree", "-r", "--name-only", branch).splitlines())


@pytest.mark.parametrize("style", list(LandStyle))
def test_what_has_landed_is_reverted(shared_stage: Stage, style: LandStyle) -> None:
    stage = shared_stage
    twice = scripted(
        Shell("echo 1 > a.txt && git add a.txt && git commit -qm one"),
        Shell("echo 2 > b.txt && git add b.txt && git commit -qm two"),
        Say("done"),
    )
    run = stage.run(
        task("keep", writes("keep.txt")),
        task("twice", twice),
        land=LandMode.MERGE,
        land_style=style,
    )
    assert {"a.txt", "b.txt", "keep.txt"} <= files(stage)
    before = stage.repo.git("rev-parse", "main")
    undone = api.undo(f"{run.id}/twice", places=stage.places)
    [session] = undone.sessions
    assert (undone.state, session.landing) == (RunState.DONE, LandState.LANDED), session.reason
    assert files(stage) & {"a.txt", "b.txt", "keep.txt"} == {"keep.txt"}
    assert stage.repo.git("log", "-1", "--format=%s", "main").startswith('Revert "twice is there.')
    assert stage.repo.git("rev-list", "--count", f"{before}..main") == "1"
    assert stage.repo.git("merge-base", "--is-ancestor", before, "main", check=False) == ""


def test_a_revert_that_fails_its_check_does_not_land(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt"), verify="test -e one.txt"), land=LandMode.MERGE)
    before = stage.repo.git("rev-parse", "main")
    undone = api.undo(f"{run.id}/one", places=stage.places)
    assert undone.state is RunState.FAILED
    assert stage.repo.git("rev-parse", "main") == before


def test_a_revert_that_conflicts_with_what_came_later_does_not_land(shared_stage: Stage) -> None:
    stage = shared_stage
    edit = scripted(Edit("README.md", "# demo", "# theirs"), Say("done"))
    run = stage.run(task("one", edit), land=LandMode.MERGE)
    stage.repo.git("reset", "-q", "--hard", "main")
    later = stage.repo.commit("later", {"README.md": "# mine\n"})
    undone = api.undo(f"{run.id}/one", places=stage.places)
    assert undone.state is RunState.FAILED
    [session] = undone.sessions
    assert session.reason.endswith("what came later overlaps with it: revert it by hand")
    landed = run.sessions[0].landed
    assert session.hint == f"git revert {landed}, on main, and settle there what overlaps"
    assert stage.repo.git("rev-parse", "main") == later


def test_what_cannot_be_undone_is_refused(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("base", writes("base.txt")),
        task("middle", writes("middle.txt"), needs=("base",)),
        task("top", writes("top.txt"), needs=("middle",)),
        land=LandMode.MERGE,
    )
    other = stage.run(task("unlanded", writes("x.txt")), land=LandMode.NONE)

    before = len(api.runs(places=stage.places))

    def refused(name: str) -> tuple[str, str | None]:
        with pytest.raises(StateError) as error:
            api.undo(name, places=stage.places)
        return error.value.message, error.value.hint

    said, hint = refused(f"{run.id}/base")
    assert said == f"what has landed later needs {run.id}/base: {run.id}/middle, {run.id}/top"
    assert hint == f"first: abreast land --undo {run.id}/top"
    assert refused(f"{other.id}/unlanded")[0].endswith("has not landed: there is nothing to undo")
    stage.repo.git("update-ref", "refs/heads/main", run.base_sha)
    assert refused(f"{run.id}/top")[0].startswith("main does not have ")
    assert len(api.runs(places=stage.places)) == before


def test_what_is_undone_is_in_nobodys_way_and_is_not_undone_twice(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("base", writes("base.txt")),
        task("top", writes("top.txt"), needs=("base",)),
        land=LandMode.MERGE,
    )
    top = api.undo(f"{run.id}/top", places=stage.places).sessions[0]
    tip = stage.repo.git("rev-parse", "main")
    with pytest.raises(StateError, match=r"nothing more of .*/top: there is nothing to undo"):
        api.undo(f"{run.id}/top", places=stage.places)
    assert stage.repo.git("rev-parse", "main") == tip
    base = api.undo(f"{run.id}/base", places=stage.places).sessions[0]
    assert (top.landing, base.landing) == (LandState.LANDED, LandState.LANDED), base.reason
    assert files(stage).isdisjoint({"base.txt", "top.txt"})
    again = api.undo(base.id, places=stage.places)
    assert again.state is RunState.DONE, again.sessions[0].reason
    assert "base.txt" in files(stage)


def test_no_message_of_an_agent_makes_its_commit_that_of_another_session(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    run_id = "$(git symbolic-ref HEAD | cut -d/ -f4)"
    forges = scripted(
        Shell("echo 1 > liar.txt && git add ."),
        Shell(f"git commit -qm one -m 'Abreast-Session: '{run_id}/good"),
        Say("done"),
    )
    run = stage.run(
        task("good", writes("good.txt")),
        task("liar", forges, after=("good",)),
        land=LandMode.MERGE,
        land_style=LandStyle.REBASE,
    )
    said = stage.repo.git("log", "-1", "--format=%B", "main")
    assert f"Abreast-Session: {run.id}/good" in said
    assert f"Abreast-Session: {run.id}/liar" in said
    assert api.undo(f"{run.id}/good", places=stage.places).state is RunState.DONE
    assert files(stage) & {"good.txt", "liar.txt"} == {"liar.txt"}
    assert api.undo(f"{run.id}/liar", places=stage.places).state is RunState.DONE
    assert "liar.txt" not in files(stage)


def test_commits_of_any_kind_land_one_by_one_and_all_of_them_are_undone(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    nobody = (
        "echo 4 > nobody.txt && git add . && commit=$(printf 'tree %s\\nparent %s\\n"
        "author  <> 1 +0000\\ncommitter x <x> 1 +0000\\n\\nby nobody\\n' $(git write-tree)"
        " $(git rev-parse HEAD) | git hash-object -t commit -w --stdin --literally)"
        " && git reset -q $commit"
    )
    latin = (
        "printf 'caf\\351\\n\\n---\\nAbreast-Session: x\\n'"
        " | git -c i18n.commitEncoding=latin1 commit -q -F -"
    )
    odd = scripted(
        Shell("echo 1 > empty.txt && git add . && git commit -q --allow-empty-message -m ''"),
        Shell("echo 2 > comment.txt && git add . && git commit -q --cleanup=verbatim -m '# a'"),
        Shell("echo 3 > latin.txt && git add . && " + latin),
        Shell(nobody),
        Say("done"),
    )
    run = stage.run(task("odd", odd), land=LandMode.MERGE, land_style=LandStyle.REBASE)
    [session] = run.sessions
    assert session.landing is LandState.LANDED, session.reason
    subjects = stage.repo.git("log", "--reverse", "--format=%s", f"{run.base_sha}..main")
    assert subjects.splitlines() == ["odd is there.", "# a", "caf\u00e9", "odd is there."]
    told = stage.events(session.id, "squashed")
    assert sum("cannot be made again" in text for text in told) == 1
    made = files(stage)
    assert {"empty.txt", "comment.txt", "latin.txt", "nobody.txt"} <= made
    assert api.undo(session.id, places=stage.places).state is RunState.DONE
    assert files(stage) == made - {"empty.txt", "comment.txt", "latin.txt", "nobody.txt"}


def test_what_is_undone_says_so_and_lands_afresh_or_by_undoing_that(
    shared_stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = shared_stage
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    run = stage.run(
        task("one", writes("one.txt")),
        task("more", writes("more.txt"), needs=("one",)),
        land=LandMode.NONE,
    )
    name = f"{run.id}/one"
    assert api.land(name, places=stage.places).sessions[0].landing is LandState.LANDED
    by = api.undo(name, places=stage.places).sessions[0]
    hint = f"abreast land --undo {by.id} brings it back; abreast retry {name} does it afresh"

    assert guard(["land", name]) == 1
    said = capsys.readouterr().err
    assert f"nothing to land: {name} was undone by {by.id}" in said
    assert f"hint: {hint}" in said
    assert guard(["status", run.id]) == 0
    shown = capsys.readouterr().out
    assert f"one undone by {by.id}" in " ".join(shown.split())
    assert guard(["show", name]) == 0
    shown = capsys.readouterr().out
    assert "done, undone" in shown
    assert "next: abreast land --undo" in shown
    with pytest.raises(StateError, match=f"was undone by {by.id}"):
        api.resume(name, "go on", places=stage.places)
    more = api.land(f"{run.id}/more", places=stage.places).sessions[1]
    assert (more.landing, more.hint) == (LandState.BOUNCED, hint)

    again = api.undo(by.id, places=stage.places).sessions[0]
    assert again.landing is LandState.LANDED, again.reason
    there, undo = (api.find_session(one, places=stage.places) for one in (name, by.id))
    assert (there.landing, there.reason, there.hint) == (LandState.LANDED, "", "")
    assert (undo.landing, undo.reason) == (LandState.UNDONE, f"undone by {again.id}")

    assert api.undo(name, places=stage.places).sessions[0].landing is LandState.LANDED
    api.retry(name, places=stage.places)
    stage.wait(run.id)
    landed = api.land(run.id, places=stage.places)
    assert {one.landing for one in landed.sessions} == {LandState.LANDED}
    assert {"one.txt", "more.txt"} <= files(stage)
    assert api.undo(f"{run.id}/more", places=stage.places).state is RunState.DONE
    assert api.undo(name, places=stage.places).state is RunState.DONE
    assert files(stage).isdisjoint({"one.txt", "more.txt"})

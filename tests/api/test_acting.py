"""What faces offer of a session is done as it says: each action, on sessions that really ran."""

import pytest

from abreast import api
from abreast.errors import StateError
from abreast.model.action import Action, ActionKind
from abreast.model.moves import Write
from abreast.model.session import LandState, SessionState
from tests.support.stage import Stage, scripted, task, until, writes


def offered(stage: Stage, name: str) -> dict[ActionKind, Action]:
    found = api.snapshot(name.partition("/")[0], places=stage.places)
    row = next(row for row in found.rows if row.id == name)
    return {one.kind: one for one in api.actions(row, found.runs[0])}


def test_from_a_stop_to_an_undone_landing(shared_stage: Stage, tmp_path) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(Write("one.txt", "1\n"), until(gate))))
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    name = f"{run.id}/one"

    def do(kind: ActionKind) -> str:
        return api.act(offered(stage, name)[kind], places=stage.places)

    assert [*offered(stage, name)] == [ActionKind.STOP], "a scripted agent hears nothing"
    assert do(ActionKind.STOP) == f"{name} is stopped; what it did is kept"
    gate.touch()
    assert do(ActionKind.RESUME) == f"run {run.id} goes on"
    stage.wait(run.id)
    assert do(ActionKind.RETRY) == f"run {run.id} goes on"
    done = stage.wait(run.id).sessions[0]
    assert (done.state, done.attempt) == (SessionState.DONE, 3)
    land = offered(stage, name)[ActionKind.LAND]
    assert land.does == (
        f"merges {done.commit[:7]} (1 file, +1 -0) with main as it is now, runs its verify command"
        " on that, and moves main if it passes"
    )
    assert do(ActionKind.LAND) == f"{name} waits to land on main"
    assert stage.wait(run.id).sessions[0].landing is LandState.LANDED
    with pytest.raises(StateError):  # it has moved on since it was shown
        api.act(Action(ActionKind.RETRY, name, "", f"abreast retry {name}"), places=stage.places)
    back = do(ActionKind.UNDO).split()[1]
    assert stage.wait(back).sessions[0].landing is LandState.LANDED
    assert ActionKind.UNDO not in offered(stage, name)
    assert stage.repo.git("ls-tree", "--name-only", "main", "one.txt") == ""


def test_words_and_a_terminal_are_asked_for(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("two", writes("two.txt")))
    name = f"{run.id}/two"
    reply = Action(ActionKind.REPLY, name, "", f'abreast tell {name} "…"', needs_words=True)
    with pytest.raises(StateError, match="gets no words"):
        api.act(reply, " ", places=stage.places)
    with pytest.raises(StateError, match="terminal of its own"):
        api.act(offered(stage, name)[ActionKind.ATTACH], places=stage.places)

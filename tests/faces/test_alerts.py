"""How things stand in a line, and what has begun to need somebody."""

from dataclasses import replace

import pytest

from abreast.faces.alerts import begun, line_of, seen
from abreast.model.alert import Alert
from abreast.model.groups import snapshot_of
from abreast.model.question import Question, QuestionKind
from abreast.model.session import Attendance, Presence, RunState, SessionState
from abreast.model.snapshot import Snapshot, Watched
from tests.cli import values


def look(*asked: Question, who: Attendance = Attendance.WORKER) -> Snapshot:
    return snapshot_of([Watched(values.running(), Presence(who))], asked, 0)


def question(text: str = "Tabs?", at: float = 5.0) -> Question:
    return Question(
        "k3v9/csv-export#1.1", "k3v9/csv-export", 1, QuestionKind.QUESTION, text, at, live=True
    )


def test_the_line_counts_what_goes_on() -> None:
    assert line_of(look()) == "1 working, 1 waiting"
    assert line_of(look(question())) == "1 needs you, 1 waiting"
    run = values.running()
    crowd = [replace(run.sessions[1], id=f"k3v9/{n}", task=str(n)) for n in range(3)]
    failed = replace(crowd[0], state=SessionState.FAILED)
    asked = [replace(question(), id=f"{one.id}#1.1", session=one.id) for one in crowd[1:]]
    here = Presence(Attendance.WORKER)
    going = replace(run, sessions=(failed, *crowd[1:]))
    assert line_of(snapshot_of([Watched(going, here)], asked, 0)) == "2 need you, 1 failed"
    ended = replace(run, state=RunState.FAILED, sessions=(failed,))
    assert line_of(snapshot_of([Watched(ended, here)], (), 0)) == "", "it has been told"
    assert line_of(Snapshot("")) == ""


def test_each_need_is_told_once() -> None:
    calm, asks = look(), look(question("Tabs\x1b]0;x\x07 or\nspaces? " + "y" * 300))
    (alert,) = begun(seen(calm), asks)
    assert alert == Alert(
        session="k3v9/csv-export",
        repo="/home/ada/shop",
        agent="codex",
        kind="question",
        title="csv-export needs you (shop)",
        text=alert.text,
        command="abreast answer k3v9/csv-export",
    )
    assert alert.text.startswith("Tabs or spaces? yyy")
    assert len(alert.text) == 200
    assert [*begun(seen(asks), asks)] == []
    assert [one.kind for one in begun(seen(asks), look(question(at=9.0)))] == ["question"]


@pytest.mark.parametrize(("since", "told"), [(4.0, 1), (6.0, 0)])
def test_what_began_before_somebody_looked_was_told_by_others(since: float, told: int) -> None:
    asks = look(question(at=5.0))
    assert len([*begun(seen(asks, since), asks)]) == told

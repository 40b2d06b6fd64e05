"""Status and the live view in groups: what needs somebody first, at every width."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from inline_snapshot import snapshot
from rich.cells import cell_len
from rich.text import Text

from abreast.cli import drawing, plain_lines
from abreast.cli.console import Column, Grid
from abreast.cli.edge import guard
from abreast.cli.groups import rows_of_run
from abreast.cli.live import of_followed
from abreast.faces import rows
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.groups import snapshot_of
from abreast.model.moment import Moment
from abreast.model.moves import Write
from abreast.model.question import Question, QuestionKind
from abreast.model.session import Attendance, LandState, Presence, RunState, SessionState
from abreast.model.snapshot import Watched
from tests.cli import values
from tests.cli.drawing import console, draw
from tests.cli.test_reading import recorded  # noqa: F401 (a fixture)
from tests.support.deadlines import SECONDS
from tests.support.stage import Stage, scripted, task, until, writes

ASKED = Question(
    "k3v9/csv-export#1.1", "k3v9/csv-export", 1, QuestionKind.QUESTION, "Tabs?", 1.0, live=True
)


def many():
    """Two runs; in the second somebody is asked, in the first a lot goes on."""
    crowd = [values.session(f"done-{n}", SessionState.DONE) for n in range(45)]
    crowd += [values.session(f"works-{n}", SessionState.RUNNING) for n in range(3)]
    one = values.run(*crowd)
    ids = [replace(s, id=f"zz01/{s.task}", run="zz01") for s in one.sessions]
    one = replace(one, id="zz01", sessions=tuple(ids), repo="/home/ada/other")
    here = Presence(Attendance.WORKER)
    return snapshot_of([Watched(one, here), Watched(values.running(), here)], [ASKED], 0)


def picture(width, height=25):
    on = console(width, height=height)
    on.print(drawing.live(many(), Moment(values.NOW), on))
    return on.file.getvalue()


def test_many_runs_are_named_and_the_live_come_first():
    assert picture(100, 24) == snapshot("""\
   task                         state    agent   time  age  now                  tokens  cost  files
shop  run k3v9  main at 1a2b3c4  1:23
Needs you
●  csv-export                   running  codex   1:21   1m  asks: Tabs?             13k     -      1
Waiting
·  document-the-report-command  queued   gemini     -   1m  after csv-export          -     -      -

other  run zz01  main at 1a2b3c4  1:23
Working
●  works-0                      running  claude     -   1m  starting claude…          -     -      -
●  works-1                      running  claude     -   1m  starting claude…          -     -      -
●  works-2                      running  claude     -   1m  starting claude…          -     -      -
Done
✓  done-0                       done     claude     -   1m  nothing to commit         -     -      -
✓  done-1                       done     claude     -   1m  nothing to commit         -     -      -
✓  done-2                       done     claude     -   1m  nothing to commit         -     -      -
✓  done-3                       done     claude     -   1m  nothing to commit         -     -      -
✓  done-4                       done     claude     -   1m  nothing to commit         -     -      -
✓  done-5                       done     claude     -   1m  nothing to commit         -     -      -
  … and 40 sessions more: 40 done

46 done, 1 queued, 4 running; 60k tokens in, 2.7k out, at least $0.13
""")


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("height", [10, 16, 60])
def test_the_view_keeps_to_the_screen(width, height):
    drawn = picture(width, height).splitlines()
    assert len(drawn) <= height
    assert max(map(cell_len, drawn)) <= width
    assert "csv-export" in drawn[3]


def test_sixty_columns_hold_no_column_of_dashes():
    tasks = ("a-task-with-a-long-name", "another-task", "last")
    waits = {"last": {"needs": tasks[:2]}}
    queue = values.run(*(values.session(n, SessionState.QUEUED, **waits.get(n, {})) for n in tasks))
    drawn = draw(drawing.live(rows_of_run(queue), Moment(values.NOW), console(60)), 60)
    assert drawn == snapshot("""\
shop  run k3v9  main at 1a2b3c4  1:23
  task                  state  agent  now
Waiting
· a-task-with-a-long-n… queued claude for a place
· another-task          queued claude for a place
· last                  queued claude after a-task-with-a-l…

3 queued
""")


def test_columns_go_by_rank_and_nothing_is_cropped():
    columns = (
        Column("task", least=4),
        Column("b", drop=1),
        Column("c", drop=2),
        Column("d", drop=9),
    )
    rows = [[Text(one) for one in ("abcdef", "bbbb", "cccc", "")], [Text("a heading over all")]]
    grid = Grid(columns, rows)
    assert draw(grid, 20) == "task    b     c\nabcdef  bbbb  cccc\na heading over all\n"
    assert draw(grid, 14).splitlines()[1] == "abc… bbbb cccc"
    assert draw(grid, 13).splitlines()[1] == "abcdef  bbbb"
    assert draw(grid, 8).splitlines()[1] == "abcdef"
    assert draw(grid, 8).splitlines()[2] == "a headi…"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": SessionState.PREPARING, "last_action": ""}, "making its worktree"),
        ({"last_action": ""}, "starting codex…"),
        ({"state": SessionState.VERIFYING}, "running its verify command"),
        ({"state": SessionState.QUEUED, "needs": ("retry-http",)}, "for a place"),
        ({"state": SessionState.QUEUED, "needs": ("other",)}, "after other"),
        ({"state": SessionState.BLOCKED, "reason": "it asks: Tabs?"}, "asks: Tabs?"),
    ],
)
def test_what_a_session_does(fields, said):
    run = values.run(values.RETRY, replace(values.EXPORT, **fields))
    [row] = [row for row in rows_of_run(run).rows if row.session.task == "csv-export"]
    assert rows.doing(row) == said


def test_what_an_agent_asks_is_told_with_the_command_that_answers():
    on = console(200)
    lines = plain_lines.Lines(on)
    lines.show(rows_of_run(values.running()))
    before = on.file.getvalue()
    for _ in range(2):
        lines.show(rows_of_run(values.running(), asked=[ASKED]))
    told = on.file.getvalue().removeprefix(before)
    assert told == "k3v9/csv-export: asks, Tabs?; abreast answer k3v9/csv-export\n"


def test_status_of_what_is_asked_for_alone(recorded, capsys):  # noqa: F811
    def tasks(*options):
        assert guard(["status", "--json", *options]) == 0
        document = json.loads(capsys.readouterr().out)
        assert {run["id"] for run in document["runs"]} <= {"k3v9"}
        return [row["task"] for row in document["rows"]]

    failed, done = ["csv-export", "document-the-report-command"], ["retry-http"]
    assert tasks() == failed + done
    assert tasks("--state", "failed") == failed
    assert tasks("--state", "skipped") == failed[1:]
    assert tasks("--state", "needs-you") == []
    assert tasks("--state", "done", "--state", "skipped") == failed[1:] + done
    assert tasks("--repo", "shop") == tasks("--repo", "/home/ada/shop/") == failed + done
    assert tasks("--repo", "other") == []
    assert tasks("--agent", "codex", "k3v9") == ["csv-export"]
    assert guard(["status", "--agent", "codex"]) == 0
    shown = capsys.readouterr().out
    assert "shop  run k3v9  main at 1a2b3c4" in shown
    assert "retry-http " not in shown
    assert guard(["status", "--repo", "other"]) == 0
    assert "no session is like that" in capsys.readouterr().err
    assert guard(["status", "--state", "odd"]) == 2


def test_a_row_as_json(recorded, capsys):  # noqa: F811
    guard(["status", "--json"])
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert row.pop("age") > 0
    assert row == snapshot(
        {
            "id": "k3v9/csv-export",
            "group": "failed",
            "repo": "/home/ada/shop",
            "target": "main",
            "run": "k3v9",
            "task": "csv-export",
            "sentence": "",
            "agent": "codex",
            "model": "",
            "state": "failed",
            "landing": "none",
            "since": 1700000070.0,
            "last_action": values.EXPORT.last_action,
            "waits": "",
            "held": None,
            "need": None,
            "tokens": 12844,
            "cost_usd": None,
            "files": ["src/report/export.py"],
            "conflicts": [],
            "parent": "",
        }
    )


def test_what_has_ended_elsewhere_tells_its_conflicts_no_more():
    clash = WorkConflict("main", (FileConflict("a.py"),), is_target=True)
    left = values.session(
        "left", SessionState.DONE, landing=LandState.BOUNCED, conflicts=(clash,), reason="a.py"
    )
    done = values.session("over", SessionState.DONE, conflicts=(clash,))
    run = replace(values.run(left, done), state=RunState.FAILED)
    found = snapshot_of([Watched(run, Presence(Attendance.NOT_NEEDED))], [], 0)
    (row,) = of_followed(found, {"zz01"}).rows
    assert (row.id, row.session.conflicts) == (left.id, ())
    assert of_followed(found, {run.id}).rows == found.rows


def test_watch_follows_everything_until_it_ends(local_stage: Stage, tmp_path):
    stage, gate = local_stage, tmp_path / "gate"
    early = stage.start(task("early", writes("early.txt")))
    stage.wait(early.id)
    first = stage.start(task("one", scripted(until(gate), Write("one.txt", "x"))))
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    env = os.environ | {
        "ABREAST_STATE_DIR": str(stage.places.state),
        "ABREAST_DB": stage.places.database,
    }
    watch = subprocess.Popen(
        [sys.executable, "-m", "abreast", "watch"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with watch:
        assert watch.stderr.readline() == f"{first.id}/one: running, scripted\n"
        second = stage.start(task("two", writes("two.txt")))
        told = iter(watch.stderr.readline, f"{second.id}/two: done, 1 file, commit ")
        assert any(line.startswith(f"{second.id}/two: done, 1 file") for line in told)
        gate.touch()
        shown, said = watch.communicate(timeout=SECONDS)
    assert watch.returncode == 0
    assert f"{first.id}/one: done, 1 file" in said
    assert "early" not in shown + said
    heads = re.findall(r"^repo  run (\w+)  main at \w+$", shown, re.MULTILINE)
    assert heads == [second.id, first.id]

"""The live view: a line a session, never higher or wider than the terminal; else plain lines."""

import io
from dataclasses import replace

import pytest
from inline_snapshot import snapshot
from rich.cells import cell_len
from rich.console import Console

from abreast.cli import drawing, live, plain_lines
from abreast.cli.groups import rows_of_run
from abreast.faces import rows
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.moment import Moment
from abreast.model.session import LandState, Run, RunState, SessionState
from tests.cli import values
from tests.cli.drawing import codes, console, draw, text_of, without_colour


def picture(run, width=80, *, colour=False, now=values.NOW):
    on = console(width, colour=colour)
    return draw(drawing.live(rows_of_run(run), Moment(now), on), width, colour=colour)


def test_at_80_columns():
    assert picture(values.running()) == snapshot("""\
shop  run k3v9  main at 1a2b3c4  1:23
  task             state   agent  time now                    tokens  cost files
Working
● csv-export       running codex  1:21 shell pytest -q tests…    13k     -     1
Waiting
· document-the-re… queued  gemini    - after csv-export            -     -     -
Done
✓ retry-http       done    claude 0:38 commit 9f8e7d6            50k $0.13     2

1 done, 1 queued, 1 running; 60k tokens in, 2.7k out, at least $0.13
""")


def test_at_120_columns():
    assert picture(values.landed(), 120) == snapshot("""\
shop  run k3v9  main at 1a2b3c4  1:23
   task                         state  agent   time  age  now                                       tokens   cost  files
Needs you
✓  csv-export                   done   codex   1:08  13s  bounced conflict with main in src/repor…     13k      -      1
Done
✓  retry-http                   done   claude  0:38  44s  landed abcdef1                               50k  $0.13      2
✓  document-the-report-command  done   gemini  0:11   1s  proposed https://forge.example/shop/pul…       -      -      1

3 done; 60k tokens in, 2.7k out, at least $0.13
""")  # noqa: E501 (120 columns are the point)


def test_time_passes_without_news():
    later = picture(values.running(), now=values.NOW + 3600)
    assert "1:01:21" in later
    assert "0:38" in later  # what has ended stands still


@pytest.mark.parametrize("width", [50, 72, 80, 120])
def test_every_session_has_exactly_one_line(width):
    drawn = picture(values.running(), width).splitlines()
    assert len(drawn) == 2 + 3 + 3 + 2  # three of them head groups
    assert max(map(cell_len, drawn)) <= width


def test_colour_adds_nothing_but_colour():
    coloured = picture(values.running(), colour=True)
    assert without_colour(coloured) == picture(values.running())
    assert codes(coloured) == {"0", "1", "1;32", "1;34", "2", "32", "34"}


def test_a_terminal_without_unicode_gets_ascii():
    raw = io.BytesIO()
    on = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=80, height=6, _environ={})
    on.print(drawing.live(rows_of_run(values.running()), Moment(values.NOW), on))
    on.file.flush()
    assert b" csv-export " in raw.getvalue()
    assert b"... and 2 sessions more" in raw.getvalue()


def test_a_crowd_is_folded_and_the_lively_stay():
    crowd = [
        *(values.session(f"done-{n}", SessionState.DONE) for n in range(50)),
        *(values.session(f"wait-{n}", SessionState.QUEUED) for n in range(48)),
        values.session("works", SessionState.RUNNING),
        values.session("broke", SessionState.FAILED),
    ]
    drawn = picture(values.run(*crowd)).splitlines()
    assert len(drawn) <= 25
    shown = "\n".join(drawn)
    assert "works" in shown
    assert "broke" in shown
    assert "done-" not in shown
    assert "… and 83 sessions more: 50 done, 33 queued" in shown
    assert drawn[-1] == "50 done, 1 failed, 48 queued, 1 running"


def test_plain_lines_tell_each_change_once():
    on = console()
    lines = plain_lines.Lines(on)
    for run in (values.running(), values.running(), values.finished(), values.landed()):
        lines.show(rows_of_run(run))
    assert text_of(on) == snapshot("""\
k3v9/csv-export: running, codex
k3v9/document-the-report-command: queued, after csv-export
k3v9/csv-export: failed, verify exited with 1: pytest -q E AssertionError: assert 2 == 3
k3v9/document-the-report-command: skipped, csv-export is not done
k3v9/retry-http: landed, abcdef1
k3v9/csv-export: done, 1 file, commit c0ffee1
k3v9/csv-export: bounced, conflict with main in src/report/export.py
k3v9/document-the-report-command: done, 1 file, commit d0c5d0c
k3v9/document-the-report-command: proposed, https://forge.example/shop/pull/12
""")


def test_conflicts_show_while_they_last():
    def tree(*found: WorkConflict) -> Run:
        first, *others = values.running().sessions
        return values.run(replace(first, conflicts=found), *others)

    file = FileConflict("src/a.py", ((3, 5),), ((4, 4),))
    with_other = WorkConflict("k3v9/csv-export", (file,))
    with_main = WorkConflict("main", (file, *(replace(file, path=f"{n}.py") for n in range(4))), 2)
    with_main = replace(with_main, is_target=True)
    on = console(200)
    lines = plain_lines.Lines(on)
    lines.show(rows_of_run(tree()))
    before = text_of(on)
    for run in (tree(with_other), tree(with_other, with_main), tree(with_main), tree()):
        lines.show(rows_of_run(run))
    assert text_of(on).removeprefix(before) == snapshot("""\
k3v9/retry-http: conflicts with k3v9/csv-export, src/a.py: lines 3-5 against line 4
k3v9/retry-http: conflicts with main, src/a.py: lines 3-5 against line 4; 0.py: lines 3-5 against line 4; 1.py: lines 3-5 against line 4; 2.py: lines 3-5 against line 4; 3.py: lines 3-5 against line 4; and 2 more
k3v9/retry-http: no longer conflicts with k3v9/csv-export
k3v9/retry-http: no longer conflicts with main
""")  # noqa: E501 (a line each)
    drawn = picture(tree(with_other, with_main), 80).splitlines()
    assert [line for line in drawn if "conflicts" in line] == snapshot(
        [
            "retry-http conflicts with csv-export: src/a.py: lines 3-5 against line 4",
            "retry-http conflicts with main, as it is now: src/a.py: lines 3-5 against line …",
        ]
    )


def test_plain_lines_are_not_folded():
    on = console(40)
    long = replace(values.EXPORT, state=SessionState.FAILED, reason="word " * 40)
    lines = plain_lines.Lines(on)
    lines.show(rows_of_run(values.run()))
    lines.show(rows_of_run(values.run(long)))
    assert len(text_of(on).splitlines()) == 1


def test_a_pipe_gets_plain_lines_and_a_terminal_the_view():
    pipe, terminal = console(), console(colour=True)
    for on in (pipe, terminal):
        with live.view(on, lambda: Moment(values.NOW)) as progress:
            progress(values.running())
    assert "k3v9/csv-export: running" in text_of(pipe)
    assert "\x1b" not in text_of(pipe)
    assert "run k3v9" in without_colour(text_of(terminal))


def test_a_dumb_terminal_gets_plain_lines():
    on = console(colour=True, TERM="dumb")
    with live.view(on) as progress:
        progress(values.running())
    assert "k3v9/csv-export: running" in without_colour(text_of(on))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"landing": LandState.LANDED, "landed": "abcdef1234"}, "landed abcdef1"),
        ({"landing": LandState.BOUNCED, "reason": "conflict in a"}, "bounced conflict in a"),
        ({"landing": LandState.PROPOSED, "landed": "https://f/1"}, "proposed https://f/1"),
        ({"landing": LandState.QUEUED}, "waits to land"),
        ({}, "commit 9f8e7d6"),
        ({"commit": ""}, "nothing to commit"),
    ],
)
def test_what_a_done_session_says(fields, said):
    [row] = rows_of_run(values.run(replace(values.RETRY, **fields))).rows
    assert rows.doing(row) == said


def test_before_the_first_news_there_is_something_to_see():
    view = drawing.Picture(console(), lambda: Moment(values.NOW))
    assert "starting" in draw(view.render())
    view.show(rows_of_run(values.run(values.RETRY, state=RunState.DONE)))
    assert "retry-http" in draw(view.render())


def test_lines_leave_out_what_was_known_before():
    on = Console(file=io.StringIO(), width=200)
    before = values.landed()
    lines = plain_lines.Lines(on, before)
    lines.show(rows_of_run(before))
    assert on.file.getvalue() == ""
    first = before.sessions[0]
    queued = replace(first, landing=LandState.QUEUED, landed="")
    lines.show(rows_of_run(replace(before, sessions=(queued, *before.sessions[1:]))))
    assert on.file.getvalue() == f"{first.id}: waits to land\n"
    left = replace(first, landing=LandState.NONE, landed="", reason="stopped by you")
    lines.show(rows_of_run(replace(before, sessions=(left, *before.sessions[1:]))))
    assert on.file.getvalue().endswith(f"{first.id}: no longer waits to land, stopped by you\n")

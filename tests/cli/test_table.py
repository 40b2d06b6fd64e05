"""The closing table: all a person needs after a run, at any width, with or without colour."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot
from rich.cells import cell_len

from abreast.cli import table
from abreast.cli.groups import rows_of_run, run_line
from abreast.faces import figures, rows
from abreast.faces.states import LAND_STYLES, MARKS, RUN_STYLES, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.session import (
    Attendance,
    LandState,
    Presence,
    RunState,
    SessionState,
)
from abreast.model.usage import Usage
from tests.cli import values
from tests.cli.drawing import codes, console, draw, text_of, without_colour


def closing(run, width=80, *, colour=False):
    return draw(table.closing(run, Moment(values.NOW)), width, colour=colour)


def test_what_failed_is_explained_under_the_table():
    assert closing(values.finished()) == snapshot("""\
shop  run k3v9  main at 1a2b3c4
task                        state   agent  time age   tokens  cost files commit
Failed
csv-export                  failed  codex  1:08 13s  12k/810     -     1 -
document-the-report-command skipped gemini    -  1m        -     -     - -
Done
retry-http                  done    claude 0:38 44s 48k/1.9k $0.13     2 9f8e7d6

csv-export failed: verify exited with 1: pytest -q
E   AssertionError: assert 2 == 3
  hint: abreast logs k3v9/csv-export
document-the-report-command skipped: csv-export is not done

run k3v9: failed, 1 of 3 tasks done in 1:10
used: 60k tokens in, 2.7k out, at least $0.13
next: abreast land k3v9 to bring it into main
next: abreast resume k3v9 to go on with what is not done
""")


def test_landing_has_a_column_once_anything_lands():
    assert closing(values.landed()) == snapshot("""\
shop  run k3v9  main at 1a2b3c4
task                     state agent  time   tokens  cost files commit  landing
Needs you
csv-export               done  codex  1:08  12k/810     -     1 c0ffee1 bounced
Done
retry-http               done  claude 0:38 48k/1.9k $0.13     2 9f8e7d6 landed
document-the-report-com… done  gemini 0:11        -     -     1 d0c5d0c proposed

csv-export bounced: conflict with main in src/report/export.py
  hint: abreast retry k3v9/csv-export

document-the-report-command: https://forge.example/shop/pull/12

run k3v9: failed, 3 of 3 tasks done in 1:22
landing: 1 landed, 1 bounced, 1 proposed
used: 60k tokens in, 2.7k out, at least $0.13
""")


def test_a_wide_terminal_has_wide_gaps():
    assert closing(values.landed(), 120) == snapshot("""\
shop  run k3v9  main at 1a2b3c4
task                         state  agent   time  age    tokens   cost  files  commit   landing
Needs you
csv-export                   done   codex   1:08  13s   12k/810      -      1  c0ffee1  bounced
Done
retry-http                   done   claude  0:38  44s  48k/1.9k  $0.13      2  9f8e7d6  landed
document-the-report-command  done   gemini  0:11   1s         -      -      1  d0c5d0c  proposed

csv-export bounced: conflict with main in src/report/export.py
  hint: abreast retry k3v9/csv-export

document-the-report-command: https://forge.example/shop/pull/12

run k3v9: failed, 3 of 3 tasks done in 1:22
landing: 1 landed, 1 bounced, 1 proposed
used: 60k tokens in, 2.7k out, at least $0.13
""")


def test_a_narrow_terminal_cuts_names_and_keeps_figures():
    drawn = table.sessions_table(rows_of_run(values.landed()).rows, Moment(values.NOW))
    assert draw(drawn, 64) == snapshot("""\
task           state agent  time   tokens  cost commit  landing
Needs you
csv-export     done  codex  1:08  12k/810     - c0ffee1 bounced
Done
retry-http     done  claude 0:38 48k/1.9k $0.13 9f8e7d6 landed
document-the-… done  gemini 0:11        -     - d0c5d0c proposed
""")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_table_line_is_wider_than_the_terminal(width):
    for run in (values.running(), values.finished(), values.landed()):
        drawn = draw(table.sessions_table(rows_of_run(run).rows, Moment(values.NOW)), width)
        groups = {row.group for row in rows_of_run(run).rows}
        assert len(drawn.splitlines()) == 1 + len(groups) + len(run.sessions)
        assert max(map(cell_len, drawn.splitlines())) <= width


def test_colour_adds_nothing_but_colour():
    for run in (values.running(), values.finished(), values.landed()):
        plain, coloured = closing(run), closing(run, colour=True)
        assert without_colour(coloured) == plain
        assert "32" in codes(coloured)  # done is green
    assert codes(closing(values.finished(), colour=True)) == {
        "0",
        "1",
        "1;31",
        "1;32",
        "2",
        "31",
        "32",
    }


def test_a_run_that_is_all_done_says_only_how_to_land():
    done = values.run(values.RETRY, state=RunState.DONE, ended=values.NOW)
    assert closing(done) == snapshot("""\
shop  run k3v9  main at 1a2b3c4
task        state  agent   time  age    tokens   cost  files  commit
Done
retry-http  done   claude  0:38  44s  48k/1.9k  $0.13      2  9f8e7d6

run k3v9: done, 1 of 1 task done in 0:39
used: 48k tokens in, 1.9k out, $0.13
next: abreast land k3v9 to bring it into main
""")


def test_nothing_to_land_means_no_word_of_landing():
    unchanged = replace(values.RETRY, commit="", files=())
    run = values.run(unchanged, state=RunState.DONE, ended=values.NOW)
    assert table.next_steps(run) == []


def test_unknown_costs_make_the_sum_a_lower_bound():
    free = replace(values.RETRY, usage=Usage(10, 0, 5, 0.5))
    silent = replace(values.EXPORT, usage=Usage(10, 0, 5, None))
    assert rows.spent([free]) == "10 tokens in, 5 out, $0.50"
    assert rows.spent([free, silent]) == "20 tokens in, 10 out, at least $0.50"
    assert rows.spent([silent]) == "10 tokens in, 5 out"
    assert rows.spent([values.DOCS]) == ""


def test_the_list_of_runs(monkeypatch):
    monkeypatch.setattr(figures, "moment", lambda _: "2023-11-14 22:13")  # in every zone
    runs = [
        (values.running(), Presence(Attendance.WORKER)),
        (values.landed(), Presence(Attendance.NOT_NEEDED)),
    ]
    assert draw(table.runs_table(runs, Moment(values.NOW))) == snapshot("""\
run  began            state   done time land  base repository tasks
k3v9 2023-11-14 22:13 running  1/3 1:23 none  main shop       retry-http, csv-e…
k3v9 2023-11-14 22:13 failed   3/3 1:22 merge main shop       retry-http, csv-e…
""")


def test_what_nobody_works_on_says_so_and_its_time_stands_still():
    left = Presence(Attendance.NOBODY, values.CREATED + 60)
    row = draw(table.runs_table([(values.running(), left)], Moment(values.NOW)), 100).splitlines()[
        1
    ]
    assert "running, unattended" in row
    assert " 1:00 " in row
    told = draw(table.closing(values.running(), Moment(values.CREATED + 60), who=Attendance.NOBODY))
    head = "run k3v9: running, but nobody works on it: its worker has died, 1 of 3 tasks done in"
    assert head in " ".join(told.split())
    assert "next: abreast resume k3v9 to go on with it" in told
    told = draw(table.closing(values.running(), Moment(values.NOW), who=Attendance.AGENT))
    assert "its agents go on" in " ".join(told.split())


def test_hostile_text_reaches_no_terminal():
    evil = replace(
        values.RETRY, state=SessionState.FAILED, reason="\x1b[2Jgone [red]", hint="\x1b]0;t\x07"
    )
    drawn = closing(values.run(evil, note="\x1b[31mnote\nanother"))
    assert "note: another" in drawn.splitlines()
    assert "\x1b" not in drawn
    assert "gone [red]" in drawn


def test_a_parked_landing_is_explained():
    parked = replace(
        values.RETRY,
        landing=LandState.READY,
        reason="edits in src/http/client.py overlap",
        hint="commit them, then abreast land k3v9/retry-http",
    )
    assert closing(values.run(parked, state=RunState.FAILED, ended=values.NOW)) == snapshot("""\
shop  run k3v9  main at 1a2b3c4
task        state  agent   time  age    tokens   cost  files  commit   landing
Needs you
retry-http  done   claude  0:38  44s  48k/1.9k  $0.13      2  9f8e7d6  ready

retry-http ready: edits in src/http/client.py overlap
  hint: commit them, then abreast land k3v9/retry-http

run k3v9: failed, 1 of 1 task done in 0:39
landing: 1 ready
used: 48k tokens in, 1.9k out, $0.13
""")


def test_a_hint_names_the_run_and_a_reason_does_not_repeat_the_state():
    stopped = replace(
        values.RETRY,
        state=SessionState.STOPPED,
        reason="stopped by you",
        hint="abreast resume RUN goes on with it",
    )
    drawn = closing(values.run(stopped))
    assert "retry-http stopped by you\n  hint: abreast resume k3v9 goes on with it" in drawn


def test_what_only_waits_for_an_answer_is_not_to_be_resumed():
    asked = replace(
        values.RETRY, state=SessionState.BLOCKED, hint="answer it: abreast answer k3v9/retry-http"
    )
    assert table.next_steps(replace(values.run(asked), state=RunState.FAILED)) == []
    other = replace(values.DOCS, state=SessionState.FAILED)
    steps = table.next_steps(replace(values.run(asked, other), state=RunState.FAILED))
    assert steps == ["next: abreast resume k3v9 to go on with what is not done"]


def test_a_branch_is_called_by_its_short_name():
    run = replace(values.run(values.RETRY), base="refs/heads/main")
    assert "  main at " in run_line(run).plain


def test_every_state_has_a_look():
    assert set(SESSION_STYLES) == set(MARKS) == set(SessionState)
    assert set(RUN_STYLES) == set(RunState)
    assert set(LAND_STYLES) == set(LandState)


def test_of_a_crowd_the_lively_are_listed_and_the_rest_is_counted():
    crowd = [
        *(values.session(f"done-{n}", SessionState.DONE) for n in range(600)),
        *(values.session(f"wait-{n}", SessionState.QUEUED) for n in range(400)),
        values.session("works", SessionState.RUNNING),
        values.session("broke", SessionState.FAILED, reason="it fell"),
    ]
    drawn = closing(values.run(*crowd))
    assert all(text in drawn for text in ("works", "wait-0", "broke failed: it fell"))
    assert "done-" not in drawn
    assert "and 962 more: 600 done, 362 queued; abreast status k3v9 lists all" in drawn
    whole = draw(table.closing(values.run(*crowd), Moment(values.NOW), len(crowd)), 80)
    assert "done-599" in whole
    assert "more:" not in whole


def test_a_command_in_a_hint_is_never_broken():
    hint = f"its output: /{'x' * 90} {'y' * 30}"
    bounced = replace(values.RETRY, landing=LandState.BOUNCED, reason="no", hint=hint)
    on = console(60)
    on.print(table.closing(values.run(bounced), Moment(values.NOW)), crop=False)
    then = "then: abreast attach k3v9/retry-http"
    assert f"  hint: {hint}; {then}" in text_of(on).splitlines()
    assert replace(bounced, hint="log in").advice == "log in; then: abreast land k3v9/retry-http"


def test_a_repair_is_shown_where_a_landing_is_and_what_it_drops_below():
    fields = {"repairs": 1, "most_repairs": 2, "mending": "f" * 40}
    at_work = values.session("csv-export", SessionState.RUNNING, **fields)
    said = closing(values.run(at_work))
    assert "repairing 1 of 2" in said
    done = values.session("docs", SessionState.DONE, **fields, dropped=("a.py: x = 1", "a.py: y"))
    said = " ".join(closing(values.run(done)).split())
    assert "repairing" not in said
    assert "docs: its repair drops 2 lines of the target's; abreast show k3v9/docs" in said


def test_what_a_landing_that_stopped_has_left_is_explained():
    reason = "main itself is red, without this: `make` on 0123456789ab: verify failed: exit 2"
    left = values.session("docs", SessionState.DONE, commit="9" * 40, reason=reason, hint="h")
    said = " ".join(closing(values.run(left, state=RunState.FAILED)).split())
    assert f"docs not landed: {reason}" in said

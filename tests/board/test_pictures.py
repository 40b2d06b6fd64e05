"""What the board looks like, at three sizes; foreign text breaks nothing."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot
from rich.cells import cell_len

from abreast.cli.groups import rows_of_run
from abreast.model.session import SessionState
from abreast.model.snapshot import Snapshot
from abreast.places import Places
from tests.board.screens import before, played
from tests.cli import values


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path / "state", f"sqlite:///{tmp_path}/none.db")


def board_of_three() -> Snapshot:
    """One of each: what needs a person, what works, what waits."""
    found, landed = rows_of_run(values.running()), rows_of_run(values.landed())
    needing = [row for row in landed.rows if row.need]
    return Snapshot("1", (*needing, *found.rows), (*found.runs, *landed.runs))


def picture(size, places, *keys, shown=None, now=values.NOW):
    pictures = []

    async def scene():
        async with before(shown or board_of_three(), size, places, now) as me:
            await me.press(*keys)
            pictures.append(await me.sees(lambda text: text.strip()))

    played(scene())
    return "\n" + pictures[0].rstrip() + "\n"


def test_in_60_by_16(places):
    assert picture((60, 16), places) == snapshot("""\

1 needs you  1 working  1 waiting  1 done
  task            state      agent    now
Needs you  1
✓ csv-export      bounced    codex    bounced conflict with…
Working  1
● csv-export      running    codex    shell pytest -q tests…
Waiting  1
· document-the-r… queued     gemini   after csv-export
Done  1
✓ retry-http      done       claude   commit 9f8e7d6





q quit ? keys Space reply l land d diff o log r resume x sto
""")


def test_in_120_by_20(places):
    assert picture((120, 20), places) == snapshot("""\

1 needs you  1 working  1 waiting  1 done
  task               state      agent     age now                       │ csv-export  k3v9/csv-export
Needs you  1                                                            │ done, bounced since 13s  codex
✓ csv-export         bounced    codex     13s bounced conflict with mai…│ shop
Working  1                                                              │ took 1:08, 12k/810 tokens
● csv-export         running    codex      1m shell pytest -q tests/rep…│
Waiting  1                                                              │ Needs you: conflict with main in
· document-the-repo… queued     gemini     1m after csv-export          │ src/report/export.py
Done  1                                                                 │   abreast retry k3v9/csv-export  does the
✓ retry-http         done       claude    44s commit 9f8e7d6            │ task afresh, from main as it is now
                                                                        │   abreast land k3v9/csv-export  merges and
                                                                        │ tests it, and moves main
                                                                        │
                                                                        │ 1 file
                                                                        │   src/report/export.py
                                                                        │
                                                                        │
                                                                        │
                                                                        │
q quit ? keys Space reply l land d diff o log r resume x stop / filter n next g group
""")  # noqa: E501 (the width is the point)


def test_in_250_by_12(places):
    assert picture((250, 12), places) == snapshot("""\

1 needs you  1 working  1 waiting  1 done
  task                        state      agent    run       time  age now                                                  tokens   cost         files│ csv-export  k3v9/csv-export
Needs you  1                                                                                                                                          │ done, bounced since 13s  codex
✓ csv-export                  bounced    codex    k3v9      1:08  13s bounced conflict with main in src/report/export.py      13k      -             1│ shop
Working  1                                                                                                                                            │ took 1:08, 12k/810 tokens
● csv-export                  running    codex    k3v9      1:21   1m shell pytest -q tests/report/test_export.py::test_c…    13k      -             1│
Waiting  1                                                                                                                                            │ Needs you: conflict with main in src/report/export.py
· document-the-report-command queued     gemini   k3v9         -   1m after csv-export                                          -      -             -│   abreast retry k3v9/csv-export  does the task afresh, from main as it is now
Done  1                                                                                                                                               │   abreast land k3v9/csv-export  merges and tests it, and moves main
✓ retry-http                  done       claude   k3v9      0:38  44s commit 9f8e7d6                                          50k  $0.13             2│                                                                                                 ▅
                                                                                                                                                      │ 1 file
q quit ? keys Space reply l land d diff o log r resume x stop / filter n next g group
""")  # noqa: E501 (the width is the point)


def test_grouped_by_run_and_filtered(places):
    assert picture((60, 12), places, "g", "g", "slash", *"retry", "enter") == snapshot("""\

1 needs you  1 working  1 waiting  1 done  by run  only ret…
  task       state      agent     age now
shop  run k3v9  1 done
✓ retry-http done       claude    44s commit 9f8e7d6






retry
q quit ? keys Space reply l land d diff o log r resume x sto
""")


def test_the_keys(places):
    assert picture((80, 34), places, "question_mark") == snapshot("""\

1 needs you  1 working  1 waiting  1 done
  task                 state      agent       time  age now
Needs you  1
✓ csv-export           bounced    codex       1:08  13s bounced conflict with m…
Working ╭─ keys ───────────────────────────────────────────────────────╮
● csv-ex│ ↓ ↑ j k    the next or the one before                        │tests/r…
Waiting │ PgDn PgUp  a page on or back                                 │
· docume│ Home End   the first or the last                             │
Done  1 │ Space      look at the session, and write to it              │
✓ retry-│ Enter      open it in this terminal; of one at work its log  │
        │ l          land it                                           │
        │ d          its changes                                       │
        │ o          its log, live                                     │
        │ v          its run: waves and a time line                    │
        │ w          in which order its run lands, and why             │
        │ c          costs: by day, agent and run, and what            │
        │ delegations kept out                                         │
        │ r          let it go on; what bounced is run again           │
        │ R          run it again, afresh                              │
        │ x          stop it                                           │
        │ u          take back what it has landed                      │
        │ /          show only some: words, s:failed a:NAME r:shop     │
        │ n          the next session that needs you                   │
        │ g          group by state, repository or run                 │
        │ ?          show the keys                                     │
        │ q          leave the board; everything goes on               │
        │ Esc        back to the list; there, without a filter         │
        │ 1-9        answer its question by a choice's number          │
        │ Ctrl+P     the palette: everything here, by name             │
        ╰──────────────────────────────────────────────────────────────╯



q quit ? keys Space reply l land d diff o log r resume x stop / filter n next g
""")


@pytest.mark.parametrize(
    ("word", "found"),
    [("diff", "diff: its changes  (d)"), ("retry", "retry: run it again, afresh  (R)")],
)
def test_the_palette_finds_what_the_command_line_calls_it(places, word, found):
    async def scene():
        async with before(board_of_three(), (80, 20), places, values.NOW) as me:
            await me.press("ctrl+p", *word)
            await me.sees(found)

    played(scene())


def test_without_a_session(places):
    assert picture((60, 6), places, shown=Snapshot("0")) == snapshot("""\

nothing has run yet; abreast run -t "…" starts a task
  task       state      agent     age now



q quit ? keys Space reply l land d diff o log r resume x sto
""")


HOSTILE = "\x1b[31m[bold red]\x1b]0;pwn\x07\u202e\n日本語" * 9


@pytest.mark.parametrize("width", [60, 99, 100, 180])
def test_foreign_text_is_shown_as_text_and_no_line_is_wider(places, width):
    run = values.running()
    hostile = replace(
        run.sessions[1],
        last_action=HOSTILE,
        produces=HOSTILE,
        model=HOSTILE,
        final_message=HOSTILE,
        files=(HOSTILE,),
        state=SessionState.RUNNING,
    )
    found = rows_of_run(replace(run, repo=f"/{HOSTILE}", sessions=(hostile,)))
    shown = picture((width, 20), places, shown=found)
    assert "[bold red]" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert max(map(cell_len, shown.splitlines())) <= width

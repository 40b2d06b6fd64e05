"""What the verbs say and return, over values."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from abreast.agents.base import Capabilities, Login, LoginState
from abreast.agents.parts import Certified
from abreast.api import AgentInfo
from abreast.cli import agents_table, delegate, finish, live, look, table
from abreast.engine.common.bubblewrap import Bubblewrap
from abreast.model.changes import Removal
from abreast.model.session import LandState, LogEvent, RunState
from abreast.model.task import Deliverable, DeliveryState
from tests.cli import values
from tests.cli.drawing import console, draw, text_of


def test_ctrl_c_leaves_the_run_alone_and_says_so(capsys):
    def work(_progress):
        raise KeyboardInterrupt

    assert live.show_until(values.running(), work, json=False) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert "the run goes on; abreast watch k3v9 shows it, abreast stop k3v9 ends it" in err


def test_a_run_is_shown_and_closed(capsys):
    def work(progress):
        progress(values.finished())
        return values.finished()

    assert live.show_until(values.running(), work, json=False) == 1
    out, err = capsys.readouterr()
    assert "k3v9/csv-export: failed" in err
    assert out.startswith("shop  run k3v9  main at 1a2b3c4\ntask ")


def test_json_keeps_standard_output_clean(capsys):
    def work(progress):
        progress(values.finished())
        return values.finished()

    live.show_until(values.running(), work, json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["run"]["state"] == "failed"
    assert "csv-export: failed" in err


@pytest.mark.parametrize("state", RunState)
def test_only_done_is_0(state):
    assert live.code_of(replace(values.running(), state=state)) == (state is not RunState.DONE)


def test_one_session_counts_as_landed_by_itself():
    run = values.landed()  # as a whole it failed: one session bounced
    codes = [finish.code_of_session(run, session.id) for session in run.sessions]
    assert [session.landing for session in run.sessions] == [
        LandState.LANDED,
        LandState.BOUNCED,
        LandState.PROPOSED,
    ]
    assert codes == [0, 1, 0]


def test_a_line_of_the_story():
    at = time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, -1))
    line = look.story_line(LogEvent(at, "k3v9", "k3v9/a", "tool", "edit\x1b[2J a.py\nthen b.py\n"))
    assert line == "03:04:05  tool       edit a.py\n                     then b.py"


def test_what_clean_would_remove():
    removals = [
        Removal("k3v9/a", Path("/w/a"), 3_400_000, "landed in main", "", "refs/abreast/a"),
        Removal("k3v9/b", Path("/w/b"), 120, "", "uncommitted changes", "refs/abreast/b"),
    ]
    assert draw(table.removals_table(removals, removed=False)) == snapshot("""\
session            size  why
k3v9/a   can go  3.4 MB  landed in main
k3v9/b   stays    120 B  uncommitted changes
""")
    assert "removed" in draw(table.removals_table(removals, removed=True))
    more = [*removals, Removal("k3v9/c", Path("/w/c"), 80, "", "uncommitted changes: 1 file")]
    assert draw(table.removals_summary(more, removed=False)) == (
        "3 worktrees: 1 can go, 3.4 MB; 2 stay, 200 B (2 uncommitted changes)\n"
    )
    ignored = tuple(f"a-long-name-of-a-file-{n}.txt" for n in range(3))
    kept = replace(removals[1], ignored=ignored)
    shown = draw(table.removals_table([replace(removals[0], ignored=ignored), kept], removed=False))
    told = "k3v9/a: ignored files go too: " + ", ".join(f'"{name}"' for name in ignored)
    assert "".join(shown.splitlines()[3:]).replace(" ", "") == told.replace(" ", "")


def test_a_child_that_has_edited_says_how_to_land_it(capsys):
    found = Deliverable(
        "k3v9/1",
        DeliveryState.OK,
        "codex",
        items=("Done.",),
        branch="abreast/k3v9/1",
        commit="c0ffee1" + "0" * 33,
        diffstat="1 file changed",
    )
    assert delegate.show(found, json=False) == 0
    out, err = capsys.readouterr()
    assert out == "Done.\n"
    assert err.endswith(
        "branch abreast/k3v9/1 at c0ffee100000: 1 file changed\nnext: abreast land k3v9/1\n"
    )


def test_the_matrix_of_agents():
    everything = Capabilities(*[True] * 6, "its sandbox")
    tried = Certified("2.1.197", "2.1.330")
    known = [
        AgentInfo(
            "claude",
            "Claude Code",
            Path("/opt/bin/claude"),
            "2.1.330",
            Login(LoginState.MISSING, "no key and no login", "claude auth login"),
            everything,
            "",
            tried,
            tried.standing("2.1.330"),
        ),
        AgentInfo(
            "codex",
            "Codex CLI",
            Path("/opt/bin/codex"),
            "0.9.0",
            Login(LoginState.READY),
            Capabilities(),
            "npm upgrade it",
            tried,
            tried.standing("0.9.0"),
        ),
        AgentInfo("gemini", "Gemini CLI", None, "", None, Capabilities(), "npm install it"),
    ]
    on = console()
    agents_table.print_agents(on, known, Bubblewrap("", "not here", "install it"))
    assert text_of(on) == snapshot("""\
agent   version  tried    login    resume  open  model  tokens  cost  schema
claude  2.1.330  yes      missing  yes     yes   yes    yes     yes   yes
codex   0.9.0    too old  ready    -       -     -      -       -     -
gemini  -        -        -        -       -     -      -       -     -

claude
  /opt/bin/claude
  versions: tried with 2.1.197 to 2.1.330
  login: no key and no login
  hint: claude auth login
  writes: its sandbox

codex
  /opt/bin/codex
  versions: tried with 2.1.197 to 2.1.330; this one is older and is not used: \n\
npm upgrade it

gemini
  not installed; npm install it

sandbox
  none: not here
  hint: install it
""")

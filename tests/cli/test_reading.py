"""The verbs that only read, as real processes over a real database."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from abreast.faces import figures
from abreast.places import find_places
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.writer import Store
from tests.cli import values
from tests.cli.drawing import codes, without_colour
from tests.cli.test_edge import abreast
from tests.support.deadlines import SECONDS

COLOURS = {"TERM": "xterm", "NO_COLOR": ""}


@pytest.fixture
def recorded(scratch_home: Path) -> None:
    """A database with one run that has ended, and its story."""
    places = find_places().make()
    engine = make_engine(places.database)
    migrate(engine)
    store = Store(engine)
    store.add_run(values.finished(), "{}")
    store.add_event("k3v9/csv-export", "tool", "edit src/report/export.py")
    store.add_event("k3v9/csv-export", "text", "two\nlines\x1b[2J")
    engine.dispose()


def on_terminal(*arguments: str, **environ: str) -> str:
    """Return what `abreast ARGUMENTS` shows on a terminal of 80 columns."""
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "25", **environ}
    with subprocess.Popen(
        [sys.executable, "-m", "abreast", *arguments],
        env=env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        seen = b""
        while select.select([master], [], [], SECONDS)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:  # the other end is closed
                break
        process.wait(SECONDS)
    os.close(master)
    return seen.decode()


def test_status_where_nothing_ever_ran_leaves_no_trace(scratch_home):
    before = sorted(scratch_home.rglob("*"))
    done = abreast("status")
    assert (done.returncode, done.stdout) == (0, "")
    assert "hint: `abreast demo`" in done.stderr
    assert json.loads(abreast("status", "--json").stdout) == {
        "schema": 1,
        "runs": [],
        "unrecorded": [],
        "revision": "0" * 16,
        "rows": [],
    }
    assert sorted(scratch_home.rglob("*")) == before


def test_status_shows_the_newest_run(recorded):
    done = abreast("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "csv-export failed: verify exited with 1: pytest -q" in done.stdout
    assert abreast("status", "k3").stdout == done.stdout
    listed = abreast("status", "--all").stdout
    assert listed.replace(figures.moment(values.CREATED), "2023-11-14 22:13") == snapshot("""\
run   began             state   done  time  land  base  repository  tasks
k3v9  2023-11-14 22:13  failed   1/3  1:10  none  main  shop        \
retry-http, csv-export, document-the-report-command
""")


def test_status_as_json(recorded):
    document = json.loads(abreast("status", "--json").stdout)
    (run,) = document["runs"]
    assert (run["id"], run["state"], len(run["sessions"])) == ("k3v9", "failed", 3)
    assert run["sessions"][0]["usage"]["cost_usd"] == 0.1312
    assert run["sessions"][1]["usage"]["cost_usd"] is None


def test_a_run_that_is_not_there(recorded):
    for verb in ("status", "watch", "resume", "land"):
        done = abreast(verb, "zzz")
        assert (done.returncode, done.stdout) == (1, "")
        assert "zzz" in done.stderr
        assert "hint: " in done.stderr
    done = abreast("logs", "zzz/a")
    assert (done.returncode, done.stdout) == (1, "")


def test_an_unset_variable_of_a_shell_is_not_the_newest_run(recorded):
    for verb in ("stop", "land", "collect", "retry", "attach"):
        for name in ("", "/retry-http"):
            done = abreast(verb, name)
            assert (done.returncode, done.stdout) == (2, ""), (verb, name)
            assert f"{name!r} names no run and no session" in done.stderr


LIGHT = """
import sys
from abreast.cli import main
assert main(["status"]) == 0
ours = {"abreast.engine", "abreast.agents", "abreast.model.task", "abreast.api.delegations"}
heavy = {"dbos", "sqlalchemy", "alembic", "pydantic", *ours} & set(sys.modules)
assert not heavy, heavy
"""


def test_status_stays_light(recorded):
    subprocess.run([sys.executable, "-c", LIGHT], check=True, capture_output=True)


def test_watching_a_run_that_has_ended_tells_how(recorded):
    done = abreast("watch")
    assert done.returncode == 1
    assert "1 of 3 tasks done" in done.stdout
    document = json.loads(abreast("watch", "k3v9", "--json").stdout)
    assert (document["schema"], document["run"]["state"]) == (1, "failed")


def test_logs_tell_the_story_harmlessly(recorded):
    done = abreast("logs", "csv-export")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:4] == [
        "k3v9/csv-export  failed  codex  1:08  12k/810  2 events, 1 file",
        "verify exited with 1: pytest -q E AssertionError: assert 2 == 3",
        "hint: abreast resume k3v9",
        "",
    ]
    assert "tool       edit src/report/export.py" in done.stdout
    assert "text       two\n" + " " * 21 + "lines\n" in done.stdout
    assert "\x1b" not in done.stdout
    events = [
        json.loads(line)
        for line in abreast("logs", "csv-export", "--json").stdout.split("\n")
        if line
    ]
    assert {event["schema"] for event in events} == {1}
    assert "edit src/report/export.py" in {event["text"] for event in events}


def test_a_terminal_gets_colour_unless_asked_not_to(recorded):
    coloured = on_terminal("status")
    plain = on_terminal("status", NO_COLOR="1")
    assert {"31", "32"} <= codes(coloured)
    assert codes(plain).isdisjoint({"31", "32", "33", "34", "36"})
    assert without_colour(plain) == without_colour(coloured)


def test_the_shell_completes_names(recorded, monkeypatch):
    def complete(*words: str) -> list[str]:
        monkeypatch.setenv("_ABREAST_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["abreast", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        done = abreast()
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("st") == ["status", "stop"]
    assert complete("status", "k") == ["k3v9"]
    assert complete("logs", "k3v9/c") == ["k3v9/csv-export"]
    assert complete("stop", "k3v9/d") == ["k3v9/document-the-report-command"]
    assert complete("run", "--agent", "c") == ["claude", "codex"]


def test_an_interactive_session_needs_a_terminal(recorded):
    done = subprocess.run(
        [sys.executable, "-m", "abreast", "open", "idea"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs a terminal" in done.stderr


def test_agents_as_json_and_as_text(scratch_home):
    document = json.loads(abreast("agents", "--json").stdout)
    known = {agent["name"]: agent for agent in document["agents"]}
    assert {"claude", "codex", "gemini", "command", "scripted"} <= set(known)
    assert known["scripted"]["installed"] is True
    shown = abreast("agents").stdout
    assert all(name in shown for name in known)

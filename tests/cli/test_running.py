"""Whole runs by command line: real repository, worker, database; only the agent is scripted."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from abreast import api
from abreast.model.moves import Say, Sleep
from abreast.model.task import AgentChoice
from tests.cli.drawing import without_colour
from tests.cli.test_edge import abreast
from tests.cli.test_reading import on_terminal
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo

PLAN = """
land = "none"
agent.scripted = [{{ write = "{file}", text = "new\\n" }}, {{ say = "made" }}]
verify = "test -e {file}"

[[task]]
id = "make"
produces = "{file} exists."
prompt = "Make {file}."
"""

SLOW = """
[[task]]
id = "slow"
produces = "Nothing."
prompt = "Take your time."
agent.scripted = [{ write = "begun.txt", text = "x" }, { sleep = 600 }]
"""

FAILING = """
[[task]]
id = "fail"
produces = "Nothing."
prompt = "Fail."
agent.scripted = [{ fail = "no luck" }]
"""


@pytest.fixture
def here(repo: Repo, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    """A repository as the current folder; no worker of ours is left behind."""
    monkeypatch.chdir(repo.path)
    yield repo
    note = scratch_home / "state/abreast/worker.json"
    if note.exists():
        pid = json.loads(note.read_text())["pid"]
        try:
            worker = psutil.Process(pid)
            worker.terminate()
            worker.wait(SECONDS)
        except psutil.NoSuchProcess:
            pass


def plan(folder: Path, text: str) -> str:
    path = folder / "plan.toml"
    path.write_text(text)
    return str(path)


def making(file: str) -> str:
    return PLAN.format(file=file)


def state_of(run: str) -> dict:
    return json.loads(abreast("status", run, "--json").stdout)["runs"][0]


def test_a_run_from_start_to_landing(here: Repo, tmp_path: Path):
    done = abreast("run", plan(tmp_path, making("new.txt")), "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["run"]
    (session,) = run["sessions"]
    assert (run["state"], session["state"], session["files"]) == ("done", "done", ["new.txt"])
    assert f"{session['id']}: done" in done.stderr

    assert "+new" in abreast("diff", session["id"]).stdout
    assert "new.txt | 1 +" in abreast("diff", "make", "--stat").stdout
    assert "write new.txt" in abreast("logs", "make").stdout
    assert abreast("logs", "make", "--stream").stdout

    kept = abreast("clean")
    assert kept.returncode == 0
    assert "stays" in kept.stdout
    assert f"hint: `abreast land {session['id']}`" in kept.stderr
    before = here.git("rev-parse", "main")
    landed = abreast("land", "make")
    assert landed.returncode == 0, landed.stderr
    assert "landed" in landed.stdout
    assert here.git("rev-parse", "main") != before
    assert (here.path / "new.txt").read_text() == "new\n"

    assert "can go" in abreast("clean").stdout
    assert "removed" in abreast("clean", "--remove").stdout
    assert not Path(session["worktree"]).exists()


def test_a_failed_task_fails_the_command(here: Repo, tmp_path: Path):
    done = abreast("run", plan(tmp_path, FAILING))
    assert done.returncode == 1
    assert "fail failed: " in done.stdout
    assert "0 of 1 task done" in done.stdout


def test_a_bad_plan_starts_nothing(here: Repo, tmp_path: Path, scratch_home: Path):
    done = abreast("run", plan(tmp_path, 'colour = "red"\n[[task]]\nid = "a b"\nprompt = "x"\n'))
    assert (done.returncode, done.stdout) == (1, "")
    assert "colour" in done.stderr
    assert "a b" in done.stderr
    assert "hint: " in done.stderr
    assert not (scratch_home / "state/abreast/abreast.db").exists()


def test_detach_stop_and_resume(here: Repo, tmp_path: Path):
    done = abreast("run", plan(tmp_path, SLOW), "--detach")
    assert done.returncode == 0, done.stderr
    run = done.stdout.strip()
    eventually(lambda: state_of(run)["sessions"][0]["state"] == "running")
    stopped = abreast("stop", run)
    assert (stopped.returncode, stopped.stdout) == (0, f"{run}/slow: stopped\n")
    assert state_of(run)["state"] == "stopped"
    assert abreast("stop", run).stdout == ""
    resumed = subprocess.Popen(
        [sys.executable, "-m", "abreast", "resume", run],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: state_of(run)["sessions"][0]["state"] == "running")
    assert abreast("stop", run).returncode == 0
    assert resumed.wait(SECONDS) == 1


def test_ctrl_c_detaches_on_a_terminal(here: Repo, tmp_path: Path):
    file = plan(tmp_path, SLOW)
    pid, master = pty.fork()
    if pid == 0:
        # A shell's background job is started with the interrupt ignored, and we may be in one.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ |= {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        os.execv(sys.executable, [sys.executable, "-m", "abreast", "run", file])  # noqa: S606
    seen = ""

    def read_on() -> str:
        nonlocal seen
        if select.select([master], [], [], 0)[0]:
            try:
                seen += os.read(master, 65536).decode()
            except OSError:  # the other end is closed
                return without_colour(seen) + "<end>"
        return without_colour(seen)

    eventually(lambda: "running" in read_on())
    os.write(master, b"\x03")
    eventually(lambda: "<end>" in read_on())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    os.close(master)
    assert "the run goes on; abreast watch" in without_colour(seen)
    run = json.loads(abreast("status", "--json").stdout)["runs"][0]
    assert run["state"] == "running"
    assert abreast("stop", run["id"]).returncode == 0


def test_open_and_attach_have_the_terminal(here: Repo):
    shown = on_terminal("open", "idea", "--agent", "scripted")
    assert "/idea: done, no commit" in shown
    session = state_of("")["sessions"][0]
    assert (session["kind"], session["state"]) == ("open", "done")
    assert session["worktree"] in shown
    assert f"{session['id']}: done" in on_terminal("attach", "idea")


def test_the_demo(scratch_home: Path):
    done = abreast("demo", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [s["landing"] for s in document["run"]["sessions"]] == ["landed"] * 3
    assert not Path(document["repository"]).exists()


def test_several_deliverables_are_one_json_document(here: Repo) -> None:
    run = api.start_delegation("One?", "Two?", agent=AgentChoice("scripted"))
    done = abreast("collect", run.id, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)["deliverables"]
    assert [one["id"] for one in found] == [f"{run.id}/1", f"{run.id}/2"]


def test_whoever_waits_for_a_child_at_a_terminal_sees_it_at_work(here: Repo) -> None:
    slow = AgentChoice("scripted", moves=(Sleep(1.0), Say('{"text": "It is."}')))
    run = api.start_delegation("One?", agent=slow)
    shown = without_colour(on_terminal("collect", run.id))
    assert f"run {run.id}" in shown
    assert "1 One?" in shown
    assert "It is." in shown

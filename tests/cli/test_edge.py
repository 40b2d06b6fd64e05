"""The outer edge: what went wrong, where, what next, and the right exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from abreast.cli import edge
from abreast.errors import PlanError, Problem, StateError
from tests.support.documents import check_output
from tests.support.repos import Repo


def abreast(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "abreast", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    check_output(arguments, done.stdout)
    return done


def test_wrong_usage_is_2(scratch_home):
    for arguments in (["run"], ["run", "plan.toml", "-t", "x"], ["nonsense"], ["status", "--no"]):
        done = abreast(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Error: " in done.stderr


def test_an_error_of_ours_has_its_hint_and_its_code(capsys, raising):
    error = StateError("it runs", hint="abreast stop k3v9")
    assert raising(error) == 1
    assert capsys.readouterr() == ("", "abreast: it runs\nhint: abreast stop k3v9\n")


def test_all_problems_of_a_plan_are_shown(capsys, raising):
    problems = [Problem("task[1].needs", "no task 'x'", "tasks are: a"), Problem("base", "gone")]
    assert raising(PlanError(problems)) == 1
    assert capsys.readouterr().err == (
        "abreast: the plan cannot run: 2 problems\n"
        "task[1].needs: no task 'x'\n"
        "  hint: tasks are: a\n"
        "base: gone\n"
    )


def test_a_state_folder_that_cannot_be_written_is_told(scratch_home, repo, monkeypatch):
    taken = scratch_home / "taken"
    taken.write_text("")
    monkeypatch.setenv("ABREAST_STATE_DIR", str(taken / "state"))
    done = abreast("delegate", "What?", "--agent", "scripted", cwd=repo.path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written: Not a directory\nhint: set ABREAST_STATE_DIR" in done.stderr


def test_a_bug_leaves_a_report(scratch_home, capsys, raising):
    assert raising(RuntimeError("boom")) == 3
    reports = list((scratch_home / "state/abreast/logs").iterdir())
    assert len(reports) == 1
    said = capsys.readouterr().err
    assert "this is a bug: RuntimeError: boom" in said
    assert str(reports[0]) in said
    report = reports[0].read_text()
    assert "boom" in report
    assert "Traceback" in report
    assert reports[0].stat().st_mode & 0o777 == 0o600


def test_a_bug_without_a_state_folder_is_told_on_the_spot(
    scratch_home, capsys, raising, monkeypatch
):
    (scratch_home / "file").touch()
    monkeypatch.setenv("ABREAST_STATE_DIR", str(scratch_home / "file"))
    assert raising(RuntimeError("boom")) == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(raising):
    assert raising(KeyboardInterrupt()) == 130


def test_a_reader_that_leaves_is_no_error(scratch_home):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "abreast", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.fixture
def raising(monkeypatch):
    """Return a function that lets the command line raise an error and returns the exit code."""

    def run(error: BaseException) -> int:
        def call(_arguments):
            raise error

        monkeypatch.setattr(edge, "_call", call)
        return edge.guard([])

    return run


@pytest.mark.parametrize(
    ("line", "code", "kind", "said"),
    [
        ("status nope", 1, "not-found", "there is no run nope"),
        ("run", 2, "usage", "give either a plan, at least one -t TEXT, or issues"),
        ("status --agent codx", 2, "usage", "no agent codx; did you mean `codex`?"),
        ("agnets", 2, "usage", "Did you mean 'agents'?"),
        ("run -t x --agent nope", 1, "plan", "there is no agent `nope`"),
    ],
)
@pytest.mark.usefixtures("scratch_home")
def test_with_json_an_error_is_a_document(capsys, line, code, kind, said):
    assert edge.guard([*line.split(), "--json"]) == code
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert {*document} == {"schema", "error"}
    assert (document["error"]["kind"], said in document["error"]["message"]) == (kind, True)
    assert said in err
    if kind == "plan":
        assert {problem["where"] for problem in document["error"]["problems"]} >= {"--agent"}


def test_with_json_a_bug_is_a_document(scratch_home, capsys, monkeypatch):
    def boom(*_args, **_more):
        raise RuntimeError("boom")

    monkeypatch.setattr(edge, "_call", boom)
    assert edge.guard(["status", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "bug"


def test_standard_input_may_be_closed(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repo.path)
    monkeypatch.setattr("sys.stdin", None)
    assert edge.guard(["run", "-t", "-"]) == 1
    assert "the prompt is empty" in capsys.readouterr().err
    assert sys.stdin is None
    assert edge.guard(["init"]) == 0
    assert "nothing was written" in capsys.readouterr().err


def test_standard_output_may_be_closed(scratch_home: Path) -> None:
    argv = ["sh", "-c", 'exec "$0" -m abreast --help >&-', sys.executable]
    done = subprocess.run(argv, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="/dev/full is not there")
@pytest.mark.parametrize(
    "line", ["--help", "status --json", "agents", "settings", "logs nosuch --json"]
)
def test_standard_output_may_be_full(scratch_home: Path, line: str) -> None:
    command = [sys.executable, "-m", "abreast", *line.split()]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    about = "no session nosuch" if "logs" in line else "standard output cannot be written"
    told, hint = done.stderr.splitlines()
    assert told.startswith("abreast: ")
    assert about in told
    assert hint.startswith("hint: ")
    assert not list(scratch_home.rglob("bug-*"))
    with FULL.open("w") as full:  # nobody can be told
        silent = subprocess.run(command, stdout=full, stderr=full, check=False)
    assert silent.returncode == 1

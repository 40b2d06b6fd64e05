"""The supervisor against real processes that misbehave."""

import json
import os
import socket
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.process.tree import MARKER, marked
from abreast.runner.job import PROGRESS, STORY, STREAM, Job, Result, load_result, save_job
from abreast.runner.pump import LONGEST_LINE
from tests.support.deadlines import SECONDS, eventually

A_SECOND = Limits(idle_minutes=1.0 / 60)
TWO_SECONDS = Limits(idle_minutes=2.0 / 60)
"""For what has to give a sign of life in time, on a busy machine too."""


def runner(directory: Path, *argv: str, umask: int = -1, **more: Any) -> str:
    """Run a job under a real runner, to its end; return what that had to say."""
    marker = uuid.uuid4().hex
    save_job(directory, Job(argv, str(directory), marker, str(directory / "stop"), **more))
    done = subprocess.run(
        [sys.executable, "-I", "-m", "abreast.runner", str(directory)],
        env={**os.environ, MARKER: marker},
        umask=umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert marked(marker) == []
    return done.stdout + done.stderr


def supervise(directory: Path, *argv: str, **more: Any) -> Result:
    """Run a job to its end and return the result."""
    assert runner(directory, *argv, **more) == ""
    result = load_result(directory)
    assert result is not None
    return result


def python(code: str) -> tuple[str, str, str]:
    return sys.executable, "-c", code


def test_what_a_job_writes_has_the_users_own_modes(tmp_path: Path) -> None:
    """The runner's files are private; a build's are not ours to close to a container's user."""
    supervise(tmp_path, "sh", "-c", "mkdir made && : > made/file", umask=0o022)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "made/file").stat().st_mode) == 0o644
    for name in (STREAM, STORY, PROGRESS):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\udc80"])
def test_half_a_character_is_no_end_of_a_session(tmp_path: Path, half: str) -> None:
    """CLIs written in JavaScript cut texts anywhere, in the middle of an emoji too."""
    lines = [
        '{"type": "started", "session": "s"}',
        f'{{"type": "tool", "text": "write {half}", "files": ["{half}"], "usage": null}}',
        f'{{"type": "result", "ok": true, "text": "fine {half}"}}',
    ]
    result = supervise(tmp_path, "printf", "%s\\n", *lines, agent="scripted")
    assert result.verdict.outcome is Outcome.OK
    told = [json.loads(line)["text"] for line in (tmp_path / STORY).read_text().splitlines()]
    for text in (result.verdict.final_message, *result.progress.files, *told):
        text.encode()  # what cannot be encoded, no database and no terminal takes


CALL = ({"type": "tool", "text": "edit a", "files": ["a"]}, {"type": "tool_done", "failed": False})
SAY, END = {"type": "say", "text": "so"}, {"type": "result", "ok": True, "text": "done"}


@pytest.mark.parametrize(
    ("agent", "said", "worked"),
    [
        ("scripted", (SAY, END), 0),
        ("scripted", (*CALL, *CALL, SAY), 1),  # the second turn has not ended
        ("scripted", (*CALL, *CALL, SAY, END), 2),
        ("command", (SAY,), 1),
        ("", (SAY,), 0),  # setup and verify
    ],
)
def test_turns_that_called_tools_are_counted_when_they_end(
    tmp_path: Path, agent: str, said: tuple[dict[str, Any], ...], worked: int
) -> None:
    lines = "".join(json.dumps(line) + "\n" for line in said)
    result = supervise(tmp_path, *python(f"print({lines!r}, end='')"), agent=agent)
    assert result.progress.worked == worked


def test_output_without_an_end_of_line_is_a_sign_of_life(tmp_path: Path) -> None:
    """Test runners print dots, installers a bar."""
    dots = "import time\nfor _ in range(12):\n print('.', end='', flush=True)\n time.sleep(0.25)"
    result = supervise(tmp_path, *python(dots), limits=TWO_SECONDS)
    assert (result.verdict.outcome, result.stopped_by) == (Outcome.OK, "")
    assert (tmp_path / STREAM).read_bytes() == b"." * 12


def test_a_pipe_that_somebody_keeps_open_does_not_keep_the_result(tmp_path: Path) -> None:
    """Somebody out of reach: another user's process, or one that was handed the pipe."""
    name = str(tmp_path / "s")
    give = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({name!r}); "
    give += "socket.send_fds(s, [b'x'], [1]); print('given', flush=True)"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        result = supervise(tmp_path, *python(give))
        with listener.accept()[0] as link:
            _, kept, *_ = socket.recv_fds(link, 1, 1)
            os.close(kept[0])
    assert result.verdict.outcome is Outcome.OK
    assert (tmp_path / STREAM).read_bytes() == b"given\n"


def test_many_short_commands_are_work(tmp_path: Path) -> None:
    """A silent build: at any moment the compiler at work has burnt next to nothing."""
    build = f"""
    end=$(($(date +%s) + 3))
    while [ $(date +%s) -lt $end ]; do {sys.executable} -S -c pass; done
    """
    result = supervise(tmp_path, "sh", "-c", build, limits=TWO_SECONDS)
    assert (result.verdict.outcome, result.stopped_by) == (Outcome.OK, "")


def test_waiting_is_idle(tmp_path: Path) -> None:
    result = supervise(tmp_path, "sleep", "60", limits=A_SECOND)
    assert "idle limit" in result.stopped_by


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    """The last megabytes of it arrive though the first have long been let go of."""
    flood = (
        f"import sys\nfor _ in range({LONGEST_LINE // 2**20 * 3}): sys.stdout.write('x' * 2**20)"
    )
    result = supervise(tmp_path, *python(flood))
    assert result.verdict.outcome is Outcome.OK
    assert (tmp_path / STREAM).stat().st_size == 3 * LONGEST_LINE
    assert len((tmp_path / STORY).read_text().splitlines()) == 3


def test_a_story_that_cannot_be_written_ends_the_job(tmp_path: Path) -> None:
    """Nobody would empty the pipe, and the job would wait for that until a limit trips."""
    (tmp_path / STORY).mkdir()
    result = supervise(tmp_path, "yes")
    assert result.verdict.outcome is Outcome.UNKNOWN
    assert "could not be followed" in result.verdict.reason


def test_a_supervisor_that_fails_takes_its_job_along(tmp_path: Path) -> None:
    """Here its progress file cannot be replaced; a full disk does the same."""
    (tmp_path / PROGRESS).mkdir()
    said = runner(tmp_path, "sh", "-c", "echo here; sleep 60 & sleep 60")
    assert "IsADirectoryError" in said
    assert load_result(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans go to init")
def test_orphans_that_have_ended_do_not_pile_up(tmp_path: Path) -> None:
    marker = uuid.uuid4().hex
    orphans = "for i in 1 2 3 4 5 6 7 8; do (sleep 0.01 &) ; done; echo all; sleep 60"
    job = Job(("sh", "-c", orphans), str(tmp_path), marker, str(tmp_path / "stop"))
    save_job(tmp_path, job)
    argv = [sys.executable, "-I", "-m", "abreast.runner", str(tmp_path)]
    with subprocess.Popen(argv, env={**os.environ, MARKER: marker}) as running:
        told = tmp_path / STREAM
        eventually(lambda: told.exists() and told.read_bytes() == b"all\n", "they have begun")
        above = psutil.Process(running.pid)
        eventually(lambda: len(above.children()) == 1, "the orphans are gone")
        (tmp_path / "stop").touch()
    result = load_result(tmp_path)
    assert result is not None
    assert result.stopped_by == "user"

"""A program in the user's terminal: it has the keys, we outlive them."""

import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from abreast.errors import CommandError
from abreast.process.command import run_foreground
from abreast.process.files import materialise
from tests.support.deadlines import SECONDS


def test_the_exit_code_is_the_programs(tmp_path):
    env = {"PATH": os.environ["PATH"], "CODE": "7"}
    assert run_foreground(["sh", "-c", "exit $CODE"], cwd=tmp_path, env=env) == 7
    assert run_foreground(["sh", "-c", "kill -9 $$"], cwd=tmp_path, env=env) == -9


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="no-such-program"):
        run_foreground(["no-such-program"], cwd=tmp_path, env={})


def test_handlers_are_put_back(tmp_path):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    run_foreground(["true"], cwd=tmp_path, env=dict(os.environ))
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


CHILD = """
    import time
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("child interrupted", flush=True)
        raise SystemExit(5)
"""

PARENT = """
    import os, sys
    from pathlib import Path
    from abreast.process.command import run_foreground
    child = [sys.executable, "-c", sys.argv[1]]
    code = run_foreground(child, cwd=Path.cwd(), env=dict(os.environ))
    print("parent saw", code, flush=True)
"""

COMMAND = [sys.executable, "-c", textwrap.dedent(PARENT), textwrap.dedent(CHILD)]


def read_until(master: int, text: str) -> str:
    seen, end = "", time.monotonic() + SECONDS
    while text not in seen:
        assert select.select([master], [], [], max(0, end - time.monotonic()))[0], seen
        seen += os.read(master, 4096).decode()
    return seen


def test_ctrl_c_ends_the_program_and_not_us(tmp_path):
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execv(COMMAND[0], COMMAND)  # noqa: S606 (the whole point)
    read_until(master, "ready")
    os.write(master, b"\x03")
    seen = read_until(master, "parent saw 5")
    assert "child interrupted" in seen
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(master)


def test_a_request_to_end_is_passed_on(tmp_path):
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout.readline() == b"ready\n"
        parent.terminate()
        assert parent.stdout.readline() == b"parent saw -15\n"
        assert parent.wait(SECONDS) == 0


def test_files_are_private_and_links_are_replaced(tmp_path: Path):
    file, link = tmp_path / "a/b/settings.json", tmp_path / "c/auth.json"
    one, two = tmp_path / "one", tmp_path / "two"
    for target, text in ((one, "old"), (two, "new"), (two, "new")):
        materialise({file: text}, {link: target})
        assert file.read_text() == text
        assert link.readlink() == target
    modes = [p.stat().st_mode & 0o777 for p in (file, file.parent, file.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert [p.name for p in link.parent.iterdir()] == ["auth.json"]


def test_a_folder_in_a_links_place_is_left_alone(tmp_path: Path):
    folder = tmp_path / "home"
    (folder / "kept").mkdir(parents=True)
    with pytest.raises(OSError, match="home"):
        materialise({}, {folder: tmp_path})
    assert (folder / "kept").is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["home"]

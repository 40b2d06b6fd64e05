"""The live view on a terminal, under a real shell: however it ends, the shell goes on as before."""

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.deadlines import SECONDS, eventually

VIEW = """
import os, sys, time
from pathlib import Path
from rich.text import Text
from abreast.cli import own_screen
from abreast.cli.console import OurConsole
folder = Path.cwd()
console = OurConsole()
assert own_screen.is_ours(console)
with own_screen.drawn(console, lambda: Text(f"drawing {console.width}")):
    (folder / "pid").write_text(str(os.getpid()))
    while not (folder / "gate").exists():
        time.sleep(0.01)
    if (folder / "gate").read_text():
        raise RuntimeError("broken")
print("it is over")
"""


class Shell:
    """An interactive `sh` on a terminal of 80 columns and 24 lines."""

    def __init__(self, folder: Path) -> None:
        self.shown = ""
        self.pid, self._ours = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGQUIT):  # which a job in the background ignores
                signal.signal(number, signal.SIG_DFL)
            os.chdir(folder)
            # COLUMNS, which readline leaves in the environment of a process, would bind its size.
            env = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}}
            os.execvpe("sh", ["sh", "-i"], {**env, "PS1": "$ ", "TERM": "xterm", "ENV": ""})  # noqa: S606
        self.size(80)

    def size(self, width: int) -> None:
        termios.tcsetwinsize(self._ours, (24, width))

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """Return all that is shown until `text` is; what follows it counts from then on."""
        end = time.monotonic() + SECONDS
        while text not in self.shown:
            assert select.select([self._ours], [], [], max(0, end - time.monotonic()))[0], (
                self.shown
            )
            self.shown += os.read(self._ours, 65536).decode()
        before, found, self.shown = self.shown.partition(text)
        return before + found

    def modes(self) -> str:
        """Return how the terminal is set, as a program that the shell starts finds it."""
        self.type("stty -g; echo that was $((40 + 2))\n")
        [modes] = re.findall(r"[0-9a-f]+(?::[0-9a-f]+){9,}", self.until("that was 42"))
        return modes

    def end(self) -> None:
        """Close the terminal, as a window is closed: the shell and what it runs are told."""
        os.close(self._ours)
        eventually(lambda: os.waitpid(self.pid, os.WNOHANG) != (0, 0), "the shell ends")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "view.py").write_text(VIEW)
    shell = Shell(tmp_path)
    yield shell
    (tmp_path / "gate").touch()
    shell.end()


def begin(shell: Shell) -> None:
    shell.type(f"{sys.executable} view.py; echo ended with $?.\n")
    assert "\x1b[?1049h" in shell.until("drawing 80")


def test_keys_neither_show_nor_reach_the_shell(shell: Shell, tmp_path: Path) -> None:
    before = shell.modes()
    begin(shell)
    shell.type("echo typed-$((40 + 2))\n\x1b[A")
    (tmp_path / "gate").touch()
    seen = shell.until("ended with 0.")
    assert "it is over" in seen.partition("\x1b[?1049l")[2]
    assert "\x1b[?25h" in seen  # the cursor is back
    seen += shell.until("$ ")
    assert "typed" not in seen
    assert shell.modes() == before
    shell.type("echo and $((1 + 1)) on\n")
    after = shell.until("and 2 on")
    assert "typed" not in after
    assert "echo and $((1 + 1)) on" in after  # keys are shown again


@pytest.mark.parametrize(
    ("how", "code"), [("interrupt", 1), ("error", 1), ("terminate", 128 + signal.SIGTERM)]
)
def test_however_it_ends_the_terminal_is_as_before(
    shell: Shell, tmp_path: Path, how: str, code: int
) -> None:
    before = shell.modes()
    begin(shell)
    shell.type("echo nobody\n")
    if how == "interrupt":
        shell.type("\x03")
    elif how == "error":
        (tmp_path / "gate").write_text("raise")
    else:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    if how != "interrupt":
        assert f"ended with {code}." in shell.until(f"ended with {code}.")
    left = shell.until("$ ")
    assert "nobody" not in left  # the shell has got no keys
    assert shell.modes() == before


def test_ctrl_z_gives_the_terminal_back_and_takes_it_again(shell: Shell, tmp_path: Path) -> None:
    before = shell.modes()
    begin(shell)
    shell.type("\x1a")
    assert "\x1b[?1049l" in shell.until("$ ")
    assert shell.modes() == before
    shell.type("fg\n")
    assert "\x1b[?1049h" in shell.until("drawing")
    (tmp_path / "gate").touch()
    shell.until("it is over")
    assert shell.modes() == before


def test_every_picture_covers_the_whole_screen_whatever_its_size(
    shell: Shell, tmp_path: Path
) -> None:
    begin(shell)
    for width in (50, 100):
        shell.size(width)
        shell.until(f"drawing {width}")
        picture = f"drawing {width}" + shell.until("\x1b[H")
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", picture)
        lines = plain.replace("\r", "").split("\n")
        assert [cell_len(line) for line in lines] == [width] * 24
    (tmp_path / "gate").touch()
    shell.until("ended with 0.")


def test_a_view_in_the_background_touches_no_terminal(shell: Shell, tmp_path: Path) -> None:
    before = shell.modes()
    asks = "from abreast.cli import console as c, own_screen as o; print(o.is_ours(c.OurConsole()))"
    shell.type(f'{sys.executable} -c "{asks}" & wait; echo so$((1 + 1))\n')
    assert "False" in shell.until("so2")
    assert shell.modes() == before

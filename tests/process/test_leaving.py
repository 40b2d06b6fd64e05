"""A process that ends at once has still said everything, and called what was to be called."""

import subprocess
import sys

import pytest

_BEGIN = """\
import atexit, sys, threading
from abreast.process.leaving import leave
sys.stdout.write("said, ")
atexit.register(sys.stdout.write, "called")
"""
_END = "\nleave(7)\nsys.stdout.write('went on, ')\n"


def _left(code: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code + _END], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout


def test_what_was_written_and_registered_is_not_lost() -> None:
    assert _left("") == (7, "said, called")


@pytest.mark.parametrize(
    "code",
    [
        "threading.Thread(target=threading.main_thread().join).start()",
        "sys.setprofile(lambda *_: None)",
    ],
)
def test_who_still_works_or_looks_on_gets_an_ordinary_end(code: str) -> None:
    assert _left(code) == (0, "said, went on, called")

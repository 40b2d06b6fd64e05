"""Agents and their supervisors take second place behind what the person runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from abreast.process.supervisor import AGENT

LOWERED = """
import os, sys
from abreast.process.supervisor import lower
lower(int(sys.argv[1])); lower(int(sys.argv[1]))
print(os.getpriority(os.PRIO_PROCESS, 0), os.popen("nice").read().strip())
"""


def test_a_lowered_process_and_its_children_take_second_place():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    done = subprocess.run(
        [sys.executable, "-c", LOWERED, str(AGENT)],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    wanted = max(before, AGENT)
    assert done.stdout.split() == [str(wanted), str(wanted)]  # asking twice changes nothing
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="a feature of Linux")
def test_on_linux_the_whole_session_takes_second_place():
    tell = LOWERED + "print(open('/proc/self/autogroup').read())"
    done = subprocess.run(
        [sys.executable, "-c", tell, str(AGENT)],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert done.stdout.strip().endswith(f"nice {AGENT}")

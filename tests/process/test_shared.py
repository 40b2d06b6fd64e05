"""Which processes serve others too, so that no job ends them."""

import subprocess
import sys

import pytest

from abreast.process.identity import is_shared, stat_of
from tests.support.deadlines import SECONDS, eventually

_WAIT = "import sys; print('up', flush=True); sys.stdin.read()"


@pytest.mark.parametrize(
    ("line", "shared"),
    [
        ("-m abreast.engine.working.worker --state x", True),
        ("-m abreast.engine.worker --state x", True),  # of an earlier version
        ("-m abreast.runner x", True),
        ("-m abreast.demo x", False),
    ],
)
def test_a_worker_serves_others_unless_it_is_the_jobs_own(line: str, shared: bool) -> None:
    argv = [sys.executable, "-c", _WAIT, *line.split()]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        eventually(lambda: stat_of(process.pid) is not None, "it is known")
        stat = stat_of(process.pid)
        assert stat is not None
        assert is_shared(stat, marked=False) is shared
        assert not is_shared(stat, marked=True)
        process.stdin.close()
        process.wait(SECONDS)

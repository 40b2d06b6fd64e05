"""`python -m abreast.runner DIR`: supervise the job in DIR, exactly once."""

import os
import signal
import sys
from pathlib import Path

from abreast.process.identity import identify
from abreast.process.supervisor import become_subreaper, hold_if_free, lower
from abreast.runner.job import LOCK, RESULT, load_job, save_runner
from abreast.runner.order import FORK_SERVER
from abreast.runner.successor import Successor, parse_successor, read_input
from abreast.runner.supervise import supervise


def _job(named: str) -> tuple[Path, Successor | None] | None:
    """Return the folder of our job and our successor; None when there is none for us."""
    if named != FORK_SERVER:
        return Path(named), parse_successor(read_input())
    from abreast.runner.fork_server import serve

    order = serve()
    return order.take() if order is not None else None


def main(argv: list[str]) -> int:
    """Supervise the job in the folder `argv[0]`; do nothing if another runner does, or has.

    With `--fork-server` in its place, fork a runner for each job that we are told of.
    """
    taken = _job(argv[0])
    if taken is None:
        return 0  # there was no job for it
    directory, successor = taken
    job = load_job(directory)
    lower(job.niceness)
    # Our files are private. What the job makes is not: a container's user may have to read it.
    umask = os.umask(0o077)
    # The worker that started us may be killed, or its terminal closed: we go on. Handlers, not
    # SIG_IGN: ignored signals would stay ignored in the agent, and nothing could interrupt it.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    with hold_if_free(directory / LOCK) as held:
        if held and not (directory / RESULT).exists():
            become_subreaper()
            save_runner(directory, identify())
            places = successor.places if successor is not None else {}
            supervise(directory, job, umask=umask, places=places)
            if successor is not None:
                os.umask(umask)
                successor.start_if_needed()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # all is written: there is nothing to take apart

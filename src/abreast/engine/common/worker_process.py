"""The worker as its clients see it: is there one, and if not, start it."""

import contextlib
import math
import os
import sys
import time
from pathlib import Path

from abreast.errors import WorkerError
from abreast.places import Places
from abreast.process.command import Detached, spawn_detached
from abreast.process.environment import allow
from abreast.process.files import write_json
from abreast.process.identity import Identity, identify
from abreast.process.patience import Awake
from abreast.runner.successor import Successor, find

TAKEN = 75  # exit code of a worker that found another one in its place
_IDLE = "ABREAST_IDLE_EXIT"
MEMORY = "ABREAST_MEMORY"
"""Names a folder of files in the place of those in `/proc` that tell of the memory."""
_TELLING = ("ABREAST_CONFIG", "DBUS_SESSION_BUS_ADDRESS")
"""What a worker needs to tell its user that a session needs them."""

_IDLE_EXIT = 30.0  # seconds without work before an auto-started worker ends
_MOST_SESSIONS = 100  # at once on one machine, over all runs
_PATIENCE = 30.0  # seconds for a worker to come up
_LOOK = 0.02  # seconds between looks at one that comes up


def require_environment() -> None:
    """Raise WorkerError when an environment variable has an invalid value."""
    _idle_exit()
    most_sessions()


def most_sessions() -> int:
    """Return how many sessions run at once on this machine (ABREAST_MAX_SESSIONS).

    Raises WorkerError when that is no such number.
    """
    return int(_number("ABREAST_MAX_SESSIONS", _MOST_SESSIONS, least=1))


def worker_file(places: Places) -> Path:
    """The file that tells which process the worker is."""
    return places.state / "worker.json"


def find_worker(places: Places) -> Identity | None:
    """Return the living worker of this installation, or None."""
    return find(worker_file(places))


def announce_worker(places: Places) -> None:
    """Write down that this process is the worker; it must hold the lock."""
    write_json(worker_file(places), identify())


def bell(places: Places) -> Path:
    """The named pipe by which a client makes the worker look at once."""
    return places.state / "bell"


def ring(places: Places) -> None:
    """Make a waiting worker look for requests now; nothing when none listens."""
    # Nobody listens, or the pipe is full of calls that it has not heard yet: it will look anyway.
    with contextlib.suppress(OSError):
        pipe = os.open(bell(places), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)


def ensure_worker(places: Places) -> bool:
    """Return once a worker lives and has been told to look; True when it had to be started.

    Call it after the request is in the database: a worker that is about to end for want of work
    looks once more after it has given up its place.
    """
    if find_worker(places) is not None:
        ring(places)
        return False
    places.make()
    process, awake = _start(places), Awake()
    while awake.look() < _PATIENCE:
        if find_worker(places) is not None:
            return True
        if process.poll() == TAKEN:  # by one that will say so in a moment, or is on its way out
            process = _start(places)
        elif process.poll():
            break
        time.sleep(_LOOK)
    log = places.logs / "worker.log"
    said = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise WorkerError("the worker did not start: " + " / ".join(said), hint=f"its log: {log}")


def _start(places: Places) -> Detached:
    order = successor(places)
    return spawn_detached(order.argv, cwd=places.state, env=order.env, log=Path(order.log))


def successor(places: Places) -> Successor:
    """Return how a worker is started here and now."""
    argv = [sys.executable, "-I", "-m", "abreast.engine.working.worker"]
    options = ["--state", str(places.state), "--idle-exit", str(_idle_exit())]
    # The worker runs git and gh as the user; agents get their run's own environment, not this.
    env = allow(
        os.environ, "GIT_*", "SSH_*", "GH_*", "GNUPGHOME", *_TELLING, "ABREAST_MAX_*", MEMORY, _IDLE
    )
    env["ABREAST_DB"] = places.database
    return Successor(
        worker_file=str(worker_file(places)),
        argv=(*argv, *options),
        env=env,
        cwd=str(places.state),
        log=str(places.logs / "worker.log"),
    )


def _idle_exit() -> float:
    """Return the seconds without work before an auto-started worker ends (ABREAST_IDLE_EXIT)."""
    return _number(_IDLE, _IDLE_EXIT, least=0)


def _number(name: str, default: float, *, least: int) -> float:
    given = os.environ.get(name) or str(default)
    with contextlib.suppress(ValueError):
        if least <= (number := float(given)) < math.inf:
            return number
    raise WorkerError(
        f"{name} is a number from {least} on, not {given!r}", hint=f"change it, or `unset {name}`"
    )

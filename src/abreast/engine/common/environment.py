"""The user's environment as it was when they asked for a run.

The worker lives longer than the shell that started it, so each run brings its own: PATH, virtual
environment and keys are those of the shell in which `abreast run` was typed. They wait in a file
that only the user can read, never in the database, and the file goes when the run has ended.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping

from filelock import FileLock

from abreast.agents import AGENTS
from abreast.agents.base import Agent
from abreast.places import Places
from abreast.process.environment import allow
from abreast.process.files import load_as, private_folder, write_json

_FILE = "environment.json"
_LOCK = "environment.lock"


def wanted_environment(environ: Mapping[str, str], pass_env: Iterable[str]) -> dict[str, str]:
    """Return what of `environ` any agent or the plan's own commands may see."""
    patterns = [pattern for agent in AGENTS.values() for pattern in agent.env_patterns]
    return allow(environ, *patterns, also=pass_env)


def agent_environment(
    environ: Mapping[str, str], agent: Agent, pass_env: Iterable[str] = (), *more: str
) -> dict[str, str]:
    """Return what of `environ` an agent gets: the ordinary part, and what its CLI knows.

    Also what a plan passes by name, and what matches `more` (shell globs).
    """
    return allow(environ, *agent.env_patterns, *more, also=pass_env)


def keep_environment(
    places: Places, run: str, pass_env: Iterable[str], environ: Mapping[str, str] | None = None
) -> None:
    """Keep what the agents and the plan may see of `environ` (default: ours) for this run."""
    source = os.environ if environ is None else environ
    folder = private_folder(places.runs / run)
    write_json(folder / _FILE, wanted_environment(source, pass_env))


def load_environment(places: Places, run: str) -> dict[str, str]:
    """Return the kept environment; when it is gone, the ordinary part of our own."""
    kept = load_as(dict[str, str], places.runs / run / _FILE)
    return allow(os.environ) if kept is None else kept


@contextlib.contextmanager
def only_writer(places: Places, run: str) -> Iterator[None]:
    """Lock the run's environment, so that nobody else keeps or drops it during the block.

    A request brings its own, and the run's end drops it: what each does to the run belongs into the
    block, or the environment of a request that has just come would go with the end before it.
    """
    with FileLock(private_folder(places.runs / run) / _LOCK, mode=0o600):
        yield


@contextlib.contextmanager
def bring_environment(places: Places, run: str, pass_env: Iterable[str]) -> Iterator[None]:
    """Keep our environment for a request made in the block; restore the last one if it fails.

    It is there before the request: a worker may take that up at once.
    """
    file = places.runs / run / _FILE
    with only_writer(places, run):
        before = load_as(dict[str, str], file)
        keep_environment(places, run, pass_env)
        try:
            yield
        except BaseException:
            if before is None:
                drop_environment(places, run)
            else:
                write_json(file, before)
            raise


def drop_environment(places: Places, run: str) -> None:
    (places.runs / run / _FILE).unlink(missing_ok=True)

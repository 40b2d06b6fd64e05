"""Start a job under a detached runner, or adopt the one that an earlier worker started."""

import asyncio
import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from abreast.agents.base import Command
from abreast.engine.common.layout import LOST
from abreast.engine.common.worker_process import successor
from abreast.engine.working.session.fork_server import ForkedRunner, fork_server
from abreast.errors import WorkerError
from abreast.model.confinement import Confinement
from abreast.model.limits import Limits
from abreast.places import Places
from abreast.process import clock
from abreast.process.command import spawn_detached
from abreast.process.files import materialise, private_folder
from abreast.process.identity import Identity
from abreast.process.patience import Awake, pause
from abreast.process.supervisor import AGENT, hold_if_free, load_family
from abreast.process.tree import MARKER, sweep
from abreast.runner.job import (
    JOB,
    LOCK,
    Job,
    JobProgress,
    Result,
    is_lost,
    load_job,
    load_progress,
    load_result,
    load_runner,
    save_job,
    save_result,
)
from abreast.runner.supervise import last_progress, lost

Runner = subprocess.Popen[bytes] | ForkedRunner

_LONGEST = 0.25  # seconds between looks
_LIVENESS = 2.0  # seconds between checks that the runner still lives
_APPEAR = 30.0  # seconds for a runner to say who it is


@dataclass(frozen=True)
class Order:
    """A job to be run: the command, where, under which limits, judged by which adapter.

    `places` are those of the worker that waits for it.
    """

    command: Command
    cwd: Path
    limits: Limits
    stop_file: Path
    places: Places | None = None
    agent: str = ""
    niceness: int = AGENT
    guarded: tuple[str, ...] = ()  # paths that it cannot be allowed
    counts: bool = False  # see `Job`
    confinement: Confinement = field(default_factory=Confinement)


async def run_job(
    directory: Path,
    order: Callable[[], Order],
    progress: Callable[[JobProgress], None] = lambda _: None,
) -> Result:
    """Run a job once, however often this is called for the same `directory`.

    A result that exists is returned; a runner that lives is waited for; only when there is neither
    is `order` asked for and a runner started. A runner that died without a result (machine restart,
    kill -9) yields an `unknown` result, after everything it had started has been ended.
    """
    if (result := load_result(directory)) is not None:
        return result
    runner = load_runner(directory)
    if runner is not None:
        result = await _follow(directory, runner, None, progress, asyncio.Event())
    else:
        process = await asyncio.to_thread(lambda: _spawn(directory, order()))
        with _end_of(process) as ended:
            runner = await _appear(directory, process, ended)
            result = await _follow(directory, runner, process, progress, ended)
        process.wait()
    return result if result is not None else _bury(directory)


async def run_command(
    directory: Path, order: Callable[[], Order], before_again: Callable[[], None]
) -> Result:
    """Run a command of the plan's as `run_job` does, and once more when its runner is gone.

    Unlike an agent it can be: it is run for each attempt, and on each merge. The lost one's folder
    is put aside; `before_again` is called in between.
    """
    result = await run_job(directory, order)
    aside = directory.with_name(f"{directory.name}{LOST}")
    if not is_lost(result) or aside.exists():
        return result
    await asyncio.to_thread(before_again)
    await asyncio.to_thread(directory.rename, aside)
    return await run_job(directory, order)


def end_job(directory: Path) -> None:
    """End a job and all it has started; nothing when it has ended, or never begun."""
    if (directory / JOB).exists() and load_result(directory) is None:
        _bury(directory)


def _spawn(directory: Path, order: Order) -> Runner:
    private_folder(directory)
    # A worker that was killed before its runner had said who it is may have started one: that one
    # goes on, ours finds its lock taken, and both must be called by the same marker.
    begun = (directory / JOB).exists()
    marker = load_job(directory).marker if begun else uuid.uuid4().hex
    command = order.command
    stdin = directory / "stdin.txt"
    files = {**command.files, stdin: command.stdin} if command.stdin else command.files
    materialise(files, command.links)
    job = Job(
        argv=command.argv,
        cwd=str(order.cwd),
        marker=marker,
        stop_file=str(order.stop_file),
        agent=order.agent,
        stdin=str(stdin) if command.stdin else "",
        stop_signal=command.stop_signal,
        activity=tuple(str(path) for path in command.activity),
        limits=order.limits,
        niceness=order.niceness,
        asks=command.asks,
        guarded=order.guarded,
        counts=order.counts,
        confinement=order.confinement,
    )
    save_job(directory, job)
    argv = [sys.executable, "-I", "-m", "abreast.runner", str(directory)]
    env: Mapping[str, str] = {**command.env, MARKER: marker}
    log = directory / "runner.log"
    given = b""  # how the runner may start a worker; who runs a job outside of one waits for it
    if order.places is not None:
        with contextlib.suppress(WorkerError):
            given = successor(order.places).to_bytes()
    forked = fork_server.start(directory, env, log, given, order.agent)
    return forked or spawn_detached(argv, cwd=directory, env=env, log=log, given=given)


@contextlib.contextmanager
def _end_of(process: Runner) -> Iterator[asyncio.Event]:
    """Yield what is set as soon as a runner of ours ends; where no system call tells, it never is.

    A look comes late: by as long as a short job takes.
    """
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        if isinstance(process, ForkedRunner):
            told = os.dup(process.descriptor)
        else:
            told = os.pidfd_open(process.pid)  # Linux
    except (AttributeError, OSError):
        yield ended
        return

    def note() -> None:
        loop.remove_reader(told)
        ended.set()

    try:
        loop.add_reader(told, note)
        yield ended
    finally:
        loop.remove_reader(told)
        os.close(told)


async def _pause(ended: asyncio.Event, seconds: float) -> None:
    """Wait until the child has ended, or so long; so long if it has ended already."""
    if ended.is_set():
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)


async def _appear(directory: Path, process: Runner, exited: asyncio.Event) -> Identity:
    awake = Awake()
    while (waited := awake.look()) < _APPEAR:
        nobody = process.poll() is not None and not _is_taken(directory)
        if (runner := load_runner(directory)) is not None:
            return runner
        if nobody:
            break
        await _pause(exited, pause(waited, _LONGEST))
    sweep(load_job(directory).marker)  # it must not begin after we have given up on it
    log = directory / "runner.log"
    said = log.read_text(errors="replace")[-2000:]
    raise WorkerError(
        f"the supervisor for {directory} did not start: {said.strip()}", hint=f"its log: {log}"
    )


def _is_taken(directory: Path) -> bool:
    """Return whether a runner has the job, such as one that a killed worker had started."""
    with hold_if_free(directory / LOCK) as free:
        return not free


async def _follow(
    directory: Path,
    runner: Identity,
    process: Runner | None,
    progress: Callable[[JobProgress], None],
    ended: asyncio.Event,
) -> Result | None:
    """Wait for the result; None when the runner has gone without one."""
    began = clock.awake()
    looked = began if process is not None else began - _LIVENESS  # a stranger: look at once
    shown = JobProgress()
    while True:
        if (result := load_result(directory)) is not None:
            return result
        now = clock.awake()
        if now - looked >= _LIVENESS or (process is not None and process.poll() is not None):
            looked = now
            if not runner.alive:
                return load_result(directory)  # it may have written its result just now
            current = load_progress(directory)
            if current is not None and current != shown:
                shown = current
                await asyncio.to_thread(progress, shown)
        await _pause(ended, pause(now - began, _LONGEST))


def _bury(directory: Path) -> Result:
    """Write the result of a job whose runner is gone, after ending what it left behind."""
    job = load_job(directory)
    swept = sweep(job.marker, record=load_family(directory))
    result = lost((directory / JOB).stat().st_mtime, last_progress(directory, job))
    result = replace(result, swept=swept.ended, left=swept.left)
    save_result(directory, result)
    return result

"""Runs one job to its end, enforces its limits, and ends every process that it leaves behind."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from abreast.agents import agent_named
from abreast.model.events import EventKind, Outcome, Verdict
from abreast.model.moment import Moment
from abreast.model.usage import Usage
from abreast.process import clock
from abreast.process.confining import confined, inner_pid
from abreast.process.identity import marked_pids
from abreast.process.patience import Awake
from abreast.process.room import is_full
from abreast.process.supervisor import (
    Family,
    has_children,
    kill_first,
    lower_group,
    reap_orphans,
)
from abreast.runner.job import (
    PAUSE,
    STDERR,
    STREAM,
    Job,
    JobProgress,
    Result,
    load_halt,
    load_progress,
    save_progress,
    save_result,
)
from abreast.runner.patient import once_there_is_room
from abreast.runner.pump import PlainReader, Pump, Watch

if TYPE_CHECKING:
    from abreast.agents.base import AskingReader, StreamReader
    from abreast.runner.broker import Broker
    from abreast.runner.dialogue import Dialogue
    from abreast.runner.pausing import Pausing

TICK = 0.2  # seconds between looks at limits and the stop file
FLUSH = 0.5  # seconds between replacements of progress.json
LOOK = 1.0  # seconds between looks for orphans that have ended, and at who is there at all
GRACE = 5.0  # seconds for a clean end after the signal (codex takes 0.05, claude up to 1.5)
DRAIN = 2.0  # seconds for the pipe to run dry after the agent's end: others may hold it open
AFTER_RESULT = 20.0  # seconds: `claude -p` may not exit after its result (claude-code#25629)
_SLICE = 0.25  # seconds: were we stopped meanwhile, there is another
TAIL = 16_384  # bytes of standard error that the reader gets to see
STOPPED_BY_USER = "user"


def supervise(
    directory: Path, job: Job, *, umask: int = -1, places: Mapping[str, str] | None = None
) -> Result:
    """Run `job`, write its files into `directory`, and return the result that was written.

    `umask` is the job's own; -1 leaves it ours. `places` are the variables that say where abreast
    keeps its state, for what is started in the name of a job that may not know that itself.
    """
    started = clock.now()
    broker = None
    try:
        broker = _broker(job, places or {})
        process = _spawn(directory, job, umask)
        kill_first(process.pid)  # before it has started anything
        lower_group(process.pid, job.niceness)
    except OSError as failure:
        verdict = Verdict(Outcome.FAILED, f"cannot start {job.argv[0]}: {failure.strerror}")
        result = Result(started.wall, clock.wall(), None, verdict, tick=started.tick)
        if broker is not None:
            broker.close()
    else:
        result = _Supervisor(directory, job, process, started, broker).run()
    once_there_is_room(lambda: save_result(directory, result))
    return result


def _broker(job: Job, places: Mapping[str, str]) -> "Broker | None":
    """Return what serves a job in a sandbox; it is there before the job begins."""
    bounds = job.confinement
    if not bounds.program or not bounds.socket:
        return None
    from abreast.runner.broker import Broker  # only for these

    hosts = None if bounds.network else bounds.hosts
    environ = {**os.environ, **places}
    return Broker(Path(bounds.socket), cwd=job.cwd, environ=environ, hosts=hosts)


def _spawn(directory: Path, job: Job, umask: int) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as files:
        errors = files.enter_context((directory / STDERR).open("ab"))
        given = job.stdin and not job.asks
        stdin = files.enter_context(Path(job.stdin).open("rb")) if given else None
        otherwise = subprocess.PIPE if job.asks else subprocess.DEVNULL
        return subprocess.Popen(
            confined(job.confinement, job.argv, job.cwd),
            cwd=job.cwd,
            stdin=stdin if stdin is not None else otherwise,
            stdout=subprocess.PIPE,
            # A plain command's output reads as it would in a terminal; an agent's standard output
            # is a stream of its own.
            stderr=errors if job.agent else subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            umask=umask,
        )


@dataclass
class _Supervisor:
    """One process under supervision."""

    directory: Path
    job: Job
    process: subprocess.Popen[bytes]
    started: Moment
    broker: "Broker | None" = None
    exited: threading.Event = field(default_factory=threading.Event)
    pausing: "Pausing | None" = None  # once it has been paused

    def run(self) -> Result:
        job, process = self.job, self.process
        agent = agent_named(job.agent) if job.agent else None
        reader = agent.reader() if agent else PlainReader()
        watch = Watch(job.limits, tuple(Path(p) for p in job.activity), reader.used)
        tells = agent is None or agent.tells_tools
        dialogue = self._dialogue(reader)
        pump = Pump(
            process.stdout, self.directory, reader, watch, tells_tools=tells, dialogue=dialogue
        )
        pump.start()
        threading.Thread(target=self._announce, daemon=True).start()
        try:
            stopped_by = self._hold(pump, watch, dialogue)
            lingers = not stopped_by and not self.exited.is_set()
        finally:  # a full disk, say: nothing may go on that nobody holds to its limits
            self._end()
            if dialogue is not None:
                dialogue.close()
            if self.broker is not None:
                self.broker.close()
            _drain(pump)
            swept, left = _sweep(job.marker)
        # Whoever has the pipe still is out of our reach (another user's, or handed the pipe).
        _drain(pump)
        while pump.waits and pump.is_alive():  # for room on its disk: nothing of it is to be lost
            pump.join(LOOK)
        _reap()
        # It had written its result and did not exit: how we ended it does not matter.
        code = 0 if lingers else process.returncode
        verdict = reader.verdict(code, _tail(self.directory / STDERR))
        if pump.failure is not None:
            why = f"its output could not be followed: {pump.failure!r}"
            verdict = replace(verdict, outcome=Outcome.UNKNOWN, reason=why)
        once_there_is_room(lambda: save_progress(self.directory, pump.progress))
        return Result(
            self.started.wall,
            clock.wall(),
            process.returncode,
            verdict,
            stopped_by=stopped_by,
            swept=swept,
            left=left,
            skipped=reader.skipped,
            progress=pump.progress,
            seconds=clock.awake() - watch.started,
            tick=self.started.tick,
        )

    def _dialogue(self, reader: "StreamReader") -> "Dialogue | None":
        """Return what goes on with a process that asks, having given it its prompt."""
        job, stdin = self.job, self.process.stdin
        if stdin is None:
            return None
        from abreast.runner.dialogue import Dialogue  # few jobs ask

        minutes = job.limits.answer_minutes
        dialogue = Dialogue(
            self.directory, stdin, cast("AskingReader", reader), minutes, job.guarded, job.cwd
        )
        dialogue.begin(Path(job.stdin).read_bytes() if job.stdin else b"")
        return dialogue

    def _announce(self) -> None:
        self.process.wait()
        self.exited.set()

    def _if_there_is_room(self, write: Callable[[], object]) -> None:
        """Write what is written anew in a moment, unless the disk is full."""
        try:
            write()
        except OSError as failure:
            if not is_full(failure):
                raise

    def _hold(self, pump: Pump, watch: Watch, dialogue: "Dialogue | None") -> str:
        """Wait for the end of the process; return "", or the reason to end it."""
        job, stop_file = self.job, Path(self.job.stop_file)
        flushed, shown, looked = 0.0, JobProgress(), 0.0
        family = Family(self.directory)
        self._if_there_is_room(family.look)
        while not self.exited.wait(TICK):
            if stop_file.exists():
                halt = load_halt(stop_file)
                return halt.reason if halt else STOPPED_BY_USER
            over = pump.result_at is not None
            if late := self._talk(dialogue, watch, family) or self._pause():
                return late
            if tripped := watch.tripped(pump.progress, self.process.pid, over=over):
                return tripped
            if pump.failure is not None:
                break
            now = clock.awake()
            if pump.result_at and now - pump.result_at > AFTER_RESULT:
                break
            if now - looked > LOOK:
                looked = now
                self._reap_orphans()
                self._if_there_is_room(family.look)
            recorded = watch.recorded() if job.counts else Usage()
            told = replace(pump.progress, paused=self._paused, recorded=recorded)
            if told != shown and now - flushed > FLUSH:
                flushed, shown = now, told
                self._if_there_is_room(partial(save_progress, self.directory, told))
        return ""

    def _talk(self, dialogue: "Dialogue | None", watch: Watch, family: Family) -> str:
        """Hand on a person's answers; return why nobody is waited for any longer, or ""."""
        held = self._paused or self._is_stopped(family)
        watch.go_on(waiting=held or (dialogue is not None and dialogue.waits))
        return "" if dialogue is None else dialogue.look()

    def _is_stopped(self, family: Family) -> bool:
        """Return whether somebody has stopped the process itself: it is held up, and not idle."""
        if not family.stopped:
            return False
        pid = self.process.pid
        return pid in family.stopped or inner_pid(pid) in family.stopped

    def _pause(self) -> str:
        """Pause or continue as we are asked to; return why the job is to end, or ""."""
        file = Path(self.job.stop_file).with_name(PAUSE)
        if self.pausing is None and file.exists():
            from abreast.runner.pausing import Pausing  # few are ever paused

            self.pausing = Pausing(file)
        return "" if self.pausing is None else self.pausing.look()

    @property
    def _paused(self) -> bool:
        return self.pausing is not None and self.pausing.paused

    def _reap_orphans(self) -> None:
        held = self.broker.held() if self.broker else contextlib.nullcontext(set[int]())
        with held as commands:
            reap_orphans(spare={self.process.pid, *commands})

    def _end(self) -> None:
        """Make sure that the process has ended: its own clean signal first, then SIGKILL."""
        if self.exited.is_set():
            return
        self._signal(signal.Signals[self.job.stop_signal])
        if self.pausing is not None:
            self.pausing.go_on()  # a stopped process does not hear it
        self._signal(signal.SIGCONT)  # nor does one that somebody else has stopped
        if not self.exited.wait(GRACE):
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.job.confinement.program:
                os.kill(inner_pid(self.process.pid), number)
            else:
                self.process.send_signal(number)


def _drain(pump: Pump) -> None:
    """Wait until the pipe has run dry; briefly, as long as we can look."""
    awake = Awake()
    while pump.is_alive() and awake.look() < DRAIN:
        pump.join(_SLICE)


def _sweep(marker: str) -> tuple[int, tuple[str, ...]]:
    """End what the process has left behind; return how many there were, and who may stay.

    With no child left and nobody marked there is nobody: as their subreaper we are told of every
    descendant. Only otherwise is there reason to spend the time that importing psutil takes.
    """
    ours = os.getpid()
    if not has_children() and set(marked_pids(marker)) <= {ours}:
        return 0, ()
    from abreast.process.tree import sweep

    swept = sweep(marker, spare=(ours,), below=ours)
    return swept.ended, swept.left


def _reap() -> None:
    """Reap orphans that became our children and have ended."""
    if not has_children():
        return
    import psutil

    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            child.wait(0.5)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return file.read().decode(errors="replace")


def last_progress(directory: Path, job: Job) -> JobProgress:
    """Return how far a job had come whose runner is gone.

    The session of its CLI is looked up in its stream: the runner may have been killed before it had
    noted that, and without it nobody can go on where the agent was.
    """
    shown = load_progress(directory) or JobProgress()
    stream = directory / STREAM
    if shown.cli_session or not job.agent or not stream.exists():
        return shown
    reader = agent_named(job.agent).reader()
    with stream.open("rb") as lines:
        events = (event for line in lines for event in reader.feed(line))
        begun = next((event for event in events if event.kind is EventKind.STARTED), None)
    return replace(shown, cli_session=begun.text) if begun else shown


def lost(started: float, progress: JobProgress | None) -> Result:
    """Return the result of a job whose runner is gone without having written one."""
    shown = progress or JobProgress()
    verdict = Verdict(
        Outcome.UNKNOWN,
        "its supervisor was killed (machine restart or kill -9)",
        cli_session=shown.cli_session or None,
        usage=shown.usage,
    )
    return Result(started, clock.wall(), None, verdict, progress=shown)

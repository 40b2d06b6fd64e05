"""Jobs and their results: the files through which worker and runner communicate."""

from dataclasses import dataclass, field
from pathlib import Path

from abreast.model.confinement import Confinement
from abreast.model.events import Outcome, Verdict
from abreast.model.limits import Limits
from abreast.model.moment import Moment
from abreast.model.question import Question
from abreast.model.usage import Usage
from abreast.process.files import load_as, write_json
from abreast.process.identity import Identity
from abreast.process.supervisor import AGENT

JOB = "job.json"
RUNNER = "runner.json"
STREAM = "stream.jsonl"
STDERR = "stderr.log"
STORY = "story.jsonl"
PROGRESS = "progress.json"
RESULT = "result.json"
ANSWERS = "answers"

UNANSWERED = "the answer limit"
"""How the reason begins by which a job is stopped that nobody has answered in time."""
PAUSE = "pause"
"""The file beside the stop file that pauses a job while it is there; it holds the most seconds."""
SHORT = "want of memory"
"""The reason by which a job is stopped that was paused for the longest time."""
LOCK = "runner.lock"


@dataclass(frozen=True)
class Job:
    """One process to supervise.

    `agent` names the adapter whose reader understands the output; empty for a plain command, which
    is judged by its exit code. The environment is not part of it: the runner hands on its own,
    so that keys do not lie about beside prompts and logs. `stop_file` is watched: once it exists,
    the job is stopped. What `asks` has its standard input kept open for answers; it may not even
    ask for what is at one of the `guarded` paths. It runs within the bounds of `confinement`.
    """

    argv: tuple[str, ...]
    cwd: str
    marker: str
    stop_file: str
    agent: str = ""
    stdin: str = ""  # a file, or empty for none
    stop_signal: str = "SIGTERM"
    activity: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    niceness: int = AGENT
    asks: bool = False
    counts: bool = False  # others are bounded with it: its progress tells what its CLI has recorded
    guarded: tuple[str, ...] = ()
    confinement: Confinement = field(default_factory=Confinement)


@dataclass(frozen=True)
class JobProgress:
    """Totals so far. `files` are paths as the agent named them; `wrote` are those of calls that
    ended well.

    `worked` counts the turns that have ended after tool calls; where these are not told, the end.
    What it has `asked` is numbered: its ids are "1", "2" and so on, without a session. `paused`:
    its processes are stopped until the machine has memory for them.
    """

    last_action: str = ""
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    files: tuple[str, ...] = ()
    cli_session: str = ""
    worked: int = 0
    wrote: tuple[str, ...] = ()
    asked: tuple[Question, ...] = ()
    paused: bool = False
    recorded: Usage = field(default_factory=Usage)  # by its CLI's own record, where that is read


@dataclass(frozen=True)
class Result:
    """How a job ended. `stopped_by` is empty, `user`, or the limit that tripped.

    `seconds` is how long the machine was awake for it, which is what limits count; 0: not known.
    `tick` is that of `started` (see `Moment`).
    """

    started: float
    ended: float
    code: int | None
    verdict: Verdict
    stopped_by: str = ""
    swept: int = 0  # processes that had outlived the agent and were ended
    left: tuple[str, ...] = ()  # those that serve others too and go on: `name (pid)`
    skipped: int = 0  # stream lines that the adapter could not read
    progress: JobProgress = field(default_factory=JobProgress)
    seconds: float = 0.0
    tick: str = ""

    @property
    def began(self) -> Moment:
        return Moment(self.started, self.tick)


@dataclass(frozen=True)
class Halt:
    """Why abreast has stopped an attempt: what its stop file holds; a person's is empty.

    `reason` goes behind "stopped by". `hint` says how to go on, as in an `Ending`.
    """

    reason: str
    hint: str = ""


def load_halt(stop_file: Path) -> Halt | None:
    """Return why abreast has stopped an attempt; None when it was a person."""
    try:
        empty = stop_file.stat().st_size == 0
    except OSError:
        return None
    return None if empty else load_as(Halt, stop_file)


def save_job(directory: Path, job: Job) -> None:
    write_json(directory / JOB, job)


def load_job(directory: Path) -> Job:
    """Read the job in `directory`; raises FileNotFoundError when there is none."""
    found = load_as(Job, directory / JOB)
    if found is None:
        raise FileNotFoundError(directory / JOB)
    return found


def save_runner(directory: Path, identity: Identity) -> None:
    write_json(directory / RUNNER, identity)


def load_runner(directory: Path) -> Identity | None:
    return load_as(Identity, directory / RUNNER)


def save_progress(directory: Path, progress: JobProgress) -> None:
    write_json(directory / PROGRESS, progress)


def load_progress(directory: Path) -> JobProgress | None:
    return load_as(JobProgress, directory / PROGRESS)


def save_result(directory: Path, result: Result) -> None:
    write_json(directory / RESULT, result)


def load_result(directory: Path) -> Result | None:
    return load_as(Result, directory / RESULT)


def is_lost(result: Result) -> bool:
    """Return whether a job's runner has gone without writing a result: ours stands in its place."""
    return result.code is None and result.verdict.outcome is Outcome.UNKNOWN

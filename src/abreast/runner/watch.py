"""Watches limits and signs of life from outside the model."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from abreast.model.events import Usage
from abreast.model.task import Limits
from abreast.runner.job import JobProgress

# A CLI that waits for its provider burns well under one percent of a core; a test run or a
# compiler burns most of one. Five percent of the time since the last look tells them apart.
BUSY_SHARE = 0.05
LOOK_SECONDS = 5.0
# Codex and Gemini CLI tell in their streams only at the end what they have used, but write it down
# after every reply. Reading all of that record again may take its time, of which this is a share.
RECORD_SECONDS = 2.0
RECORD_SHARE = 0.05


@dataclass
class Watch:
    """Says which limit has tripped, from now on. Call `seen()` for every piece of output.

    Time is monotonic: neither a clock that is set nor a machine that sleeps trips a limit.
    """

    limits: Limits
    activity: tuple[Path, ...] = ()
    record: Callable[[], Usage] = Usage  # what the process has used by its CLI's own record
    started: float = field(default_factory=time.monotonic)
    last_life: float = 0.0
    _looked: float = 0.0
    _cpu: float = 0.0
    _changed: dict[Path, float] = field(default_factory=dict)
    _recorded: int = 0  # tokens
    _read_next: float = 0.0

    def __post_init__(self) -> None:
        self.last_life = self._looked = self.started

    def seen(self) -> None:
        self.last_life = time.monotonic()

    def tripped(self, progress: JobProgress, pid: int, *, over: bool = False) -> str:
        """Return what has tripped, in words, or "" while all is within bounds.

        `over`: it has stated its result, so that nothing it has spent can be spared any more.
        """
        now = time.monotonic()
        limits = self.limits
        if limits.minutes and now - self.started > limits.minutes * 60:
            return f"the time limit of {limits.minutes:g} minutes"
        if not over and (spent := self._spent(progress)):
            return spent
        if limits.idle_minutes and self._idle(now, pid) > limits.idle_minutes * 60:
            return f"the idle limit: no sign of life for {limits.idle_minutes:g} minutes"
        return ""

    def _spent(self, progress: JobProgress) -> str:
        limits = self.limits
        if limits.turns and progress.turns > limits.turns:
            return f"the limit of {limits.turns} turns"
        if limits.tokens and self._tokens(progress) > limits.tokens:
            return f"the limit of {limits.tokens} tokens"
        if limits.usd and (progress.usage.cost_usd or 0.0) > limits.usd:
            return f"the limit of {limits.usd:g} US dollars"
        return ""

    def _tokens(self, progress: JobProgress) -> int:
        now = time.monotonic()
        if now >= self._read_next:
            self._recorded = _count(self.record())
            took = time.monotonic() - now
            self._read_next = now + max(RECORD_SECONDS, took / RECORD_SHARE)
        return max(_count(progress.usage), self._recorded)

    def _idle(self, now: float, pid: int) -> float:
        """Return the seconds without output, changes of the CLI's files, or work in its tree."""
        quiet = now - self.last_life
        pause = min(LOOK_SECONDS, self.limits.idle_minutes * 60 / 4)
        if now - self._looked >= pause and quiet >= pause:
            cpu, span = tree_cpu_seconds(pid), now - self._looked
            if cpu - self._cpu > BUSY_SHARE * span or self._files_changed():
                self.last_life = now
            self._cpu, self._looked = cpu, now
        return now - self.last_life

    def _files_changed(self) -> bool:
        changed = False
        for path in self.activity:
            try:
                at = path.stat().st_mtime
            except OSError:
                continue
            changed |= self._changed.get(path, 0.0) < at and path in self._changed
            self._changed[path] = at
        return changed


def _count(usage: Usage) -> int:
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)


def tree_cpu_seconds(pid: int) -> float:
    """Return the CPU time used so far by a process and its descendants, in seconds.

    That of children which have ended counts too, or a build of many short commands would look idle
    (macOS does not tell it).
    """
    import psutil  # here, because mostly nobody is quiet for long enough to be asked about

    total = 0.0
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.Error:
        return total
    for process in family:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
        total += times.children_user + times.children_system
    return total

"""Holds what is at work to the limits of its run and of the day, and to the machine's memory.

A thread of the worker's, which remembers nothing that a later worker would need: what was used is
in the store, what is paused or stopped in the sessions' folders.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from abreast.engine.common.home import is_at_home
from abreast.engine.common.layout import ROUNDS, SessionLayout, layout_of
from abreast.engine.common.run_budget import minutes_of, save_minutes
from abreast.engine.working.allowance import (
    DAY,
    Allowance,
    budget_of,
    is_counted,
    of_run,
    of_session,
)
from abreast.engine.working.mishap import log_trace
from abreast.engine.working.session.context import Engine, plan_of
from abreast.engine.working.session.spending import spent_of
from abreast.errors import AbreastError
from abreast.model.budget import Consumption
from abreast.model.session import Session, SessionState
from abreast.model.usage import Usage
from abreast.process import clock
from abreast.process.files import write_atomic, write_json
from abreast.process.memory import Strain, read_memory
from abreast.runner.job import PAUSE, Halt, load_progress, load_result
from abreast.store.reader import SessionRecord
from abreast.store.rows import SessionUpdate
from abreast.store.spent import QUARTER

LOOK = 1.0
"""Seconds between looks at the machine's memory; at what was used every second one looks."""
SETTLE = 5.0
"""Seconds that a pause is given to show an effect before another session is paused."""
LONGEST = 120.0
"""Seconds that a session is paused for at most (`ABREAST_MAX_PAUSE` makes it less)."""
_WORDS = "paused: the machine is short of memory"
_SPENDS = {SessionState.PREPARING, SessionState.SETUP, SessionState.RUNNING}
_HAS_JOBS = {SessionState.SETUP, SessionState.RUNNING, SessionState.VERIFYING}


@contextmanager
def overseeing(engine: Engine) -> Iterator[None]:
    """Have a thread look after what is at work until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_keep, args=(Overseer(engine), over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(LOOK)


def _keep(overseer: "Overseer", over: threading.Event) -> None:
    at = 0
    while not over.wait(LOOK):
        try:
            overseer.look_at_memory()
            if at % 2 == 0:
                overseer.look_at_limits()
        except AbreastError:  # a database that is away, say: the next look may do
            continue
        except Exception:  # noqa: BLE001 - a thread's edge
            log_trace("looking after limits and memory")
        finally:
            at += 1


@dataclass
class Overseer:
    """What the thread does at each look."""

    engine: Engine
    _told: dict[tuple[str, int], Consumption] = field(default_factory=dict)
    _quarter: int = 0
    _minutes: dict[str, float] = field(default_factory=dict)  # of runs with a limit of them
    _looked: float | None = None
    _may_be_paused: bool = True  # by an earlier worker
    _moved: float = -SETTLE  # when a session was last paused or went on

    def look_at_limits(self) -> None:
        """Note what was used, and stop what has gone beyond a limit."""
        since, self._looked = self._looked, clock.awake()
        DAY.read()
        records = self._at_work()
        if not records:
            return
        self._note(records)
        if since is not None:
            self._count_minutes(records, self._looked - since)
        for one, why in self._passed(records):
            file = self._layout(one).stop_file
            if not file.exists():
                write_json(file, Halt(why.words, why.hint))

    def _at_work(self) -> list[SessionRecord]:
        places, found = self.engine.places, self.engine.reader.at_work()
        return [one for one in found if is_at_home(one.run.id, places)]

    def _layout(self, one: SessionRecord) -> SessionLayout:
        return layout_of(one.session, self.engine.places, Path(one.run.common_dir))

    def _note(self, records: Sequence[SessionRecord]) -> None:
        """Write down what has been used, where somebody asks for it or a quarter begins."""
        quarter = int(clock.wall() // QUARTER)
        begins, self._quarter = quarter != self._quarter, quarter
        for one in records:
            key = one.session.id, one.session.attempt
            spent = live_spending(one.session, self._layout(one))
            asked = begins or is_counted(self.engine, one.run.id, one.session.parent)
            if spent is not None and asked and (begins or self._told.get(key) != spent):
                self.engine.store.set_spending(*key, spent)
                self._told[key] = spent

    def _count_minutes(self, records: Sequence[SessionRecord], seconds: float) -> None:
        """Count the time since the last look to runs of which a session is at work."""
        runs = {_run_of(one.session) for one in records if not self._is_paused(one)}
        for run in runs:
            if budget_of(self.engine, run).minutes:
                known = self._minutes.get(run)
                known = minutes_of(self.engine.places, run) if known is None else known
                self._minutes[run] = known + seconds / 60
                save_minutes(self.engine.places, run, self._minutes[run])

    def _passed(
        self, records: Sequence[SessionRecord]
    ) -> Iterator[tuple[SessionRecord, Allowance]]:
        """Yield what is to be stopped, and why; a parent goes with those that used up its own."""
        today, _ = DAY.allowance(self.engine)
        parents = {one.session.parent for one in records} - {""}
        shared = {run: of_run(self.engine, run) for run in {_run_of(o.session) for o in records}}
        own = {parent: of_session(self.engine, parent) for parent in parents}
        # What has been verified or is being so has spent all that it will.
        for one in (record for record in records if record.session.state in _SPENDS):
            session = one.session
            whose = own.get(session.parent or session.id)
            for why in (shared[_run_of(session)], whose, today):
                if why is not None and why.is_passed:
                    yield one, why
                    break

    def look_at_memory(self) -> None:
        """Pause the newest session where memory is short, and let it go on when it is not."""
        strain = read_memory().strain
        if strain is not Strain.SHORT and not self._may_be_paused:
            return
        records = [one for one in self._at_work() if one.session.state in _HAS_JOBS]
        paused = [one for one in records if self._is_paused(one)]
        self._may_be_paused = bool(paused)
        if strain is Strain.NONE:
            for one in paused:
                self._go_on(one)
        elif strain is Strain.SHORT and not paused and clock.awake() - self._moved > SETTLE:
            # The oldest goes on: somebody has to come to an end.
            newest = sorted(records, key=lambda one: one.session.started or 0.0)[1:]
            if newest:
                self._pause(newest[-1])

    def _is_paused(self, one: SessionRecord) -> bool:
        return self._pause_file(one).exists()

    def _pause_file(self, one: SessionRecord) -> Path:
        return self._layout(one).stop_file.with_name(PAUSE)

    def _pause(self, one: SessionRecord) -> None:
        self._moved, self._may_be_paused = clock.awake(), True
        write_atomic(self._pause_file(one), f"{longest_pause(os.environ):g}")
        self.engine.store.add_event(one.session.id, "paused", f"{_WORDS}: {read_memory()}")
        self.engine.store.update_session(one.session.id, SessionUpdate(last_action=_WORDS))

    def _go_on(self, one: SessionRecord) -> None:
        self._moved = clock.awake()
        self._pause_file(one).unlink(missing_ok=True)
        self.engine.store.add_event(one.session.id, "paused", f"goes on: {read_memory()}")
        commands = plan_of(self.engine, one.run.id).by_id()[one.session.task].commands
        action = {
            SessionState.SETUP: commands.get("setup", ""),
            SessionState.VERIFYING: commands.get("verify", ""),
        }.get(one.session.state, "goes on")
        self.engine.store.update_session(one.session.id, SessionUpdate(last_action=action))


def _run_of(session: Session) -> str:
    """Return the run whose limits a session counts into: of a child, its parent's."""
    return (session.parent or session.id).partition("/")[0]


def live_spending(session: Session, layout: SessionLayout) -> Consumption | None:
    """Return what an attempt that is at work has used by now; None: nothing is known."""
    turns, usage, known = 0, Usage(), False
    for name in ROUNDS:
        result = load_result(layout.job(name))
        progress = result.progress if result else load_progress(layout.job(name))
        if progress is None:
            continue
        known = True
        stated = result.verdict.usage if result and result.verdict.usage != Usage() else None
        used = stated or progress.usage
        recorded = progress.recorded
        more = (recorded.input_tokens or 0) > (used.input_tokens or 0)
        usage += recorded if more else used
        turns += (result.verdict.turns if result else 0) or progress.turns
    return spent_of(session.agent, turns, usage, {session.model: usage}) if known else None


def longest_pause(environ: Mapping[str, str]) -> float:
    """Return for how many seconds a session is paused at most."""
    with contextlib.suppress(ValueError, KeyError):
        return min(LONGEST, max(0.0, float(environ["ABREAST_MAX_PAUSE"])))
    return LONGEST

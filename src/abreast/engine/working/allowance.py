"""Why no more sessions may start, as far as limits and memory go: reasons for the schedule."""

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache

from abreast.agents import AGENTS
from abreast.economics.rows import Prices
from abreast.engine.common.run_budget import used_by_run
from abreast.engine.common.settings_files import user_day
from abreast.engine.working.session.context import Engine, plan_of
from abreast.errors import NotFoundError, PlanError
from abreast.model.budget import Budget, Consumption, reached
from abreast.model.hold import Hold, HoldKind
from abreast.process import clock
from abreast.process.day import LocalDay, day_of
from abreast.process.memory import Strain, read_memory
from abreast.store.spent import total


@dataclass(frozen=True)
class Allowance:
    """A budget, what is used of it, and whose it is, as in "the run's". `hint`: how to go on."""

    budget: Budget
    spent: Consumption
    whose: str
    hint: str

    @property
    def words(self) -> str:
        """Which limit is reached, and what it had come to; "" where none is."""
        return reached(self.budget, _counted(self.budget, self.spent), self.whose, prices=_lists())

    @property
    def is_passed(self) -> bool:
        """Whether more than a limit is used."""
        return self.budget.passed_by(_counted(self.budget, self.spent))


def _counted(budget: Budget, spent: Consumption) -> Consumption:
    """Return what counts: by the price list only where that was chosen."""
    return spent if budget.price_list else replace(spent, usd=spent.usd - spent.listed, listed=0.0)


@lru_cache(maxsize=1)
def _lists() -> str:
    return Prices(agent.prices for agent in AGENTS.values()).date


@lru_cache(maxsize=256)
def parent_of(engine: Engine, run: str) -> str:
    """Return the session that a run of children was started for; "" for any other run."""
    return next((one.parent for one in engine.reader.sessions(run)), "")


def budget_of(engine: Engine, run: str) -> Budget:
    """Return what a run may use; no bounds where it is not on record.

    Whoever delegates says itself for which session: that may be one of another state folder, or
    one whose history has been cleaned away.
    """
    try:
        return plan_of(engine, run).budget
    except NotFoundError:
        return Budget()


def of_run(engine: Engine, run: str) -> Allowance | None:
    """Return the allowance of a run, None where it has no limits."""
    budget = budget_of(engine, run)
    if not budget.bounded:
        return None
    spent = used_by_run(engine.places, engine.reader, run)
    return Allowance(budget, spent, "the run's", f"abreast resume {run} allows as much again")


def of_session(engine: Engine, session: str) -> Allowance | None:
    """Return the allowance of a session with children, theirs included; None: it has no limits."""
    found = engine.reader.session(session)
    if found is None or found.state.final:
        return None
    limits = plan_of(engine, found.run).by_id()[found.task].limits
    budget = Budget(turns=limits.turns, tokens=limits.tokens, usd=limits.usd)
    if not budget.bounded:
        return None
    own = engine.reader.spent_by_run(found.run).get((session, found.attempt), Consumption())
    below = total(engine.reader.spent_by_children(session, found.started or 0.0))
    hint = f"abreast resume {session} goes on with it, its limits counted anew"
    return Allowance(budget, own + below, "with its children, the session's", hint)


@dataclass
class Day:
    """The user's limits of a day, read again when they are asked for."""

    budget: Budget = field(default_factory=Budget)
    wrong: str = ""  # what keeps them from being read

    def read(self) -> None:
        """Read the user's settings; as long as these are wrong, what was known goes on to count."""
        try:
            self.budget, self.wrong = user_day(os.environ), ""
        except PlanError as error:
            self.wrong = str(error.problems[0])

    def allowance(self, engine: Engine) -> tuple[Allowance | None, LocalDay]:
        """Return the allowance of today, None where there are no limits, and the day."""
        today = day_of(clock.wall())
        if not self.budget.bounded:
            return None, today
        spent = total(engine.reader.spent_between(today.start, today.end))
        midnight = clock_words(today.end)
        more = _raised(self.budget, spent)
        hint = f"abreast resume RUN goes on with it from {midnight} on; at once after: {more}"
        return Allowance(self.budget, spent, "the day's", hint), today


def _raised(budget: Budget, spent: Consumption) -> str:
    """Return the command that allows twice as much of what is used up."""
    for name in ("turns", "tokens", "usd"):
        bound = getattr(budget, name)
        if bound and getattr(spent, name) >= bound:
            return f"abreast settings set limits.day.{name} {2 * bound:g}"
    return "abreast settings"


def clock_words(at: float) -> str:
    """Return the local time of a moment, such as `00:00`."""
    import time

    return time.strftime("%H:%M", time.localtime(at))


DAY = Day()


def is_counted(engine: Engine, run: str, parent: str) -> bool:
    """Return whether limits ask for what a session of a run uses while it is at work."""
    budget = budget_of(engine, parent.partition("/")[0] or run)
    return bool(parent) or budget.bounded or DAY.budget.bounded


def run_hold(engine: Engine, run: str) -> Hold | None:
    """Return why nothing more of a run may start: its own limits, or those of its parent."""
    parent = parent_of(engine, run)
    asked = [of_run(engine, parent.partition("/")[0]), of_session(engine, parent)] if parent else []
    for one in (*asked, of_run(engine, run)):
        if one is not None and (words := one.words):
            return Hold(HoldKind.LIMIT, words, hint=one.hint, ends=True)
    return None


def day_hold(engine: Engine, run: str) -> Hold | None:
    """Return why nothing more may start today.

    A parent does not wait until midnight for a child.
    """
    DAY.read()
    ends = bool(parent_of(engine, run))
    if DAY.wrong:
        why = f"your settings cannot be read: {DAY.wrong}"
        return Hold(HoldKind.LIMIT, why, hint="abreast settings", ends=ends)
    allowance, today = DAY.allowance(engine)
    if allowance is None or not (words := allowance.words):
        return None
    hint = f"at once after: {_raised(allowance.budget, allowance.spent)}"
    return Hold(HoldKind.LIMIT, words, today.end, clock.wall(), hint, ends=ends)


def memory_hold(engine: Engine, running: int) -> Hold | None:
    """Return why there is no memory for another session; with enough for one, one may start."""
    memory = read_memory()
    if memory.strain is Strain.NONE:
        return None
    if memory.strain is Strain.TIGHT and not (running or engine.reader.at_work()):
        return None
    return Hold(HoldKind.MEMORY, f"the machine is short of memory: {memory}")

"""What a landing will come to if every verify passes: merged in memory, and nothing moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.common.layout import repository_of_run
from abreast.engine.working.landing.batch import target_of, where
from abreast.engine.working.landing.candidate import make_candidate
from abreast.engine.working.landing.order import Waiting, in_order, look_at
from abreast.engine.working.landing.own import need_not_landed
from abreast.engine.working.session.context import Engine, SessionContext, open_context
from abreast.git.call import UTF8
from abreast.git.changes import quarantine
from abreast.git.repository import Repository, resolve
from abreast.model.landing import LandingForecast, LandOptions, QueuePlace
from abreast.model.session import LandOrder, LandState, Run, Session
from abreast.store.rows import SessionUpdate


@dataclass(frozen=True, eq=False)
class _Place:
    place: QueuePlace
    waiting: Waiting
    context: SessionContext


def places_of(
    engine: Engine, run: Run, sessions: Sequence[Session], options: LandOptions
) -> list[tuple[QueuePlace, Waiting]]:
    """Return the order in which sessions of a run would land, with what it was made of."""
    found = look_at(_repository(engine, run), sessions, run.target)
    known = {one.id: one for one in found}
    order = options.order or LandOrder(run.land_order)
    return [(place, known[place.session]) for place in in_order(found, order)]


def forecast(
    engine: Engine, run: Run, sessions: Sequence[Session], options: LandOptions
) -> list[LandingForecast]:
    """Return what would come of landing sessions on the run's target, in that order.

    What other runs have waiting on the target is not counted. No object stays in the repository.
    """
    ordered = places_of(engine, run, sessions, options)
    repository = _repository(engine, run)
    with quarantine(repository) as objects:
        inside = replace(repository, objects=objects)
        return list(_forecast(engine, run, inside, ordered, options.batch or run.land_batch))


def _forecast(
    engine: Engine,
    run: Run,
    repository: Repository,
    ordered: Sequence[tuple[QueuePlace, Waiting]],
    most: int,
) -> Iterator[LandingForecast]:
    """Yield what comes of each, batch by batch, as `working/landing` takes them from the queue."""
    old = tip = ""
    ahead, lost = set[str](), dict[str, str]()
    left = list(_opened(engine, run, repository, ordered))
    batch = 0
    while left:
        commands = left[0].context.task.commands
        alike = [one for one in left if one.context.task.commands == commands][:most]
        old = old or resolve(repository, target_of(left[0].context))
        tip, batch, through = tip or old, batch + 1, 0
        for one in alike:
            session, place = one.context.session, one.place
            made = _made(one.context, old, tip, ahead, lost)
            if isinstance(made, SessionUpdate) and through:
                continue  # whether it lands is seen once it is the first
            left.remove(one)
            through += 1
            against = tuple(sorted(one.waiting.conflicts))
            if isinstance(made, SessionUpdate):
                outcome = LandState(made.landing)
                if outcome is LandState.LANDED:
                    ahead.add(session.task)
                    reason = f"{run.target} has it already"
                else:
                    reason = lost[session.task] = made.reason
                yield LandingForecast(session.id, place.why, outcome, (), reason, against)
                continue
            shape = ("log", "--reverse", "--first-parent", "--format=%s", made, f"^{tip}")
            subjects = tuple(repository.call(*shape, config=UTF8).stdout.splitlines())
            ahead.add(session.task)
            tip = made
            landed = LandState.LANDED
            yield LandingForecast(session.id, place.why, landed, subjects, "", against, batch)


def _opened(
    engine: Engine,
    run: Run,
    repository: Repository,
    ordered: Sequence[tuple[QueuePlace, Waiting]],
) -> Iterator[_Place]:
    by_id = {session.id: session for session in run.sessions}
    for place, waiting in ordered:
        opened = open_context(engine, place.session, by_id[place.session].attempt)
        asked = replace(opened.run, target=run.target, land=run.land)
        yield _Place(place, waiting, replace(opened, repository=repository, run=asked))


def _made(
    context: SessionContext, old: str, tip: str, ahead: set[str], lost: dict[str, str]
) -> str | SessionUpdate:
    """Return the commit that would land a session on `tip`; or how its landing would end."""
    if broken := need_not_landed(context, old, ahead):
        stands = "it will bounce" if broken.task in lost else where(broken)
        reason = f"needs {broken.task}, which has not landed: {stands}"
        return SessionUpdate(landing=LandState.BOUNCED, reason=reason)
    made = make_candidate(context, tip, ahead)
    return made if isinstance(made, SessionUpdate) else made.commit


def _repository(engine: Engine, run: Run) -> Repository:
    return repository_of_run(engine.places, run.id, Path(run.repo))

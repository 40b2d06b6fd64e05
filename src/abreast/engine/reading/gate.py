"""What the gate has said of runs, held against what has become of them."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from abreast.engine.common.layout import repository_of_run
from abreast.engine.common.verdicts import judged_runs
from abreast.errors import AbreastError, NotFoundError
from abreast.gate.review import Review, RunReview, reviewed, score
from abreast.git.merge import predict_conflicts
from abreast.git.repository import Repository, is_ancestor
from abreast.model.gate import Happened, JudgedRun, PairOutcome, PlanOutcome, TaskOutcome
from abreast.model.session import LandState, Run, Session, SessionState
from abreast.places import Places
from abreast.store.reader import Reader


def outcome_of(run: Run, repository: Repository) -> PlanOutcome:
    """Return what has become of a run's sessions, and of each pair of them.

    Commits that were made side by side are merged, in the object store alone: whether and when
    they have landed does not matter. Raises GitError when one of them is gone.
    """
    commits = {s.task: s.commit for s in run.sessions if _done(s) and s.commit}
    clashes = {
        frozenset((one.one, one.other)): one.paths
        for one in predict_conflicts(repository, run.base_sha, commits)
    }
    return PlanOutcome(
        tuple(
            _pair(run, one, other, clashes, repository)
            for one, other in combinations(run.sessions, 2)
        ),
        tuple(_task(session) for session in run.sessions),
    )


def _pair(
    run: Run,
    one: Session,
    other: Session,
    clashes: Mapping[frozenset[str], tuple[str, ...]],
    repository: Repository,
) -> PairOutcome:
    if not (_done(one) and _done(other)):
        return PairOutcome(one.task, other.task, Happened.UNTRIED)
    if _built_on(one, other, repository) or _built_on(other, one, repository):
        return PairOutcome(one.task, other.task, Happened.SEQUENCE)
    paths = clashes.get(frozenset((one.task, other.task)), ())
    if {one.base_sha, other.base_sha} != {run.base_sha}:
        # A commit has what it was built on as well, which may be what conflicts.
        paths = tuple(path for path in paths if path in one.files and path in other.files)
    happened = Happened.CONFLICT if paths else Happened.CLEAN
    return PairOutcome(one.task, other.task, happened, paths)


def _done(session: Session) -> bool:
    return session.state is SessionState.DONE


def _built_on(later: Session, earlier: Session, repository: Repository) -> bool:
    if earlier.task not in later.waits_for and not later.waits_for:
        return False
    return bool(earlier.commit) and is_ancestor(repository, earlier.commit, later.base_sha)


def _task(session: Session) -> TaskOutcome:
    bounced = session.reason if session.landing is LandState.BOUNCED else ""
    return TaskOutcome(session.task, session.files, session.outside, bounced)


def review(places: Places, run: str, common_dir: str) -> Review:
    """Return said and happened for each pair of a run, and how right the gate has been here.

    Without a `run` it is the newest one that was judged in the repository of `common_dir`, whose
    runs the figures are over. Raises NotFoundError when there is no judgement.
    """
    reader = Reader(places.database)
    if run:
        of = reader.run_by_prefix(run)
        run, common_dir = of.id, of.common_dir
    found = [_with_outcome(one, reader, places) for one in judged_runs(reader, run, common_dir)]
    chosen = [one for one in found if one.run == run] if run else found[:1]
    if not chosen:
        what = f"said nothing of run {run}" if run else "judged no run here"
        hint = "it judges runs of several tasks: `abreast run PLAN`"
        raise NotFoundError(f"the gate has {what}", hint=hint)
    return Review(RunReview(chosen[0], reviewed(chosen[0])), score(found))


def _with_outcome(judged: JudgedRun, reader: Reader, places: Places) -> JudgedRun:
    """Look what became of a run that has ended just now, and whose worker is about to note it."""
    run = reader.run(judged.run) if judged.outcome is None else None
    if run is None or not run.state.final:
        return judged
    with contextlib.suppress(AbreastError):
        repository = repository_of_run(places, run.id, Path(run.repo))
        return replace(judged, outcome=outcome_of(run, repository))
    return judged

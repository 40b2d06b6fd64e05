"""The doctor at work: reads what there is since a time, once, and has every check look at it."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from abreast.doctor import housekeeping as house
from abreast.doctor.check import findings_of
from abreast.doctor.table import CHECKS
from abreast.engine.reading.doctor.lines import with_lines
from abreast.engine.reading.doctor.machine import kept, known_bad, unreadable
from abreast.engine.reading.doctor.records import lost_records
from abreast.engine.reading.doctor.repositories import require_checkout, state_of
from abreast.engine.reading.doctor.sessions import Ward
from abreast.engine.reading.transcripts import find_transcripts
from abreast.errors import DamagedError
from abreast.model.finding import Diagnosis, Evidence
from abreast.model.session import Session
from abreast.places import Places
from abreast.store.reader import Reader

_RUNS = 1000  # the newest of abreast's runs
_WARNINGS = 100


def diagnose(
    places: Places, environ: Mapping[str, str], *, since: float, repo: Path | None = None
) -> Diagnosis:
    """Look at transcripts written since then (Unix seconds), runs begun since then, and the
    repositories of both and around `repo`. Raises NotFoundError when that is given and in none.
    """
    if repo is not None:
        require_checkout(repo)
    reader, damage = Reader(places.database), ""
    try:
        runs, known = reader.runs(_RUNS), reader.cli_sessions()
    except DamagedError as error:
        runs, known, damage = [], {}, error.message
    ward = Ward(environ, [run for run in runs if run.created >= since], known)
    for found in find_transcripts(places, environ, since=since):
        ward.admit(found.agent, found.path)
    ward.warnings += unreadable(environ)
    ward.finish()
    now = time.time()
    repositories = [state_of(one) for one in ward.repositories(runs, repo)]
    ward.warnings += [one.failed for one in repositories if one.failed]
    sessions = [session for run in runs for session in run.sessions]
    ward.seen["lost-records"] += lost_records(places, repositories, runs, damage)
    for name, seen in _housekeeping(repositories, sessions, environ, ward, now).items():
        for one in seen:
            ward.seen[name].append(one)
    return Diagnosis(
        findings=with_lines(findings_of(CHECKS, ward.seen)),
        since=since,
        sessions=len(ward.works),
        children=ward.children,
        runs=len(ward.runs),
        repositories=len(repositories),
        warnings=tuple(ward.warnings[:_WARNINGS]),
    )


def _housekeeping(
    repositories: Sequence[house.State],
    sessions: Iterable[Session],
    environ: Mapping[str, str],
    ward: Ward,
    now: float,
) -> dict[str, Iterator[Evidence]]:
    left = [one for one in sessions if one.worktree and Path(one.worktree).is_dir()]
    tops = [Path(one.checkout) for one in repositories if one.checkout]
    return {
        "damaged-config": house.damaged_config(repositories),
        "gone-worktrees": house.gone_worktrees(repositories),
        "left-worktrees": house.left_worktrees(left, now),
        "stale-locks": house.stale_locks(repositories, now),
        "nested-worktrees": house.nested_worktrees(repositories, os.path.lexists),
        "expiring-transcripts": house.expiring(kept(environ), now),
        "known-bad-version": known_bad(environ, ward.newest, tops),
    }

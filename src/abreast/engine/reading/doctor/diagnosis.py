"""The doctor at work: reads what there is since a time, once, and has every check look at it."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from abreast.agents import recording, records_of
from abreast.agents.recorded import record_lines
from abreast.doctor import housekeeping as house
from abreast.doctor.check import findings_of
from abreast.doctor.table import CHECKS
from abreast.engine.reading.doctor.machine import kept, known_bad, unreadable
from abreast.engine.reading.doctor.repositories import lost_records, require_checkout, state_of
from abreast.engine.reading.doctor.sessions import Ward
from abreast.engine.reading.transcripts import find_transcripts
from abreast.errors import DamagedError
from abreast.model.finding import Diagnosis, Evidence, Finding
from abreast.model.session import Session
from abreast.places import Places
from abreast.process import clock
from abreast.store.reader import Reader

_SAME = 0.0005  # seconds; the records have milliseconds


def with_lines(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, each evidence with its line in the transcript, if that has it."""
    kept = tuple(findings)
    wanted = defaultdict[tuple[str, str], set[float]](set)
    for finding in kept:
        for one in finding.evidence:
            if one.at and one.path and one.agent in recording():
                wanted[one.agent, one.path].add(one.at)
    lines = {place: _lines(*place, moments) for place, moments in wanted.items()}

    def placed(one: Evidence) -> Evidence:
        return replace(one, line=lines.get((one.agent, one.path), {}).get(one.at, 0))

    return tuple(
        replace(finding, evidence=tuple(map(placed, finding.evidence))) for finding in kept
    )


def _lines(agent: str, path: str, moments: Iterable[float]) -> dict[float, int]:
    """Return the number of the first line with an event at each of `moments` (Unix seconds).

    Only lines with the second in them are parsed: they are few.
    """
    events = records_of(agent).Events(Path(path))
    left = {at: _second(at) for at in moments}
    found: dict[float, int] = {}
    for number, line in enumerate(record_lines(Path(path), []), 1):
        if not any(second in line for second in left.values()):
            continue
        told = [event.at for event in events.feed(line)]
        here = {at for at in left if any(abs(at - one) < _SAME for one in told)}
        found |= dict.fromkeys(here, number)
        for at in here:
            del left[at]
        if not left:
            break
    return found


def _second(at: float) -> bytes:
    """Return a time in whole seconds as the transcripts write it."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    except (ValueError, OverflowError, OSError):  # no record has such a time
        return b"\n\n"


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
    now = clock.wall()
    repositories = [state_of(one) for one in ward.repositories(runs, repo)]
    ward.warnings += [one.failed for one in repositories if one.failed]
    sessions = [session for run in runs for session in run.sessions]
    ward.seen["lost-records"] += lost_records(places, repositories, runs, damage)
    for name, seen in _housekeeping(repositories, sessions, environ, ward, now).items():
        ward.seen[name] += seen
    named = {
        name: [replace(one, session=known.get(one.session, one.session)) for one in seen]
        for name, seen in ward.seen.items()
    }
    return Diagnosis(
        findings=with_lines(findings_of(CHECKS, named)),
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

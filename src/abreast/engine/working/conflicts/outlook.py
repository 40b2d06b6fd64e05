"""A look at a repository: what its sessions have done by now, and with what that conflicts.

The sides are the sessions of all its runs that are at work or have not landed, by the branch that
they are to land on; each is compared with that branch as it is now, too.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.engine.common.layout import layout_of
from abreast.engine.reading.conflicts import files_in_conflict
from abreast.engine.working.conflicts.lookout import IDLE_POLL, POLL
from abreast.engine.working.conflicts.warning import warn
from abreast.engine.working.conflicts.work import LiveWork, look_at
from abreast.engine.working.session.context import Engine, guarded_repository
from abreast.errors import AbreastError, NotFoundError, StoreError
from abreast.git.changes import quarantine
from abreast.git.collide import Collisions, ConflictSide
from abreast.git.collide_known import KnownCollisions
from abreast.git.guard import guard_worktree, quoted
from abreast.git.repository import Repository, read_ref
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.session import LandState, Session, SessionKind, SessionState
from abreast.store.reader import SessionRecord

MOST = 200  # sides of a repository, the newest; 19,900 pairs take a second when all are new
_FILES = 50  # in conflict that are told of a pair
_LIVE = frozenset({SessionState.RUNNING, SessionState.VERIFYING, SessionState.COMMITTING})
_CHECKED = frozenset({SessionState.VERIFYING, SessionState.COMMITTING})
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1"}  # in a partial clone, nothing is fetched for a look

Stamp = tuple[tuple[int, ...], ...]


@dataclass
class _Target:
    """A branch: the files that say where it is, as they were when it was at `commit`."""

    stamp: Stamp
    commit: str


class Outlook:
    """What is known of one repository between two looks."""

    def __init__(self, engine: Engine, common_dir: str) -> None:
        self._engine, self._common = engine, Path(common_dir)
        self._turned: set[str] = set()  # at work since they were looked at
        self._works: dict[str, LiveWork] = {}
        self._targets: dict[str, _Target] = {}
        self._known: dict[str, KnownCollisions] = {}
        self._lines: dict[tuple[object, ...], tuple[FileConflict, ...]] = {}
        self._present: dict[str, bool] = {}  # commits that were asked for
        self._said: dict[str, str] = {}
        self._busy = False  # a session was at work at the last look

    def moved(self) -> bool:
        """Return whether a target's files have changed since the last look."""
        return any(self._stamp(name) != one.stamp for name, one in self._targets.items())

    def pause(self) -> float | None:
        """Return the seconds until its targets are looked at again; None: it is gone."""
        if not self._common.exists():
            return None
        return POLL if self._busy else IDLE_POLL

    def look(self, turned: Sequence[str]) -> None:
        """Compare all that is at stake, and write down what has changed of its conflicts."""
        self._turned.update(turned)
        records = self._engine.reader.at_stake(str(self._common), MOST)
        sides = [record for record in records if _is_side(record.session)]
        self._busy = any(record.session.state in _LIVE for record in sides)
        self._forget({r.session.id: r.session.base_sha for r in sides if r.session.state in _LIVE})
        by_target: dict[str, list[SessionRecord]] = {}
        for record in sides:
            by_target.setdefault(record.run.target or record.run.base_sha, []).append(record)
        lines, self._lines = self._lines, {}
        self._targets = {name: one for name, one in self._targets.items() if name in by_target}
        failed = set[str]()
        found: dict[str, list[WorkConflict]] = {}
        for name, group in by_target.items():
            try:
                for whose, conflict in self._compare(name, group, lines):
                    found.setdefault(whose, []).append(conflict)
            except NotFoundError:
                continue  # the repository is gone, and its conflicts with it
            except (AbreastError, OSError) as error:
                failed |= {record.session.id for record in group}
                self._say(name, f"conflicts on {name} are not known: {error}")
        by_id = {record.session.id: record for record in records}
        for record in records:
            session = record.session
            if session.id in failed:
                continue
            now = tuple(found.get(session.id, ()))
            if now != session.conflicts:
                self._engine.store.set_conflicts(session.id, session.attempt, now)
            if session.state is SessionState.RUNNING and (now or session.conflicts):
                mine = (one for one in now if one.is_target or _is_later(session, one, by_id))
                warn(self._engine, record, tuple(mine))

    def _compare(
        self,
        name: str,
        group: Sequence[SessionRecord],
        lines: Mapping[tuple[object, ...], tuple[FileConflict, ...]],
    ) -> Iterator[tuple[str, WorkConflict]]:
        """Yield the conflicts of sessions that are to land on one branch, each with its session."""
        newest = group[-1].run
        repo = guarded_repository(newest.id, newest.repo, self._engine.places)
        target = self._tip(repo, name, newest.base_sha)
        worked = [record for record in group if self._has_work(record.session)]
        if len(worked) < 2 and all(record.session.base_sha == target for record in worked):
            return  # with whom should it conflict?
        self._find_commits(repo, [record.session for record in worked])
        sides = list(self._sides(worked))
        with quarantine(repo) as made:
            env = {**made, **_OFFLINE, **self._alternates(made)}
            known = self._known.setdefault(name, KnownCollisions())
            found = known.find(repo, sides, target, env)
            for one, other, paths, is_target in _pairs(found, sides, (name, target)):
                key = (one, other, paths)
                told = lines.get(key) or tuple(
                    files_in_conflict(repo, one, other, paths[:_FILES], env)
                )
                self._lines[key] = told
                more = len(paths) - len(told)
                yield one.name, WorkConflict(other.name, told, more, is_target)
                if not is_target:
                    swapped = tuple(FileConflict(f.path, f.other, f.one) for f in told)
                    yield other.name, WorkConflict(one.name, swapped, more)

    def _has_work(self, session: Session) -> bool:
        at_work = session.id in self._turned or session.id in self._works
        # After a worker was killed: what has been seen before, and what is past its agent.
        return at_work or session.state not in _LIVE - _CHECKED or bool(session.conflicts)

    def _find_commits(self, repo: Repository, sessions: Sequence[Session]) -> None:
        """Find out which commits of sessions that are done the repository still has."""
        names = {one for s in sessions for one in (s.commit, s.base_sha) if one}
        if unknown := sorted(names - self._present.keys()):
            stdin = "".join(f"{name}\n" for name in unknown)
            asked = ("cat-file", "--batch-check=%(objecttype)")
            kinds = repo.call(*asked, stdin=stdin, env=_OFFLINE).stdout.splitlines()
            self._present |= {n: kind == "commit" for n, kind in zip(unknown, kinds, strict=True)}

    def _sides(self, records: Iterable[SessionRecord]) -> Iterator[ConflictSide]:
        for record in records:
            session = record.session
            if session.state is SessionState.DONE:
                if self._present[session.commit] and self._present[session.base_sha]:
                    yield ConflictSide(session.id, session.base_sha, session.commit)
                continue
            try:
                tip = self._work(record).tip
            except StoreError:
                raise
            except (AbreastError, OSError) as error:
                self._say(session.id, f"the work of {session.id} is not compared: {error}")
                if session.id not in self._works:
                    continue
                tip = self._works[session.id].tip
            yield ConflictSide(session.id, session.base_sha, tip)

    def _work(self, record: SessionRecord) -> LiveWork:
        """Return the work of a session as it is now, if it was at work; else as it was."""
        session, last = record.session, self._works.get(record.session.id)
        if last is not None and session.id not in self._turned:
            return last
        repo = guarded_repository(record.run.id, record.run.repo, self._engine.places)
        layout = layout_of(session, self._engine.places, repo.common_dir)
        checked = read_ref(repo, layout.ref("snap")) if session.state in _CHECKED else None
        if checked:  # verify may do anything to the worktree
            work = LiveWork(session.base_sha, checked)
        else:
            tree = guard_worktree(repo, layout.worktree)
            work = look_at(repo, tree, session.base_sha, last)
        self._turned.discard(session.id)
        self._works[session.id] = work
        return work

    def _alternates(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variable by which git finds the objects of work that goes on."""
        name = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
        folders = [work.objects for work in self._works.values() if work.objects is not None]
        return {name: os.pathsep.join([env[name], *(quoted(str(one)) for one in folders)])}

    def _tip(self, repo: Repository, name: str, base: str) -> str:
        """Return where a target is; `base` where there is no such branch."""
        stamp, known = self._stamp(name), self._targets.get(name)
        if known is None or known.stamp != stamp:
            known = _Target(stamp, read_ref(repo, f"refs/heads/{name}") or base)
            self._targets[name] = known
        return known.commit

    def _stamp(self, name: str) -> Stamp:
        """Return what changes when a branch moves: marks of the files that may hold it."""
        places = (f"refs/heads/{name}", "packed-refs", "reftable/tables.list")
        return tuple(_mark(self._common / place) for place in places)

    def _forget(self, there: Mapping[str, str]) -> None:
        """Forget sessions that are not at work `there`, each from its base; also those begun anew.

        A worktree that has become another session's has other work.
        """
        for session, work in list(self._works.items()):
            if there.get(session) != work.base:
                self._works.pop(session).drop()
        self._turned &= there.keys()

    def _say(self, about: str, text: str) -> None:
        if self._said.get(about) != text:
            self._said[about] = text
            sys.stderr.write(f"{text}\n")


def _is_later(session: Session, conflict: WorkConflict, by_id: Mapping[str, SessionRecord]) -> bool:
    """Return whether a session has begun after the other, or is the only one still at work."""
    other = by_id[conflict.other].session
    if other.state is not SessionState.RUNNING:
        return True
    return (session.started or 0.0, session.id) > (other.started or 0.0, other.id)


def _is_side(session: Session) -> bool:
    if session.state is SessionState.DONE:
        over = session.landing in {LandState.LANDED, LandState.UNDONE}
        return bool(session.commit) and not over
    return session.state in _LIVE and session.kind is SessionKind.TASK and bool(session.base_sha)


def _pairs(
    found: Collisions, sides: Sequence[ConflictSide], at: tuple[str, str]
) -> Iterator[tuple[ConflictSide, ConflictSide, tuple[str, ...], bool]]:
    by_name = {side.name: side for side in sides}
    for clash in found.target:
        one = by_name[clash.name]
        yield one, ConflictSide(at[0], one.base, at[1]), clash.paths, True
    for pair in found.pairs:
        yield by_name[pair.one], by_name[pair.other], pair.paths, False


def _mark(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino

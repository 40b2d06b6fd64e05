"""Remove worktrees whose work is safe elsewhere; refuse the others, and say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.engine.client.requests import Client, connect
from abreast.engine.common.attendance import is_lost
from abreast.engine.common.forge import merged_at
from abreast.engine.common.layout import (
    SessionLayout,
    layout_of,
    repository_lock,
    repository_of_run,
)
from abreast.engine.working.session.keeping import make_room, tell_kept
from abreast.errors import AbreastError, NotFoundError
from abreast.git.commit import anchor, left_in
from abreast.git.differing import ignored_since
from abreast.git.guard import guard_worktree
from abreast.git.making import empty_trash, remove_worktree
from abreast.git.merge import holds, is_landed
from abreast.git.pool import give_back
from abreast.git.push import pushed_ref
from abreast.git.repository import Repository, delete_ref, read_ref
from abreast.git.snapshot import keep_submodules
from abreast.git.status import find_commit
from abreast.git.worktree import WorktreeSpec
from abreast.model.changes import Removal
from abreast.model.session import LandState, Run, Session
from abreast.places import Places
from abreast.process.folders import size_of, working_folders
from abreast.store.rows import SessionUpdate


def clean(names: Sequence[str], places: Places, *, remove: bool, force: bool) -> list[Removal]:
    """Look at every worktree of ended sessions (or of `names`), and `remove` those that may go.

    `names` are runs, sessions or tasks; raises NotFoundError for one that is nothing of these.
    """
    with connect(places) as client:
        runs = client.reader.runs(1_000_000)
        known = {name for run in runs for s in run.sessions for name in (run.id, s.id, s.task)}
        meant = {_meant(name, runs, known) for name in names}
        broom = _Broom(client, working_folders(), remove=remove, force=force)
        found = [
            broom.sweep(run, session)
            for run in runs
            for session in run.sessions
            if not names or {session.id, session.task, run.id} & meant
            if session.worktree and Path(session.worktree).exists()
        ]
        found += [
            Removal(session.id, folder, size_of(folder), kept=_ASIDE)
            for run in runs
            for session in run.sessions
            if not names or {session.id, session.task, run.id} & meant
            if (folder := places.aside / session.run / session.task).is_dir()
        ]
    if remove:
        empty_trash(places.trash)
    return found


_ASIDE = "moved aside, as no commit can hold it: delete it once you need it no more"


def _meant(name: str, runs: Sequence[Run], known: set[str]) -> str:
    """Return the run, session or task that `name` means; a run's name may be shortened."""
    if name in known:
        return name
    start, slash, task = name.partition("/")
    fits = {f"{run.id}{slash}{task}" for run in runs if start and run.id.startswith(start)} & known
    if len(fits) == 1:
        return fits.pop()
    what = f"{len(fits)} runs start with {start}" if fits else f"there is no run or session {name}"
    raise NotFoundError(what, hint="`abreast status --all` lists the runs")


@dataclass(frozen=True)
class _Broom:
    """Decides for each worktree whether it may go, and removes those that may."""

    client: Client
    occupied: Mapping[Path, int]
    remove: bool
    force: bool

    def sweep(self, run: Run, session: Session) -> Removal:
        worktree, places = Path(session.worktree), self.client.places
        size = size_of(worktree)
        try:
            repository = repository_of_run(places, run.id, Path(run.repo))
            layout = layout_of(session, places, repository.common_dir)
            reason, kept = self._judge(run, session, repository)
            tree = guard_worktree(repository, worktree)
            ignored = () if kept else ignored_since(tree, session.started or 0.0)
            if self.remove and not kept:
                self._take_away(session, repository, layout)
        except AbreastError as error:
            return Removal(session.id, worktree, size, kept=error.message)
        rescue = "" if kept else layout.ref("snap")
        return Removal(session.id, worktree, size, reason, kept, rescue, ignored)

    def _judge(self, run: Run, session: Session, repository: Repository) -> tuple[str, str]:
        """Return why the worktree may go and why it is kept; one of the two is empty."""
        if not session.state.final:
            left = is_lost(session, self.client.places)
            why = f"unattended: {session.goes_on_by}" if left else f"it is {session.state}"
            return "", why
        if busy := self._busy(session, repository):
            return "", busy
        tree = guard_worktree(repository, Path(session.worktree))
        dirty = left_in(tree)
        if not dirty.clean:
            return ("forced", "") if self.force else ("", f"uncommitted changes: {dirty}")
        if not session.commit and find_commit(tree, "HEAD") == session.base_sha:
            return "nothing was changed", ""
        if how := _landed(run, session, repository):
            return how, ""
        return ("forced", "") if self.force else ("", "not landed")

    def _busy(self, session: Session, repository: Repository) -> str:
        """Return which process works in it, or what only its submodules hold; else ""."""
        worktree, base = Path(session.worktree), session.base_sha
        for folder, pid in self.occupied.items():
            if folder.is_relative_to(worktree):
                return f"process {pid} works in it"
        ref = layout_of(session, self.client.places, repository.common_dir).ref("submodule")
        tree = guard_worktree(repository, worktree)
        inner = keep_submodules(repository, tree, base, ref) if base else ()
        return next((f"submodule {one.path}: {one.why}" for one in inner if one.why), "")

    def _take_away(self, session: Session, repository: Repository, layout: SessionLayout) -> None:
        """Keep under a ref what is there, then remove worktree and branch."""
        places, note = layout.places, f"abreast: {session.id} cleaned"
        kept = make_room(repository, layout, session.base_sha, "cleaned")
        tell_kept(self.client.store, session.id, kept.notes)
        spec = WorktreeSpec(
            layout.worktree, layout.branch, session.base_sha, f"abreast {session.id}"
        )
        if layout.slot:
            give_back(repository, layout.slot, layout.id)
            self.client.store.update_session(session.id, SessionUpdate(worktree=""))
        else:
            lock = repository_lock(places, repository.common_dir)
            remove_worktree(repository, spec, trash=places.trash, lock=lock)
        tip = read_ref(repository, spec.ref)
        if tip:
            anchor(repository, layout.ref("snap"), tip, reason=note)
            delete_ref(repository, spec.ref, tip)


def _landed(run: Run, session: Session, repository: Repository) -> str:
    """Return how the session's commit reached its target; "" when it did not."""
    target = f"refs/heads/{run.target}"
    if not session.commit:
        return ""
    if read_ref(repository, target) and (
        how := is_landed(repository, session.commit, target, session.base_sha)
    ):
        return f"landed in {run.target} ({how})"
    was_there = session.landing in {LandState.LANDED, LandState.UNDONE}
    if was_there and holds(repository, target, session.landed):
        return f"landed in {run.target} (as {session.landed_name})"
    proposed = session.landing is LandState.PROPOSED
    heads = (session.commit, read_ref(repository, pushed_ref(session.id)))
    if proposed and merged_at(repository.place, session.landed, heads):
        return f"its request was merged: {session.landed}"
    return ""

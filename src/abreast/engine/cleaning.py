"""Remove worktrees whose work is safe elsewhere; refuse the others, and say why."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from abreast.engine.client import connect
from abreast.engine.layout import SessionLayout, layout_of, repository_lock
from abreast.errors import AbreastError
from abreast.git.advance import is_landed
from abreast.git.commit import anchor
from abreast.git.pool import give_back
from abreast.git.refs import delete_ref, read_ref
from abreast.git.removal import empty_trash, remove_worktree
from abreast.git.repository import Repository, find_repository
from abreast.git.snapshot import snapshot
from abreast.git.status import dirty_summary
from abreast.git.worktree import WorktreeSpec
from abreast.model.removal import Removal
from abreast.model.session import Run, Session
from abreast.model.states import SessionState
from abreast.places import Places
from abreast.store.changes import Change


def clean(names: Sequence[str], places: Places, *, remove: bool, force: bool) -> list[Removal]:
    """Look at every worktree of ended sessions (or of `names`), and `remove` those that may go."""
    with connect(places) as client:
        runs = client.reader.runs(1_000_000)
    found = []
    for run in runs:
        for session in run.sessions:
            wanted = not names or {session.id, session.task, run.id} & set(names)
            if wanted and session.worktree and Path(session.worktree).exists():
                found.append(_clean_one(run, session, places, remove=remove, force=force))
    if remove:
        empty_trash(places.trash)
    return found


def _clean_one(run: Run, session: Session, places: Places, *, remove: bool, force: bool) -> Removal:
    worktree = Path(session.worktree)
    size = sum(file.lstat().st_size for file in _files(worktree))
    try:
        repository = find_repository(Path(run.repo))
        reason, kept = _judge(run, session, repository, force=force)
        layout = layout_of(session, places, repository.common_dir)
        rescue = layout.ref("snap")
        if remove and not kept:
            _remove(session, repository, layout)
    except AbreastError as error:
        return Removal(session.id, worktree, size, kept=error.message)
    return Removal(session.id, worktree, size, reason, kept, rescue if not kept else "")


def _judge(run: Run, session: Session, repository: Repository, *, force: bool) -> tuple[str, str]:
    """Return why the worktree may go, and why it is kept; one of the two is empty."""
    worktree = Path(session.worktree)
    if not session.state.final:
        return "", f"it is {session.state}"
    if user := _process_in(worktree):
        return "", f"process {user} works in it"
    dirty = dirty_summary(worktree)
    if not dirty.clean:
        return ("forced", "") if force else ("", f"uncommitted changes: {dirty}")
    if session.state is SessionState.DONE and not session.commit:
        return "nothing was changed", ""
    if session.commit and (
        how := is_landed(repository, session.commit, f"refs/heads/{run.target}")
    ):
        return f"landed in {run.target} ({how})", ""
    return ("forced", "") if force else ("", "not landed")


def _remove(session: Session, repository: Repository, layout: SessionLayout) -> None:
    """Keep under a ref what is there, then remove worktree and branch."""
    places = layout.places
    snapshot(repository, layout.worktree, layout.ref("snap"), f"abreast: {session.id} cleaned")
    spec = WorktreeSpec(layout.worktree, layout.branch, session.base_sha, f"abreast {session.id}")
    lock = repository_lock(places, repository.common_dir)
    if layout.slot:
        give_back(layout.slot)
        with connect(places) as client:
            client.store.update_session(session.id, Change(worktree=""))
    else:
        remove_worktree(repository, spec, trash=places.trash, lock=lock)
    tip = read_ref(repository, spec.ref)
    if tip:
        anchor(repository, layout.ref("snap"), tip, reason=f"abreast: {session.id} cleaned")
        delete_ref(repository, spec.ref, tip)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


def _process_in(folder: Path) -> int | None:
    """Return the pid of a process whose current folder is in `folder`, or None."""
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                return process.pid
        except (psutil.Error, OSError):
            continue
    return None

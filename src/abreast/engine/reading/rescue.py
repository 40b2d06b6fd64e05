"""All that is kept of sessions, found in repositories and in abreast's own folders.

Refs are read as they lie: also of sessions whose record is gone with the database.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from abreast.errors import AbreastError, NotFoundError, StoreError
from abreast.git.changes import diffstat
from abreast.git.repository import Repository, empty_tree, find_repository, look_up
from abreast.model.rescue import KeptFile, KeptKind, KeptList, KeptPage, KeptState, KeptWork
from abreast.model.session import Run, Session
from abreast.places import Places
from abreast.process.folders import entries, files_below, written
from abreast.store.reader import Reader
from abreast.store.unrecorded import unrecorded

_KINDS = {
    "snap": KeptKind.WORKTREE,
    "agent": KeptKind.COMMITS,
    "kept": KeptKind.EARLIER,
    "submodule": KeptKind.SUBMODULE,
    "ready": KeptKind.TESTED,
}
_PREFIXES = ("refs/abreast/", "refs/heads/abreast/")
_ROW = "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(committerdate:unix)"
_STATES = 20  # commits of a page


def kept_works(places: Places, name: str = "", here: Path | None = None) -> KeptList:
    """Return what is kept of every session, or of the run or session `name`, newest first.

    A session that has changed nothing has nothing kept. Repositories are those of all runs, of
    worktrees without a record, and the one around `here`.
    Raises NotFoundError when nothing is kept under that name.
    """
    runs, notes = _runs(places)
    sessions = {session.id: session for run in runs for session in run.sessions}
    found: list[KeptWork] = []
    for common_dir in _repositories(places, runs, here):
        try:
            found += _under_refs(common_dir, sessions)
        except (AbreastError, OSError) as failure:
            told = failure.message if isinstance(failure, AbreastError) else str(failure)
            notes.append(f"{common_dir} could not be asked: {told}")
    found += _in_folders(places, runs)
    found.sort(key=lambda one: (-one.at, one.name))
    chosen = [one for one in found if fits(one, name)] if name else found
    if name and not chosen:
        raise NotFoundError(
            f"nothing is kept of {name}", hint="`abreast rescue` lists all that is kept"
        )
    return KeptList(tuple(chosen), tuple(notes))


def fits(work: KeptWork, name: str) -> bool:
    """Return whether `name` means this: its name, session, task or ref, or the start of a run's."""
    wanted, _, kind = name.partition("@")
    if kind and kind != work.kind:
        return False
    run, slash, task = work.session.partition("/")
    start, _, rest = wanted.partition("/")
    if slash and "/" in wanted:
        return work.ref == wanted or (run.startswith(start) and task == rest and bool(start))
    return bool(wanted) and (task == wanted or run.startswith(wanted))


def find_kept(places: Places, name: str, here: Path | None = None) -> KeptWork:
    """Return the one thing that `name` means; raises NotFoundError, also when it is several."""
    found = kept_works(places, name, here).works
    if len(found) > 1:
        names = ", ".join(dict.fromkeys(one.name for one in found[:5]))
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise NotFoundError(
            f"{len(found)} things are kept of {name}: {names}{more}",
            hint=f"name one of them, such as {found[0].name}",
        )
    return found[0]


def kept_page(work: KeptWork) -> KeptPage:
    """Return what is in something kept: its files against the base, else against its parent."""
    if work.folder is not None:
        sizes = {file: file.lstat().st_size for file in files_below(work.folder)}
        files = [
            KeptFile(str(file.relative_to(work.folder)), size=sizes[file]) for file in sorted(sizes)
        ]
        return KeptPage(work, (), tuple(files))
    repository = Repository(work.repository, work.repository, None)
    base, parent = look_up(repository, work.base or "-", f"{work.commit}^")
    start = base or parent
    files = [
        KeptFile(one.path, one.added, one.deleted)
        for one in diffstat(repository, start or empty_tree(repository), work.commit)
    ]
    return KeptPage(work, tuple(_states(repository, work.commit, start)), tuple(files))


def _states(repository: Repository, commit: str, start: str | None) -> Iterator[KeptState]:
    known = (f"^{start}",) if start else ()
    listed = ("log", f"--max-count={_STATES}", "--format=%H%x00%ct%x00%s%x00", commit, *known)
    words = repository.call(*listed, "--").stdout.split("\0")
    for at in range(0, len(words) - 1, 3):
        yield KeptState(words[at].strip(), float(words[at + 1]), words[at + 2])


def _runs(places: Places) -> tuple[list[Run], list[str]]:
    """Return all runs, and a note instead where the database does not answer."""
    try:
        return Reader(places.database).runs(1_000_000), []
    except StoreError as failure:
        return [], [f"the records could not be read: {failure.message}"]


def _repositories(places: Places, runs: Sequence[Run], here: Path | None) -> list[Path]:
    found = dict.fromkeys(Path(run.common_dir) for run in runs if run.common_dir)
    folders = [Path(run.repo) for run in runs if not run.common_dir]
    with contextlib.suppress(StoreError):
        damaged = [Path(one.worktree) for one in unrecorded(places) if one.worktree]
        folders += damaged
    for folder in dict.fromkeys([*folders, *([here] if here else [])]):
        with contextlib.suppress(AbreastError, OSError):
            found[find_repository(folder, worktrees=places.worktrees).common_dir] = None
    return list(found)


def _under_refs(common_dir: Path, sessions: Mapping[str, Session]) -> Iterator[KeptWork]:
    for ref, commit, at in _refs(common_dir):
        work = _of_ref(common_dir, ref, commit, at, sessions)
        if work is not None and work.commit != work.base:  # which holds nothing of the session
            yield work
    modules = common_dir / "modules"
    for head in sorted(modules.rglob("HEAD")) if modules.is_dir() else ():
        store = head.parent
        if not (store / "objects").is_dir():
            continue
        for ref, commit, at in _refs(store):
            work = _of_ref(store, ref, commit, at, sessions)
            if work is not None and work.kind is KeptKind.SUBMODULE:
                # What the superproject's base is says nothing here.
                yield replace(work, submodule=str(store.relative_to(modules)), base="")


def _refs(common_dir: Path) -> list[tuple[str, str, float]]:
    """Return abreast's refs to commits, each with its commit and when that was made."""
    listed = Repository(common_dir, common_dir, None).call("for-each-ref", _ROW, *_PREFIXES)
    rows = [line.split("\0") for line in listed.stdout.splitlines()]
    return [
        (row[0], row[1], float(row[3] or 0)) for row in rows if len(row) == 4 and row[2] == "commit"
    ]


def _of_ref(
    common_dir: Path, ref: str, commit: str, at: float, sessions: Mapping[str, Session]
) -> KeptWork | None:
    """Return what a ref keeps; None for one that only serves the work, or is no name of ours."""
    parts = ref.split("/")
    if len(parts) != 5:
        return None
    name = "/".join(parts[3:])
    session = sessions.get(name)
    kind = _KINDS.get(parts[2].partition("-")[0])  # a commit may follow
    if parts[1] == "heads":
        kind = None if session else KeptKind.BRANCH
    if kind is None:
        return None
    work = KeptWork(f"{name}@{kind}", name, kind, at, common_dir, ref, commit)
    return replace(work, state=session.state, base=session.base_sha) if session else work


def _in_folders(places: Places, runs: Sequence[Run]) -> Iterator[KeptWork]:
    """Yield the folders of what no commit can hold."""
    of = {session.id: (run, session) for run in runs for session in run.sessions}
    for run_folder in entries(places.aside):
        for folder in entries(run_folder):
            name = f"{run_folder.name}/{folder.name}"
            run, session = of.get(name, (None, None))
            yield KeptWork(
                f"{name}@{KeptKind.FILES}",
                name,
                KeptKind.FILES,
                written(folder),
                Path(run.common_dir if run else ""),
                folder=folder,
                state=str(session.state) if session else "",
            )

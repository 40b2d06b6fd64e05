"""Repositories as the doctor sees them, and work in them that no record tells of.

They are found without git, for it may not see a broken one.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote

from abreast.doctor.housekeeping import State, Tree
from abreast.errors import AbreastError, NotFoundError
from abreast.git.call import call
from abreast.git.repository import Repository
from abreast.git.worktree import list_worktrees
from abreast.model.finding import Evidence
from abreast.model.session import Run
from abreast.places import Places
from abreast.process.folders import entries, files_below, working_folders
from abreast.store.unrecorded import Unrecorded, unrecorded

_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")


def checkout_of(folder: Path) -> tuple[Path, Path] | None:
    """Return the checkout around `folder` and what it shares with others; None when in none.

    The latter as git names it, symbolic links resolved; the former as it is named here.
    """
    found = _around(folder) if folder.is_absolute() else None
    return (found[0], Path(os.path.realpath(found[1]))) if found else None


def _around(folder: Path) -> tuple[Path, Path] | None:
    for top in (folder, *folder.parents):
        git = top / ".git"
        # Not the methods of Path: they raise where we may not look.
        if os.path.isdir(git):  # noqa: PTH112
            return top, git
        if os.path.isfile(git):  # noqa: PTH113
            own = _pointer(git, "gitdir: ")
            if own is None:
                return None
            shared = _pointer(own / "commondir", "")
            return top, shared or own
        if _is_bare(top):
            return top, top
    return None


def _is_bare(folder: Path) -> bool:
    """Return whether a folder is a repository without a checkout around it."""
    parts = ("HEAD", "objects", "refs", "config")
    return folder.name != ".git" and all(os.path.lexists(folder / part) for part in parts)


def require_checkout(folder: Path) -> None:
    """Raise NotFoundError when a folder that the user named lies in no repository."""
    if not os.path.isdir(folder) or checkout_of(folder.absolute()) is None:  # noqa: PTH112
        raise NotFoundError(
            f"{folder} is not in a git repository",
            hint="name a folder of one, or leave out --repo",
        )


def state_of(common_dir: Path) -> State:
    """Return the state of a repository; what git cannot read of a broken one is left out."""
    # A submodule's configuration rightly names its folder; a repository that is bare by intent has
    # no index.
    main = common_dir.name == ".git" and os.path.lexists(common_dir / "index")
    failed = ""
    try:
        trees = list_worktrees(Repository(common_dir, common_dir, None))[1:]
    except (AbreastError, OSError) as error:
        trees, failed = (), f"{common_dir}: its worktrees cannot be listed: {error}"
    locks = list(_locks(common_dir))
    if locks and _at_work([common_dir, common_dir.parent, *(one.path for one in trees)]):
        locks = []  # while `git commit` waits for an editor or a hook, its lock is no leaving
    worktree = _setting(common_dir, "core.worktree")
    if worktree and os.path.realpath(common_dir / worktree) == os.path.realpath(common_dir.parent):
        worktree = ""
    return State(
        common_dir=str(common_dir),
        checkout=str(common_dir.parent) if main else "",
        bare=_setting(common_dir, "core.bare", "--type=bool") == "true",
        worktree=worktree,
        trees=tuple(
            Tree(
                str(one.path),
                os.path.lexists(one.path),
                one.locked,
                os.path.lexists(one.path / ".gitmodules"),
            )
            for one in trees
        ),
        locks=tuple(locks),
        failed=failed,
    )


def _setting(common_dir: Path, name: str, *options: str) -> str:
    """Return a setting of the shared file alone, whatever other files say; "" without it."""
    asked = ("config", "--file", str(common_dir / "config"), *options, "--get", name)
    return call(Path("/"), *asked, codes=range(256), climb=True).stdout.strip()


def _locks(common_dir: Path) -> Iterator[tuple[str, float]]:
    folders = (common_dir, *entries(common_dir / "worktrees"))
    known = [folder / name for folder in folders for name in _LOCKS]
    of_refs = [file for file in files_below(common_dir / "refs") if file.name.endswith(".lock")]
    for lock in (*known, *of_refs):
        with contextlib.suppress(OSError):
            yield str(lock), lock.stat().st_mtime


def _at_work(folders: Iterable[Path]) -> bool:
    """Return whether a git process works in or below one of the folders."""
    tops = [Path(os.path.realpath(one)) for one in folders]
    cwds = working_folders("git", "git.exe")
    return any(cwd.is_relative_to(top) for cwd in cwds for top in tops)


def _pointer(file: Path, word: str) -> Path | None:
    """Return the folder that a one-line file names, relative to where it lies."""
    try:
        line = file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None
    if not line.startswith(word):
        return None
    return Path(os.path.normpath(file.parent / line.removeprefix(word)))


_REFS = ("refs/heads/abreast/", "refs/abreast/")


def lost_records(
    places: Places, repositories: Sequence[State], runs: Sequence[Run], damage: str
) -> Iterator[Evidence]:
    """Yield the sessions on disk without a record, and the `damage` of the database, if any.

    Where there is no run at all, also those of which only refs in these repositories are left.
    """
    if damage:
        yield _damaged(places, damage)
    left = unrecorded(places, damaged=bool(damage))
    for one in left:
        found = checkout_of(Path(one.worktree)) if one.worktree else None
        common_dir = found[1] if found else None
        refs = _refs(common_dir, f"/{one.id}") if common_dir else ()
        yield _evidence(one, common_dir, refs)
    names = {one.id for one in left}
    for state in repositories if not runs else ():
        common_dir = Path(state.common_dir)
        every = _refs(common_dir)
        for name in sorted({"/".join(ref.split("/")[-2:]) for ref in every} - names):
            refs = tuple(ref for ref in every if ref.endswith(f"/{name}"))
            yield _evidence(Unrecorded(name), common_dir, refs)


def _damaged(places: Places, damage: str) -> Evidence:
    file = Path(places.database.removeprefix("sqlite:///"))
    aside = quote(f"{file}-damaged")
    # With what SQLite keeps beside it, which belongs to this file alone.
    files = " ".join(quote(f"{file}{end}") for end in ("", "-wal", "-shm"))
    return Evidence(
        f"{damage}; to begin with an empty one, put it aside",
        path=str(file),
        command=f'mkdir {aside} && for f in {files}; do [ ! -e "$f" ] || mv "$f" {aside}; done',
    )


def _refs(common_dir: Path, end: str = "") -> tuple[str, ...]:
    """Return abreast's refs in a repository whose names end in `end`."""
    try:
        listed = Repository(common_dir, common_dir, None).call(
            "for-each-ref", "--format=%(refname)", *_REFS
        )
    except (AbreastError, OSError):
        return ()
    return tuple(ref for ref in listed.stdout.splitlines() if ref.endswith(end))


def _evidence(one: Unrecorded, common_dir: Path | None, refs: Sequence[str]) -> Evidence:
    where = f"its worktree is {one.worktree}" if one.worktree else ""
    said = f"what it said and was asked is in {one.directory}" if one.directory else ""
    held = f"its work is in {', '.join(refs)} of {common_dir}" if refs else ""
    told = "; ".join(filter(None, (where, held, said)))
    command = f"ls {quote(one.directory)}" if one.directory else ""
    if refs:
        command = f"git --git-dir={quote(str(common_dir))} log --stat -1 {quote(refs[0])}"
    if one.worktree and common_dir:
        # As little as can be of what an agent may have set there.
        command = f"git -C {quote(one.worktree)} -c core.fsmonitor=false status"
        command += " --ignore-submodules=all"
    path = one.worktree or one.directory or str(common_dir or "")
    return Evidence(f"no run tells of {one.id}: {told}", path=path, command=command)

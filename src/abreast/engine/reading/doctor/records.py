"""Work that no record tells of, as the doctor shows it: where it is, and how to look at it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from abreast.doctor.housekeeping import State
from abreast.engine.reading.doctor.repositories import checkout_of
from abreast.errors import AbreastError
from abreast.git.repository import Repository
from abreast.model.finding import Evidence
from abreast.model.session import Run
from abreast.places import Places
from abreast.store.unrecorded import Unrecorded, unrecorded

_REFS = ("refs/heads/abreast/", "refs/abreast/")


def lost_records(
    places: Places, repositories: Sequence[State], runs: Sequence[Run], damage: str
) -> Iterator[Evidence]:
    """Yield the sessions on disk that no run tells of, and the `damage` of the database, if any.

    Where there is no run at all, also those of which only refs in these repositories are left.
    """
    if damage:
        yield _damaged(places, damage)
    left = unrecorded(places, damaged=bool(damage))
    for one in left:
        common_dir = _common_dir(one)
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


def _common_dir(one: Unrecorded) -> Path | None:
    found = checkout_of(Path(one.worktree)) if one.worktree else None
    return found[1] if found else None


def _refs(common_dir: Path, end: str = "") -> tuple[str, ...]:
    """Return abreast's refs in a repository, those of the session at their end."""
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

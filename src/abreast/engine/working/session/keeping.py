"""What is in a worktree: noted when its agent begins, and kept before it is emptied or removed.

The note is what a session may not change: branches, and what steers git. It is made once for each
attempt, after the plan's own setup command, and lies in the attempt's folder, outside the worktree.
A value that looks like a secret is noted as its digest. What is kept goes to refs, or is moved
aside: nothing in a worktree is lost.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from abreast.engine.common.layout import SessionLayout
from abreast.engine.working.session.context import SessionContext
from abreast.errors import StateError
from abreast.git.apart import rejoin
from abreast.git.aside import move_aside
from abreast.git.behind import keep_modules, left_behind, take_from
from abreast.git.beside import hook_files, uncommitted
from abreast.git.branches import branch_tips
from abreast.git.commit import anchor, point_back
from abreast.git.configuration import Setting, digest_of, steering
from abreast.git.guard import find_admin, guard_worktree
from abreast.git.reflog import commits_left, ids_in, read_log
from abreast.git.repository import Repository
from abreast.git.snapshot import KeptTree, Submodule, keep_submodules, snapshot
from abreast.handoff.masking import mask
from abreast.model.text import named
from abreast.process.files import load_as, private_folder, write_json
from abreast.store.writer import Store

_FILE = "before.json"
_LONGEST = 300  # characters of a value that is noted as it is
DIGEST = "sha256:"  # what is noted in place of a value begins so

Settings = Mapping[Setting, tuple[str, ...]]


@dataclass(frozen=True)
class Baseline:
    """`admin` is the worktree's own folder in the repository, `log` the size of its HEAD reflog,
    `seen` the ids in it, `heads` all branches with their commits. `settings` is what steers git, in
    rows: the file, the key in it, and the values. `checkout` is what was not committed in the
    user's, with a stamp of each file.
    """

    admin: Path
    log: int
    seen: frozenset[str]
    heads: Mapping[str, str]
    settings: tuple[tuple[str, ...], ...]
    checkout: tuple[tuple[str, str], ...] = ()

    @property
    def steering(self) -> Settings:
        """What steers git."""
        return {(file, key): tuple(values) for file, key, *values in self.settings}


def note_baseline(context: SessionContext, *, anew: bool = False) -> None:
    """Note how things are, unless that is done; `anew`: the plan's own command has run since."""
    folder, repo = context.layout.directory, context.repository
    admin = find_admin(repo, context.layout.worktree)
    if admin is None or ((folder / _FILE).exists() and not anew):
        return
    found = replace(_look(repo, admin), checkout=tuple(uncommitted(repo).items()))
    if (first := _resumed(context, admin)) is not None:
        steps = [entry.checkout for entry in read_log(admin / "logs/HEAD", first.log)]
        made = {name for step in steps if step for name in step} - set(first.heads)
        heads = {name: tip for name, tip in found.heads.items() if name not in made}
        # What was done since the first attempt is this session's own.
        found = replace(found, seen=first.seen, heads=heads)
    write_json(folder / _FILE, found)


def note_trial(repo: Repository, worktree: Path, folder: Path) -> None:
    """Note in `folder` how things are before a command runs in the scratch worktree `worktree`."""
    if (admin := find_admin(repo, worktree)) is not None:
        write_json(private_folder(folder) / _FILE, _look(repo, admin))


def _look(repo: Repository, admin: Path) -> Baseline:
    log = admin / "logs/HEAD"
    size = log.stat().st_size if log.exists() else 0
    settings = tuple((*at, *values) for at, values in settings_now(repo, admin).items())
    return Baseline(admin, size, frozenset(ids_in(admin)), branch_tips(repo), settings)


def _resumed(context: SessionContext, admin: Path) -> Baseline | None:
    """Return what the attempt before this one found, where this one goes on in its worktree."""
    if not context.session.cli_session or context.layout.attempt == 1:
        return None
    before = found_in(replace(context.layout, attempt=context.layout.attempt - 1).directory)
    return before if before is not None and before.admin == admin else None


def found_in(folder: Path) -> Baseline | None:
    """Return what an attempt found, by its folder; None when it did not get as far."""
    file = folder / _FILE
    try:
        found = file.stat()
    except OSError:
        return None
    return _found_as(file, found.st_mtime_ns, found.st_size, found.st_ino)


def noted_at(folder: Path) -> float:
    """Return when an attempt's agent was about to begin (Unix seconds); 0 when it did not."""
    file = folder / _FILE
    return file.stat().st_mtime if file.exists() else 0.0


@lru_cache(maxsize=16)
def _found_as(file: Path, *_: int) -> Baseline | None:
    """Read a note once: it is replaced whole, and asked for six times at a session's end."""
    return load_as(Baseline, file)


def settings_now(repo: Repository, admin: Path) -> Settings:
    """Return the settings that steer git now, secrets as digests."""
    found = steering(repo.common_dir, admin)
    folders = {one for (_, key), named in found.items() if key == "core.hookspath" for one in named}
    for file in (file for folder in folders for file in hook_files(repo, folder)):
        found[str(file), ""] = (digest_of(file),)
    return {at: tuple(map(_noted, values)) for at, values in found.items()}


def _noted(value: str) -> str:
    if len(value) <= _LONGEST and mask(value) == value:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value if value.startswith(DIGEST) else f"{DIGEST}{digest}"


@dataclass(frozen=True)
class Kept:
    """What was kept of a worktree. `submodules` are those with work, `aside` the paths that were
    moved to `folder`.
    """

    snapshot: KeptTree
    submodules: tuple[Submodule, ...]
    aside: tuple[str, ...] = ()
    folder: Path = Path()

    @property
    def notes(self) -> list[str]:
        """What a person should know of it."""
        told = []
        for one in self.submodules:
            at = f"submodule {one.path}, at {one.head[:12] or 'no commit'}"
            told += [f"{at}: kept as {one.kept}"] if one.kept else []
            told += [f"{at}: {one.why}"] if one.why else []
        if self.aside:
            told.append(f"no commit holds {named(self.aside)}: moved to {self.folder}")
        return told


def left_by(
    repo: Repository,
    layout: SessionLayout,
    base: str,
    known: Collection[str] = (),
    admin: Path | None = None,
) -> tuple[str, ...]:
    """Return the commits of a session that only the reflogs of its worktree hold.

    Amended, reset and dropped ones, and what a stopped rebase holds; none without a worktree. What
    the commits `known` contain is left out. `admin` may be where else the reflogs lie.
    """
    before = found_in(layout.directory)
    if admin is None:
        admin = before.admin if before is not None else find_admin(repo, layout.worktree)
        if admin is None or not admin.is_dir():
            return ()
    there, seen = (before.heads.values(), before.seen) if before is not None else ((), ())
    return commits_left(repo, admin, base, branch=layout.branch, known={*known, *there}, seen=seen)


def keep(repo: Repository, layout: SessionLayout, base: str, why: str) -> Kept:
    """Keep under refs what is in a session's worktree: commits, files, commits of submodules.

    The worktree stays as it is.
    """
    tree = guard_worktree(repo, layout.worktree)
    rejoin(repo, tree)
    if base and (left := left_by(repo, layout, base)):
        anchor(repo, layout.ref("agent"), *left, reason=f"abreast: commits of {layout.id}")
    shot = snapshot(repo, tree, layout.ref("snap"), f"abreast: {layout.id} {why}")
    inner = keep_submodules(repo, tree, base, layout.ref("submodule")) if base else ()
    return Kept(shot, inner)


def keep_behind(repo: Repository, layout: SessionLayout, base: str) -> tuple[str, ...]:
    """Keep under refs what git still has of a session's worktree that somebody has removed.

    Its commits, amended ones too, those of its submodules, and what was committed in a sandbox.
    Return what a person should know.
    """
    if not base:
        return ()
    tree, notes = left_behind(repo, layout.worktree), tuple[str, ...]()
    admin = take_from(repo, tree) if tree else layout.worktree  # the branch has a reflog, too
    if left := left_by(repo, layout, base, admin=admin):
        anchor(repo, layout.ref("agent"), *left, reason=f"abreast: commits of {layout.id}")
    if tree:
        aside = layout.aside.with_name(f"{layout.aside.name}+modules")
        notes = keep_modules(repo, tree, base, layout.ref("submodule"), aside)
    return notes


def make_room(
    repo: Repository, layout: SessionLayout, base: str, why: str, also: Collection[str] = ()
) -> Kept:
    """Keep all that is in a session's worktree, so that it may be emptied or removed.

    What no commit can hold (large files, repositories made inside) is moved aside, and so are the
    paths in `also`. Raises StateError, and moves nothing, for work in a submodule that is nowhere
    else.
    """
    kept = keep(repo, layout, base, why)
    for one in kept.submodules:
        if one.why:
            raise StateError(
                f"{one.path} is a submodule, and {one.why}",
                hint=f"commit and push it in {layout.worktree / one.path}, or move it away",
            )
    paths = dict.fromkeys([*(path for path, _ in kept.snapshot.skipped), *also])
    moved = move_aside(layout.worktree, paths, layout.aside)
    if point_back(guard_worktree(repo, layout.worktree), layout.aside):
        moved.append(".git")
    return Kept(kept.snapshot, kept.submodules, tuple(moved), layout.aside)


def tell_kept(store: Store, session: str, notes: Iterable[str]) -> None:
    """Write into the session's story what a person should know of what was kept."""
    for note in notes:
        store.add_event(session, "kept", note)

"""Nothing in a worktree is lost before it is emptied or removed: to refs, or moved aside."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from abreast.engine.common.layout import SessionLayout
from abreast.engine.working.session.baseline import found_in
from abreast.errors import StateError
from abreast.git.aside import move_aside
from abreast.git.commit import anchor, point_back
from abreast.git.guard import find_admin, guard_worktree
from abreast.git.reflog import commits_left
from abreast.git.repository import Repository
from abreast.git.snapshot import Snapshot, Submodule, keep_submodules, snapshot
from abreast.model.text import named
from abreast.store.writer import Store


@dataclass(frozen=True)
class Kept:
    """What was kept of a worktree. `submodules` are those with work, `aside` the paths that were
    moved to `folder`.
    """

    snapshot: Snapshot
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
            told.append(f"no commit can hold {named(self.aside)}: moved to {self.folder}")
        return told


def left_by(
    repo: Repository, layout: SessionLayout, base: str, known: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the commits of a session that only the reflogs of its worktree hold.

    Amended, reset and dropped ones, and what a stopped rebase holds; none without a worktree. What
    the commits `known` contain is left out.
    """
    before = found_in(layout.directory)
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
    if base and (left := left_by(repo, layout, base)):
        anchor(repo, layout.ref("agent"), *left, reason=f"abreast: commits of {layout.id}")
    shot = snapshot(repo, tree, layout.ref("snap"), f"abreast: {layout.id} {why}")
    inner = keep_submodules(repo, tree, base, layout.ref("submodule")) if base else ()
    return Kept(shot, inner)


def make_room(repo: Repository, layout: SessionLayout, base: str, why: str) -> Kept:
    """Keep all that is in a session's worktree, so that it may be emptied or removed.

    What no commit can hold (large files, repositories made inside) is moved aside. Raises
    StateError, and moves nothing, for work in a submodule that is nowhere else.
    """
    kept = keep(repo, layout, base, why)
    for one in kept.submodules:
        if one.why:
            raise StateError(
                f"{one.path} is a submodule, and {one.why}",
                hint=f"commit and push it in {layout.worktree / one.path}, or move it away",
            )
    paths = [path for path, _ in kept.snapshot.skipped]
    moved = move_aside(layout.worktree, paths, layout.aside)
    if point_back(guard_worktree(repo, layout.worktree), layout.aside):
        moved.append(".git")
    return Kept(kept.snapshot, kept.submodules, tuple(moved), layout.aside)


def tell_kept(store: Store, session: str, kept: Kept) -> None:
    """Write into the session's story what a person should know of what was kept."""
    for note in kept.notes:
        store.add_event(session, "kept", note)

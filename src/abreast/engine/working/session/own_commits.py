"""The commits that an agent made and then left: they are kept before their worktree goes."""

from collections.abc import Collection

from abreast.engine.common.layout import SessionLayout
from abreast.engine.working.session.before import found_by
from abreast.git.commit import anchor
from abreast.git.guard import find_admin
from abreast.git.reflog import commits_left
from abreast.git.repository import Repository


def left_by(
    repo: Repository, layout: SessionLayout, base: str, known: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the commits of a session that only the reflogs of its worktree hold.

    Amended, reset and dropped ones, and what a stopped rebase holds; none without a worktree. What
    the commits `known` contain is left out.
    """
    before = found_by(layout)
    admin = before.admin if before is not None else find_admin(repo, layout.worktree)
    if admin is None or not admin.is_dir():
        return ()
    there, seen = (before.heads.values(), before.seen) if before is not None else ((), ())
    return commits_left(repo, admin, base, branch=layout.branch, known={*known, *there}, seen=seen)


def keep_left(repo: Repository, layout: SessionLayout, base: str) -> None:
    """Keep under the session's ref what `left_by` finds."""
    left = left_by(repo, layout, base) if base else ()
    if left:
        anchor(repo, layout.ref("agent"), *left, reason=f"abreast: commits of {layout.id}")

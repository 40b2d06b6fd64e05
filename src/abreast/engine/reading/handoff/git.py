"""The state of a session's checkout, for its handoff: read from git, which changes nothing."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from abreast.errors import GitError, NotFoundError
from abreast.git.changes import (
    FileStat,
    apart,
    changed_since,
    commits_since,
    diffstat,
    head_at,
    names_between,
    untracked,
)
from abreast.git.guarded import Where, path_of
from abreast.git.repository import Repository, find_repository, read_ref
from abreast.git.status import Dirty, current_branch, dirty_summary, file_marks, find_commit
from abreast.handoff.facts import CheckoutState, File
from abreast.handoff.fresh import Now
from abreast.handoff.page import read_header
from abreast.model.handoff import Header
from abreast.model.session import Session
from abreast.places import find_places

NAME = "CURRENT_WORK.md"
_SHORT = 12
_HEAD = 4000


def top_of(folder: Path) -> Path | None:
    """Return the top of the checkout around `folder`, None when git knows of none."""
    try:
        found = checkout_around(folder)
    except GitError:
        return None
    return None if found is None else path_of(found)


def checkout_around(folder: Path) -> Where | None:
    """Return the checkout around `folder`, None when it is in none.

    Raises GitError when git does not read it, such as a repository that somebody else owns.
    """
    try:
        found = find_repository(folder, worktrees=find_places().worktrees)
    except NotFoundError:
        return None
    return found.where if found.toplevel else None


def state_around(folder: Path, *, begun: float = 0.0) -> CheckoutState:
    """Return how the checkout around `folder` stands, since HEAD was what it was at `begun`."""
    try:
        found = checkout_around(folder)
    except GitError as refusal:
        return CheckoutState(unread=refusal.message)
    return CheckoutState() if found is None else state_of(found, begun=begun)


def state_of(where: Where, *, begun: float = 0.0, base: str = "") -> CheckoutState:
    """Return how a checkout stands.

    `base` is the commit that the session began at; without it, HEAD at `begun`, if git still knows.
    """
    top = path_of(where)
    head = find_commit(where, "HEAD") or ""
    if head and not base and begun:
        base = head_at(where, begun) or ""
    if base and find_commit(where, base) is None:
        base = ""
    marks, left = _marks(where), dirty_summary(where)
    new = [name for name in untracked(where) if not _is_handoff(top / name)]
    changed = changed_since(where, base or head) if head else []
    return CheckoutState(
        top=str(top),
        head=head,
        branch=current_branch(where) or "",
        base=base,
        changed=(*_files(changed), *map(File, new)),
        commits=tuple(commits_since(where, base)) if base else (),
        dirty=_dirty(left, len(new)),
        uncommitted=tuple(marks),
        work=_digest(marks),
        operation=left.operation,
    )


def state_in_refs(repo: Repository, base: str, commit: str, ref: str, branch: str) -> CheckoutState:
    """Return how a session's work stands whose worktree is gone: its commit, or what was kept."""
    kept = read_ref(repo, ref) or ""
    tip = commit or kept
    changed = diffstat(repo, base, tip) if base and tip else []
    return CheckoutState(
        top="",
        head=tip or base,
        branch=branch,
        base=base,
        changed=_files(changed),
        kept="" if commit else ref if kept else "",
        gone=True,
    )


def state_proven(repo: Repository, checkout: Path, session: Session) -> CheckoutState:
    """Return how the checkout of a session stands that has just been proven done.

    It is clean and at the session's commit, so git is asked for nothing but that commit's lines:
    asking everything (`standing_of`) costs some 70 ms of CPU, which each session would pay.
    """
    base, commit = session.base_sha, session.commit
    changed = diffstat(repo, base, commit) if commit else []
    subject = " ".join(session.produces.strip().partition("\n\n")[0].split())
    return CheckoutState(
        top=os.path.realpath(checkout),
        head=commit or base,
        branch=session.branch,
        base=base,
        changed=_files(changed),
        commits=(f"{short(commit)} {subject}",) if commit else (),
    )


def now_of(where: Where, header: Header) -> Now:
    """Return how a checkout stands now, for a handoff that is to be judged."""
    head, marks = find_commit(where, "HEAD") or "", _marks(where)
    found = apart(where, header.commit, "HEAD") if header.commit and head else (0, 0)
    ahead, behind = found or (0, 0)
    files = set(_written_since(path_of(where), list(marks), header.at))
    if found and (ahead or behind):
        files |= set(names_between(where, header.commit, "HEAD"))
    return Now(
        head=head,
        branch=current_branch(where) or "",
        work=_digest(marks),
        known=found is not None,
        behind=behind,
        ahead=ahead,
        files=tuple(sorted(files)),
    )


def short(commit: str) -> str:
    """Return a commit's id as a handoff names it."""
    return commit[:_SHORT]


def _files(changed: Iterable[FileStat]) -> tuple[File, ...]:
    return tuple(File(one.path, one.added, one.deleted) for one in changed)


def _marks(where: Where) -> dict[str, str]:
    """Return what is not committed, without handoffs: writing one makes none stale."""
    top = path_of(where)
    return {n: m for n, m in file_marks(where).items() if not _is_handoff(top / n)}


def _is_handoff(file: Path) -> bool:
    """Return whether a file is a handoff or empty, as a redirection into it makes it."""
    if file.suffix != ".md" or file.is_symlink() or not file.is_file():
        return False
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            text = opened.read(_HEAD)
    except OSError:
        return False
    return not text or read_header(text) is not None


def _dirty(found: Dirty, new: int) -> str:
    parts = [
        f"{len(found.tracked)} changed" if found.tracked else "",
        f"{new} untracked" if new else "",
        f"a {found.operation} under way" if found.operation else "",
    ]
    return ", ".join(part for part in parts if part)


def _digest(marks: dict[str, str]) -> str:
    if not marks:
        return ""
    told = "\0".join(f"{name}\0{mark}" for name, mark in sorted(marks.items()))
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:8]


def _written_since(top: Path, names: list[str], at: float) -> list[str]:
    found = []
    for name in names:
        try:
            written = (top / name).lstat().st_mtime
        except OSError:  # deleted: when cannot be told
            continue
        if written > at:
            found.append(name)
    return found

"""What an agent did beyond its worktree: branches of others moved, what steers git changed.

Such a session is blocked, and told with the commands that look at it and undo it; we undo nothing
of the user's. A branch is held against the session whose worktree moved it. Who has changed the
shared configuration cannot be known: every session that was at work then is blocked, unless it is
as before again when the session ends. A file in another checkout is held against the session whose
own record shows that it wrote it. What the user does otherwise meanwhile is no matter.
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.common.ending import Ending
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.keeping import (
    DIGEST,
    Baseline,
    found_in,
    settings_now,
)
from abreast.engine.working.session.outside import note_changes, written_outside
from abreast.engine.working.session.preparing import spec_of
from abreast.git.branches import Moved, head_branch, moved_branches
from abreast.git.commit import anchor, checkout_clean
from abreast.git.configuration import Setting
from abreast.git.making import checked_out_in, mend_worktree
from abreast.git.reflog import read_log
from abreast.git.repository import read_ref
from abreast.model.session import SessionKind, SessionState

_SHOWN = 3  # of what was found, in reason and hint; `abreast logs` has all
_SETTLED = {SessionState.DONE, SessionState.STOPPED}


@dataclass(frozen=True)
class Trespass:
    """`what` was done; `look` and `undo` are commands, or words where there is none."""

    what: str
    look: str
    undo: str

    def __str__(self) -> str:
        return f"{self.what}\nlook: {self.look}\nundo: {self.undo}"


def judge(context: SessionContext) -> Ending | None:
    """Return the ending of a session that went beyond its worktree, or has none any more; None: it
    is fit to be looked at.

    A person who works in a session of their own may: there it is only told.
    """
    if gone := _no_worktree(context):
        return gone
    if context.session.kind is SessionKind.OPEN:
        return None
    found, _ = _found(context)
    return Ending(SessionState.BLOCKED, _reason(found), _hint(context, found)) if found else None


def _no_worktree(context: SessionContext) -> Ending | None:
    """Repair a worktree that somebody removed; return the session's ending if that fails."""
    layout, before = context.layout, found_in(context.layout.directory)
    if before is None:
        return None
    if not layout.worktree.exists():
        reason = f"its worktree was removed while it ran, by whom is not known: {layout.worktree}"
        hint = f"what it had committed is on {layout.branch}; abreast retry {layout.id}"
        return Ending(SessionState.FAILED, reason, hint)
    if mend_worktree(context.repository, spec_of(context, context.session.base_sha), before.admin):
        text = f"{before.admin} was removed while it ran, by whom is not known; it was made again"
        context.add_event("warning", text)
    return None


def told(context: SessionContext, ending: Ending) -> Ending:
    """Record what a session did beyond its worktree, and return its ending with that in view.

    Branches that are gone, by whose doing is not known, are told and kept under a ref.
    """
    layout = context.layout
    if (removed := _no_worktree(context)) and ending.state not in _SETTLED:
        ending = replace(ending, reason=removed.reason, hint=removed.hint)
    for place in _elsewhere(context):
        context.add_event("warning", f"branch {layout.branch} is checked out in {place}")
    found, gone = _found(context)
    for one in gone:
        ref = anchor_of(context, one)
        text = f"branch {one.branch} is gone, by whom is not known; {one.old[:12]} is kept: {ref}"
        context.add_event("warning", text)
    for trespass in found:
        context.add_event("trespass", str(trespass))
    before = found_in(layout.directory)
    if before is not None and context.session.kind is not SessionKind.OPEN:
        note_changes(context, before)
    if not found or context.session.kind is SessionKind.OPEN or ending.state is SessionState.DONE:
        return ending  # what is done was judged before it was committed
    reason, hint = _reason(found), _hint(context, found)
    if ending.reason == reason:
        return replace(ending, hint=hint)
    state = ending.state if ending.state is SessionState.STOPPED else SessionState.BLOCKED
    return replace(ending, state=state, reason=f"{reason}; and: {ending.reason}", hint=hint)


def _elsewhere(context: SessionContext) -> list[Path]:
    """Return where else the session's branch is checked out: what is there no longer fits it."""
    before = found_in(context.layout.directory)
    if before is None or not any(
        entry.checkout for entry in read_log(before.admin / "logs/HEAD", before.log)
    ):
        return []  # git checks a branch out twice only where it is forced to
    return checked_out_in(context.repository, context.layout.branch, before.admin)


def anchor_of(context: SessionContext, one: Moved) -> str:
    """Keep the commits of a branch that is gone under a ref, and return that."""
    ref = context.layout.ref("kept")
    anchor(context.repository, ref, one.old, reason=f"abreast: {one.branch} was there")
    return ref


def come_home(context: SessionContext) -> None:
    """Put a worktree that is on a branch of others back on its own; its files stay as they are.

    Else the user could not check out that branch, and the session could not be resumed.
    """
    before = found_in(context.layout.directory)
    own = read_ref(context.repository, f"refs/heads/{context.layout.branch}")
    if before is None or own is None or not context.layout.worktree.exists():
        return
    here = head_branch(before.admin)
    if here in before.heads and here != context.layout.branch:
        checkout_clean(context.tree, context.layout.branch)


def of_trial(context: SessionContext, folder: Path) -> str:
    """Return and record what was done beyond the scratch worktree since `note_trial`.

    An empty text when nothing was.
    """
    before = found_in(folder)
    found = _beyond(context, before, "")[0] if before else []
    for trespass in found:
        context.add_event("trespass", str(trespass))
    return _reason(found)


def _found(context: SessionContext) -> tuple[list[Trespass], list[Moved]]:
    before = found_in(context.layout.directory)
    return _beyond(context, before, context.layout.branch) if before else ([], [])


def _beyond(
    context: SessionContext, before: Baseline, branch: str
) -> tuple[list[Trespass], list[Moved]]:
    """Return what was done beyond a worktree on `branch`, and the branches that are gone."""
    moved, gone = moved_branches(
        context.repository, before.admin, before.heads, branch=branch, since=before.log
    )
    theirs = [one for one in gone if not one.branch.startswith("abreast/")]
    files = written_outside(context) if branch else []
    found = [*(_branch(context, one) for one in moved), *_settings(context, before)]
    return [*found, *(_file(path, checkout) for path, checkout in files)], theirs


def _branch(context: SessionContext, one: Moved) -> Trespass:
    git, ref = f"git -C {shlex.quote(context.run.repo)}", shlex.quote(f"refs/heads/{one.branch}")
    if one.new is None:
        what = f"it renamed or removed branch {one.branch}, which was at {one.old[:12]}"
        name = shlex.quote(one.branch)
        return Trespass(what, f"{git} branch -a", f"{git} branch {name} {one.old[:12]}")
    what = f"it moved branch {one.branch}, not its own, from {one.old[:12]} to {one.new[:12]}"
    look = f"{git} log --oneline --left-right {one.old[:12]}...{one.new[:12]}"
    # Refuses when somebody has gone on from there; index and files of a checkout stay.
    return Trespass(what, look, f"{git} update-ref {ref} {one.old} {one.new}")


def _file(path: Path, checkout: Path) -> Trespass:
    git, name = f"git -C {shlex.quote(str(checkout))}", shlex.quote(str(path))
    what = f"it wrote {path.relative_to(checkout)} in {checkout}, which is not its worktree"
    # What was there before is not known: only a person can say what is to be there.
    return Trespass(what, f"{git} diff HEAD -- {name}", "put back your own copy of it")


def _settings(context: SessionContext, before: Baseline) -> list[Trespass]:
    old, now = before.steering, settings_now(context.repository, before.admin)
    changed = sorted(at for at in {*old, *now} if old.get(at) != now.get(at))
    return [_setting(at, old.get(at, ()), now.get(at, ())) for at in changed]


def _setting(at: Setting, old: tuple[str, ...], now: tuple[str, ...]) -> Trespass:
    file, key = at
    if not key:
        how = "changed" if old and now else "added" if now else "removed"
        undo = "put back your own copy of it" if old else f"rm {shlex.quote(file)}"
        return Trespass(
            f"while it ran, {_short(file)} was {how}", f"less {shlex.quote(file)}", undo
        )
    how = "changed" if old and now else "set" if now else "removed"
    what = f"while it ran, {key} was {how} in {_short(file)}"
    config, name = f"git config --file {shlex.quote(file)}", shlex.quote(key)
    if not old:
        undo = f"{config} --unset-all {name}"
    elif len(old) == 1 and not old[0].startswith(DIGEST):
        undo = f"{config} --replace-all {name} {shlex.quote(old[0])}"
    else:
        undo = f"{config} --edit"
    return Trespass(what, f"{config} --get-all {name}", undo)


def _short(file: str) -> str:
    """Return a file of the repository by its last folders: `.git/hooks/post-merge`."""
    parts = Path(file).parts
    start = len(parts) - 1 - parts[::-1].index(".git") if ".git" in parts else 0
    return str(Path(*parts[start:]))


def _reason(found: list[Trespass]) -> str:
    rest = len(found) - _SHOWN
    more = [f"and {rest} more"] if rest > 0 else []
    return "; ".join([*(trespass.what for trespass in found[:_SHOWN]), *more])


def _hint(context: SessionContext, found: list[Trespass]) -> str:
    shown = [f"look: {one.look}; undo: {one.undo}" for one in found[:_SHOWN]]
    more = [f"all: abreast logs {context.layout.id}"] if len(found) > _SHOWN else []
    return "; ".join([*shown, *more, "then: abreast resume RUN"])

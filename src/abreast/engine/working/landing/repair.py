"""Repair: what bounces goes back to its own session, on a merge of the target into its work.

The merge is a commit that no branch gets: its parents are the target as it was and what bounced,
its files have git's marks where the two conflict, and its message is what the session is told. So
all that a repair begins with is fixed before it is asked for, whoever is killed when.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abreast.engine.working.landing.candidate import merge_onto, start_of
from abreast.engine.working.landing.own import others_named
from abreast.engine.working.landing.repair_words import BouncedMerge, words
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.spending import left_of
from abreast.git.commit import commit_tree, tree_of
from abreast.git.repository import missing_from, read_ref, swap_ref
from abreast.model.session import LandMode, Session, SessionState
from abreast.runner.job import STREAM
from abreast.store.rows import SessionUpdate


def after_conflict(context: SessionContext, tip: str, bounce: SessionUpdate) -> SessionUpdate:
    """Return the bounce of a session that does not merge onto `tip`, to be repaired if it may be.

    One that conflicts only because what it was built on is not there waits for that.
    """
    session = context.session
    lacking = missing_from(context.repository, tip, session.commit, session.base_sha)
    start = start_of(context, tip, lacking)
    if start and others_named(context):
        return bounce
    merged = merge_onto(context, tip, start)
    if not merged.conflicts:  # it bounced for another reason
        return bounce
    return _to_repair(context, bounce, BouncedMerge(tip, merged.tree, merged.conflicts))


def after_red(
    context: SessionContext, tip: str, candidate: str, bounce: SessionUpdate, trials: Sequence[Path]
) -> SessionUpdate:
    """Return the bounce of a session whose `candidate` on `tip` is red, to be repaired if it may.

    `trials` are the folders in which its verify may have run, the latest first.
    """
    streams = (folder / "verify" / STREAM for folder in trials)
    file = next((one for one in streams if one.exists()), None)
    said = file.read_text(encoding="utf-8", errors="replace") if file else ""
    tree = tree_of(context.repository, candidate)
    return _to_repair(context, bounce, BouncedMerge(tip, tree, said=said))


def after_hook(
    context: SessionContext, tip: str, candidate: str, bounce: SessionUpdate, job: Path
) -> SessionUpdate:
    """Return the bounce of a session that a hook has refused on `tip`, to be repaired if it may.

    `job` is the folder in which the hook ran; it is called like the hook.
    """
    file, tree = job / STREAM, tree_of(context.repository, candidate)
    said = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    return _to_repair(context, bounce, BouncedMerge(tip, tree, said=said, hook=job.name))


def _to_repair(
    context: SessionContext, bounce: SessionUpdate, found: BouncedMerge
) -> SessionUpdate:
    """Return the bounce with the merge that its repair goes on from, or with why there is none."""
    session, repo = context.session, context.repository
    if not session.most_repairs or context.run.land is LandMode.PR:
        return bounce
    page = f"abreast show {session.id} has all that is needed to decide"
    if session.repairs >= session.most_repairs:
        told = f"{bounce.reason}; it was repaired {session.repairs} of {session.most_repairs} times"
        return replace(bounce, reason=told, hint=page)
    if used := left_of(context).used_up:
        return replace(bounce, reason=f"{bounce.reason}; {used} are used up: no repair", hint=page)
    text = words(context, bounce.reason, found)
    merge = commit_tree(repo, found.tree, [found.tip, session.commit], text)
    ref = context.layout.ref("repair")
    swap_ref(repo, ref, merge, read_ref(repo, ref), reason=f"abreast: to repair {session.id}")
    return replace(bounce, mending=merge)


def is_repaired(session: Session) -> bool:
    """Return whether a session is on its way to land again, after a repair."""
    waits = session.state is SessionState.DONE or not session.state.final
    return bool(session.mending) and waits

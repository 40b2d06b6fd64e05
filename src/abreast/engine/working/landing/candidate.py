"""The commit that lands a session: its own change, put onto the tip of the target.

Its own change is what it has changed since the commit it began at. How it looks in the target's
history is the plan's choice: one commit, a merge, or the commits that the agent made itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS
from abreast.engine.working.landing.driven import lost_by_driver
from abreast.engine.working.landing.own import brings_others, others_named
from abreast.engine.working.session.context import SessionContext
from abreast.errors import FREE_SPACE, AbreastError, GitError
from abreast.git.commit import commit_tree, tree_of, wants_signature
from abreast.git.lines import OwnCommit, own_commits, own_trailers
from abreast.git.merge import Merged, adds_nothing, holds, merge_since, merge_trees
from abreast.git.repository import is_ancestor, look_up, missing_from
from abreast.model.session import LandState, LandStyle
from abreast.model.text import one_line
from abreast.process.room import full, is_full
from abreast.store.rows import SessionUpdate

NOTE = "merge-"  # and the tip that a candidate was made for: the file names the candidate
Trailers = list[tuple[str, str]]


@dataclass(frozen=True)
class LandingCandidate:
    """What is to become the tip of the target. `story`: what its session's log should tell."""

    commit: str
    story: tuple[tuple[str, str], ...] = ()


def make_candidate(
    context: SessionContext, tip: str, ahead: Collection[str] = ()
) -> LandingCandidate | SessionUpdate:
    """Return the commit that lands the session on `tip` (a commit); or how the landing has ended.

    No ref points to it yet. The tasks in `ahead` land before it.
    """
    repo, session, style = context.repository, context.session, context.plan.land_style
    lacking = missing_from(repo, tip, session.commit, session.base_sha)
    if landed := landed_as(context, tip, lacking):
        return SessionUpdate(landing=LandState.LANDED, landed=landed)
    start = start_of(context, tip, lacking)
    if style is LandStyle.MERGE and not start and is_ancestor(repo, tip, session.commit):
        return LandingCandidate(session.commit)
    others = others_named(context, ahead) if start else ""
    merged = merge_onto(context, tip, start, whole=not others)
    if merged.conflicts:
        return _conflict(context, merged.conflicts, others)
    line, tree = look_up(repo, context.layout.ref("line"), f"{tip}^{{tree}}")
    if merged.tree == tree:
        return _nothing_new(context, tip, start)
    if lost := lost_by_driver(context, tip, merged.tree):
        return bounced(lost, "merge it by hand: abreast attach " + session.id)
    alone = f"lands its own change alone: {others} has not landed"
    told = (("alone", alone),) if others else ()
    return _shaped(context, tip, merged, told, line, joins=not start)


def merge_onto(context: SessionContext, tip: str, start: str, *, whole: bool = True) -> Merged:
    """Return what the session changes since `start` ("": git's own merge base), put onto `tip`."""
    repo, commit = context.repository, context.session.commit
    if not start:
        return merge_trees(repo, tip, commit)
    return merge_since(repo, start, tip, commit, whole=whole)


def bounced(reason: str, hint: str = "") -> SessionUpdate:
    """Return the end of a landing that was refused."""
    return SessionUpdate(landing=LandState.BOUNCED, landed="", reason=reason, hint=hint)


def refused_by(error: AbreastError, context: SessionContext | None = None) -> SessionUpdate:
    """Return the end of a landing that an error stands in the way of."""
    if context is not None and is_full(error):
        found = full(context.engine.places.state, context.repository.common_dir)
        return bounced(found.message, f"{FREE_SPACE}; then: abreast land {context.session.id}")
    return bounced(error.message, error.hint or "")


def notes_folder(context: SessionContext) -> Path:
    """Return the folder of an attempt's landings, with a folder in it for each request."""
    return context.layout.directory / "landing"


def landed_as(context: SessionContext, tip: str, lacking: Collection[str] | None = None) -> str:
    """Return the commit by which `tip` (a commit) has what the session made; "": it has not.

    `lacking` are commits that `tip` is known not to contain, the session's own among them if so.
    That is what it has landed as already; else one of the candidates that were made of it, for this
    request or an earlier one; else its own commit.
    """
    repo, folder = context.repository, notes_folder(context)
    own, recorded = context.session.commit, context.session.landed
    if recorded and holds(repo, tip, recorded):
        return recorded
    if lacking is None:
        lacking = missing_from(repo, tip, own)
    notes = folder.glob(f"*/{NOTE}*") if folder.is_dir() else ()
    made = {note.read_text(encoding="ascii") for note in notes}
    found = next((one for one in sorted(made) if holds(repo, tip, one)), "")
    return found or (own if own not in lacking else "")


def start_of(context: SessionContext, tip: str, lacking: Collection[str]) -> str:
    """Return the commit since which the session's change counts; "": git's own merge base."""
    base = context.session.base_sha
    if context.plan.land_style is LandStyle.MERGE:
        return base if brings_others(context, tip) else ""
    # Mostly the target grows from the base, and then it is the merge base.
    return base if base in lacking else ""


def _shaped(
    context: SessionContext,
    tip: str,
    merged: Merged,
    told: tuple[tuple[str, str], ...],
    line: str | None,
    *,
    joins: bool,
) -> LandingCandidate:
    style, session = context.plan.land_style, context.session
    if style is LandStyle.MERGE and joins:
        message = f"Merge {context.layout.branch}: {context.task.produces}"
        parents = [tip, session.commit]
        return LandingCandidate(
            _commit(context, merged.tree, parents, message, _co_author(context)), told
        )
    if style is LandStyle.REBASE and line:
        own_line = own_commits(context.repository, session.base_sha, line)
        return _replayed(context, tip, merged, own_line, told)
    own = own_trailers(context.repository, session.base_sha, line) if line else []
    trailers = _distinct([*own, *_co_author(context)])
    if session.base_sha == tip and not trailers:
        return LandingCandidate(session.commit, told)  # it is that commit already
    return LandingCandidate(
        _commit(context, merged.tree, [tip], context.task.produces, trailers), told
    )


def _replayed(
    context: SessionContext,
    tip: str,
    merged: Merged,
    own: Sequence[OwnCommit],
    told: tuple[tuple[str, str], ...],
) -> LandingCandidate:
    """Return the agent's own commits on `tip`, and one more for what is in none of them."""
    repo, head = context.repository, tip
    for one in own:
        put = merge_since(repo, one.parent, head, one.id, whole=True)
        if put.conflicts:
            text = f"{one.id[:12]} does not apply by itself: what is left lands as one commit"
            told = (*told, ("squashed", text))
            break
        if put.tree == tree_of(repo, head):
            continue
        message = one.message.strip() or context.task.produces
        try:
            head = _commit(context, put.tree, [head], message, _co_author(context), env=one.author)
        except GitError as error:  # git refuses an author without a name, or a date it cannot read
            said = one_line(error.message)
            text = f"{one.id[:12]} cannot be made again, what is left lands as one commit: {said}"
            told = (*told, ("squashed", text))
            break
    if merged.tree == tree_of(repo, head) and head != tip:
        return LandingCandidate(head, told)
    message = context.task.produces
    return LandingCandidate(
        _commit(context, merged.tree, [head], message, _co_author(context)), told
    )


def _commit(
    context: SessionContext,
    tree: str,
    parents: list[str],
    message: str,
    trailers: Trailers,
    *,
    env: dict[str, str] | None = None,
) -> str:
    repo = context.repository
    ours = [("Abreast-Run", context.run.id), ("Abreast-Session", context.layout.id)]
    every = [*trailers, *ours]
    return commit_tree(
        repo, tree, parents, message, trailers=every, sign=wants_signature(repo), env=env
    )


def _co_author(context: SessionContext) -> Trailers:
    agent = AGENTS.get(context.session.agent)
    known = agent.co_author if agent and context.plan.co_author else ""
    return [("Co-authored-by", known)] if known else []


def _distinct(trailers: Trailers) -> Trailers:
    """Return the trailers without repetitions; keys are the same in any case."""
    seen = {(key.lower(), value): (key, value) for key, value in reversed(trailers)}
    return [pair for pair in trailers if seen.pop((pair[0].lower(), pair[1]), None)]


def _conflict(context: SessionContext, conflicts: tuple[str, ...], others: str) -> SessionUpdate:
    names, target = ", ".join(conflicts[:5]), context.run.target
    then = f"abreast land {context.run.id}"
    if others:
        reason = f"its own change, without {others}, conflicts with {target}"
        return bounced(f"{reason} in {names}", f"{then}, once what it was built on can land")
    hint = f"abreast attach {context.layout.id}, merge {target} there, {then}"
    return bounced(f"conflicts with {target} in {names}", hint)


def _nothing_new(context: SessionContext, tip: str, start: str) -> SessionUpdate:
    """Return the landing of a session whose merge changes nothing in the target."""
    # As after a squash by hand.
    if adds_nothing(context.repository, context.session.commit, tip, start):
        return SessionUpdate(landing=LandState.LANDED, landed=tip)
    reason = (
        f"a merge driver keeps {context.run.target} as it is: nothing of the session would land"
    )
    return bounced(reason, "`git config --get-regexp '^merge\\..*driver'` lists the drivers")

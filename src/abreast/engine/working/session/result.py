"""What a session's work amounts to: checked, verified, committed, or kept when it is not done.

Done means that the commit has all that verify sees: no file that git cannot take, no merge that
stopped half-way, no conflict marker, no submodule whose work is nowhere else.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from abreast.agents import agent_named, mailbox
from abreast.engine.common.ending import Ending, asking
from abreast.engine.working.conflicts.warning import take_back
from abreast.engine.working.session import trespass
from abreast.engine.working.session.asking import ask_at_end, question
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.final import leave, write_ending
from abreast.engine.working.session.keeping import (
    keep,
    keep_behind,
    left_by,
    make_room,
    note_baseline,
    tell_kept,
)
from abreast.engine.working.session.repairing import dropped
from abreast.gate.planned import BaseTree, declare
from abreast.git.changes import changed_files, diffstat
from abreast.git.commit import anchor, commit_tree, restore_tree, seal, tree_of, wants_signature
from abreast.git.merge import markers_in
from abreast.git.publish import pack_made, published
from abreast.git.repository import Repository
from abreast.git.snapshot import Built, build_tree, keep_submodules
from abreast.git.status import operation, own_git_dir
from abreast.handoff.questions import questions_in
from abreast.model.session import SessionKind, SessionState
from abreast.model.task import Task
from abreast.model.text import counted, named, one_line
from abreast.process.files import load_as, write_atomic, write_json
from abreast.runner.job import JOB
from abreast.store.rows import SessionUpdate


def unfit(context: SessionContext, built: Built) -> Ending | None:
    """Return the ending of a session whose worktree cannot be committed whole; None: it can."""
    tree, layout = context.tree, context.layout
    if own_git_dir(tree.path) != tree.admin:
        hint = (
            f"look at {tree.path / '.git'}; what is in the worktree is kept: {layout.ref('snap')}"
        )
        return Ending(SessionState.BLOCKED, "the .git of its worktree was replaced", hint)
    if built.skipped:
        path, why = built.skipped[0]
        hint = "let .gitignore name it, or the task not make it"
        return Ending(SessionState.FAILED, f"{one_line(path)} cannot be committed: {why}", hint)
    if built.unmerged:
        under_way = operation(tree) or "merge"
        reason = f"a {under_way} stopped half-way, with conflicts in {named(built.unmerged)}"
        return Ending(SessionState.FAILED, reason, f"settle them: abreast attach {layout.id}")
    if marked := markers_in(context.repository, tree, context.session.base_sha, built.tree):
        reason = f"conflict markers are left in {named(marked)}"
        return Ending(SessionState.FAILED, reason, _MEANT)
    return _submodules(context)


_MEANT = "if they are meant, .gitattributes can say so: `FILE conflict-marker-size=32`"


def _submodules(context: SessionContext) -> Ending | None:
    layout, base = context.layout, context.session.base_sha
    for one in keep_submodules(context.repository, context.tree, base, layout.ref("submodule")):
        if one.why:
            place = layout.worktree / one.path
            hint = f"commit and push it in {place}, then: abreast resume RUN"
            return Ending(SessionState.FAILED, f"{one.path} is a submodule, and {one.why}", hint)
        text = f"{one.path} is at a new commit, {one.head[:12]}: push it from {one.kept}"
        context.add_event("warning", text)
    return None


def check(context: SessionContext) -> Ending | None:
    """Check what is in the worktree against the task, and make a commit of it.

    That is kept under a ref: the verify command, which comes next, may do anything to the worktree.
    """
    if ending := trespass.judge(context):
        return ending
    repo, layout, base = context.repository, context.layout, context.session.base_sha
    built, base_tree = build_tree(context.tree), _base_tree(repo, base)
    worked = built.tree not in {base_tree, _left_by_setup(context)}
    objects = context.tree.objects
    stats = diffstat(repo, base, built.tree, env=objects) if worked else []
    files = tuple(one.path for one in stats)
    context.update(
        SessionUpdate(
            files=files,
            added=sum(one.added or 0 for one in stats),
            deleted=sum(one.deleted or 0 for one in stats),
            outside=_outside(context.task, files),
        )
    )
    if ending := unfit(context, built) or _unexpected(context, files):
        return ending
    tree = built.tree if worked else base_tree  # what setup has left is no work
    commit = base if tree == base_tree else _kept_candidate(context, tree)
    write_json(layout.directory / _CANDIDATE, Candidate(commit, tree))
    return None


def check_and_commit(context: SessionContext) -> Ending | None:
    """Check what is in the worktree; commit it at once where no verify command comes in between.

    Return the ending, or None: verify is next, and `commit` after it.
    """
    ending = check(context)
    if ending is not None or "verify" in context.task.commands:
        return ending
    return context.stopped if context.stopping else _commit(context)


def _outside(task: Task, files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that lie outside the paths that the task declares."""
    if not task.paths:
        return ()
    inside = declare(task.paths, BaseTree.of(files)).matched
    return tuple(name for name in files if name not in inside)


_CANDIDATE = "candidate.json"


@dataclass(frozen=True)
class Candidate:
    """The commit that the session is to become, and the tree of what was checked."""

    commit: str = ""
    tree: str = ""


def _kept_candidate(context: SessionContext, tree: str) -> str:
    """Return the session's commit, made of `tree` and kept under a ref."""
    known = _candidate(context)
    if known.tree == tree:
        return known.commit  # this step is repeated
    repo, layout, base = context.repository, context.layout, context.session.base_sha

    def make(again: bool) -> str:
        return commit_tree(
            repo,
            build_tree(context.tree).tree if again else tree,
            [base],
            context.task.produces,
            trailers=[("Abreast-Run", context.run.id), ("Abreast-Session", layout.id)],
            sign=wants_signature(repo),
            env=context.tree.objects,
        )

    made = pack_made(context.tree, make, [base])
    with published(repo, context.tree, made, known=[base]) as commit:
        anchor(repo, layout.ref("snap"), commit, reason=f"abreast: {layout.id}, to be verified")
    return commit


@lru_cache(maxsize=64)
def _base_tree(repo: Repository, base: str) -> str:
    """Return the tree of a commit given by its id; mostly, the sessions of a run share one base."""
    return tree_of(repo, base)


_GO_ON = 'say what is missing: abreast resume SESSION -m "…"'
_LOOK = "what it did: abreast logs SESSION"
_MEANT = "a task that is to change nothing says `changes = false` in its plan"
_NO_ANSWER = "work in it: abreast attach SESSION, or run it anew with another prompt"


def _unexpected(context: SessionContext, files: tuple[str, ...]) -> Ending | None:
    """Return the ending of a session that wrongly changed nothing, or wrongly changed files."""
    changes = context.task.changes
    if changes and not files and context.session.kind is SessionKind.TASK:
        if asked := questions_in(context.session.final_message):
            ending = asking(question(asked[0]))
            if not agent_named(context.task.agent.name).capabilities.resume:
                return replace(ending, hint=_NO_ANSWER)
            ask_at_end(context, [question(asked[0])])
            return ending
        goes_on = agent_named(context.task.agent.name).capabilities.resume
        hint = f"{_GO_ON if goes_on else _LOOK}; {_MEANT}"
        return Ending(SessionState.FAILED, "it ended well, but changed nothing", hint)
    if files and not changes:
        names = ", ".join(files[:5])
        return Ending(SessionState.FAILED, f"it was to change nothing, but changed {names}")
    return None


def after_setup(context: SessionContext) -> None:
    """Note what the setup command has changed: it does not count as the agent's work."""
    if (context.layout.job("agent") / JOB).exists():
        return  # it has begun: this is looked at once more, and what is there is its own
    note_baseline(context, anew=True)
    if context.session.cli_session:
        return  # the agent goes on where it was: what is there is its own
    tree = build_tree(context.tree).tree
    changes = changed_files(
        context.repository, context.session.base_sha, tree, env=context.tree.objects
    )
    if changes:
        names = ", ".join(change.path for change in changes[:5])
        text = f"setup has changed {names}; what .gitignore does not name will be committed"
        context.add_event("warning", text)
        write_atomic(context.layout.directory / "setup-tree", tree)


def _left_by_setup(context: SessionContext) -> str:
    file = context.layout.directory / "setup-tree"
    return file.read_text(encoding="ascii") if file.exists() else ""


def after_verify(context: SessionContext) -> None:
    """Put the worktree back to what is to be committed, whatever the verify command left there.

    What it left is kept under a ref first.
    """
    tree = _candidate(context).tree
    built = build_tree(context.tree)
    if built.tree != tree or built.skipped:
        kept = make_room(context.repository, context.layout, context.session.base_sha, "verify")
        tell_kept(context.engine.store, context.layout.id, kept.notes)
        restore_tree(context.repository, context.tree, tree)


def _candidate(context: SessionContext) -> Candidate:
    return load_as(Candidate, context.layout.directory / _CANDIDATE) or Candidate()


def commit(context: SessionContext) -> Ending:
    """Put the checked tree on the session's branch as one commit; return whether it is proven.

    Done is a clean worktree whose HEAD is on the session's branch, and that at the commit.
    """
    # Verify has run what the agent wrote.
    return trespass.judge(context) or _commit(context)


def _commit(context: SessionContext) -> Ending:
    repo, layout, base = context.repository, context.layout, context.session.base_sha
    candidate = _candidate(context)
    if _left_by_setup(context) and candidate.tree == _base_tree(repo, base):
        after_verify(context)  # what setup has left is no work
    context.update(SessionUpdate(state=SessionState.COMMITTING))
    sealed = seal(
        repo,
        context.tree,
        commit=candidate.commit,
        branch=layout.branch,
        base=base,
        keep_ref=layout.ref("agent"),
        line_ref=layout.ref("line"),
        also=left_by(repo, layout, base, known=[candidate.commit]),
    )
    if sealed.own:
        own = counted(len(sealed.own), "commit")
        are = "are" if sealed.own[1:] else "is"
        text = f"the agent's own {own} {are} kept under {sealed.kept}"
        context.add_event("squashed", text)
    if not sealed.left.clean:
        return Ending(SessionState.UNKNOWN, f"changed while it was committed: {sealed.left}")
    lost = dropped(context, candidate.commit) if context.session.mending else ()
    if lost:
        context.add_event("dropped", "\n".join(lost))
    context.update(SessionUpdate(commit=sealed.commit or "", dropped=lost))
    return Ending(SessionState.DONE)


def finish(context: SessionContext, ending: Ending | None) -> Ending:
    """Write down the final state; what is not proven to be done is kept first."""
    final = ending or Ending(SessionState.UNKNOWN, "nothing shows that it is done")
    final = trespass.told(context, final)
    if context.session.mending and final.state is SessionState.FAILED:
        session = context.session
        reason = f"repair {session.repairs} of {session.most_repairs}: {final.reason}"
        final = replace(final, reason=reason, hint=f"abreast show {session.id}")
    if final.state is not SessionState.DONE:
        _keep(context)
        trespass.come_home(context)
    take_back(context.layout)
    for mail in mailbox.pending(context.layout.mailbox):
        context.add_event("unheard", mail.text)
    child = context.session.kind is SessionKind.CHILD
    if not child:
        leave(context, final)  # first: the session that needs it starts at its end
    began = context.session.started is not None
    written = write_ending(
        context.engine, context.session.id, final, attempt=context.layout.attempt, began=began
    )
    if child:
        leave(context, final)  # last: a parent waits for the end, and has the deliverable
    else:
        context.engine.lookout.changed(str(context.repository.common_dir), context.session.id)
    return written


def _keep(context: SessionContext) -> None:
    """Keep under a ref what is in the worktree, uncommitted work included."""
    base = context.session.base_sha
    if context.layout.worktree.exists():
        kept = keep(context.repository, context.layout, base, "ended")
        tell_kept(context.engine.store, context.layout.id, kept.notes)
    else:  # somebody has removed it
        notes = keep_behind(context.repository, context.layout, base)
        tell_kept(context.engine.store, context.layout.id, notes)
